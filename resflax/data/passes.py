"""Going through a data set once, with a progress bar."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import track

from resflax.data.ahead import ahead

T = TypeVar('T')

CHUNK = 32  # examples a call, so that handing over costs little


def one_pass(
  look: Callable[[int], T], count: int, title: str, chunk: int = CHUNK
) -> Iterator[T]:
  """Yields `look(index)` of each example in order, made ahead by threads.

  Args:
    look: what to do with an example.
    count: of the examples.
    title: of the progress bar.
    chunk: examples a call; fewer where what is found of each is large, for
      20 calls may wait in memory.
  """

  def look_at_chunk(number: int) -> list[T]:
    start = number * chunk
    return [look(i) for i in range(start, min(start + chunk, count))]

  chunks = -(-count // chunk)
  for found in tracked(ahead(look_at_chunk, 0, chunks), title, chunks):
    yield from found


def tracked(
  items: Iterable[T], title: str, total: int | None = None
) -> Iterable[T]:
  """Yields the items and shows how far they are.

  Args:
    items: to go through.
    title: of the progress bar.
    total: of the items; None where they know their number.
  """
  console = Console(stderr=True)
  return track(items, f'{title:12}', total=total, console=console)
