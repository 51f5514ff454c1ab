"""The sets that ImageNet's nets are tested on, small and in TFDS's schema."""

import dataclasses
import functools
import json

import jax
import numpy as np
import pytest

from resflax.data.class_maps import class_map
from resflax.data.imagenet import SUBSETS, class_names, subset_of
from resflax.data.names import configs_of
from resflax.data.records import DatasetInfo
from resflax.data.sources import load_dataset
from resflax.errors import DataError, UsageError
from resflax.evaluation.corruptions import (
  ALEXNET_ERRORS,
  corruption_errors,
  mean_corruption_error,
)
from resflax.models import build_model
from resflax.pretrained import load_pretrained
from resflax.runs import Run
from resflax.weights import Metadata, save_weights
from tests.data.imagenet_sets import write_set
from tests.scripts import calling

A = subset_of('imagenet_a')
REAL = [[3], [7, 400, 999], [], [20]]
UNNAMED = tuple(f'class {i}' for i in range(1000))


@pytest.fixture(scope='module')
def data_dir(tmp_path_factory):
  folder = tmp_path_factory.mktemp('tfds')
  write_set(folder, 'imagenet_a', 'test', [A[0], A[199], A[70]])
  # The config that TFDS takes where none is named.
  config = 'matched-frequency'
  write_set(folder, 'imagenet_v2', 'test', [5, 999], config=config)
  write_set(folder, 'imagenet2012_real', 'validation', REAL)
  for severity in (1, 2):
    write_set(
      folder,
      'imagenet2012_corrupted',
      'validation',
      [1, 2, 3],
      config=f'fog_{severity}',
    )
  return str(folder)


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
  model = build_model('resnet20_cifar', width=0.25)
  images = np.zeros((1, 16, 16, 3), np.float32)
  variables = jax.jit(functools.partial(model.init, train=False))(
    jax.random.key(1), images
  )
  path = tmp_path_factory.mktemp('weights') / 'net.safetensors'
  metadata = Metadata(
    'resnet20_cifar',
    fields={'width': 0.25},
    resolution=16,
    crop=0.8,
    mean=(0.5,) * 3,
    std=(0.25,) * 3,
  )
  save_weights(path, variables, metadata)
  return path


@pytest.fixture(scope='module')
def net(weights) -> Run:
  return load_pretrained(weights)


def info(names, name='mine'):
  return DatasetInfo(name, '1', tuple(names), 3, {})


def test_the_subsets_are_of_200_classes():
  for name in SUBSETS:
    subset = subset_of(f'{name}:0.1.0')
    assert len(subset) == 200 and list(subset) == sorted(set(subset))
  # As the authors list them: stingray and goldfish first, yellow lady last.
  first = {name: class_names()[subset_of(name)[0]] for name in SUBSETS}
  assert first == {'imagenet_a': 'n01498041', 'imagenet_r': 'n01443537'}
  assert {class_names()[subset_of(n)[-1]] for n in SUBSETS} == {'n12267677'}
  assert subset_of('imagenet_v2') is None


@pytest.mark.parametrize('known', [class_names(), UNNAMED])
def test_folders_are_known_by_the_names_of_their_classes(known):
  folder = [class_names()[i] for i in (9, 2, 400)]
  found = class_map(info(folder), known)
  assert found.columns == (2, 9, 400)
  np.testing.assert_array_equal(found.places, [1, 0, 2])
  numbers = sorted(map(str, range(1000)))  # '0', '1', '10', '100', '101'
  found = class_map(info(numbers), known)
  assert found.columns is None
  assert found.places[:4].tolist() == [0, 1, 10, 100]


def test_classes_in_another_order_are_found_by_name():
  found = class_map(info('cab'), 'abc')
  assert found.columns is None and found.places.tolist() == [2, 0, 1]
  assert found.renamed is None
  found = class_map(info('axyz'), 'abcd')  # by number, for want of better
  assert found.renamed == ('x', 'b')
  assert found.columns is None and found.places.tolist() == [0, 1, 2, 3]
  assert class_map(info('xy'), ('class 0', 'class 1')).renamed is None


@pytest.mark.parametrize('names', ['ax', 'abcd'])
def test_other_classes_are_refused(names):
  with pytest.raises(UsageError, match=f'has {len(names)} classes, and the'):
    class_map(info(names), 'abc')


def test_a_label_outside_of_the_subset_is_an_error():
  found = class_map(info(class_names(), 'imagenet_a'), class_names())
  batch = {'label': np.array([A[0], 0]), 'mask': np.array([True, False])}
  assert found.applied(batch)['label'].tolist() == [0, 0]
  batch['mask'][1] = True
  with pytest.raises(DataError, match='an example of class 0, which is not'):
    found.applied(batch)


def test_other_classes_do_not_compete(net, data_dir):
  dataset = load_dataset('imagenet_a', data_dir)
  found = net.evaluate(dataset)
  p = net.probabilities(dataset.split('test'))[:, A]
  p /= p.sum(-1, keepdims=True)
  places = [0, 199, 70]
  np.testing.assert_array_equal(found.examples['prediction'], p.argmax(-1))
  own = p[range(3), places]
  np.testing.assert_allclose(
    found.examples['label_probability'], own, rtol=1e-5
  )
  assert found.loss == pytest.approx(-np.log(own).mean(), rel=1e-5)
  assert found.examples['label'].tolist() == places
  # The best of all 1,000 is another class for at least one of them.
  best = net.probabilities(dataset.split('test')).argmax(-1)
  assert not set(best) <= set(A)


def test_a_program_serves_many_sets(net, data_dir):
  net = dataclasses.replace(net, programs={})
  for name in configs_of('imagenet2012_corrupted/*', data_dir):
    whole = net.with_preprocessing(crop=1.0)
    whole.evaluate(load_dataset(name, data_dir), batch_size=4)
  net.evaluate(load_dataset('imagenet_v2', data_dir), batch_size=4)
  assert len(net.programs) == 1
  net.evaluate(load_dataset('imagenet_a', data_dir), batch_size=4)
  assert len(net.programs) == 2


def test_each_of_several_labels_is_right(net, data_dir):
  dataset = load_dataset('imagenet2012_real', data_dir, several=True)
  best = net.probabilities(dataset.split('validation')).argmax(-1)
  found = net.evaluate(dataset)
  right = [b in real for b, real in zip(best, REAL, strict=True) if real]
  assert (found.top1, found.count) == (np.mean(right), 3)
  assert found.loss is None and found.top5 is None
  # And a net that says the second label of the second image is right there.
  records = dataset.split('validation')
  assert [records[i]['labels'] for i in range(4)] == list(map(tuple, REAL))
  with pytest.raises(UsageError, match='is not an image classification set'):
    load_dataset('imagenet2012_real', data_dir)


def test_errors_are_divided_by_those_of_alexnet():
  outcomes = [
    (f'imagenet2012_corrupted/{name}_{severity}', 1 - error * severity / 3)
    for name, error in ALEXNET_ERRORS.items()
    for severity in range(1, 6)
  ]
  errors = corruption_errors([('imagenet2012', 0.8), *outcomes])
  assert list(errors) == list(ALEXNET_ERRORS)
  assert mean_corruption_error(errors) == pytest.approx(1)
  errors['fog'] = errors['fog'][:4]
  assert mean_corruption_error(errors) is None


def test_a_star_stands_for_the_configs_that_are_there(data_dir):
  pattern = 'imagenet2012_corrupted/*'
  assert configs_of(pattern, data_dir) == [
    'imagenet2012_corrupted/fog_1',
    'imagenet2012_corrupted/fog_2',
  ]
  assert configs_of('folder:/a/*', data_dir) == ['folder:/a/*']
  with pytest.raises(UsageError, match='No config of cifar10_corrupted is'):
    configs_of('cifar10_corrupted/*', data_dir)
  with pytest.raises(UsageError, match="Did you mean 'imagenet_r'"):
    configs_of('imagenet_rr/*', data_dir)


@pytest.mark.slow
def test_several_sets_in_one_table(weights, data_dir, tmp_path):
  sets = 'imagenet_v2,imagenet_a,imagenet2012_real,imagenet2012_corrupted/*'
  command = (
    'evaluate',
    f'--weights={weights}',
    f'--dataset={sets}',
    f'--data_dir={data_dir}',
    '--batch_size=4',
  )
  done = calling.call(*command, f'--reliability={tmp_path}/r.svg', timeout=120)
  assert done.returncode == 0 and not done.stderr, done.stderr
  header, *rows, errors, path = done.stdout.splitlines()
  columns = 'data set split px images classes top1 top5 loss ECE'
  assert ' '.join(header.split()) == columns
  assert [row.split()[:5] for row in rows] == [
    ['imagenet_v2', 'test', '16', '2', '1,000'],
    ['imagenet_a', 'test', '16', '3', '200'],
    ['imagenet2012_real', 'validation', '16', '3', '1,000'],
    ['imagenet2012_corrupted/fog_1', 'validation', '16', '3', '1,000'],
    ['imagenet2012_corrupted/fog_2', 'validation', '16', '3', '1,000'],
  ]
  assert rows[2].split()[6:8] == ['-', '-']
  assert errors.startswith('corrupted at 16 px: mean error 100.00%: fog 100')
  assert path == f'{tmp_path}/r.svg' and (tmp_path / 'r.svg').exists()

  done = calling.call(*command, '--json', timeout=120)
  *said, errors = map(json.loads, done.stdout.splitlines())
  assert [s['crop'] for s in said] == [0.8, 0.8, 0.8, 1.0, 1.0]
  assert said[2]['loss'] is None and 0 <= said[0]['ece'] <= 1
  assert errors['corrupted'] == {
    'errors': {'fog': 1.0},
    'error': 1.0,
    'mce': None,
  }


@pytest.mark.parametrize(
  ('given', 'said'),
  [
    (('--plot=a.svg', '--dataset=a,b'), '--plot draws resolutions of one'),
    (('--reliability=a.pdf',), '--reliability=a.pdf takes a file that ends'),
  ],
)
def test_figures_that_cannot_be_drawn(given, said):
  done = calling.call('evaluate', '--workdir=unused', *given, timeout=60)
  assert done.returncode == 5 and f'error: {said}' in done.stderr
