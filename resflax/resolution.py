"""The training resolution as a table of stages.

A stage is a constant resolution, for each costs one compilation. Stages are
decided before the first step and are a function of the config alone.
"""

from collections.abc import Sequence
from typing import NamedTuple

from resflax.errors import UsageError


class Stage(NamedTuple):
  """A run of steps at one resolution.

  Attributes:
    first_step: where it begins.
    resolution: side of the square images, in pixels.
  """

  first_step: int
  resolution: int


def fixed(*, total_steps: int, train: int) -> list[Stage]:
  """One resolution throughout."""
  del total_steps
  return [Stage(0, train)]


def linear(
  *, total_steps: int, train: int, start: int, stages: int, multiple: int
) -> list[Stage]:
  """Stages of equal length, from `start` to `train` pixels in equal steps.

  Source: Tan and Le 2021 (EfficientNetV2), algorithm 1, for the resolution;
  their released code leaves the first size out, the paper does not.

  Args:
    total_steps: length of the run.
    train: pixels of the last stage.
    start: pixels of the first stage.
    stages: how many.
    multiple: the sizes between are rounded to a multiple of it.
  """
  table = []
  for i in range(stages):
    size = train - (train - start) * (stages - 1 - i) / max(stages - 1, 1)
    if i not in (0, stages - 1):
      size = round(size / multiple) * multiple
    table.append(Stage(round(total_steps * i / stages), round(size)))
  return table


def custom(*, total_steps: int, table: Sequence[int | float]) -> list[Stage]:
  """Stages as listed: percent of the run, pixels, percent, pixels, ...

  Raises:
    UsageError: not pairs, not from 0 percent on, or not rising in percent.
  """
  percents, pixels = table[::2], table[1::2]
  if (
    len(table) < 2
    or len(table) % 2
    or percents[0] != 0
    or list(percents) != sorted(set(percents))
    or percents[-1] >= 100
    or any(size != int(size) or size < 8 for size in pixels)
  ):
    raise UsageError(
      f'config.resolution.custom={tuple(table)} takes pairs of percent and '
      'pixels, percent rising from 0, such as (0, 128, 50, 160, 75, 192).'
    )
  return [
    Stage(round(total_steps * percent / 100), int(size))
    for percent, size in zip(percents, pixels, strict=True)
  ]


def merge(table: Sequence[Stage]) -> tuple[Stage, ...]:
  """Joins neighbours of one resolution and drops stages without a step."""
  merged: list[Stage] = []
  for stage in table:
    if merged and stage.first_step == merged[-1].first_step:
      merged.pop()  # in a very short run, stages may begin together
    if not merged or stage.resolution != merged[-1].resolution:
      merged.append(stage)
  return tuple(merged)


def make_stages(
  schedule: str,
  *,
  total_steps: int,
  train: int,
  start: int | None,
  stages: int,
  multiple: int,
  custom_table: Sequence[int | float],
) -> tuple[Stage, ...]:
  """Returns the table of a config's `resolution` group."""
  if schedule == 'linear':
    return merge(
      linear(
        total_steps=total_steps,
        train=train,
        start=start,
        stages=stages,
        multiple=multiple,
      )
    )
  if schedule == 'custom':
    return merge(custom(total_steps=total_steps, table=custom_table))
  return merge(fixed(total_steps=total_steps, train=train))


def resolution_at(stages: Sequence[tuple[int, int]], step: int) -> int:
  """Returns the resolution that `step` trains at."""
  return [resolution for first, resolution in stages if first <= step][-1]


def steps_from(
  stages: Sequence[Stage], step: int, total_steps: int
) -> list[tuple[int, int]]:
  """Returns (resolution, steps to come) of each stage from `step` on."""
  ends = [stage.first_step for stage in stages[1:]] + [total_steps]
  return [
    (stage.resolution, max(0, end - max(step, stage.first_step)))
    for stage, end in zip(stages, ends, strict=True)
  ]


def sizes_from(stages: Sequence[Stage], step: int) -> list[int]:
  """Returns the resolutions from `step` on, in order of first use."""
  later = [s.resolution for s in stages if s.first_step > step]
  return list(dict.fromkeys([resolution_at(stages, step), *later]))
