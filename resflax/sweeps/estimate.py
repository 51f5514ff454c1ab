"""What a sweep's runs cost, and what contradicts itself in them, beforehand.

Each run's config is decided as its own start would decide it.
"""

import json
import runpy
from collections.abc import Mapping, Sequence

from etils import epath

from resflax.data.described import load_or_describe
from resflax.errors import ResflaxError, UsageError, failure
from resflax.fields import flat, nest
from resflax.sweeps.costs import Cost, cost_of
from resflax.sweeps.folder import run_folders
from resflax.sweeps.grid import Planned
from resflax.training.assemble import assemble
from resflax.training.setup import Setup
from resflax.training.workdir import changed_since, read_json


def estimate(runs: Sequence[Planned], config: str, workdir: str) -> list[Cost]:
  """Returns the costs of runs.

  Args:
    runs: of a sweep.
    config: the config file, without an argument.
    workdir: of the sweep, which may have been begun.

  Raises:
    UsageError: a run's config is not allowed, its data are not there, two runs
      become equal once everything is decided, a run is there under another
      name, or was begun with another config.
  """
  bases: dict[str, dict] = {}
  datasets: dict[tuple, object] = {}
  seen: dict[str, str] = {}
  others = _others(workdir, {run.name for run in runs})
  found = []
  for run in runs:
    if run.config_arg not in bases:
      bases[run.config_arg] = _base(config, run.config_arg)
    try:
      setup = _assembled(bases[run.config_arg] | run.fields, datasets)
    except ResflaxError as error:
      raise type(error)(f'{run.name}: {error}') from error
    _refuse_equal(seen, others, run.name, setup)
    _refuse_changed(epath.Path(workdir) / run.name, setup)
    found.append(_cost(setup))
  return found


def _base(config: str, argument: str) -> dict[str, object]:
  """Returns the fields that the config file sets, by path."""
  try:
    get_config = runpy.run_path(config)['get_config']
    made = get_config(argument) if argument else get_config()
  except ResflaxError:
    raise
  except (Exception, SystemExit) as error:
    raise UsageError(failure(f'--config={config}:{argument}', error)) from error
  return dict(flat(made.to_dict()))


def _assembled(fields: Mapping, datasets: dict) -> Setup:
  name, folder = fields['data.name'], fields['data.data_dir']
  if (name, folder) not in datasets:
    datasets[name, folder] = load_or_describe(name, folder)
  # The platform is that of the machine which trains.
  fields = {**fields, 'platform': None}
  return assemble(nest(fields), source=datasets[name, folder])


def _others(workdir: str, names: set[str]) -> dict[str, str]:
  """Returns the runs of other sweep files by what they compute."""
  folders = [f for f in run_folders(workdir) if f.name not in names]
  files = [epath.Path(folder) / 'config.json' for folder in folders]
  contents = [_content(read_json(file, ['config'])['config']) for file in files]
  return dict(zip(contents, (f.name for f in folders), strict=True))


def _content(config: Mapping) -> str:
  return json.dumps(config, sort_keys=True)


def _refuse_equal(
  seen: dict[str, str], others: Mapping[str, str], name: str, setup: Setup
) -> None:
  content = _content(setup.resolved.config)
  if before := others.get(content):
    raise UsageError(
      f'{name} is there already, as {before}, and would count as another seed: '
      'leave it out, rename that folder to it, or use another --workdir '
      '(--sweep).'
    )
  if before := seen.get(content):
    raise UsageError(
      f'{before} and {name} are one run: they set different fields, but all '
      'fields are equal once they are decided. Leave one out (--sweep).'
    )
  seen[content] = name


def _refuse_changed(folder: epath.Path, setup: Setup) -> None:
  """Refuses what a run folder holds of another config.

  Its name tells what the sweep file sets, and not what the config file does.
  """
  if not (folder / 'config.json').exists():
    return
  if change := next(changed_since(folder, setup.resolved), None):
    raise UsageError(
      f'{folder} was begun with {change.text}: use another --workdir, or the '
      'config file as it was.'
    )


def _cost(setup: Setup) -> Cost:
  resolved, info = setup.resolved, setup.dataset.info
  return cost_of(
    resolved.group('model'),
    setup.stages,
    resolved['schedule.total_steps'],
    resolved['batch_size'],
    num_classes=info.num_classes,
    in_channels=info.channels,
  )
