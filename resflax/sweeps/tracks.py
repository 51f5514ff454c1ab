"""From the runs of a sweep to the curves of its labels."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from resflax.report.read import Run
from resflax.report.series import thin
from resflax.report.tracks import MOST_TRACKS, Panel, Track
from resflax.sweeps.folder import Member
from resflax.sweeps.frontier import pareto
from resflax.sweeps.results import counted, stages_of

_METRICS = (  # title, key, scale, whether more is better
  ('Validation top-1 accuracy, %', 'eval/top1', 100, True),
  ('Validation loss, nats', 'eval/loss', 1, False),
  ('Training loss, nats', 'train/loss', 1, False),
)
_ALIKE = 1.5  # times the compute of the cheapest


def panels(members: Sequence[Member]) -> tuple[list[Panel], bool]:
  """Returns the curves of each metric, and whether they are over compute.

  Over compute where the labels cost differently; else over steps.
  """
  begun = [member for member in members if member.run.rows]
  ends = [flops_at(member.run, [_length(member.run)])[0] for member in begun]
  is_compute = bool(ends and max(ends) > _ALIKE * min(ends))
  compared = {member.against for member in begun}
  found = []
  for title, key, scale, is_accuracy in _METRICS:
    tracks = _tracks(begun, key, scale, is_compute)
    if not tracks:
      continue
    front = _front(tracks, is_accuracy, is_compute)
    tracks = [
      track._replace(color=_color(track.label, front, compared))
      for track in tracks
    ]
    found.append(Panel(title, tracks, is_accuracy))
  return found, is_compute


def _length(run: Run) -> int:
  """Returns the steps of a run, those to come too."""
  return run.status.get('total_steps') or run.rows[-1]['step']


def flops_at(
  run: Run, steps: Sequence[int | float] | np.ndarray
) -> Float[np.ndarray, ' steps']:
  """Returns the compute of training up to each step."""
  stages, batch = stages_of(run), run.config['batch_size']
  macs = {s.resolution: counted(run, s.resolution).macs for s in stages}
  each = [6 * macs[s.resolution] * s.batches * batch for s in stages]
  firsts = np.array([stage.first_step for stage in stages])
  longest = np.append(np.diff(firsts), np.inf)
  within = np.asarray(steps, np.float64)[:, None] - firsts
  return (np.clip(within, 0, longest) * each).sum(-1)


def _tracks(
  members: Sequence[Member], key: str, scale: int, is_compute: bool
) -> list[Track]:
  labels: dict[str, list[Run]] = {}
  for member in members:
    if len(member.run.series(key)[0]):
      labels.setdefault(member.label, []).append(member.run)
  first = list(labels.items())[:MOST_TRACKS]
  return [_track(label, runs, key, scale, is_compute) for label, runs in first]


def _track(
  label: str, runs: Sequence[Run], key: str, scale: int, is_compute: bool
) -> Track:
  """Returns a label's curve, over the seeds that have come furthest."""
  furthest = max(run.series(key)[0][-1] for run in runs)
  found: dict[float, list[float]] = {}
  for run in runs:
    if run.series(key)[0][-1] < furthest:
      continue
    for step, value in zip(*run.series(key), strict=True):
      found.setdefault(step, []).append(scale * value)
  steps = np.array(sorted(found))
  mean, low, high = (
    np.array([how(found[step]) for step in steps])
    for how in (np.mean, min, max)
  )
  return Track(
    label,
    thin(flops_at(runs[0], steps) if is_compute else steps),
    *(thin(mean), thin(low, np.minimum), thin(high, np.maximum), 'gray'),
  )


def _front(
  tracks: Sequence[Track], is_accuracy: bool, is_compute: bool
) -> list[str]:
  """Returns the labels that none beats at less compute, or the best one."""
  ends = np.array([track.mean[-1] for track in tracks])
  errors = -ends if is_accuracy else ends
  cost = np.array([track.x[-1] if is_compute else 0.0 for track in tracks])
  return [tracks[i].label for i in pareto(cost, errors)]


def _color(label: str, front: Sequence[str], compared: set[str]) -> str:
  if label in front:
    return 'blue'
  return 'vermilion' if label in compared else 'gray'
