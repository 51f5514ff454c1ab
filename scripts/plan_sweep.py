"""The half of `scripts.plan` that asks a sweep."""

from pathlib import Path

from absl import flags

from resflax.errors import UsageError
from scripts import law_flags

FROM_SWEEP = flags.DEFINE_string(
  'from_sweep', None, 'Folder of a sweep, whose law decides.'
)
FLOPS = flags.DEFINE_float(
  'flops', None, 'Budget: of training, in FLOPs.', lower_bound=0
)
ERROR = flags.DEFINE_float(
  'error',
  None,
  'Budget: what it takes to come down to it, such as 0.12.',
  lower_bound=0,
)
GROW = flags.DEFINE_enum(
  'grow', 'auto', ('auto', 'depth', 'width'), 'Overrules the evidence.'
)
WRITE = flags.DEFINE_string('write', None, 'A .py file: the config to train.')

_OURS = (FLOPS, ERROR, GROW, WRITE, law_flags.METRIC, law_flags.DECADES)


def refuse_without_a_sweep() -> None:
  """Refuses flags that mean nothing to the rules of ResNet-RS."""
  for flag in _OURS:
    if flag.present:
      raise UsageError(
        f'--{flag.name}={flag.value} is for --from_sweep=DIR, which is not set.'
      )


def planned(config) -> tuple[dict, list[str]]:
  """Returns the plan and its sentences; writes the config where asked to.

  Args:
    config: to train by, of the command line; None = the sweep's own.
  """
  folder = FROM_SWEEP.value
  if not Path(folder).is_dir():
    raise UsageError(f'There is no folder {folder!r} (--from_sweep).')
  if law_flags.METRIC.value == 'error' and (ERROR.value or 0) >= 1:
    raise UsageError(
      f'--error={ERROR.value:g} is to be a part of the images, below 1: 12 % '
      'are 0.12.'
    )
  from resflax.sweeps.analysis import analyse_runs
  from resflax.sweeps.budget import Budget
  from resflax.sweeps.config_file import check_config, write_config
  from resflax.sweeps.law import REFITS
  from resflax.sweeps.next_run import next_run
  from resflax.sweeps.recipe import recipe_of
  from resflax.sweeps.results import read_points
  from resflax.sweeps.telling import told

  if WRITE.value:
    check_config(WRITE.value)
  points = read_points(folder)
  macs, grow, recipe = _given(config, points)
  options = {
    'least_decades': law_flags.least_decades(),
    'refits': REFITS,
  }
  plan = next_run(
    points,
    analyse_runs(points, law_flags.METRIC.value, **options),
    recipe_of if recipe is None else lambda _: recipe,
    Budget(FLOPS.value, macs, ERROR.value),
    grow=grow,
    **options,
  )
  plan['recipe'] = 'the sweep' if recipe is None else 'the --config'
  plan['provenance'] = _provenance(folder, points)
  lines = told(plan)
  if WRITE.value:
    lines.append(write_config(WRITE.value, plan))
  return plan, lines


def _given(config, points):
  """Returns budget, axis and recipe of a config on the command line."""
  if config is None:
    return None, GROW.value, None
  # Opening a data set takes seconds: a typo is answered before.
  from resflax.data.described import load_or_describe
  from resflax.sweeps.recipe import recipe_from
  from resflax.training.assemble import assemble

  values = config.to_dict()
  scaling = values['scaling']
  macs, grow = scaling['macs'], scaling['grow']
  if scaling['latency_ms']:
    raise UsageError(
      f'config.scaling.latency_ms={scaling["latency_ms"]} is no budget for a '
      'law of compute: set config.scaling.macs, or give --flops.'
    )
  if scaling['rule'] == 'off':  # it would be refused as without effect
    scaling.update(macs=None, grow='auto')
  dataset = load_or_describe(config.data.name, config.data.data_dir)
  setup = assemble(values, source=dataset)
  recipe = recipe_from(
    setup.resolved, values, dataset.info, setup.num_examples, points
  )
  return macs, grow if GROW.value == 'auto' else GROW.value, recipe


def _provenance(folder: str, points) -> dict:
  from resflax.sweeps.writing import provenance

  return {
    'sweep': Path(folder).resolve().name,
    'runs': sum(len(point.seeds) for point in points),
    'configs': [point.config for point in points],
    'commits': sorted({c for point in points for c in point.commits if c}),
    **provenance(),
  }
