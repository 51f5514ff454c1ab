"""Writes weights: our own file, or one that other libraries load.

Our own is safetensors of the unstacked variables by path, with `Metadata`.
"""

import os
from collections.abc import Mapping

import numpy as np
from safetensors.numpy import save

from resflax.atomic import whole_file
from resflax.errors import UsageError
from resflax.paths import absolute
from resflax.variants import changes, complete
from resflax.weights import sources
from resflax.weights.converting import to_theirs
from resflax.weights.metadata import Metadata
from resflax.weights.tensors import channels_of, flatten


def save_weights(
  path: str | os.PathLike, variables: Mapping, metadata: Metadata
) -> None:
  """Writes variables, stacked or not, as one safetensors file.

  Args:
    path: of the file, which is replaced whole or not at all.
    variables: `{'params', 'batch_stats'}`.
    metadata: the model's name and its preprocessing.

  Raises:
    StorageError: it cannot be written.
  """
  flat = flatten(variables)
  if any('/blocks/' in name for name in flat):
    from resflax.models.layout import unstack  # which imports JAX

    flat = flatten(unstack(variables))
  _write(path, flat, metadata.strings())


def export(
  path: str | os.PathLike,
  variables: Mapping,
  model: str | Mapping,
  source: str,
) -> None:
  """Writes variables as timm or torchvision name and lay them out.

  Args:
    path: of the file, which is replaced whole or not at all.
    variables: `{'params', 'batch_stats'}`, block by block.
    model: a variant's name, or fields as those of `config.model`, the variant
      among them.
    source: whose names, `timm` or `torchvision`.

  Raises:
    UsageError: the library has no such model, or it is another net there.
    StorageError: it cannot be written.
  """
  fields = complete(model)
  name = model if isinstance(model, str) else str(model.get('variant'))
  sources.check(fields, source, name)
  _check_same_net(fields, name, source, channels_of(variables))
  tensors = to_theirs(flatten(variables), fields, source)
  _write(path, tensors, {'format': 'pt'})


def _check_same_net(
  fields: Mapping, name: str, source: str, channels: int
) -> None:
  """Refuses what the library's model of that name does not load.

  Both make it for any number of classes, and timm's for any of channels too
  (`num_classes`, `in_chans`).
  """
  published = complete(name) | {'channels': 3}
  differing = changes(fields, name)
  if source == 'torchvision' and channels != published['channels']:
    differing['channels'] = channels
  if differing:
    given = ', '.join(
      f'{field}={value} for {published[field]}'
      for field, value in differing.items()
    )
    raise UsageError(
      f'This {name} has {given}, so {source} cannot load it as its {name}: '
      'write it as resflax weights.'
    )


def _write(
  path: str | os.PathLike,
  tensors: Mapping[str, np.ndarray],
  strings: Mapping[str, str],
) -> None:
  arrays = {
    name: np.ascontiguousarray(array, np.float32)
    for name, array in tensors.items()
  }
  with whole_file(absolute(path)) as unfinished, open(unfinished, 'wb') as file:
    file.write(save(arrays, dict(strings)))
