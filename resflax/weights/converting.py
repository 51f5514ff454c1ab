"""From a library's tensors to ours by path, and back."""

from collections.abc import Iterable, Mapping

import numpy as np

from resflax.errors import UsageError
from resflax.weights import sources
from resflax.weights.tensors import (
  HEAD_BIAS,
  HEAD_KERNEL,
  STEM_KERNEL,
  shapes,
)

_LISTED = 10  # names of an error


def from_theirs(
  tensors: Mapping[str, np.ndarray],
  fields: Mapping,
  source: str,
  *,
  what: str,
  num_classes: int | None = None,
  reset_head: bool = False,
  drop_background: bool = False,
) -> dict[str, np.ndarray]:
  """Returns tensors of a source by our paths, in float32.

  Args: as `load_weights`, and
    fields: of a model that `sources.check` lets pass.
    what: the weights, in errors.

  Raises:
    UsageError: tensors are missing, not known or of another shape.
  """
  row = sources.find(source)
  extra = sources.prepared(tensors, source)
  names = {path: row.name(path, fields) for path in _shapes(fields, {})}
  flat = {
    path: row.layout.to_ours(path, extra.pop(name))
    for path, name in names.items()
    if name in extra
  }
  if reset_head:
    flat |= _new_head(flat, fields, num_classes)
  elif drop_background:
    flat |= {path: a[..., 1:] for path, a in flat.items() if '/head/' in path}
  expected = _shapes(fields, flat)
  _check(flat, expected, extra, names, row, what)
  classes = flat[HEAD_BIAS].size
  if num_classes not in (None, classes):
    raise UsageError(
      f'{what}: the classifier has {classes} classes, and not {num_classes}: '
      'start a new one with reset_head.'
    )
  return {p: np.ascontiguousarray(flat[p], np.float32) for p in expected}


def to_theirs(
  flat: Mapping[str, np.ndarray], fields: Mapping, source: str
) -> dict[str, np.ndarray]:
  """Returns tensors by our paths as a source has them."""
  row = sources.find(source)
  return {
    row.name(path, fields): row.layout.to_theirs(path, array)
    for path, array in flat.items()
  }


def _shapes(
  fields: Mapping, flat: Mapping[str, np.ndarray]
) -> dict[str, tuple[int, ...]]:
  """Returns the shapes of a model with the channels and classes of `flat`."""
  stem, head = flat.get(STEM_KERNEL), flat.get(HEAD_KERNEL)
  return shapes(
    fields,
    channels=3 if stem is None or stem.ndim != 4 else stem.shape[2],
    num_classes=1000 if head is None or head.ndim != 2 else head.shape[1],
  )


def _new_head(
  flat: Mapping[str, np.ndarray], fields: Mapping, num_classes: int | None
) -> dict[str, np.ndarray]:
  inputs, outputs = _shapes(fields, flat)[HEAD_KERNEL]
  outputs = num_classes or outputs
  return {
    HEAD_KERNEL: np.zeros((inputs, outputs), np.float32),
    HEAD_BIAS: np.zeros((outputs,), np.float32),
  }


def _check(
  flat: Mapping[str, np.ndarray],
  expected: Mapping[str, tuple[int, ...]],
  extra: Iterable[str],
  names: Mapping[str, str],
  row: sources.Source,
  what: str,
) -> None:
  def theirs(path: str, shape: tuple[int, ...]) -> str:
    array = np.broadcast_to(np.float32(), shape)
    return str(row.layout.to_theirs(path, array).shape)

  missing = [names[path] for path in expected if path not in flat]
  misshapen = [
    f'{names[path]} {theirs(path, flat[path].shape)} for {theirs(path, shape)}'
    for path, shape in expected.items()
    if path in flat and flat[path].shape != shape
  ]
  found = [
    f'{len(listed)} {kind}: {", ".join(listed[:_LISTED])}'
    + (', ...' if len(listed) > _LISTED else '')
    for kind, listed in (
      ('missing', missing),
      ('not known', sorted(extra)),
      ('of another shape', misshapen),
    )
    if listed
  ]
  if found:
    hint = ' (reset_head makes a new classifier)' * any(
      names[path] in missing for path in (HEAD_KERNEL, HEAD_BIAS)
    )
    raise UsageError(
      f'{what} do not fit; {"; ".join(found)}{hint}. Check model and source.'
    )
