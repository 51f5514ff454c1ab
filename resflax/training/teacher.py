"""A run's net as the teacher of another one."""

import dataclasses

from etils import epath

from resflax.errors import UsageError
from resflax.paths import absolute
from resflax.training.assemble import build
from resflax.training.restore import dataset_of, restore_state
from resflax.training.setup import Setup
from resflax.training.teaching import Teacher
from resflax.training.workdir import read_config


def taught(setup: Setup) -> Setup:
  """Returns the setup with the teacher that `config.distill` names, if any.

  Raises:
    UsageError: it is not a run folder, or its net has other classes or sees
      other colours than the one to be trained.
    StorageError: it has no checkpoint.
  """
  folder = setup.resolved['distill.teacher']
  if not folder:
    return setup
  path = epath.Path(absolute(folder))
  resolved, dataset = read_config(path), dataset_of(path, None)
  own = setup.dataset.info
  if dataset.info.class_names != own.class_names:
    raise UsageError(
      f'{folder} was trained on other classes ({dataset.info.name}) than those '
      f'of {own.name}: give a run on these (config.distill.teacher).'
    )
  for field in ('data.mean', 'data.std'):
    if tuple(resolved[field]) != tuple(setup.resolved[field]):
      raise UsageError(
        f'config.{field}={setup.resolved[field]}, and {folder} was trained '
        f'with {resolved[field]}: set the same (config.distill.teacher).'
      )
  of_teacher = build(resolved, dataset, setup.mesh)
  state = restore_state(path, of_teacher, 'latest')
  teacher = Teacher(
    of_teacher.model,
    state.eval_variables,
    setup.resolved['distill.temperature'],
    setup.resolved['distill.weight'],
  )
  return dataclasses.replace(setup, teacher=teacher)
