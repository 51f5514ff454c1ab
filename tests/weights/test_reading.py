import io
import json
import pickle
import sys
import types
import zipfile

import h5py
import numpy as np
import pytest
from safetensors.numpy import save_file

from resflax.errors import DataError, UsageError
from resflax.variants import complete
from resflax.weights.converting import to_theirs
from resflax.weights.loading import load, read_weights
from resflax.weights.reading import read
from tests.weights.conftest import random, tiny
from tests.weights.test_converting import assert_equal

HUB_CONFIG = {
  'architecture': 'resnetrs50',
  'pretrained_cfg': {
    'input_size': [3, 160, 160],
    'test_input_size': [3, 224, 224],
    'crop_pct': 0.91,
    'interpolation': 'bicubic',
    'mean': [0.485, 0.456, 0.406],
    'std': [0.229, 0.224, 0.225],
  },
}


@pytest.fixture
def hub_folder(tmp_path, state_dict):
  """A folder as the Hub has it, and what it holds."""
  flat, theirs = state_dict(tiny('resnet_rs_50'), 'timm')
  save_file(
    {name: np.ascontiguousarray(a) for name, a in theirs.items()},
    tmp_path / 'model.safetensors',
  )
  (tmp_path / 'config.json').write_text(json.dumps(HUB_CONFIG))
  return tmp_path, flat


def test_a_folder_of_the_hub(hub_folder):
  folder, flat = hub_folder
  variables, metadata = load(tiny('resnet_rs_50'), str(folder))
  assert_equal(variables, flat)
  assert (metadata.resolution, metadata.test_resolution) == (160, 224)
  assert (metadata.crop, metadata.interpolation) == (0.91, 'bicubic')
  assert metadata.std == (0.229, 0.224, 0.225)


def test_a_folder_of_the_hub_is_timms(hub_folder):
  folder, _ = hub_folder
  fields = tiny('resnet18')
  theirs = to_theirs(random(fields), complete(fields), 'timm')
  save_file(
    {name: np.ascontiguousarray(a) for name, a in theirs.items()},
    folder / 'model.safetensors',
  )
  assert read_weights(fields, str(folder)).alike == ()


def test_timms_own_efficientnets_are_refused(hub_folder):
  folder, _ = hub_folder
  config = HUB_CONFIG | {'architecture': 'efficientnet_b0'}
  (folder / 'config.json').write_text(json.dumps(config))
  with pytest.raises(UsageError, match="timm's efficientnet_b0, .* tf_effici"):
    load('efficientnet_b0', str(folder))


def test_the_hub_is_asked_for_two_files(hub_folder, monkeypatch):
  folder, flat = hub_folder
  asked = []

  def snapshot_download(repo, allow_patterns):
    asked.append((repo, allow_patterns))
    return str(folder)

  hub = types.SimpleNamespace(snapshot_download=snapshot_download)
  monkeypatch.setitem(sys.modules, 'huggingface_hub', hub)
  variables, _ = load(tiny('resnet_rs_50'), 'hub:timm/x')
  assert_equal(variables, flat)
  assert asked == [('timm/x', ['config.json', 'model.safetensors'])]


def test_a_repository_that_is_not_there(monkeypatch):
  def snapshot_download(repo, allow_patterns):
    raise OSError('404\nmore')

  hub = types.SimpleNamespace(snapshot_download=snapshot_download)
  monkeypatch.setitem(sys.modules, 'huggingface_hub', hub)
  with pytest.raises(UsageError, match='^hub:timm/x cannot be had: 404$'):
    read('hub:timm/x')


@pytest.mark.parametrize(
  ('path', 'package'),
  [
    ('hub:a/b', 'huggingface_hub'),
    ('x.pth', 'torch'),
    ('x.h5', 'h5py'),
    ('checkpoint', 'tensorflow'),
  ],
)
def test_a_missing_package_is_named(path, package, tmp_path, monkeypatch):
  monkeypatch.setitem(sys.modules, package, None)
  (tmp_path / 'x.pth').touch()
  (tmp_path / 'x.h5').touch()
  (tmp_path / 'checkpoint.index').touch()
  path = path if ':' in path else str(tmp_path / path)
  with pytest.raises(UsageError, match=f'needs {package}, which is not inst'):
    read(path)


class Tensor:
  """As much of torch's as is used."""

  def __init__(self, array):
    self.array = array

  def float(self):
    return self

  def numpy(self):
    return self.array


@pytest.mark.parametrize('wrap', [None, 'state_dict', 'model'])
def test_torch_reads_tensors_only(wrap, tmp_path, monkeypatch, state_dict):
  flat, theirs = state_dict(tiny('resnet20_cifar'), 'cifar')
  state = {name: Tensor(array) for name, array in theirs.items()}
  state = {wrap: state, 'epoch': 3} if wrap else state

  def torch_load(path, *, map_location, weights_only):
    assert map_location == 'cpu' and weights_only
    return state

  torch = types.SimpleNamespace(load=torch_load, Tensor=Tensor)
  monkeypatch.setitem(sys.modules, 'torch', torch)
  path = tmp_path / 'model.th.pth'
  path.touch()
  variables, metadata = load(tiny('resnet20_cifar'), str(path))
  assert_equal(variables, flat)
  assert metadata.mean is None  # a state dict does not say


# What torch 2.14.1 says, cut short.
REFUSED = (
  'Weights only load failed. This file can still be loaded, to do so you have '
  'two options, \x1b[1mdo those steps only if you trust the source of the '
  'checkpoint\x1b[0m. \n\t(1) In PyTorch 2.6, we changed\n\tWeightsUnpickler '
  'error: Unsupported global: GLOBAL torch.nn.modules.container.Sequential was '
  'not an allowed global by default. Please use'
)


@pytest.mark.parametrize(
  ('found', 'error', 'line'),
  [
    (
      pickle.UnpicklingError(REFUSED),
      UsageError,
      'a pickled torch.nn.modules.container.Sequential, .*model.state_dict()',
    ),
    (
      pickle.UnpicklingError('Weights only load failed. \x1b[1mDo\n\tnot'),
      DataError,
      'x.pth cannot be read: it is damaged',
    ),
    (
      RuntimeError('PytorchStreamReader failed\nThis is an internal error.'),
      DataError,
      'x.pth cannot be read: it is damaged',
    ),
    (EOFError(), DataError, 'x.pth cannot be read: it is damaged'),
    (KeyError(101), DataError, 'x.pth cannot be read: it is damaged'),
    ([{}], UsageError, 'holds a list, and not a state dict, .*tensors by name'),
    (Tensor(None), UsageError, 'holds a Tensor, and not a state dict'),
  ],
)
def test_what_torch_saved_is_no_state_dict(
  found, error, line, tmp_path, monkeypatch
):
  def torch_load(path, **_):
    if isinstance(found, Exception):
      raise found
    return found

  torch = types.SimpleNamespace(load=torch_load, Tensor=Tensor)
  monkeypatch.setitem(sys.modules, 'torch', torch)
  (tmp_path / 'x.pth').touch()
  with pytest.raises(error, match=line) as raised:
    read(str(tmp_path / 'x.pth'))
  assert str(raised.value).isprintable()


def test_a_torchscript_program_is_no_state_dict(tmp_path, monkeypatch):
  monkeypatch.setitem(sys.modules, 'torch', types.SimpleNamespace())
  with zipfile.ZipFile(tmp_path / 'x.pt', 'w') as archive:
    archive.writestr('x/constants.pkl', b'')
  with pytest.raises(UsageError, match='a TorchScript program, .*state_dict'):
    read(str(tmp_path / 'x.pt'))


def write_keras(file, theirs, version):
  """As Keras 2 (tf_keras) and 3.15 write; see docs/weights.md."""
  layers = {}
  for name, array in theirs.items():
    layer, leaf = name.split('/')
    layers.setdefault(layer, {})[leaf] = array
  for number, (layer, arrays) in enumerate(layers.items()):
    if version == 2:
      group = file.create_group(layer)
      group.attrs['weight_names'] = [
        f'{layer}/{leaf}:0'.encode() for leaf in arrays
      ]
      for leaf, array in arrays.items():
        group[f'{layer}/{leaf}:0'] = array
    else:
      group = file.create_group(f'layers/layer_{number}/vars')
      group.attrs['name'] = layer
      for index, array in enumerate(arrays.values()):
        group[str(index)] = array
  file.require_group('layers/relu/vars' if version == 3 else 'relu')


@pytest.mark.parametrize('form', ['weights', 'model', 'keras3', 'archive'])
def test_files_of_keras(form, tmp_path, state_dict):
  flat, theirs = state_dict(tiny('resnet_rs_50'), 'keras')
  path = tmp_path / ('x.keras' if form == 'archive' else 'x.h5')
  buffer = io.BytesIO()
  with h5py.File(buffer, 'w') as file:
    root = file.create_group('model_weights') if form == 'model' else file
    write_keras(root, theirs, 2 if form in ('weights', 'model') else 3)
  if form == 'archive':
    with zipfile.ZipFile(path, 'w') as archive:
      archive.writestr('model.weights.h5', buffer.getvalue())
  else:
    path.write_bytes(buffer.getvalue())
  assert_equal(load(tiny('resnet_rs_50'), str(path))[0], flat)


def test_layers_without_names(tmp_path):
  with h5py.File(tmp_path / 'x.h5', 'w') as file:
    file['layers/conv2d/vars/0'] = np.zeros(1)
  with pytest.raises(UsageError, match='does not name its layers'):
    read(str(tmp_path / 'x.h5'))


@pytest.mark.parametrize('name', ['x.safetensors', 'x.h5', 'x.keras'])
def test_damaged_files(name, tmp_path):
  (tmp_path / name).write_bytes(b'not this')
  with pytest.raises(DataError, match=f'{name} cannot be read') as error:
    read(str(tmp_path / name))
  assert len(str(error.value).splitlines()) == 1


def test_files_of_no_kind(tmp_path):
  with pytest.raises(UsageError, match='is not there'):
    read(str(tmp_path / 'x.safetensors'))
  (tmp_path / 'x.txt').touch()
  with pytest.raises(UsageError, match='of no known kind'):
    read(str(tmp_path / 'x.txt'))
