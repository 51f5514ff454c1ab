"""The bad examples of a run, over all processes: kept, told and limited."""

from collections.abc import Callable, Sequence

from resflax.data.bad import Bad, BadExamples
from resflax.parallel import distributed
from resflax.training.setup import Setup
from resflax.training.workdir import Workdir


class BadCount:
  """Counts what each step could not use.

  Several processes tell each other at the steps that have a row.

  Args:
    setup: of the run.
    folder: keeps the list.
    say: what a person is told with.
  """

  def __init__(self, setup: Setup, folder: Workdir, say: Callable):
    self._setup, self._folder, self._say = setup, folder, say
    self._here: list[Bad] = []  # of this process, not yet counted
    self._examples = BadExamples(
      setup.num_examples,
      setup.resolved['data.bad_budget'],
      distributed.on_main(self._still_bad),
    )

  def __len__(self) -> int:
    return len(self._examples)

  def _still_bad(self) -> list[Sequence]:
    """Returns the bad examples of earlier starts that nobody has replaced."""
    found = self._folder.bad_examples()
    if found:
      found = self._setup.inputs.bad_among([index for index, *_ in found])
      self._folder.write_bad_examples(found)
    return found

  def add(self, bad: Sequence[Bad], *, has_row: bool) -> None:
    """Adds those of a step; says of each new one what it is.

    Args:
      bad: in this process's part of the batch.
      has_row: whether metrics are written after the step.

    Raises:
      DataError: they are too many.
    """
    self._here += bad
    if distributed.are_several() and not has_row:
      return
    here, self._here = self._here, []
    everywhere = distributed.gathered('bad', here)
    found = [Bad(*example) for there in everywhere for example in there]
    if not found:
      return
    try:
      new = self._examples.add(found)
    finally:
      self._folder.write_bad_examples(self._examples.found)
    for example in new:
      self._say(f'cannot use {example.place}: {example.reason}')
