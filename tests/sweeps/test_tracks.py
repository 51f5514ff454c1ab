"""Curves of labels: over what they are, and which runs they are means of."""

import numpy as np
import pytest

from resflax.sweeps.folder import members
from resflax.sweeps.results import counted
from resflax.sweeps.tracks import flops_at, panels
from tests.sweeps.folders import prepend_rows, shape, write_run


def write(folder, label, seed, *, error=0.2, finished=True, **fields):
  return write_run(
    folder / f'{label}-{seed:08x}',
    {**shape(1, 0.25, 16), **fields},
    lambda _: error,
    seed=seed,
    finished=finished,
  )


def test_compute_is_summed_over_the_stages_up_to_a_step(tmp_path):
  flops = write(
    tmp_path,
    'a',
    0,
    **{
      'resolution.schedule': 'linear',
      'resolution.start': 8,
      'resolution.train': 32,
    },
  )
  [member] = members(str(tmp_path))
  table = member.run.derived['resolution.table']['value']
  assert len(table) == 3
  last = member.run.rows[-1]['step']
  found = flops_at(member.run, [0, table[1][0], last])
  assert found[0] == 0 and found[2] == flops
  # Each of the stages has a third of the steps.
  costs = [counted(member.run, size).macs for size in (8, 16, 32)]
  assert found[1] / flops == pytest.approx(costs[0] / sum(costs))


def test_a_mean_is_of_the_runs_that_have_come_furthest(tmp_path):
  for seed, error in enumerate((0.2, 0.3)):
    write(tmp_path, 'a', seed, error=error)
  write(tmp_path, 'a', 2, error=0.9, finished=False)
  (accuracy, loss), is_compute = panels(members(str(tmp_path)))
  assert not is_compute
  [track] = accuracy.tracks
  assert track.mean[-1] == pytest.approx(75)
  assert (track.low[-1], track.high[-1]) == pytest.approx((70, 80))
  assert loss.tracks[0].mean[-1] == pytest.approx(0.5)
  np.testing.assert_array_equal(np.diff(track.x) > 0, True)


def test_runs_under_way_do_not_make_costs_differ(tmp_path):
  write(tmp_path, 'a', 0)
  write(tmp_path, 'b', 0, finished=False, **{'optimizer.lr': 0.01})
  _, is_compute = panels(members(str(tmp_path)))
  assert not is_compute


def test_over_compute_the_frontier_is_blue(tmp_path):
  for label, blocks, error in (('s', 1, 0.3), ('bad', 2, 0.4), ('l', 4, 0.1)):
    depths = {'model.depths': (blocks,) * 4}
    write(tmp_path, label, 0, error=error, **depths)
  (accuracy, _), is_compute = panels(members(str(tmp_path)))
  assert is_compute
  colors = {track.label: track.color for track in accuracy.tracks}
  assert colors == {'s': 'blue', 'bad': 'gray', 'l': 'blue'}


def test_the_training_loss_is_overlaid_where_it_was_logged(tmp_path):
  write(tmp_path, 'a', 0)
  rows = [{'step': step, 'train/loss': 1 / step} for step in (2, 4)]
  prepend_rows(tmp_path / 'a-00000000', rows)
  panel = panels(members(str(tmp_path)))[0][-1]
  assert panel.title == 'Training loss, nats' and not panel.is_accuracy
  assert list(panel.tracks[0].mean) == [0.5, 0.25]
