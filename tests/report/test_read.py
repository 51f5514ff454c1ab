import json

import numpy as np
import pytest

from resflax.errors import StorageError, UsageError
from resflax.report.read import read_run


def test_a_finished_run_is_read_in_order_of_steps(write_run):
  run = read_run(write_run(name='seed0'))
  assert run.name == 'seed0'
  steps = [row['step'] for row in run.rows]
  assert steps == sorted(steps) and len(steps) == 45
  assert run.last('test/top1')['test/count'] == 400
  assert run.config['model']['variant'] == 'resnet18'
  assert run.evaluation.class_names[3] == 'class 3'
  assert run.evaluation.correct.mean() == run.last('test/top1')['test/top1']


def test_a_running_run_has_no_evaluation(write_run):
  run = read_run(write_run(finished=False))
  assert run.evaluation is None
  assert run.last('test/top1') == {}


def test_a_run_that_has_only_begun_is_its_config(write_run):
  folder = write_run(finished=False)
  for path in (folder / 'metrics').iterdir():
    path.unlink()
  for name in 'status.json', 'environment.json':
    (folder / name).unlink()
  (folder / 'metrics').rmdir()
  run = read_run(folder)
  assert (run.rows, run.status, run.environment) == ([], {}, {})
  assert len(run.series('lr')[0]) == 0


def test_a_line_that_is_being_written_is_not_read_yet(write_run):
  folder = write_run(finished=False)
  complete = len(read_run(folder).rows)
  with sorted((folder / 'metrics').iterdir())[-1].open('a') as part:
    part.write('{"step": 41, "train/lo')
  assert len(read_run(folder).rows) == complete


def test_a_series_leaves_out_what_is_not_finite(write_run):
  folder = write_run(finished=False)
  rows = [{'step': s, 'train/loss': v} for s, v in ((1, 2.0), (2, np.nan))]
  lines = ''.join(json.dumps(row) + '\n' for row in rows)
  for path in (folder / 'metrics').iterdir():
    path.unlink()
  (folder / 'metrics' / '000000002.jsonl').write_text(lines)
  steps, values = read_run(folder).series('train/loss')
  np.testing.assert_array_equal(steps, [1.0])
  np.testing.assert_array_equal(values, [2.0])


def test_a_folder_without_config_is_refused(tmp_path):
  with pytest.raises(UsageError, match=r'not a run folder.*config\.json'):
    read_run(tmp_path)
  for name in ('b', 'a'):
    (tmp_path / name).mkdir()
    (tmp_path / name / 'config.json').touch()
  with pytest.raises(UsageError, match='holds 2 of them: give one, such as a'):
    read_run(tmp_path)


@pytest.mark.parametrize(
  ('file', 'content'),
  [
    ('config.json', '{"config":'),
    ('config.json', '[1, 2]'),
    ('config.json', '{"config": 3}'),
    ('config.json', '{"config": {}}'),
    ('status.json', 'done'),
    ('metrics/000000040.jsonl', 'step 1\n'),
    ('metrics/000000040.jsonl', '{"epoch": 1}\n'),
    ('metrics/000000040.jsonl', '[1]\n'),
    ('evaluation.npz', 'PK not really'),
    ('evaluation.npz', 'no archive'),
    ('evaluation.npz', ''),
  ],
)
def test_garbage_is_refused_in_one_line(write_run, file, content):
  folder = write_run()
  (folder / file).write_text(content)
  with pytest.raises(StorageError) as raised:
    read_run(folder)
  message = str(raised.value)
  assert file in message and '\n' not in message
  assert 'pickle' not in message


@pytest.mark.parametrize(
  ('change', 'reason'),
  [
    ({'label': np.full(400, 10)}, 'label has a value outside 0 to 9'),
    ({'prediction': np.zeros(3, int)}, 'prediction has another length'),
    ({'sample_index': np.array([400] * 12)}, 'outside 0 to 399'),
    ({'sample_image': np.zeros((2, 8, 8, 1), np.uint8)}, 'one image for each'),
    ({'sample_image': np.zeros((12, 8, 8, 2), np.uint8)}, '1 or 3 channels'),
    ({'class_names': None}, 'class_names'),
  ],
)
def test_arrays_that_do_not_belong_together_are_refused(
  write_run, change, reason
):
  folder = write_run()
  with np.load(folder / 'evaluation.npz') as arrays:
    arrays = dict(arrays) | change
  kept = {name: array for name, array in arrays.items() if array is not None}
  np.savez(folder / 'evaluation.npz', **kept)
  with pytest.raises(StorageError, match=reason):
    read_run(folder)
