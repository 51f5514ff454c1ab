"""The training resolution as a table of stages.

A stage is a constant resolution, for each costs one compilation. Stages are
decided before the first step and are a function of the config alone.
"""

from collections.abc import Sequence
from typing import NamedTuple

from resflax.errors import UsageError

# Schedules that begin at `resolution.start`.
RISING = ('linear', 'ramp')


class Stage(NamedTuple):
  """A run of steps at one resolution.

  Attributes:
    first_step: where it begins.
    resolution: side of the square images, in pixels.
    strength: of the regularisers, as a part of what is configured.
    batches: of `batch_size` examples, that a step takes.
  """

  first_step: int
  resolution: int
  strength: float = 1.0
  batches: int = 1


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
      size = min(max(start, round(size / multiple) * multiple), train)
    table.append(Stage(round(total_steps * i / stages), round(size)))
  return table


def ramp(
  *,
  total_steps: int,
  train: int,
  start: int,
  multiple: int,
  begin: int | float,
  end: int | float,
) -> list[Stage]:
  """`start` pixels, then a line to `train` pixels rounded to a multiple.

  Source: FFCV's ImageNet recipes (160 to 192 pixels by 32, from 74 to 86 % of
  88 epochs); Composer's progressive resizing is a ramp from half the size, from
  50 to 80 %, by 4, where each size costs a compilation here.

  Args:
    total_steps: length of the run.
    train: pixels after the ramp.
    start: pixels before it.
    multiple: what sizes on the ramp are rounded to.
    begin: of the ramp, in percent of the run.
    end: of the ramp, in percent of the run.

  Raises:
    UsageError: the ramp ends before it begins.
  """
  if not 0 <= begin < end <= 100:
    raise UsageError(
      f'config.resolution.ramp_begin={begin} and config.resolution.ramp_end='
      f'{end} take percent of the run, the first smaller, such as 50 and 80.'
    )
  table = [Stage(0, start)]
  for step in range(round(total_steps * begin / 100), total_steps):
    part = (100 * step / total_steps - begin) / (end - begin)
    size = start + min(part, 1) * (train - start)
    if part < 1:
      size = round(size / multiple) * multiple
    size = round(max(min(size, train), start))
    if size != table[-1].resolution:
      table.append(Stage(step, size))
  return table


def rising(table: Sequence[Stage], first: int | float) -> list[Stage]:
  """Returns the stages with strengths in equal steps from `first` to 1.

  Source: Tan and Le 2021 (EfficientNetV2), algorithm 1: magnitude, mixup and
  dropout rise with the size; in their table 6 magnitude and dropout begin at
  a third (S) to a fifth (L) of their last value, and mixup at 0.
  """
  *before, last = table
  step = (1 - first) / max(len(before), 1)
  return [
    *(s._replace(strength=first + i * step) for i, s in enumerate(before)),
    last,
  ]


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
    or any(size != int(size) or not 8 <= size <= 4096 for size in pixels)
  ):
    raise UsageError(
      f'config.resolution.custom={tuple(table)} takes pairs of percent and '
      'pixels from 8 to 4096, percent rising from 0, such as (0, 128, 50, 160, '
      '75, 192).'
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
    if not merged or stage[1:] != merged[-1][1:]:
      merged.append(stage)
  return tuple(merged)


def make_stages(
  schedule: str,
  *,
  total_steps: int,
  train: int,
  start: int | None,
  stages: int,
  multiple: int | None,
  ramp_begin: int | float,
  ramp_end: int | float,
  custom_table: Sequence[int | float],
  first_strength: int | float = 1.0,
) -> tuple[Stage, ...]:
  """Returns the table of a config's `resolution` group.

  Raises:
    UsageError: a ramp or a custom table that is none.
  """
  sizes = {'total_steps': total_steps, 'train': train}
  if schedule == 'linear':
    table = linear(**sizes, start=start, stages=stages, multiple=multiple)
  elif schedule == 'ramp':
    ends = {'begin': ramp_begin, 'end': ramp_end}
    table = ramp(**sizes, start=start, multiple=multiple, **ends)
  elif schedule == 'custom':
    table = custom(total_steps=total_steps, table=custom_table)
  else:
    table = fixed(**sizes)
  return merge(rising(merge(table), first_strength))


def stage_at(stages: Sequence[Stage], step: int) -> Stage:
  """Returns the stage that `step` is in."""
  return [stage for stage in stages if stage.first_step <= step][-1]


def resolution_at(stages: Sequence[Stage], step: int) -> int:
  """Returns the resolution that `step` trains at."""
  return stage_at(stages, step).resolution


def steps_from(
  stages: Sequence[Stage], step: int, total_steps: int
) -> list[tuple[Stage, int]]:
  """Returns each stage with its steps to come from `step` on."""
  ends = [stage.first_step for stage in stages[1:]] + [total_steps]
  return [
    (stage, max(0, end - max(step, stage.first_step)))
    for stage, end in zip(stages, ends, strict=True)
  ]


def sizes_from(stages: Sequence[Stage], step: int) -> list[int]:
  """Returns the resolutions from `step` on, in order of first use."""
  return list(dict.fromkeys(s.resolution for s in programs_from(stages, step)))


def programs_from(stages: Sequence[Stage], step: int) -> list[Stage]:
  """Returns what is compiled from `step` on, in order of first use.

  Stages that differ in where they begin alone share a program, and the first
  step is then 0.
  """
  later = [s for s in stages if s.first_step > step]
  needed = [stage_at(stages, step), *later]
  return list(dict.fromkeys(s._replace(first_step=0) for s in needed))
