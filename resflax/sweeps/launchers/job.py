"""What a driver hands to a launcher, and what it expects of one."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from resflax.errors import UsageError


class Job(NamedTuple):
  """A command to start.

  Attributes:
    name: of the run.
    folder: of the run.
    command: of one attempt, to be started in the driver's folder.
  """

  name: str
  folder: Path
  command: tuple[str, ...]


class Settings(NamedTuple):
  """What a launcher is made from.

  Attributes:
    folder: of the sweep.
    jobs: runs at once; None = 1 on this machine, elsewhere what fits.
    cpus: of a run, on a cluster.
    gpus: of a run, on a cluster.
    ray_address: of a cluster; None = the one that Ray finds, or a local one.
    sbatch: further options.
  """

  folder: Path
  jobs: int | None = None
  cpus: int | None = None
  gpus: int | None = None
  ray_address: str | None = None
  sbatch: tuple[str, ...] = ()

  def refuse(self, launcher: str, *names: str) -> None:
    """Refuses settings that mean nothing to a launcher.

    Raises:
      UsageError: one of them is set.
    """
    for name in names:
      if value := getattr(self, name):
        shown = ' '.join(value) if isinstance(value, tuple) else value
        raise UsageError(
          f'--{name}={shown} means nothing to --launcher={launcher}: leave it '
          'out.'
        )


@runtime_checkable
class Launcher(Protocol):
  """Starts commands and says which have ended, however that was.

  Attributes:
    poll_s: seconds between two questions.
  """

  poll_s: float

  @property
  def running(self) -> Collection[str]:
    """Names of what was started and has not ended, queued or at work."""

  @property
  def room(self) -> int:
    """How many more it takes."""

  def start(self, jobs: Sequence[Job]) -> None:
    """Starts commands, at most as many as there is room for."""

  def ended(self) -> list[str]:
    """Returns the names of those that have ended since the last time."""

  def stop(self) -> str:
    """Ends what runs, saved; returns a sentence on what became of it."""
