"""Files of weights as arrays by name, whatever library wrote them."""

import importlib
import json
import os
import pickle
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from resflax.errors import DataError, UsageError, first_line
from resflax.paths import absolute

_HUB = 'hub:'
_HUB_FILES = ('config.json', 'model.safetensors')


class File(NamedTuple):
  """What a file of weights holds.

  Attributes:
    path: of the file itself.
    tensors: arrays by the names of the library that wrote it.
    strings: the metadata of a safetensors file.
    config: the `config.json` beside a file of the Hugging Face Hub.
  """

  path: str
  tensors: dict[str, np.ndarray]
  strings: dict[str, str] = {}
  config: Mapping = {}


def read(path: str) -> File:
  """Reads a file, a folder as the Hub has it, or `hub:REPO`.

  Raises:
    UsageError: it is not there, or of no kind that is known, or a package to
      read it is not installed.
    DataError: it is damaged.
  """
  if path.startswith(_HUB):
    path = _download(path.removeprefix(_HUB))
  path = absolute(path)
  if os.path.isfile(os.path.join(path, _HUB_FILES[1])):
    file = read(os.path.join(path, _HUB_FILES[1]))
    return file._replace(config=_config(os.path.join(path, _HUB_FILES[0])))
  if os.path.isfile(f'{path}.index') or os.path.isdir(path):
    return File(path, _guarded(_tensorflow, path))
  if not os.path.isfile(path):
    raise UsageError(f'{path} is not there: give a file of weights.')
  kind = os.path.splitext(path)[1]
  if kind == '.safetensors':
    tensors, strings = _guarded(_safetensors, path)
    return File(path, tensors, strings)
  if kind not in _READERS:
    raise UsageError(
      f'{path} is of no known kind: give one of .safetensors, '
      f'{", ".join(_READERS)}, or the prefix of a TensorFlow checkpoint.'
    )
  return File(path, _guarded(_READERS[kind], path))


def _guarded(reader, path: str):
  try:
    return reader(path)
  except (DataError, UsageError):
    raise
  except Exception as error:  # each library has errors of its own
    raise DataError(
      f'{path} cannot be read ({first_line(error)}): it is damaged, or of '
      'another kind than its name says.'
    ) from error


def _package(name: str, extra: str, why: str) -> Any:
  try:
    return importlib.import_module(name)
  except ImportError as error:
    raise UsageError(
      f'{why} needs {name}, which is not installed: '
      f"pip install -e '.[{extra}]'."
    ) from error


def _download(repo: str) -> str:
  hub = _package('huggingface_hub', 'hub', f'{_HUB}{repo}')
  try:
    return hub.snapshot_download(repo, allow_patterns=list(_HUB_FILES))
  except Exception as error:  # of the network, of the Hub and of its names
    raise UsageError(
      f'{_HUB}{repo} cannot be had: {first_line(error)}'
    ) from error


def _config(path: str) -> Mapping:
  if not os.path.isfile(path):
    return {}
  with open(path, encoding='utf-8') as file:
    return _guarded(lambda _: json.load(file), path)


def _safetensors(path: str) -> tuple[dict[str, np.ndarray], dict[str, str]]:
  from safetensors import safe_open

  with safe_open(path, framework='numpy') as file:
    names = file.keys()  # safe_open is no dict
    return {
      name: file.get_tensor(name) for name in names
    }, file.metadata() or {}


def _torch(path: str) -> dict[str, np.ndarray]:
  torch = _package('torch', 'torch', path)
  state = _tensors_only(torch, path)
  for key in ('state_dict', 'model'):  # a whole training checkpoint
    if isinstance(state.get(key), Mapping):
      state = state[key]
  return {
    name: tensor.float().numpy()
    for name, tensor in state.items()
    if isinstance(tensor, torch.Tensor)
  }


def _is_torchscript(path: str) -> bool:
  """Whether a file has the code of a program beside its tensors."""
  if not zipfile.is_zipfile(path):
    return False
  with zipfile.ZipFile(path) as archive:
    return any(name.endswith('/constants.pkl') for name in archive.namelist())


def _tensors_only(torch, path: str) -> Mapping:
  """Unpickles nothing but tensors: a pickle may run anything."""
  if _is_torchscript(path):
    raise UsageError(
      f'{path} holds a TorchScript program, and not a state dict: write one by '
      'torch.save(torch.jit.load(PATH).state_dict(), OTHER_PATH).'
    )
  try:
    state = torch.load(path, map_location='cpu', weights_only=True)
  except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError) as error:
    # torch's own text is a page, which ends with the class it stopped at.
    refused = re.search(r'GLOBAL ([\w.]+)', str(error))
    if refused is None:
      raise DataError(
        f'{path} cannot be read: it is damaged, or torch.save did not write it.'
      ) from error
    raise UsageError(
      f'{path} holds a pickled {refused[1]}, and not a state dict, which is '
      'all that is read, since a pickle may run anything: load the model where '
      'it was made and write torch.save(model.state_dict(), PATH).'
    ) from error
  if not isinstance(state, Mapping):
    raise UsageError(
      f'{path} holds a {type(state).__name__}, and not a state dict, which is '
      'tensors by name: write one by torch.save(model.state_dict(), PATH).'
    )
  return state


def _keras(path: str) -> dict[str, np.ndarray]:
  h5py = _package('h5py', 'keras', path)
  if path.endswith('.keras'):
    import io
    import zipfile

    with zipfile.ZipFile(path) as archive:
      path = io.BytesIO(archive.read('model.weights.h5'))
  with h5py.File(path, 'r') as file:
    layers = file.get('model_weights', file)
    found = _hdf5_layers(layers) if 'layers' in layers else _layers(layers)
    return dict(found)


def _layers(file) -> Iterator[tuple[str, np.ndarray]]:
  """Keras 2's file: a group a layer, which lists its weights."""
  for layer, group in file.items():
    for name in group.attrs.get('weight_names', ()):
      name = name.decode() if isinstance(name, bytes) else str(name)
      leaf = name.rsplit('/', 1)[-1].split(':')[0]
      yield f'{layer}/{leaf}', group[name][()]


def _hdf5_layers(file) -> Iterator[tuple[str, np.ndarray]]:
  """Keras 3's: weights by number, and the layer's name beside them."""
  norm = ('gamma', 'beta', 'moving_mean', 'moving_variance')
  for group in file['layers'].values():
    arrays = group.get('vars', {})
    if len(arrays) and 'name' not in arrays.attrs:
      raise UsageError(
        f'{file.filename} does not name its layers: save them once more with '
        "Keras's model.save_weights('weights.h5')."
      )
    leaves = norm if len(arrays) == len(norm) else ('kernel', 'bias')
    for number, array in arrays.items():
      yield f'{arrays.attrs["name"]}/{leaves[int(number)]}', array[()]


def _tensorflow(path: str) -> dict[str, np.ndarray]:
  tf = _package('tensorflow', 'tf', path)
  prefix = tf.train.latest_checkpoint(path) if os.path.isdir(path) else path
  if prefix is None:
    raise UsageError(
      f'{path} holds neither model.safetensors nor a checkpoint.'
    )
  reader = tf.train.load_checkpoint(prefix)
  return {
    name: reader.get_tensor(name)
    for name in reader.get_variable_to_shape_map()
    if name.endswith('/.ATTRIBUTES/VARIABLE_VALUE')
  }


_READERS = {
  **dict.fromkeys(('.pt', '.pth', '.th', '.bin', '.tar'), _torch),
  **dict.fromkeys(('.h5', '.hdf5', '.keras'), _keras),
}
