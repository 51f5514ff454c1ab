"""Times of programs that run in turns, so that a busy machine hits all alike.

Wall-clock time on shared cores says little; CPU-seconds of the process say
more, and their ratio within one run most of all.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax


class Times(NamedTuple):
  """Seconds of each run of a program.

  Attributes:
    cpu: of all threads of the process.
    wall: on the clock.
  """

  cpu: list[float]
  wall: list[float]

  @property
  def cpu_s(self) -> float:
    """The median of the CPU-seconds."""
    return statistics.median(self.cpu)

  @property
  def wall_s(self) -> float:
    """The median of the seconds on the clock."""
    return statistics.median(self.wall)


def timed(program: Callable[[], object]) -> tuple[object, float, float]:
  """Returns what `program` returns, once it is there; its CPU and wall time."""
  wall, cpu = time.perf_counter(), time.process_time()
  result = jax.block_until_ready(program())
  return result, time.process_time() - cpu, time.perf_counter() - wall


def interleave(
  programs: Mapping[str, Callable[[], object]], *, repeats: int
) -> dict[str, Times]:
  """Runs each program once to warm up, then all of them in turns.

  Args:
    programs: by name; each returns arrays or nothing.
    repeats: how often each is timed.
  """
  for program in programs.values():
    timed(program)
  times = {name: Times([], []) for name in programs}
  for _ in range(repeats):
    for name, program in programs.items():
      _, cpu, wall = timed(program)
      times[name].cpu.append(cpu)
      times[name].wall.append(wall)
  return times


class Row(NamedTuple):
  """A line of a benchmark's table.

  Attributes:
    what: was measured.
    value: its CPU-seconds, or another number in `unit`.
    unit: of the value.
    ratio: to what the row is compared with; None where it is the measure.
    against: what that is.
    bar: the ratio that was aimed for, as text.
  """

  what: str
  value: float
  unit: str
  ratio: float | None = None
  against: str = ''
  bar: str = ''
