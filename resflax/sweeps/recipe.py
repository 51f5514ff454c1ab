"""A sweep's config without its shape: what other shapes would cost in it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from resflax import schema
from resflax.config import resolve
from resflax.data.records import DatasetInfo
from resflax.errors import UsageError
from resflax.fields import flat, nest, tuples
from resflax.report.read import Run, read_run
from resflax.resolved import Facts, Resolved
from resflax.sweeps.costs import cost_of
from resflax.sweeps.points import Point
from resflax.sweeps.results import stages_of

_MULTIPLE = 8  # of pixels
# Beside resolution.train, they hold sizes in pixels, and grow with it.
_SIZES = ('resolution.start', 'resolution.test')
# What may make a forecast untrue, beside the shape that it is for.
_RECIPE = (
  *('batch_size', 'augment.', 'data.train_split', 'data.mixture.', 'distill.'),
  *('ema.', 'loss.', 'model.', 'optimizer.', 'schedule.'),
  *(f'resolution.{name}' for name in ('schedule', 'stages', 'strengths')),
)
_SHAPE = ('model.depths', 'model.width')
_SPLITS = ('train_split', 'val_split', 'test_split')


class Shape(NamedTuple):
  """What grows.

  Attributes:
    depths: blocks of the stages.
    width: multiplies all features.
    resolution: pixels of the last stage.
  """

  depths: tuple[int, ...]
  width: float
  resolution: int


class Cost(NamedTuple):
  """Of a shape.

  Attributes:
    params: trainable parameters.
    macs: of an image in the last stage.
    compute: of training, in FLOPs.
    epochs: passes over the unique examples.
  """

  params: int
  macs: int
  compute: float
  epochs: float


class Recipe(NamedTuple):
  """All of a config but its shape.

  Attributes:
    values: the fields that somebody set, by path.
    facts: what is known of the data.
    num_classes: outputs of the classifier.
    in_channels: of an image.
    resolution: pixels that the sizes among the fields are for.
    others: fields by path that no run of the sweep has so.
  """

  values: Mapping[str, object]
  facts: Facts
  num_classes: int
  in_channels: int
  resolution: int
  others: tuple[str, ...] = ()

  @property
  def set_fields(self) -> dict[str, object]:
    """The fields that differ from the schema's defaults, by path."""
    return {
      path: value
      for path, value in self.values.items()
      if value != schema.field(path).default
    }

  def fields(self, shape: Shape) -> dict[str, object]:
    """Returns the fields that a shape sets, by path."""
    found = {
      'model.depths': shape.depths,
      'model.width': float(shape.width),
      'resolution.train': shape.resolution,
    }
    times = shape.resolution / self.resolution
    for path in _SIZES:
      if times != 1 and self.values.get(path):
        found[path] = rounded(self.values[path] * times)
    return found

  def cost(self, shape: Shape) -> Cost:
    """Returns what training a shape costs, by arithmetic."""
    values = {**self.values, **self.fields(shape)}
    resolved = resolve(nest(values), self.facts)
    steps, batch = resolved['schedule.total_steps'], resolved['batch_size']
    cost = cost_of(
      resolved.group('model'),
      resolved['resolution.table'],
      *(steps, batch),
      num_classes=self.num_classes,
      in_channels=self.in_channels,
    )
    return Cost(*cost, epochs=steps * batch / self.facts.num_examples)


def recipe_of(point: Point) -> Recipe:
  """Returns the recipe of a finished run: what it set, not what followed.

  Raises:
    UsageError: it started from weights, which fit one shape alone, or is of a
      version with other fields.
  """
  run = read_run(point.folders[0])
  config = dict(flat(tuples(run.config)))
  _refuse_other_version(config, run)
  values = {k: v for k, v in config.items() if k not in run.derived}
  _refuse_weights(config, run.name)
  splits = {k: config[f'data.{k}'] for k in _SPLITS}
  last = run.last('epoch')
  facts = Facts(round(last['examples'] / last['epoch']), splits, '')
  data, resolution = run.dataset, stages_of(run)[-1].resolution
  return Recipe(
    values, facts, len(data['class_names']), data['channels'], resolution
  )


def _refuse_other_version(config: Mapping, run: Run) -> None:
  for path in config:
    if path not in schema.FIELDS:
      commit = run.environment.get('commit') or 'no known commit'
      raise UsageError(
        f'{run.name} was trained by another version of resflax ({commit}), '
        f'which had config.{path}: plan with that version, or give a --config '
        'to train by.'
      )


def recipe_from(
  resolved: Resolved,
  config: Mapping,
  dataset: DatasetInfo,
  num_examples: int,
  points: Sequence[Point],
) -> Recipe:
  """Returns the recipe of a config, for the law of a sweep to speak of.

  Args:
    resolved: the config with every field decided.
    config: as it was given, nested.
    dataset: that it trains on.
    num_examples: in its training split.
    points: of the sweep.

  Raises:
    UsageError: other data or another net than the sweep's; or weights.
  """
  values = schema.complete(config)
  _refuse_weights(values, '--config')
  runs = [read_run(point.folders[0]) for point in points]
  theirs = dict(flat(runs[0].config))
  for path in ('data.name', 'model.variant'):
    if values[path] != theirs[path]:
      raise UsageError(
        f'config.{path}={values[path]}, and the sweep is of {theirs[path]}: '
        'its law says nothing of others (--from_sweep).'
      )
  splits = {name: resolved[f'data.{name}'] for name in _SPLITS}
  facts = Facts(num_examples, splits, '')
  size = resolved['resolution.table'][-1].resolution
  return Recipe(
    *(values, facts, dataset.num_classes, dataset.channels, size),
    others=tuple(_others(resolved, runs)),
  )


def _others(resolved: Resolved, runs: Sequence[Run]) -> Iterator[str]:
  """Yields the fields of the recipe in which a config is like no run.

  What follows from others in all of them is told with those.
  """
  configs = [dict(flat(tuples(run.config))) for run in runs]
  for path in filter(_is_of_recipe, schema.FIELDS):
    follows = path in resolved.reasons and all(path in r.derived for r in runs)
    values = [config.get(path) for config in configs]
    if not follows and resolved[path] not in values:
      yield path


def _is_of_recipe(path: str) -> bool:
  return path.startswith(_RECIPE) and path not in _SHAPE


def _refuse_weights(values: Mapping, name: str) -> None:
  if values['init.weights']:
    raise UsageError(
      f'{name} starts from weights (config.init.weights), which are of one '
      'shape: there is no larger one to plan.'
    )


def rounded(pixels: int | float) -> int:
  """Returns a multiple of 8 pixels, rounded down; 8 at least."""
  return max(_MULTIPLE, int(pixels) // _MULTIPLE * _MULTIPLE)
