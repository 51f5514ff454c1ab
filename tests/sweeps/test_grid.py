"""Sweep files: which runs they list, and what is refused."""

import itertools
import pathlib

import numpy as np
import pytest

from resflax import scaling
from resflax.config import resolve
from resflax.errors import UsageError
from resflax.fields import nest
from resflax.resolved import Facts
from resflax.sweeps.grid import load_sweep


def written(tmp_path, text):
  path = tmp_path / 'sweep.py'
  path.write_text(text)
  return str(path)


TWO = """
def sweep(add):
  add('small', **{'model.width': 0.25, 'data.mean': (0.5,)})
  add('large', **{'config.model.width': 0.5, 'seed': 1}, config_arg='resnet56')
"""


def test_runs_are_listed_in_order_with_their_flags(tmp_path):
  small, large = load_sweep(written(tmp_path, TWO), 'resnet20')
  assert (small.label, small.config_arg) == ('small', 'resnet20')
  assert small.flags == [
    '--config.model.width=0.25',
    '--config.data.mean=(0.5,)',
  ]
  assert (large.label, large.config_arg) == ('large', 'resnet56')
  assert large.fields == {'model.width': 0.5, 'seed': 1}


def test_numbers_of_numpy_are_numbers(tmp_path):
  text = 'import numpy as np\ndef sweep(add):\n  for lr in {0}:\n'
  text += '    add(**{{"optimizer.lr": lr}})'
  ours, numpys = (
    load_sweep(written(tmp_path, text.format(values)))
    for values in ('(0.25, 0.5)', 'np.geomspace(0.25, 0.5, 2)')
  )
  assert ours == numpys
  assert numpys[0].flags == ['--config.optimizer.lr=0.25']


def test_a_name_follows_from_the_content_alone(tmp_path):
  before = load_sweep(written(tmp_path, TWO))
  swapped = TWO.replace(
    "'model.width': 0.25, 'data.mean': (0.5,)",
    "'data.mean': (0.5,), 'model.width': 0.25",
  )
  after = load_sweep(written(tmp_path, swapped))
  assert [run.name for run in before] == [run.name for run in after]
  assert len({run.name for run in before}) == 2
  other = load_sweep(written(tmp_path, TWO.replace('0.25', '0.125')))
  assert other[0].name != before[0].name
  assert other[1].name == before[1].name


def test_common_fields_give_way_to_a_runs_own(tmp_path):
  common = {'seed': 7, 'optimizer.lr': 0.2}
  small, large = load_sweep(written(tmp_path, TWO), '', common)
  assert small.fields['seed'] == 7 and large.fields['seed'] == 1
  assert small.fields['optimizer.lr'] == large.fields['optimizer.lr'] == 0.2


def test_a_common_field_that_all_runs_set_is_refused(tmp_path):
  with pytest.raises(UsageError, match=r'--config.model.width does nothing'):
    load_sweep(written(tmp_path, TWO), '', {'seed': 7, 'model.width': 2.0})


@pytest.mark.parametrize(
  'text, message',
  [
    ("def sweep(add):\n  add(**{'model.widht': 1.0})", 'config.model.widht'),
    ("def sweep(add):\n  add(seed='x')", "config.seed='x' is not allowed"),
    ('def sweep(add):\n  add(seed=1)\n  add(seed=1)', 'adds one run twice'),
    (
      "def sweep(add):\n  add(**{'seed': 1, 'config.seed': 2})",
      'seed and config.seed are one field',
    ),
    ('def sweep(add):\n  pass', 'adds no run'),
    (
      "def sweep(add):\n  add('a')\n  add('a', **{'model.width': 0.5})",
      "labelled 'a' differ in model.width, and a label is of runs that differ",
    ),
    (
      "def sweep(add):\n  add('a')\n  add('a', seed=1, batch_size=8)",
      "labelled 'a' differ in batch_size",
    ),
    (
      "def sweep(add):\n  add('a')\n  add('a', **{'data.train_split': 'x'})",
      "labelled 'a' differ in data.train_split",
    ),
    (
      "def sweep(add):\n  add('a')\n  add('a', config_arg='x')",
      "labelled 'a' differ in config_arg",
    ),
    ('def sweep(add):\n  add(3)', 'The label 3 is to be a text'),
    ('sweeps = 1', r'no function sweep\(add\), nor get_hyper\(hyper\)'),
    ("def sweep(add):\n  add('a/b', seed=1)", "The label 'a/b' is not allowed"),
    (
      "def sweep(add):\n  add('base')\n  add('new', against='bsae', seed=1)",
      "Unknown label 'bsae'. Did you mean 'base'. .*against of 'new', --sweep",
    ),
    (
      "def sweep(add):\n  add('a', against='a')",
      "'a' is compared with itself",
    ),
    (
      'def sweep(add):\n  add(config_arg=3)',
      'config_arg=3 takes the text behind',
    ),
    (
      "def sweep(add):\n  add('base', published=0.3)",
      "published=0.3 of 'base' takes points .* beside against='LABEL'",
    ),
    (
      "def sweep(add):\n  add('a', against='b', published='+0.3')",
      r"published='\+0.3' of 'a' takes points of top-1",
    ),
  ],
)
def test_what_a_sweep_file_may_not_say(tmp_path, text, message):
  with pytest.raises(UsageError, match=message):
    load_sweep(written(tmp_path, text))


@pytest.mark.parametrize('path', ['nowhere.py', 'configs/sweeps'])
def test_no_such_file(path):
  with pytest.raises(UsageError, match=f"No sweep file '{path}'"):
    load_sweep(path)


def test_a_misspelt_file_has_a_hint():
  with pytest.raises(UsageError, match="mean 'configs/sweeps/rs_ladder.py'"):
    load_sweep('configs/sweeps/rs_lader.py')


@pytest.mark.parametrize(
  'text, message',
  [
    ('def sweep(add)\n', "with SyntaxError: expected ':' "),
    ('\nraise SystemExit(3)', 'at line 2 with SystemExit: 3'),
    ('\nimport nowhere', 'at line 2 with ModuleNotFoundError: No module name'),
    ("open('nowhere.csv')", 'at line 1 with FileNotFoundError: .*nowhere.csv'),
    (
      "def sweep(add):\n  raise ValueError('no\\nway')",
      'at line 2 with ValueError: no$',
    ),
    (
      'def get_hyper(hyper):\n  assert 0',
      'at line 2 with AssertionError: AssertionError',
    ),
  ],
)
def test_a_sweep_file_that_fails(tmp_path, text, message):
  path = written(tmp_path, text)
  with pytest.raises(UsageError, match=f'--sweep={path} fails {message}'):
    load_sweep(path)


SWEEPS = sorted(pathlib.Path('configs/sweeps').glob('[!_]*.py'))


@pytest.mark.parametrize('path', SWEEPS, ids=lambda path: path.stem)
def test_the_sweeps_that_ship_can_be_listed(path):
  runs = load_sweep(str(path))
  assert len({run.name for run in runs}) == len(runs)
  assert f'--sweep={path}' in path.read_text().split('"""')[1]


def test_the_ladder_has_eleven_rungs_and_leaves_one_out():
  runs = [
    run
    for run in load_sweep('configs/sweeps/rs_ladder.py')
    if run.fields['seed'] == 0
  ]
  labels = [run.label for run in runs]
  assert len(labels) == 20 and labels[0] == 'base' and labels[10] == 'resnet_d'
  full = runs[10].fields
  for before, run in itertools.pairwise(runs[:11]):
    assert run.fields.keys() >= before.fields.keys()
    assert run.fields != before.fields
  for run in runs[11:]:
    changed = {k for k in full if run.fields.get(k) != full[k]}
    assert changed and changed != set(full)
  # Bello et al. 2021, table 1: 79.0 % in all, and what came with each rung.
  reached = (79.0, 79.3, 78.8, 79.1, 80.4, 80.6, 81.0, 80.7, 82.2, 82.9, 83.4)
  assert runs[0].published is None
  assert [run.published for run in runs[1:11]] == pytest.approx(
    np.diff(reached)
  )
  assert all(run.published is None for run in runs[11:])


def test_the_study_of_decay_holds_the_papers_product():
  """Table 2 of the same, of the ResNet-200: top-1 with 1e-4 and with 4e-5."""
  reached = {'none': (82.5, 81.7), 'some': (85.2, 84.9), 'all': (85.3, 85.5)}
  runs = [
    run
    for run in load_sweep('configs/sweeps/weight_decay.py')
    if run.fields['seed'] == 0
  ]
  assert len(runs) == 12
  for more, less in zip(runs[::2], runs[1::2], strict=True):
    name, product, _ = more.label.split('_')
    with_more, with_less = reached[name]
    assert less.against == more.label
    assert less.published == pytest.approx(with_less - with_more)
    decays = [run.fields['optimizer.weight_decay'] for run in (more, less)]
    assert decays[0] / decays[1] == pytest.approx(1e-4 / 4e-5)
    fields = more.fields
    steps = fields['schedule.total_epochs'] * 1000 / fields['batch_size']
    paper = 1.6 * 1e-4 * 109_475
    held = fields['optimizer.lr'] * decays[0] * steps
    assert (held == pytest.approx(paper, rel=0.01)) == (product == 'paper')


def test_the_compute_ladder_has_six_sizes_an_axis_over_two_decades():
  runs = load_sweep('configs/sweeps/compute_ladder.py')
  shapes = {
    (
      run.fields['model.depths'],
      run.fields['model.width'],
      run.fields['resolution.train'],
    )
    for run in runs
  }
  assert len(runs) == 3 * len(shapes)
  macs = [
    scaling.totals(
      scaling.count(
        {'variant': 'resnet20_cifar', 'depths': depths, 'width': width},
        resolution,
        num_classes=10,
      )
    ).macs
    for depths, width, resolution in shapes
  ]
  assert max(macs) / min(macs) > 100
  base = (3, 3, 3), 0.25, 16
  for axis in range(3):
    others = [i for i in range(3) if i != axis]
    family = [s for s in shapes if all(s[i] == base[i] for i in others)]
    assert len(family) >= 6


def test_repetition_is_told_apart_from_length():
  runs = load_sweep('configs/sweeps/repetition_and_shape.py')
  arms = {run.label: run for run in runs}
  assert len(arms) == 4 and len(runs) == 32
  for run in arms.values():
    repeated = run.label.startswith('repeated')
    facts = Facts(5_000 if repeated else 45_000, {}, '')
    variant = {'model.variant': f'{run.config_arg}_cifar'}
    fields = {**variant, **run.fields, 'resolution.test_crop': 1.0}
    resolved = resolve(nest(fields), facts)
    assert resolved['schedule.total_steps'] == 250_000 // 128
    assert resolved['schedule.warmup_steps'] == round(0.05 * 250_000 / 128)


def test_the_grid_of_resnet_rs_is_whole():
  runs = load_sweep('configs/sweeps/rs_grid.py')
  assert len({run.label for run in runs}) == len(runs) == 7 * 5 * 5 * 3
  for run in runs:
    long = run.fields['schedule.total_epochs'] == 350
    assert bool(run.fields['loss.label_smoothing']) == long
    assert bool(run.fields['augment.randaugment.layers']) == long
