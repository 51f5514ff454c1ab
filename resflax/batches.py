"""The batches that a step of each stage takes, and where a step lies.

A batch is `batch_size` examples; a step of smaller images may take several.
What follows the examples, such as the learning rate, goes by the batches before
a step, which are integers and a function of the stages.
"""

from collections.abc import Sequence

from resflax.resolution import Stage, merge


def of_equal_pixels(
  table: Sequence[Stage], total_batches: int
) -> tuple[Stage, ...]:
  """Returns the stages with as many batches a step as the largest has pixels.

  The whole number of batches whose pixels are at most those of one batch of
  the largest images. A stage ends with its last whole step, and what is left
  of it is the next one's; one that is shorter than a step is left out.

  Source: batches that grow as images shrink, Wu et al. 2020 (Multigrid, for
  video); whole batches are ours.

  Args:
    table: the stages, whose first steps are counted in batches.
    total_batches: length of the run.
  """
  largest = max(stage.resolution for stage in table)
  ends = [stage.first_step for stage in table[1:]] + [total_batches]
  stages, step, before = [], 0, 0
  for stage, end in zip(table, ends, strict=True):
    batches = largest**2 // stage.resolution**2
    stages.append(stage._replace(first_step=step, batches=batches))
    steps = (end - before) // batches
    step, before = step + steps, before + steps * batches
  return merge(stages)


def batches_before(stages: Sequence[Stage], step: int) -> int:
  """Returns how many batches the steps before a step take."""
  ends = [stage.first_step for stage in stages[1:]] + [step]
  return sum(
    stage.batches * max(0, min(end, step) - stage.first_step)
    for stage, end in zip(stages, ends, strict=True)
  )


def num_steps(stages: Sequence[Stage], total_batches: int) -> int:
  """Returns the steps of a run, of which the last one may exceed its length."""
  last = stages[-1]
  left = total_batches - batches_before(stages, last.first_step)
  return last.first_step - (-left // last.batches)
