import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from resflax.variants import complete
from resflax.weights import Metadata, save_weights
from resflax.weights.converting import to_theirs
from resflax.weights.tensors import nest
from tests.scripts.calling import call
from tests.weights.conftest import random


@pytest.fixture
def timm_file(tmp_path):
  """A file as timm's, and what it holds."""
  theirs = to_theirs(random('resnet18'), complete('resnet18'), 'timm')
  theirs = {name: np.ascontiguousarray(a) for name, a in theirs.items()}
  save_file(theirs, tmp_path / 'timm.safetensors')
  return tmp_path / 'timm.safetensors', theirs


def test_there_and_back(timm_file, tmp_path):
  source, theirs = timm_file
  ours, back = tmp_path / 'ours.safetensors', tmp_path / 'back.safetensors'
  done = call('convert', '--source=timm', '--model=resnet18', source, ours)
  assert (done.returncode, done.stderr) == (0, '')
  assert done.stdout == f'{ours}: resnet18 as resflax weights\n'
  done = call('convert', '--to=timm', ours, back)
  assert (done.returncode, done.stderr) == (0, '')
  again = load_file(back)
  assert again.keys() == theirs.keys()
  assert all(np.array_equal(again[name], theirs[name]) for name in theirs)


def test_what_could_be_of_two_libraries_is_said(timm_file, tmp_path):
  ours = tmp_path / 'ours.safetensors'
  done = call('convert', '--model=resnet18', timm_file[0], ours)
  assert (done.returncode, done.stderr) == (0, '')
  note, line = done.stdout.splitlines()
  assert "could be timm's or torchvision's" in note
  assert '--source=torchvision keeps its mean and std' in note
  assert line == f'{ours}: resnet18 as resflax weights'


def test_a_net_that_timm_has_not_is_refused(tmp_path):
  fields = {'width': 0.25, 'depths': (1, 1, 1, 1)}
  metadata = Metadata('resnet18', fields=fields)
  variables = nest(random(metadata.all_fields))
  ours, theirs = tmp_path / 'ours.safetensors', tmp_path / 'x.safetensors'
  save_weights(ours, variables, metadata)
  done = call('convert', '--to=timm', ours, theirs)
  assert (done.returncode, done.stdout) == (5, '')
  assert 'depths=(1, 1, 1, 1) for (2, 2, 2, 2), width=0.25' in done.stderr
  assert done.stderr.count('\n') == 1 and not theirs.exists()


@pytest.mark.parametrize(
  ('arguments', 'line'),
  [
    (('--model=resnet34', 'SRC', 'x.safetensors'), 'missing: layer1.2.conv1'),
    (('--source=tim', 'SRC', 'x.safetensors'), "Did you mean 'timm'"),
    (('--model=resnet19', 'SRC', 'x.safetensors'), "variant 'resnet19'"),
    (('SRC', 'x.safetensors'), 'does not name its model'),
    (('--model=resnet18', 'SRC', 'x.pth'), 'ends in .safetensors'),
    (('--model=resnet18', 'SRC', 'SRC'), 'is there already'),
    (('--model=resnet18', 'SRC'), '1 arguments are given'),
  ],
)
def test_mistakes_are_one_line_and_write_nothing(
  arguments, line, timm_file, tmp_path
):
  places = {
    'SRC': str(timm_file[0]),
    'x.safetensors': str(tmp_path / 'x.safetensors'),
  }
  done = call('convert', *(places.get(a, a) for a in arguments))
  assert (done.returncode, done.stdout) == (5, '')
  assert line in done.stderr and done.stderr.count('\n') == 1
  assert [p.name for p in tmp_path.iterdir()] == ['timm.safetensors']
