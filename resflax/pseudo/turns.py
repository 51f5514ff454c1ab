"""Work that several processes share, in step with each other."""

from collections.abc import Callable

import jax

from resflax.data.passes import tracked
from resflax.parallel import distributed


def by_turns(count: int, title: str, work: Callable[[int], None]) -> None:
  """Calls `work` for each number below `count`, in one of the processes.

  After each turn they wait for each other, so none is lost without notice,
  and the bar shows what all of them have done.

  Raises:
    LostPeerError: a process did not come.
  """
  processes = jax.process_count()
  turns = range(-(-count // processes))
  for turn in tracked(turns, title) if distributed.is_main() else turns:
    number = turn * processes + jax.process_index()
    if number < count:
      work(number)
    distributed.gathered(title, number)
