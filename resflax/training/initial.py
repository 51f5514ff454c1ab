"""The weights that a run starts from, where it does not draw its own."""

import contextlib
from collections.abc import Iterator, Mapping

from resflax import schema
from resflax.config import Resolved
from resflax.data.records import DatasetInfo
from resflax.errors import UsageError
from resflax.fields import flat
from resflax.variants import architecture
from resflax.weights.loading import Weights, read_weights
from resflax.weights.tensors import channels_of


def read_initial(values: Mapping[str, object]) -> Weights | None:
  """Returns the weights that `config.init.weights` names, if any.

  Args:
    values: of a config by path, of which the variant is known.

  Raises:
    UsageError: there are no such weights, or they are of another variant.
    DataError: the file is damaged.
  """
  path = values['init.weights']
  if not path:
    return None
  with _named(path):
    return read_weights(values['model.variant'], path)


def fields_of(weights: Weights | None) -> dict[str, object]:
  """Returns the fields of a config that weights were made for, by path."""
  if weights is None:
    return {}
  says = weights.metadata
  model = flat(architecture(weights.fields), 'model.')
  preprocessing = {
    'resolution.train': says.test_resolution or says.resolution,
    'data.mean': says.mean,
    'data.std': says.std,
  }
  known = {path: v for path, v in preprocessing.items() if v is not None}
  return {path: v for path, v in model if path in schema.FIELDS} | known


def initial_variables(
  weights: Weights | None, resolved: Resolved, info: DatasetInfo
) -> dict | None:
  """Returns the variables that a run starts from; None = it draws them.

  Raises:
    UsageError: they are another model's, or for other classes or channels.
  """
  if weights is None:
    return None
  with _named(resolved['init.weights']):
    variables = weights.of(resolved.group('model')).variables(
      num_classes=info.num_classes, reset_head=resolved['init.reset_head']
    )
    channels = channels_of(variables)
    if channels != info.channels:
      raise UsageError(
        f'it takes images of {channels} channels, and those of {info.name} '
        f'have {info.channels}.'
      )
  return variables


@contextlib.contextmanager
def _named(path: str) -> Iterator[None]:
  """Says in a refusal which field is to be changed."""
  try:
    yield
  except UsageError as error:
    raise UsageError(f'config.init.weights={path}: {error}') from error
