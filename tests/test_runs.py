"""A run folder gives back the model that was tested."""

import json
import shutil

import numpy as np
import pytest

from resflax.data.sources import ArrayDataset, load_dataset
from resflax.errors import DataError, StorageError, UsageError
from resflax.report.read import read_run
from resflax.runs import load_run


@pytest.mark.slow
def test_evaluation_is_that_of_the_run(tiny_run):
  run = load_run(tiny_run.workdir)
  evaluation = run.evaluate()
  last = read_run(tiny_run.workdir).last('test/top1')
  assert run.step == last['step'] == 4
  for name, value in evaluation.row('test').items():
    assert value == last[name], name
  assert evaluation.count == 360


@pytest.mark.slow
def test_config_is_not_decided_again(tiny_run):
  stored = json.loads((tiny_run.workdir / 'config.json').read_text())
  run = load_run(tiny_run.workdir)
  assert json.loads(json.dumps(run.config)) == stored['config']
  assert run.config['model']['depths'] == (1, 1, 1, 1)
  assert run.class_names == tuple('0123456789')
  assert run.preprocessing.resolution == 32 and run.preprocessing.channels == 1
  assert run.with_preprocessing(resolution=40).preprocessing.resolution == 40


@pytest.mark.slow
def test_pictures_are_classified_without_the_data_set(tiny_run, tmp_path):
  workdir = tmp_path / 'run'
  shutil.copytree(tiny_run.workdir, workdir)
  test = load_dataset('digits', tiny_run.data_dir).split('test')
  run = load_run(workdir, data_dir=str(tmp_path / 'nothing'))
  images = np.stack([test[i]['image'] for i in range(20)])
  records = ArrayDataset({'test': (images, np.arange(20) % 10)}).split('test')
  probabilities = run.probabilities(records)
  assert probabilities.shape == (20, 10)
  np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
  with np.load(tiny_run.workdir / 'evaluation.npz') as expected:
    np.testing.assert_array_equal(
      probabilities.argmax(1), expected['prediction'][:20]
    )
  assert not (tmp_path / 'nothing').exists()


@pytest.mark.slow
def test_what_does_not_fit_is_refused(tiny_run, tmp_path):
  run = load_run(tiny_run.workdir)
  images = np.zeros((3, 8, 8, 1), np.uint8)
  more = ArrayDataset({'test': (images, [0, 1, 11])})
  with pytest.raises(UsageError, match='array has 12 classes.* 10 apart'):
    run.evaluate(more, 'test')
  workdir = tmp_path / 'run'
  shutil.copytree(tiny_run.workdir, workdir)
  shutil.rmtree(workdir / 'checkpoints')
  with pytest.raises(StorageError, match='has no checkpoint yet'):
    load_run(workdir)
  assert not (workdir / 'checkpoints').exists()
  (workdir / 'dataset.json').write_text('{')
  with pytest.raises(StorageError, match='Cannot read .*dataset.json'):
    load_run(workdir)


def test_a_folder_of_something_else_is_refused(tmp_path):
  with pytest.raises(UsageError, match='not a run folder: it has no config'):
    load_run(tmp_path)
  with pytest.raises(UsageError, match="Did you mean 'best'"):
    load_run(tmp_path, checkpoint='bests')


@pytest.mark.slow
def test_an_unreadable_picture_is_named(tiny_run):
  from resflax.data.folders import FileRecords

  run = load_run(tiny_run.workdir)
  path = str(tiny_run.workdir / 'config.json')
  with pytest.raises(DataError, match='Cannot use .*config.json'):
    run.probabilities(FileRecords('', [path], [0]))
