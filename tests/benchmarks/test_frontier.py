"""Two families side by side: ratios, rows that are kept, and their page."""

import json
import math
import pathlib

import pytest

from resflax.benchmarks import frontier, frontier_page
from resflax.benchmarks.frontier_rows import (
  BASELINE,
  GPU,
  MODELS,
  QUOTED,
  RESNETS,
  TPU,
  Measured,
  cost_of,
  read,
  speed_ups,
)
from resflax.errors import UsageError
from resflax.report.laws import draw_frontiers
from tests.scripts.calling import call

RESULTS = pathlib.Path(__file__).parents[2] / 'docs' / 'results'


def test_the_quoted_ratios_follow_from_the_published_times():
  by_label = {model.label: model.published for model in MODELS}
  for ours, theirs, tpu, gpu in QUOTED:
    for device, quoted in ((TPU, tpu), (GPU, gpu)):
      ratio = by_label[theirs][device] / by_label[ours][device]
      assert ratio == pytest.approx(quoted, abs=0.06)


def test_equal_frontiers_have_ratios_of_one():
  """Costs on one line in the log, so that interpolation is exact."""
  found = speed_ups(lambda model: math.exp(model.top1))
  within = [m.label for m in RESNETS if 77.1 <= m.top1 <= 84.7]
  assert list(found) == within and len(within) == 11
  assert list(found.values()) == pytest.approx([1.0] * 11)


def test_beyond_the_other_frontier_there_is_no_ratio():
  known = {m.label: 1.0 * m.top1 for m in (*RESNETS, *BASELINE[2:6])}
  found = speed_ups(lambda model: known.get(model.label))
  top1 = {m.label: m.top1 for m in RESNETS}
  assert {top1[label] for label in found} == {
    *(80.3, 81.2, 82.0, 82.8, 83.0, 83.4),
  }
  assert speed_ups(lambda model: None) == {}


def test_what_is_kept_is_not_measured_again(tmp_path, monkeypatch):
  asked = []

  def way(model):
    asked.append(model.label)
    return 2.5, 1, 'a device'

  monkeypatch.setitem(frontier.WAYS, 'cpu', {'CPU evaluation': way})
  kept = tmp_path / 'rows.jsonl'
  first = list(frontier.run(quick=True, kept=str(kept)))
  assert asked == ['RS-50 @ 160', 'RS-101 @ 160', 'B0 @ 224', 'B2 @ 260']
  assert [row.ms for row in read(kept)] == [2.5] * 4
  assert list(frontier.run(quick=True, kept=str(kept))) == first
  assert len(asked) == 4
  list(frontier.run(quick=False, kept=str(kept)))
  assert sorted(asked) == sorted(model.label for model in MODELS)
  assert cost_of({}, 'CPU evaluation', MODELS[0]) is None


@pytest.mark.parametrize('line', ['{"label": "RS-50', '{"lable": 1}', '3'])
def test_a_file_of_something_else_is_one_line(tmp_path, line):
  kept = tmp_path / 'rows.jsonl'
  kept.write_text(line + '\n')
  with pytest.raises(UsageError, match='line 1 is no row of `frontier`'):
    next(frontier.run(quick=True, kept=str(kept)))
  with pytest.raises(UsageError, match='the folder .*none is missing'):
    read(tmp_path / 'none' / 'rows.jsonl')


def test_flags_are_for_the_frontier():
  out = call('benchmark', 'conv', '--kept=x.jsonl')
  assert out.returncode == 5
  assert out.stderr == 'error: --kept is for `frontier` alone.\n'
  with pytest.raises(UsageError, match='--device=gpu: JAX runs on cpu'):
    next(frontier.run(quick=True, device='gpu'))


def test_the_page_holds_the_rows():
  page = (RESULTS / 'frontier.md').read_text()
  known = frontier_page.rows_of(RESULTS)
  assert {label for label, _ in known} <= {model.label for model in MODELS}
  assert frontier_page.tables(known) in page


def test_the_figure_has_a_panel_for_each_way():
  known = frontier_page.rows_of(RESULTS)
  series, words = frontier_page.figure(known)
  drawn = draw_frontiers(series, words)
  assert [axes.get_xlabel() for axes in drawn.axes] == list(words.values())
  assert TPU in words


@pytest.mark.slow
@pytest.mark.parametrize(
  ('device', 'way'), [('cpu', 'CPU evaluation'), ('gpu', 'GPU step')]
)
def test_a_model_is_timed_on_what_is_here(device, way, monkeypatch):
  monkeypatch.setattr(frontier, '_GPU_IMAGES', 2)
  model = MODELS[0]._replace(variant='resnet20_cifar', resolution=32)
  row = frontier.measure(model, device, way)
  assert 0.1 < row.ms < 1e4
  assert Measured(**json.loads(json.dumps(row._asdict()))) == row
