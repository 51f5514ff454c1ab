"""Weights of a file, whoever wrote it, as a model's variables."""

import dataclasses
import os
from collections.abc import Mapping

import numpy as np

from resflax.checks import check
from resflax.efficientnets import SCALES
from resflax.errors import UsageError
from resflax.variants import complete
from resflax.weights import sources
from resflax.weights.converting import from_theirs
from resflax.weights.detecting import alike, detect
from resflax.weights.metadata import KEY, Metadata, from_hub, parse
from resflax.weights.reading import File, read
from resflax.weights.spelling import variant_name
from resflax.weights.tensors import nest


def load_weights(
  model: str | Mapping,
  path: str | os.PathLike | Mapping,
  source: str = 'auto',
  **options,
) -> dict:
  """Returns weights as a model's variables, block by block.

  Args:
    model: a variant's name, by timm's spelling too, or fields as those of
      `config.model`.
    path: a file, a folder as the Hub has it, `hub:REPO`, or arrays by name.
    source: whose names they are, one of `SOURCES`; auto = by the names.
    **options: of `Weights.variables`.

  Returns:
    `{'params', 'batch_stats'}` of NumPy arrays in float32.

  Raises:
    UsageError: they are not this model's, saying what is missing, not known
      or of another shape; or there is no such file.
    DataError: the file is damaged.
  """
  return load(model, path, source, **options)[0]


def load(
  model: str | Mapping | None,
  path: str | os.PathLike | Mapping,
  source: str = 'auto',
  **options,
) -> tuple[dict, Metadata]:
  """Returns a model's variables, and what their file says of itself.

  Args:
    model: as `load_weights`; None = the one that the file names.
    path: as `load_weights`, as for source.
    **options: of `Weights.variables`.

  Raises:
    UsageError: as `load_weights`.
    DataError: as `load_weights`.
  """
  weights = read_weights(model, path, source)
  return weights.variables(**options), weights.metadata


@dataclasses.dataclass(frozen=True)
class Weights:
  """Weights as they were read, before they are a model's variables.

  Attributes:
    tensors: by the names of the source.
    path: of the file, for errors.
    source: one of `SOURCES`.
    fields: of the model, complete.
    metadata: what the file says, and what is known of the source.
    alike: sources that it could as well be, since their names are equal.
  """

  tensors: Mapping[str, np.ndarray]
  path: str
  source: str
  fields: Mapping
  metadata: Metadata
  alike: tuple[str, ...] = ()

  def of(self, model: Mapping) -> 'Weights':
    """Returns them for another model of the same tensors.

    Args:
      model: fields as those of `config.model`.

    Raises:
      UsageError: what the source computes is not this model.
    """
    fields = complete(model)
    check(fields)
    sources.check(fields, self.source, self.metadata.model)
    return dataclasses.replace(self, fields=fields)

  def variables(
    self,
    *,
    num_classes: int | None = None,
    reset_head: bool = False,
    drop_background: bool = False,
  ) -> dict:
    """Returns `{'params', 'batch_stats'}`, block by block.

    Args:
      num_classes: outputs of the classifier; None = those of the file.
      reset_head: makes the classifier zeros, to be trained anew; the file
        needs none then. Source: Kolesnikov et al. 2020 (BiT), section 3.3.
      drop_background: leaves out class 0, as of Model Garden's 1,001.

    Raises:
      UsageError: the tensors are not this model's.
    """
    whose = ' or '.join((self.source, *self.alike))
    flat = from_theirs(
      self.tensors,
      self.fields,
      self.source,
      what=f'{self.path} as {whose} weights of {self.metadata.model}',
      num_classes=num_classes,
      reset_head=reset_head,
      drop_background=drop_background,
    )
    return nest(flat)


def read_weights(
  model: str | Mapping | None,
  path: str | os.PathLike | Mapping,
  source: str = 'auto',
) -> Weights:
  """Reads weights, and what is to be known of them.

  Args:
    model: as `load_weights`; None = the one that the file names.
    path: as `load_weights`, as for source.

  Raises:
    UsageError: there is no such file, or it is for another model.
    DataError: the file is damaged.
  """
  # Before gigabytes are read for nothing.
  if source != 'auto':
    sources.find(source)
  if model is not None:
    check(complete(_named(model)))
  if isinstance(path, Mapping):
    file = File('the given dict', dict(path))
  else:
    file = read(os.fspath(path))
  metadata = _metadata(file, model)
  by_fields = isinstance(model, Mapping)
  fields = complete(model if by_fields else metadata.all_fields)
  others = ()
  if source == 'auto':
    source = detect(file.tensors, fields, file.path)
    others = () if file.config else alike(source, fields)
  sources.check(fields, source, metadata.model)
  if metadata.mean is None:
    known = sources.normalization(source, fields)
    metadata = dataclasses.replace(metadata, **known)
  return Weights(file.tensors, file.path, source, fields, metadata, others)


def _named(model: str | Mapping) -> str | Mapping:
  return variant_name(model) if isinstance(model, str) else model


def _metadata(file: File, model: str | Mapping | None) -> Metadata:
  """Returns a file's metadata, the model's name among it."""
  name = _named(model) if model is not None else None
  if isinstance(name, Mapping):
    name = str(name.get('variant') or 'a model of given fields')
  if KEY in file.strings:
    metadata = parse(file.strings, file.path)
    if isinstance(model, str) and name != metadata.model:
      raise UsageError(
        f'{file.path} holds weights of {metadata.model}, and not of {name} '
        '(model).'
      )
    return metadata
  architecture = str(file.config.get('architecture', ''))
  if architecture in SCALES:
    raise UsageError(
      f"{file.path} holds timm's {architecture}, whose padding and epsilon are "
      f"its own: take the authors' weights, tf_{architecture}."
    )
  if name is None and architecture:
    name = variant_name(architecture)
  if name is None:
    raise UsageError(
      f'{file.path} does not name its model: give one, such as resnet50 '
      '(model).'
    )
  return Metadata(name, **from_hub(file.config))
