"""A sweep's folders become points: costs by hand, accuracy as written."""

import json
import shutil

import numpy as np
import pytest

from resflax import scaling
from resflax.errors import StorageError, UsageError
from resflax.resolution import Stage
from resflax.sweeps.overfitting import measure
from resflax.sweeps.points import compute
from resflax.sweeps.results import digest, read_points
from tests.sweeps.folders import EXAMPLES, shape, write_run


def test_compute_is_summed_over_the_stages():
  stages = (Stage(0, 16), Stage(30, 32))
  flops = compute(stages, 100, 8, {16: 1000, 32: 4000})
  assert flops == 6 * 8 * (30 * 1000 + 70 * 4000)


def test_a_digest_leaves_the_seed_out():
  one, two = ({'seed': s, 'model': {'width': 0.5}} for s in (0, 1))
  assert digest(one) != digest(two)
  assert digest(one, without=('seed',)) == digest(two, without=('seed',))


@pytest.fixture
def sweep(tiny_run, tmp_path):
  """A sweep of two seeds: one run twice, but for the seed and an accuracy."""
  rows = [{'label': 'tiny', 'name': f'tiny-{seed}'} for seed in (0, 1)]
  for seed, row in enumerate(rows):
    folder = tmp_path / row['name']
    shutil.copytree(tiny_run.workdir, folder)
    stored = json.loads((folder / 'config.json').read_text())
    stored['config']['seed'] = seed
    (folder / 'config.json').write_text(json.dumps(stored))
  lines = [json.dumps(row) + '\n' for row in rows]
  (tmp_path / 'runs.jsonl').write_text(''.join(lines))
  return tmp_path


def test_runs_of_one_design_are_a_point(sweep, tiny_run):
  [point] = read_points(str(sweep))
  config = json.loads((tiny_run.workdir / 'config.json').read_text())
  table = config['derived']['resolution.table']['value']
  config = config['config']
  steps, batch = config['schedule']['total_steps'], config['batch_size']
  ends = [*(row[0] for row in table[1:]), steps]
  expected = 0
  for (first, size, *_), end in zip(table, ends, strict=True):
    costs = scaling.count(config['model'], size, num_classes=10, in_channels=1)
    expected += 6 * sum(c.macs for c in costs) * (end - first) * batch
  assert point.compute == expected
  assert (point.label, point.seeds) == ('tiny', (0, 1))
  assert point.width == 0.125 and point.resolution == table[-1][1]
  status = json.loads((tiny_run.workdir / 'status.json').read_text())
  assert point.params == status['params']
  assert point.tpu_ms is None
  with np.load(tiny_run.workdir / 'evaluation.npz') as arrays:
    right = (arrays['label'] == arrays['prediction']).mean()
    loss = -np.log(arrays['label_probability'].astype(np.float64)).mean()
  assert point.error == pytest.approx((1 - right,) * 2)
  assert point.loss == pytest.approx((loss,) * 2)


def test_a_run_without_a_mistake_has_half_of_one(tmp_path):
  write_run(tmp_path / 'all-00000000', shape(1, 0.25, 16), lambda _: 0.0)
  write_run(tmp_path / 'most-00000000', shape(2, 0.25, 16), lambda _: 0.1)
  errors = {point.label: point.error for point in read_points(str(tmp_path))}
  assert errors == {'all': (0.5 / EXAMPLES,), 'most': (pytest.approx(0.1),)}


def test_other_folders_are_refused(tmp_path, sweep):
  with pytest.raises(UsageError, match='is the folder of a run: give that of'):
    read_points(str(tmp_path / 'tiny-0'))
  (sweep / 'runs.jsonl').write_text('{"label": ')
  with pytest.raises(StorageError, match='Cannot read'):
    read_points(str(sweep))


def test_a_finished_run_without_its_data_set_is_told(tmp_path):
  write_run(tmp_path / 'a-00000000', shape(1, 0.25, 16), lambda _: 0.2)
  (tmp_path / 'a-00000000' / 'dataset.json').write_text('{}')
  with pytest.raises(StorageError, match=r"dataset.json': it has no 'class_n"):
    read_points(str(tmp_path))


def test_runs_of_several_test_splits_have_no_common_law(tmp_path):
  for name, split in (('a', 'test'), ('b', 'test[:90%]')):
    fields = {**shape(1, 0.25, 16), 'data.test_split': split}
    write_run(tmp_path / f'{name}-00000000', fields, lambda _: 0.2)
  with pytest.raises(UsageError, match=r'on digits test and on digits test\['):
    read_points(str(tmp_path))


def test_runs_that_have_not_ended_are_no_points(sweep):
  (sweep / 'tiny-1' / 'evaluation.npz').unlink()
  [point] = read_points(str(sweep))
  assert point.seeds == (0,)
  (sweep / 'tiny-0' / 'evaluation.npz').unlink()
  with pytest.raises(UsageError, match='all of its runs are still to end'):
    read_points(str(sweep))


@pytest.mark.slow
def test_the_loss_on_training_images_is_kept(sweep):
  """The digits are trained with label smoothing, which is refused."""
  folder = sweep / 'tiny-0'
  with pytest.raises(UsageError, match='label smoothing'):
    measure(str(folder))
  stored = json.loads((folder / 'config.json').read_text())
  stored['config']['loss']['label_smoothing'] = 0.0
  (folder / 'config.json').write_text(json.dumps(stored))
  loss = measure(str(folder))
  assert 0 < loss < 10
  kept = folder / 'train_loss.json'
  kept.write_text('{"loss": 0.25}')
  assert measure(str(folder)) == 0.25
