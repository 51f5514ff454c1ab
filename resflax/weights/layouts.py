"""How libraries lay out the kernels that Flax has as [.., inputs, outputs].

Everything but kernels is a vector, and the same everywhere. The two dense
layers of squeeze-and-excitation are 1x1 convolutions elsewhere.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Layout(NamedTuple):
  """The way from a library's arrays to ours and back, by our path.

  Neither copies, and an array of unexpected dimensions passes unchanged.
  """

  to_ours: Callable[[str, np.ndarray], np.ndarray]
  to_theirs: Callable[[str, np.ndarray], np.ndarray]


def _same(path: str, array: np.ndarray) -> np.ndarray:
  del path
  return array


def _from_tensorflow(path: str, array: np.ndarray) -> np.ndarray:
  gate = '/se/' in path and array.ndim == 4 and array.shape[:2] == (1, 1)
  return array[0, 0] if gate else array


def _to_tensorflow(path: str, array: np.ndarray) -> np.ndarray:
  gate = '/se/' in path and array.ndim == 2
  return array[None, None] if gate else array


def _from_torch(path: str, array: np.ndarray) -> np.ndarray:
  if array.ndim == 4:
    return _from_tensorflow(path, array.transpose(2, 3, 1, 0))
  return array.T if array.ndim == 2 else array


def _to_torch(path: str, array: np.ndarray) -> np.ndarray:
  array = _to_tensorflow(path, array)
  if array.ndim == 4:
    return array.transpose(3, 2, 0, 1)
  return array.T if array.ndim == 2 else array


OURS = Layout(_same, _same)
TENSORFLOW = Layout(_from_tensorflow, _to_tensorflow)
TORCH = Layout(_from_torch, _to_torch)
