"""What became of each fault, as a table."""

import dataclasses

HEAD = (
  '| fault | injected | survived | steps lost | seconds to recover |',
  '|---|--:|--:|--:|--:|',
)


@dataclasses.dataclass
class Row:
  """One kind of fault.

  Attributes:
    fault: its name.
    injected: how often it was.
    survived: how often the run ended as the uninterrupted one, or, of faults
      that are only to be found, how often they were.
    lost: steps that had to be trained again, of each.
    seconds: from a start to its first step, of each.
  """

  fault: str
  injected: int = 0
  survived: int = 0
  lost: list[int] = dataclasses.field(default_factory=list)
  seconds: list[float] = dataclasses.field(default_factory=list)

  def line(self) -> str:
    """A line of the table."""
    lost = _range(self.lost, '{:d}')
    seconds = _range(self.seconds, '{:.1f}')
    return (
      f'| {self.fault} | {self.injected} | {self.survived} | {lost} | '
      f'{seconds} |'
    )


def _range(values, form):
  if not values:
    return ''
  low, high = form.format(min(values)), form.format(max(values))
  return low if low == high else f'{low} to {high}'
