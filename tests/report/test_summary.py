import dataclasses

import pytest

from resflax.report.read import read_run
from resflax.report.summary import duration, final_scores, summary


@pytest.mark.parametrize(
  ('seconds', 'text'),
  [
    (0.4, '0 s'),
    (59.6, '1 min 0 s'),
    (102, '1 min 42 s'),
    (3600, '1 h 0 min'),
    (34_720, '9 h 38 min'),
  ],
)
def test_durations_have_two_units(seconds, text):
  assert duration(seconds) == text


def test_a_finished_run_is_judged_by_its_test_scores(write_run):
  run = read_run(write_run())
  split, scores = final_scores(run)
  assert split == 'test'
  html = summary(run)
  assert f'<dt>test top-1</dt><dd>{scores["top1"]:.2%}' in html
  assert f'<dt>top-5</dt><dd>{scores["top5"]:.2%}' in html
  assert '<dt>loss</dt><dd>0.1235' in html
  assert '<dt>images</dt><dd>400<small>8 pixels wide' in html
  assert '<dt>epochs</dt><dd>4<small>40 steps' in html
  assert '<dt>training time</dt><dd>1 min 20 s' in html
  assert '<dt>parameters</dt><dd>11,689,512' in html
  assert 'resnet18 on digits · done' in html


def test_a_running_run_is_judged_by_its_last_validation(write_run):
  html = summary(read_run(write_run(finished=False)))
  assert '<dt>validation top-1</dt><dd>98.00%' in html
  assert 'running at step 40 of 80' in html
  assert 'test' not in html


def test_an_evaluation_counts_where_the_run_has_no_test_scores(write_run):
  run = read_run(write_run())
  run = dataclasses.replace(run, rows=run.rows[:-1])
  split, scores = final_scores(run)
  assert (split, scores['count'], scores['loss']) == ('test', 400, 0.123456)
  assert scores['top1'] == run.evaluation.correct.mean()
  assert scores['top5'] == run.evaluation.top5.mean()


def test_a_failed_run_says_so(write_run):
  folder = write_run(finished=False)
  status = '{"state": "failed", "exit_code": 3, "total_steps": 80}'
  (folder / 'status.json').write_text(status)
  assert 'failed with exit code 3 at step 40 of 80' in summary(read_run(folder))


def test_top5_of_few_classes_is_not_worth_a_word(write_run):
  assert 'top-5' not in summary(read_run(write_run(num_classes=2)))
