"""Where weights come from: every source as a row."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from resflax.errors import UsageError, unknown
from resflax.weights import cifar, garden, keras, layouts, timm, torchvision

Tensors = dict[str, np.ndarray]


class Source(NamedTuple):
  """A library's way of naming and laying out the tensors of a model.

  Attributes:
    name: their name of our tensor, of our path and a model's fields.
    layout: of their kernels.
    families: what its models are, each a dict of fields to allowed values;
      `epsilon` is that of norms.
    prepare: folds quirks into tensors, so that names and layout are enough.
  """

  name: Callable[[str, Mapping], str]
  layout: layouts.Layout
  families: tuple[Mapping, ...]
  prepare: Callable[[Mapping[str, np.ndarray]], Tensors] = dict


SOURCES = {
  'timm': Source(timm.name, layouts.TORCH, timm.FAMILIES),
  'torchvision': Source(torchvision.name, layouts.TORCH, torchvision.FAMILIES),
  'cifar': Source(cifar.name, layouts.TORCH, cifar.FAMILIES),
  'keras': Source(
    keras.name, layouts.TENSORFLOW, keras.FAMILIES, keras.prepare
  ),
  'garden': Source(
    garden.name, layouts.TENSORFLOW, garden.FAMILIES, garden.prepare
  ),
  'resflax': Source(lambda path, fields: path, layouts.OURS, ({},)),
}


def find(name: str) -> Source:
  """Returns a row of `SOURCES`.

  Raises:
    UsageError: no such source.
  """
  if name not in SOURCES:
    raise unknown('source', name, [*SOURCES, 'auto'], 'source')
  return SOURCES[name]


def normalization(source: str, fields: Mapping) -> dict:
  """Returns mean and std of a source's images in 0..1, where all share them.

  Source: Keras's `imagenet_utils` subtracts its means from 0..255, and does
    not divide; the others are as torchvision has them.
  """
  if source == 'keras' and fields['stem'] == 'conv7x7':
    means = (123.68, 116.779, 103.939)
    return {'mean': tuple(m / 255 for m in means), 'std': (1 / 255,) * 3}
  if source in ('keras', 'garden', 'torchvision'):
    return {'mean': (0.485, 0.456, 0.406), 'std': (0.229, 0.224, 0.225)}
  return {}


def prepared(tensors: Mapping[str, np.ndarray], source: str) -> Tensors:
  """Returns a file's tensors by the names of the source's models."""
  return {
    name.removeprefix('module.'): np.asarray(array)  # DataParallel's
    for name, array in find(source).prepare(tensors).items()
    if not name.endswith('num_batches_tracked')  # of torch's norms
  }


def fits(fields: Mapping, source: str) -> bool:
  """Whether the source's models compute what this one does."""
  return [] in _differing(fields, source)


def check(fields: Mapping, source: str, model: str) -> None:
  """Refuses a model that computes something else than the source's.

  The tensors may well have the same names and shapes.

  Raises:
    UsageError: saying which field differs.
  """
  differing = _differing(fields, source)
  names = min(differing, key=lambda names: ('variant' in names, len(names)))
  if names:
    family = find(source).families[differing.index(names)]
    fields = _with_epsilon(fields)
    given = ', '.join(f'{name}={fields.get(name)}' for name in names)
    needed = ', '.join(
      f'{name}={" or ".join(map(str, family[name]))}' for name in names
    )
    raise UsageError(
      f'{model} has {given}, and weights of {source} are for {needed}: choose '
      'another model or source.'
    )


def _differing(fields: Mapping, source: str) -> list[list[str]]:
  """Returns the fields that are not allowed, for each family of a source."""
  fields = _with_epsilon(fields)
  return [
    [n for n, allowed in family.items() if fields.get(n) not in allowed]
    for family in find(source).families
  ]


def _with_epsilon(fields: Mapping) -> dict:
  return {**fields, 'epsilon': fields['norm']['epsilon']}
