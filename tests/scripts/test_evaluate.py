"""The commands that use a finished run, as a user calls them."""

import dataclasses
import functools
import json
import shutil

import cv2
import numpy as np
import pytest

from resflax.data.sources import load_dataset
from resflax.report.read import read_run
from resflax.runs import load_run
from resflax.variants import changes
from resflax.weights import Metadata, save_weights
from tests.scripts import calling

IN = __file__  # a file, which is not looked into
call = functools.partial(calling.call, timeout=120)


@pytest.mark.slow
def test_evaluate_prints_what_the_run_measured(tiny_run):
  done = call('evaluate', f'--workdir={tiny_run.workdir}', '--json')
  assert done.returncode == 0 and not done.stderr, done.stderr
  said = json.loads(done.stdout)
  last = read_run(tiny_run.workdir).last('test/top1')
  for name in ('loss', 'top1', 'top5', 'count'):
    assert said[name] == last[f'test/{name}'], name
  assert (said['dataset'], said['split'], said['step']) == ('digits', 'test', 4)


@pytest.mark.slow
def test_evaluate_on_another_folder_and_split(tiny_run, tmp_path):
  for label in range(10):
    for split in ('train', 'test'):
      path = tmp_path / split / f'sign {label}'
      path.mkdir(parents=True)
      cv2.imwrite(str(path / 'a.png'), np.zeros((9, 7, 3), np.uint8))
  done = call(
    'evaluate',
    f'--workdir={tiny_run.workdir}',
    f'--dataset=folder:{tmp_path}',
    '--checkpoint=best',
    '--resolution=16',
    '--crop=0.9',
    '--batch_size=3',
  )
  assert done.returncode == 0, done.stderr
  # Ten equal pictures of ten classes: one class is right, five are near.
  said = f'folder:{tmp_path} test at 16 px: top1 10.00%  top5 50.00%'
  assert said in done.stdout
  assert 'on 10 images after 4 steps' in done.stdout
  assert done.stderr == (
    f'note: folder:{tmp_path}: classes are told by their number, for '
    "'sign 0' of the data set is '0' of the net.\n"
  )

  for split in ('train', 'test'):
    for label in range(3):
      (tmp_path / split / f'sign {label}').rename(tmp_path / split / str(label))
    for label in range(3, 10):
      shutil.rmtree(tmp_path / split / f'sign {label}')
  done = call(
    'evaluate',
    f'--workdir={tiny_run.workdir}',
    f'--dataset=folder:{tmp_path}',
    '--batch_size=3',
  )
  assert 'top1 33.33%' in done.stdout, done.stderr
  assert 'on 3 images of 3 of 10 classes after 4 steps' in done.stdout


@pytest.mark.slow
def test_evaluate_over_resolutions(tiny_run, tmp_path):
  plot = tmp_path / 'curve.svg'
  done = call(
    'evaluate',
    f'--workdir={tiny_run.workdir}',
    '--resolution=16..32:16',
    '--recalibrate_bn=2',
    f'--plot={plot}',
    '--json',
  )
  assert done.returncode == 0, done.stderr
  small, large, path = done.stdout.splitlines()
  assert path == str(plot) and plot.read_text().rstrip().endswith('</svg>')
  small, large = json.loads(small), json.loads(large)
  assert (small['resolution'], large['resolution']) == (16, 32)
  assert small['count'] == large['count'] == 360
  assert small['recalibrated_batches'] == 2
  said = call('evaluate', f'--workdir={tiny_run.workdir}', '--recalibrate_bn=2')
  assert said.stdout.rstrip().endswith('steps, recalibrated on 2 batches')
  # The run's own statistics are an average over its 4 steps.
  last = read_run(tiny_run.workdir).last('test/loss')
  assert large['loss'] != last['test/loss']


@pytest.mark.parametrize(
  'text', ['big', '7', '5000', '32..16:8', '16..32', '16..32:0', '']
)
def test_resolutions_that_are_none(text):
  done = call('evaluate', '--workdir=unused', f'--resolution={text}')
  assert done.returncode == 5
  assert done.stderr.startswith(f'error: --resolution={text} takes pixels')


def test_a_curve_is_of_one_data_set(tmp_path):
  plot = f'--plot={tmp_path / "curve.svg"}'
  done = call('evaluate', '--workdir=unused', '--dataset=a,b', plot)
  assert done.returncode == 5
  assert done.stderr.startswith('error: --plot draws resolutions of one data s')
  assert 'a,b are several' in done.stderr


@pytest.mark.slow
def test_predict_names_the_likeliest_classes(tiny_run, tmp_path):
  test = load_dataset('digits', tiny_run.data_dir).split('test')
  paths = [str(tmp_path / f'{i}.png') for i in range(3)]
  for i, path in enumerate(paths):
    cv2.imwrite(path, np.asarray(test[i]['image']))
  done = call('predict', f'--workdir={tiny_run.workdir}', '--top=2', *paths)
  assert done.returncode == 0 and not done.stderr, done.stderr
  with np.load(tiny_run.workdir / 'evaluation.npz') as expected:
    for i, line in enumerate(done.stdout.splitlines()):
      label, p = expected['prediction'][i], expected['probability'][i]
      assert line.startswith(f'{paths[i]}: {label} {p:.1%}, ')
      assert line.count('%') == 2


@pytest.mark.slow
def test_weights_of_a_file_do_as_their_run(tiny_run, tmp_path):
  run, file = load_run(tiny_run.workdir), tmp_path / 'run.safetensors'
  fields = changes(run.config['model'], 'resnet_rs_50')
  preprocessing = dataclasses.asdict(run.preprocessing)
  del preprocessing['channels']
  metadata = Metadata(
    'resnet_rs_50',
    **preprocessing,
    fields=fields,
    class_names=tuple('abcdefghij'),
  )
  save_weights(file, run.variables, metadata)
  said = []
  note = (
    "note: digits: classes are told by their number, for '0' of the data set "
    "is 'a' of the net.\n"
  )
  for of, stderr in (
    (f'--workdir={tiny_run.workdir}', ''),
    (f'--weights={file}', note),
  ):
    data = ('--dataset=digits', f'--data_dir={tiny_run.data_dir}')
    done = call('evaluate', of, *data, '--json')
    assert (done.returncode, done.stderr) == (0, stderr), done.stderr
    said.append(json.loads(done.stdout))
  for name in ('top1', 'top5', 'count', 'resolution', 'crop'):
    assert said[0][name] == said[1][name], name
  assert said[1]['weights'] == str(file)
  image = tmp_path / 'image.png'
  test = load_dataset('digits', tiny_run.data_dir).split('test')
  cv2.imwrite(str(image), np.asarray(test[0]['image']))
  done = call('predict', f'--weights={file}', '--top=1', str(image))
  with np.load(tiny_run.workdir / 'evaluation.npz') as expected:
    name = 'abcdefghij'[expected['prediction'][0]]
  assert done.stdout.startswith(f'{image}: {name} '), done.stderr


@pytest.mark.slow
def test_predict_names_the_files_it_cannot_read(
  tiny_run, tmp_path, write_image
):
  bad = [tmp_path / name for name in ('a.png', 'b.png')]
  for path in bad:
    path.write_text('no image')
  write_image(tmp_path / 'good.png')
  paths = [str(path) for path in (bad[0], tmp_path / 'good.png', bad[1])]
  done = call('predict', f'--workdir={tiny_run.workdir}', *paths)
  assert done.returncode == 4
  assert (
    done.stdout.startswith(f'{paths[1]}: ') and done.stdout.count('\n') == 1
  )
  assert done.stderr.startswith('error: Cannot use 2 of 3 files: ')
  assert all(f'{path}: not an image' in done.stderr for path in bad)
  assert done.stderr.count('\n') == 1


def test_usage_errors_are_one_line(tmp_path):
  for code, says, *arguments in (
    (5, 'Give one of --workdir', 'evaluate'),
    (5, 'Give one of', 'evaluate', f'--workdir={tmp_path}', '--weights=x'),
    (5, 'does nothing', 'evaluate', f'--workdir={tmp_path}', '--model=x'),
    (5, 'holds one net', 'evaluate', '--weights=x', '--checkpoint=best'),
    (5, 'x.safetensors is not there', 'predict', '--weights=x.safetensors', IN),
    (5, 'one of <latest|best>', 'evaluate', '--checkpoint=newest'),
    (5, 'Give one of --workdir', 'predict', 'a.png'),
    (5, 'No image is given', 'predict', f'--workdir={tmp_path}'),
    (5, "'a.png' is not a file", 'predict', f'--workdir={tmp_path}', 'a.png'),
  ):
    done = call(*arguments)
    assert done.returncode == code
    assert says in done.stderr and done.stderr.count('\n') == 1
