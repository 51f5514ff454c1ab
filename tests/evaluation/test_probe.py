"""Features of nets on images of other classes, and what is refused."""

import ast
import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resflax.data.memory import ArrayDataset
from resflax.data.records import DatasetInfo
from resflax.errors import NotFiniteError, UsageError
from resflax.evaluation.features import extract, num_bytes, width
from resflax.evaluation.probe import choose_splits, prepare
from tests.evaluation.probing import dataset, net, stripes
from tests.forced_devices import output_of
from tests.scripts.calling import call


@pytest.fixture(scope='module')
def run():
  return net()


def test_features_are_those_before_the_classifier(run):
  images, labels = stripes(11, 1)
  found = extract(run, dataset().split('test'))
  np.testing.assert_array_equal(found.labels, labels)
  logits = run.setup.predict(run.variables, jnp.asarray(images))
  head = run.variables['params']['head']
  kernel, bias = (np.asarray(head[name]) for name in ('kernel', 'bias'))
  np.testing.assert_allclose(
    found.values @ kernel + bias, logits, rtol=1e-4, atol=1e-6
  )
  assert width(run) == found.values.shape[1] == kernel.shape[0]
  assert num_bytes(run, 11) == found.values.nbytes


@pytest.mark.slow
def test_an_efficientnet_has_them_too():
  efficientnet = net({'variant': 'efficientnet_b0'}, shapes=True)
  assert width(efficientnet) == 1280  # Tan and Le 2019, table 1


@pytest.mark.slow
def test_features_over_two_devices_are_the_same(run):
  first, *rows = output_of(__file__, 'features_program.py', 2).splitlines()
  found = extract(run, dataset().split('test'))
  assert first == f'2 {found.labels.tolist()}'
  np.testing.assert_allclose(
    [ast.literal_eval(row) for row in rows], found.values, rtol=1e-4, atol=1e-6
  )


def test_other_classes_than_the_nets_are_told_apart(run):
  probe = prepare(
    run, dataset(60, 30), neighbors=(1, 60), strengths=(1.0, 0.1, 0.01)
  )
  assert len(run.class_names) == 2 and probe.counts == {'train': 60, 'test': 30}
  outcome = probe.measure()
  assert outcome.linear.top1 > 0.6  # of 3 classes
  assert outcome.linear.val_count == 12
  assert outcome.neighbors[1] > 0.6 and set(outcome.neighbors) == {1, 60}
  assert outcome == probe.measure()
  alone = prepare(run, dataset(60, 30), methods=('knn',)).measure()
  assert alone.linear is None and set(alone.neighbors) == {20}


def test_grey_images_are_given_as_colours(run):
  images, labels = stripes(9)
  grey, colours = (
    ArrayDataset({'test': (pixels, labels)}).split('test')
    for pixels in (images[..., :1], images[..., :1].repeat(3, -1))
  )
  np.testing.assert_array_equal(
    extract(run, grey).values, extract(run, colours).values
  )


def info(**splits):
  return DatasetInfo('some', '', ('a', 'b'), 3, splits)


@pytest.mark.parametrize(
  'have, given, splits',
  [
    ('train test', {}, ('train', None, 'test')),
    ('train validation', {}, ('train', None, 'validation')),
    ('train validation test', {}, ('train', 'validation', 'test')),
    ('train', {}, ('train[:90%]', None, 'train[90%:]')),
    (
      'train validation test',
      {'train': 'train[:10%]'},
      ('train[:10%]', None, 'test'),
    ),
    (
      'train validation test',
      {'test': 'validation'},
      ('train', None, 'validation'),
    ),
    ('a b', {'train': 'a', 'test': 'b'}, ('a', None, 'b')),
  ],
)
def test_splits(have, given, splits):
  found = choose_splits(info(**dict.fromkeys(have.split(), 100)), **given)
  assert found == splits
  assert found.chosen_on == splits[1] or splits[0] in found.chosen_on


def refused(run, match, data=None, **options):
  with pytest.raises(UsageError, match=match):
    prepare(run, data or dataset(), **options)


def test_what_is_refused_before_anything_slow(run):
  one = dataclasses.replace(dataset().info, class_names=('a',))
  single = dataset()
  single.info = one
  refused(run, 'has 1 classes', single)
  refused(run, '--neighbors=20,31 may be 1 to 30', neighbors=(20, 31))
  refused(run, "Unknown split of array 'tset'", test='tset')
  refused(
    run, '--val_split=train.* shares images .*--train_split', val='train[:5]'
  )
  refused(run, '--test_split=train shares images', test='train', train='train')
  only = dataset()
  only.info = dataclasses.replace(only.info, splits={'test': 11})
  refused(run, "has no split 'train', only test: give --train_split", only)
  setup = dataclasses.replace(run.setup, model=object())
  refused(dataclasses.replace(run, setup=setup), 'no method `features`')


def test_what_only_the_examples_tell(run):
  same = dataset()
  with pytest.raises(UsageError, match=r'array train\[:1\] are of one class'):
    prepare(run, same, train='train[:1]', neighbors=(1,)).measure()
  unlabelled = dataset()
  unlabelled._records['test'].labels = np.full(11, -1)
  with pytest.raises(UsageError, match='has no label'):
    extract(run, unlabelled.split('test'))
  broken = jax.tree.map(lambda x: x * np.nan, run.variables)
  with pytest.raises(NotFiniteError, match='images 0 to 8 of array test'):
    extract(dataclasses.replace(run, variables=broken), same.split('test'))


@pytest.mark.slow
def test_the_command(tiny_run):
  said = call(
    'probe',
    f'--workdir={tiny_run.workdir}',
    '--train_split=train[:300]',
    '--test_split=test[:100]',
    '--neighbors=20,1',
    '--l2=1',
    '--json',
    timeout=120,
  )
  assert said.returncode == 0, said.stderr
  found = json.loads(said.stdout)
  assert 'digits at 32 px: 256 features of each image (300 of' in said.stderr
  assert found['counts'] == {'train': 300, 'test': 100}
  assert found['linear']['l2'] == 1 and found['chosen_on'] is None
  assert found['linear']['top1'] > 0.5  # random features of digits do so well
  assert list(found['knn']) == ['1', '20'] and found['knn']['1'] > 0.5
  assert found['feature_bytes'] == 400 * found['features'] * 4


@pytest.mark.parametrize(
  'arguments, says',
  [
    ((), 'Give one of --workdir'),
    (('--weights=x',), '--dataset is missing'),
    (('--workdir=x', '--neighbors=20,no'), '--neighbors=20,no takes numbers'),
    (('--workdir=x', '--method=knn', '--l2=1'), '--l2 is for --method=linear'),
    (
      ('--workdir=x', '--method=linear', '--neighbors=7'),
      '--neighbors is for --method=knn',
    ),
    (('--workdir=x', '--method=svm'), 'one of <linear|knn|both>'),
  ],
)
def test_usage_errors_are_one_line(arguments, says):
  done = call('probe', *arguments)
  assert done.returncode == 5
  assert says in done.stderr and done.stderr.count('\n') == 1
