"""A run folder's checkpoint, without going on with the run."""

import dataclasses

from etils import epath

from resflax.data import sources
from resflax.data.records import DatasetInfo, Records
from resflax.errors import StorageError, UsageError
from resflax.training.checkpointing import Checkpointer
from resflax.training.setup import Setup
from resflax.training.state import TrainState
from resflax.training.workdir import read_json

CHECKPOINTS = ('latest', 'best')


@dataclasses.dataclass(frozen=True)
class DeferredDataset:
  """A data set of which only the description is there until it is needed."""

  info: DatasetInfo
  data_dir: str | None

  def split(self, spec: str) -> Records:
    """Opens the data set and returns the examples of a split.

    Raises:
      UsageError: it is not there, or has other classes than it had.
    """
    opened = sources.load_dataset(self.info.name, self.data_dir)
    if opened.info.class_names != self.info.class_names:
      raise UsageError(
        f'{self.info.name} has other classes now than the run was trained on: '
        'restore them, or give a --dataset that has these.'
      )
    return opened.split(spec)


def dataset_of(workdir: epath.Path, data_dir: str | None) -> DeferredDataset:
  """Returns the data set of a run folder, not opened.

  Raises:
    StorageError: its description cannot be read.
  """
  fields = [field.name for field in dataclasses.fields(DatasetInfo)]
  info = read_json(workdir / 'dataset.json', fields)
  info['class_names'] = tuple(info['class_names'])
  return DeferredDataset(DatasetInfo(**info), data_dir)


def restore_state(
  workdir: epath.Path, setup: Setup, checkpoint: str
) -> TrainState:
  """Returns the state that a run saved.

  Args:
    workdir: of the run; is not written to.
    setup: of the run.
    checkpoint: `latest`, or `best` on the validation split.

  Raises:
    StorageError: there is no such checkpoint, or it cannot be read.
  """
  if not (workdir / 'checkpoints').exists():
    raise _none(workdir, checkpoint)
  checkpoints = Checkpointer(workdir, read_only=True)
  try:
    best, _ = checkpoints.best()
    step = best if checkpoint == 'best' else checkpoints.latest()
    if step is None:
      raise _none(workdir, checkpoint)
    saved, _ = checkpoints.restore(setup.saved_shapes, step)
    return setup.from_saved(saved)
  finally:
    checkpoints.close()


def _none(workdir: epath.Path, checkpoint: str) -> StorageError:
  if checkpoint == 'best':
    return StorageError(
      f'{str(workdir)!r} has no checkpoint that was evaluated: give '
      '--checkpoint=latest.'
    )
  return StorageError(
    f'{str(workdir)!r} has no checkpoint yet: the run saves one at its end and '
    'as config.checkpoint_every_minutes says.'
  )
