import pytest

from tests.export.nets import write
from tests.scripts.calling import call


@pytest.mark.slow
@pytest.mark.parametrize('ending', ['stablehlo', 'onnx', 'safetensors'])
def test_a_run_becomes_a_file(ending, tiny_run, tmp_path):
  path = tmp_path / f'digits.{ending}'
  done = call('export', f'--workdir={tiny_run.workdir}', path, timeout=300)
  assert (done.returncode, done.stderr) == (0, '')
  assert done.stdout.startswith(
    f'{path}: uint8 images [batch, 32, 32, 1], 0 to 255, to float32 logits of '
    '10 classes, normalised inside; differs by '
  )
  assert path.stat().st_size > 100_000


@pytest.mark.slow
def test_weights_become_a_file(tmp_path):
  path = tmp_path / 'net.onnx'
  weights = write(tmp_path, resolution=None)
  done = call('export', f'--weights={weights}', path)
  assert done.returncode == 5 and '(--resolution)' in done.stderr
  done = call('export', f'--weights={weights}', '--resolution=24', path)
  assert (done.returncode, done.stderr) == (0, '')
  assert '[batch, 24, 24, 3]' in done.stdout


@pytest.mark.parametrize(
  ('arguments', 'line'),
  [
    (('--workdir=x',), '0 arguments are given'),
    (('--workdir=x', 'a.onnx', 'b.onnx'), '2 arguments are given'),
    (('a.onnx',), 'Give one of --workdir'),
    (('--workdir=x', 'a.pb'), 'ends in .stablehlo, .onnx, .safetensors'),
    (('--workdir=x', '--format=onnx', 'a.stablehlo'), 'ends in .onnx'),
    (('--workdir=x', '--format=onx', 'a.onnx'), '--format'),
    (('--workdir=x', '--resolution=4', 'a.onnx'), '--resolution'),
  ],
)
def test_mistakes_are_one_line(arguments, line):
  done = call('export', *arguments)
  assert (done.returncode, done.stdout) == (5, '')
  assert line in done.stderr and done.stderr.count('\n') == 1
