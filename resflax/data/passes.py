"""Going through a data set once, with a progress bar."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import track

from resflax.data.ahead import ahead

T = TypeVar('T')

_CHUNK = 32  # examples a call, so that handing over costs little


def one_pass(look: Callable[[int], T], count: int, title: str) -> Iterator[T]:
  """Yields `look(index)` of each example in order, made ahead by threads.

  Args:
    look: what to do with an example.
    count: of the examples.
    title: of the progress bar.
  """

  def look_at_chunk(chunk: int) -> list[T]:
    start = chunk * _CHUNK
    return [look(i) for i in range(start, min(start + _CHUNK, count))]

  chunks = -(-count // _CHUNK)
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
