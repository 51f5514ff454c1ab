"""The model to train after a sweep: from its law and its evidence."""

import functools
from collections.abc import Callable, Sequence

from resflax.errors import UsageError
from resflax.rules import UNDECIDED, Decided
from resflax.sweeps.budget import OVER, Budget, check_reach, limit_of
from resflax.sweeps.forecast import Forecast, forecast
from resflax.sweeps.growing import grown, would_decide
from resflax.sweeps.growth import growth, resolution
from resflax.sweeps.points import Point
from resflax.sweeps.recipe import Cost, Recipe, Shape, rounded

_LENGTHS = 0.02  # by which epochs may differ, for steps are whole
_FAR = 0.5  # of the sweep's decades, beyond which a forecast is a guess


def next_run(
  points: Sequence[Point],
  found: dict,
  recipe_of: Callable[[Point], Recipe],
  budget: Budget,
  *,
  grow: str = 'auto',
  least_decades: int | float,
  refits: int,
) -> dict:
  """Returns what to train next, what it should reach and why, as plain data.

  The frontier's costliest design within the budget is what grows: first its
  resolution, as the frontier says, then its depth or width.

  Args:
    points: of the sweep, cheapest first.
    found: what `analyse` says of them, with `depth_or_width`.
    recipe_of: gives the recipe of a point.
    budget: of the run.
    grow: `depth` or `width`; `auto` follows the evidence.
    least_decades: as given to `analyse`.
    refits: of the bootstrap.

  Raises:
    NotIdentified: the sweep has no law.
    UsageError: a budget below the sweep, or too far beyond it.
  """
  options = {'least_decades': least_decades, 'refits': refits}
  law = forecast(points, found, **options)
  limit, unit, words = limit_of(budget, law)
  frontier = [points[index] for index in found['pareto']['compute']]
  anchor, times = _anchor(frontier, recipe_of, unit, limit, words)
  check_reach(anchor, times, law)
  recipe = recipe_of(anchor)
  cost = functools.cache(recipe.cost)

  def fits(shape: Shape) -> bool:
    return getattr(cost(shape), unit) <= OVER * limit

  decided = _decided(grow, growth(points, anchor, found, options))
  start, why = _start(anchor, recipe, frontier, times, fits)
  shape, above = grown(start, decided.value, fits)
  if budget.error and law.at(cost(shape).compute)['value'] > budget.error:
    shape = above
  return {
    **_described(cost(shape), anchor, law, found, recipe.others),
    'budget': words,
    'anchor': anchor.label,
    'is_new': shape != _shape(anchor),
    'grow': decided.value,
    'evidence': decided.reason,
    'base': recipe.set_fields,
    'fields': _fields(recipe, anchor, shape, decided, why),
    'would_decide': _pair(recipe, _shape(anchor), decided, cost),
  }


def _decided(grow: str, evidence: Decided) -> Decided:
  """Returns what is set, or what the sweep says."""
  if grow == 'auto':
    return evidence
  return Decided(grow, f'as set; measured: {evidence.value}, {evidence.reason}')


def _anchor(
  frontier: Sequence[Point],
  recipe_of: Callable[[Point], Recipe],
  unit: str,
  limit: int | float,
  words: str,
) -> tuple[Point, float]:
  """Returns the costliest design within a budget, and how often it fits.

  Raises:
    UsageError: there is none.
  """
  costs = {}
  for point in frontier:
    costs[point] = getattr(recipe_of(point).cost(_shape(point)), unit)
  within = [point for point in frontier if costs[point] <= OVER * limit]
  if not within:
    raise UsageError(
      f'The budget, {words}, lies below the whole sweep, whose smallest run '
      f'costs {min(costs.values()):.3g}: sweep smaller designs, or give a '
      'larger budget.'
    )
  best = max(within, key=costs.get)
  return best, max(1.0, limit / costs[best])


def _start(
  anchor: Point,
  recipe: Recipe,
  frontier: Sequence[Point],
  times: int | float,
  fits: Callable[[Shape], bool],
) -> tuple[Shape, str]:
  """Returns the anchor at the next run's resolution, and why at that."""
  shape = _shape(anchor)
  if recipe.values['resolution.schedule'] == 'custom':
    return shape, 'as config.resolution.custom lists it'
  times, why = resolution(frontier, times)
  if times == 1:
    return shape, why
  raised = max(rounded(shape.resolution * times), shape.resolution)
  while raised > shape.resolution:
    larger = shape._replace(resolution=raised)
    if fits(larger):
      return larger, why
    raised = max(rounded(raised - 1), shape.resolution)
  return shape, f'{why}, which is less than 8 pixels more within the budget'


def _shape(point: Point) -> Shape:
  return Shape(tuple(point.depths), point.width, point.resolution)


def _described(
  cost: Cost, anchor: Point, law: Forecast, found: dict, others: Sequence[str]
) -> dict:
  """Returns what a run costs, what it should reach, and how far it lies."""
  beyond = law.beyond(cost.compute)
  doubts = _doubts(beyond, law, found['laws'][law.name])
  if abs(cost.epochs / anchor.epochs - 1) > _LENGTHS:
    doubts.append(
      f'it trains for {cost.epochs:.3g} epochs, {anchor.label} for '
      f'{anchor.epochs:.3g}'
    )
  if others:
    doubts.append(f'no run of the sweep has its {", ".join(others)}')
  return {
    **cost._asdict(),
    'metric': found['metric'],
    'level': law.level,
    'law': law.name,
    'predicted': law.at(cost.compute),
    'decades_beyond': beyond,
    'decades_of_sweep': law.decades,
    'doubts': doubts,
  }


def _doubts(beyond: float, law: Forecast, entry: dict) -> list[str]:
  """Returns in words what speaks against the forecast."""
  doubts = []
  if beyond > _FAR * law.decades:
    doubts.append('it lies more than half of the sweep beyond it')
  broken = [row for row in entry.get('held_out', ()) if not row['inside']]
  for row in broken:
    doubts.append(
      f'without {row["label"]} the law says {row["predicted"]:.4g} of it, and '
      f'it reached {row["measured"]:.4g}, outside the interval'
    )
  misfit = entry['lack_of_fit_p']
  if misfit is not None and misfit < 1 - law.level:
    doubts.append(f'the points lie off the law (misfit p {misfit:.2g})')
  if law.name == 'all':
    doubts.append('the frontier has no law: this one is of all designs')
  return doubts


def _fields(
  recipe: Recipe, anchor: Point, shape: Shape, decided: Decided, why: str
) -> dict[str, dict]:
  """Returns the fields of the next run, each with its reason."""
  from_here = f'{anchor.label}, the costliest on the frontier within the budget'
  grew = f'{decided.value} grows'
  if decided.value == UNDECIDED:
    grew = 'depth and width grow alike, for neither is shown to be better'
  changed = {
    'model.depths': shape.depths != anchor.depths,
    'model.width': shape.width != anchor.width,
  }
  reasons = {
    **{path: grew if grows else from_here for path, grows in changed.items()},
    'resolution.train': why,
  }
  fields = {
    path: {'value': value, 'reason': reasons.get(path, 'with resolution.train')}
    for path, value in recipe.fields(shape).items()
  }
  if recipe.values.get('scaling.rule', 'off') != 'off':
    macs = float(recipe.cost(shape).macs)
    why = 'of this net: what the rule decides beside its shape follows it'
    fields['scaling.macs'] = {'value': macs, 'reason': why}
    fields['scaling.latency_ms'] = {'value': None, 'reason': 'scaling.macs'}
  return fields


def _pair(
  recipe: Recipe,
  start: Shape,
  decided: Decided,
  cost: Callable[[Shape], Cost],
) -> list[dict]:
  """Returns the two runs that would decide, where nothing has."""
  if decided.value != UNDECIDED:
    return []
  found = would_decide(start, lambda shape: cost(shape).macs)
  return [
    {'fields': recipe.fields(shape), **cost(shape)._asdict()}
    for shape in found or ()
  ]
