"""Whose names the tensors of a file have."""

from collections.abc import Iterable, Mapping

import numpy as np

from resflax.errors import UsageError
from resflax.weights import sources
from resflax.weights.tensors import shapes

# A part of a name that only files of a source have. torchvision's
# are a part of timm's.
_MARKS = {
  'params/head/kernel': 'resflax',
  'linear.weight': 'cifar',
  'layer1.0.conv1.weight': 'timm',
  'blocks.0.0.conv_dw.weight': 'timm',
  'conv1_conv/kernel': 'keras',
  'BlockGroup2__block_0__conv_1/kernel': 'keras',
  'layer_with_weights-0/kernel': 'garden',
}


def detect(
  tensors: Mapping[str, np.ndarray], fields: Mapping, where: str
) -> str:
  """Returns the source whose names these are, the first of those alike.

  Args:
    tensors: of a file.
    fields: of the model that they should be, complete.
    where: they are, in errors.

  Raises:
    UsageError: none of them.
  """
  source = _marked(tensors) or _closest(tensors, fields)
  if source is None:
    raise UsageError(
      f'{where} holds tensors of no known source, such as '
      f'{", ".join(sorted(tensors)[:3]) or "none at all"}: name one of '
      f'{", ".join(sources.SOURCES)} (source).'
    )
  return source


def alike(source: str, fields: Mapping) -> tuple[str, ...]:
  """Returns the other sources that name this model's tensors the same."""
  name = sources.find(source).name
  return tuple(
    other
    for other, row in sources.SOURCES.items()
    if other != source and row.name is name and sources.fits(fields, other)
  )


def _marked(names: Iterable[str]) -> str | None:
  names = list(names)
  for mark, source in _MARKS.items():
    if any(mark in name for name in names):
      return source
  return None


def _closest(tensors: Mapping[str, np.ndarray], fields: Mapping) -> str | None:
  """Returns the source whose model has most of the tensors, if one has.

  A file without its tell-tale tensor is refused later, by what is missing.
  """
  paths = shapes(fields, num_classes=1, channels=3)
  for source, row in sources.SOURCES.items():
    if sources.fits(fields, source):
      given = sources.prepared(tensors, source)
      known = given.keys() & {row.name(path, fields) for path in paths}
      if 2 * len(known) > len(given):
        return source
  return None
