"""Getting a sweep done: what is left, what is tried again, what is killed."""

import functools
import json
import os
import signal

import pytest

from resflax.errors import ResflaxError, StorageError, UsageError
from resflax.sweeps import driver
from resflax.sweeps.launchers.job import Settings
from resflax.sweeps.launchers.local import Local
from resflax.sweeps.lease import held, is_held
from tests.sweeps.drive import MODULE, driven, planned
from tests.sweeps.drive import driver as start
from tests.sweeps.watching import (
  TIMEOUT,
  at_work,
  check_each_ended_once,
  children,
  lives,
  read,
  until,
)


@pytest.fixture
def launch(tmp_path, monkeypatch):
  monkeypatch.setattr(Local, 'poll_s', 0.02)
  return functools.partial(Local, Settings(tmp_path))


def test_what_is_done_is_left_and_the_rest_is_trained(tmp_path, launch, capsys):
  [row] = driven(planned(0), tmp_path, launch)
  assert row['state'] == 'done' and row['test/top1'] == 0.5
  out = capsys.readouterr().out
  assert out.startswith('0 of 1 runs are done\n') and 'done s0-' in out
  log = tmp_path / row['name'] / 'log.txt'
  before = log.read_bytes()

  first, second = driven(planned(0, 1), tmp_path, launch)
  assert '1 of 2 runs are done' in capsys.readouterr().out
  assert log.read_bytes() == before
  assert first == row and second['state'] == 'done'
  kept = (tmp_path / 'runs.jsonl').read_text().splitlines()
  assert [json.loads(line) for line in kept] == [first, second]
  check_each_ended_once(tmp_path, 2)


@pytest.mark.parametrize('code, tries', [(1, 2), (3, 1), (5, 1), (75, 2)])
def test_what_fails_is_tried_again_unless_it_would_again(
  tmp_path, launch, code, tries
):
  bad = planned(0, **{'data.train_split': str(code)})
  with pytest.raises(ResflaxError, match='1 of 2 runs failed, such as s0'):
    driven([*bad, *planned(1)], tmp_path, launch)
  assert len(lives(tmp_path / bad[0].name)) == tries
  assert read(tmp_path / planned(1)[0].name / 'status.json')['state'] == 'done'
  with pytest.raises(ResflaxError, match='1 of 1 runs failed'):
    driven(bad, tmp_path, launch, attempts=1)
  assert len(lives(tmp_path / bad[0].name)) == tries + 1


class Played:
  """A launcher whose runs end as they are told to, in `ends`."""

  poll_s = 0.0
  room = 1

  def __init__(self, ends):
    self.ends, self.running, self.starts = ends, [], 0

  def start(self, jobs):
    self.running = list(jobs)
    self.starts += 1

  def ended(self):
    for job in self.running:
      state, code, step = self.ends.pop(0)
      job.folder.mkdir(exist_ok=True)
      status = {'state': state, 'step': step}
      (job.folder / 'status.json').write_text(json.dumps(status))
      record = {'exit_code': code}
      (job.folder / 'attempt.json').write_text(json.dumps(record))
    ended, self.running = [job.name for job in self.running], []
    return ended

  def stop(self):
    return 'Stopped'


@pytest.mark.parametrize(
  'ends, starts',
  [
    # Killed again and again, each time further; asked to stop; done.
    (
      [
        *[('running', -9, step) for step in range(1, 6)],
        *[('preempted', 42, 6)] * 3,
        ('done', 0, 9),
      ],
      9,
    ),
    ([('running', None, 0)] * 2, None),
    ([('running', -9, 3), ('failed', 1, 3), ('running', -9, 3)], None),
  ],
)
def test_attempts_count_that_get_no_further(tmp_path, ends, starts):
  launcher = Played(list(ends))
  if starts:
    driven(planned(0), tmp_path, lambda: launcher)
    assert launcher.starts == starts
  else:
    with pytest.raises(ResflaxError, match='1 of 1 runs failed'):
      driven(planned(0), tmp_path, lambda: launcher)
    assert launcher.starts == len(ends) and not launcher.ends


def test_a_run_at_work_elsewhere_is_waited_for(tmp_path, launch):
  [run] = planned(0)
  (tmp_path / run.name).mkdir()
  launcher = launch()
  with held(tmp_path / run.name / '.lease'):
    job = driver._job(run, 'unused.py', tmp_path / run.name, MODULE)
    queue = driver._Queue([job], launcher, 2)
    assert queue.turn() and queue.turn()
    assert not launcher.running
  until(lambda: not queue.turn())
  check_each_ended_once(tmp_path, 1)


def test_two_sweeps_do_not_share_a_folder(tmp_path, launch):
  with (
    held(tmp_path / '.lease'),
    pytest.raises(UsageError, match='Another sweep is at work'),
  ):
    driven(planned(0), tmp_path, launch)


def test_a_folder_that_cannot_be_made(tmp_path, launch):
  (tmp_path / 'file').touch()
  with pytest.raises(StorageError, match=r'Cannot write to .*\(--workdir\)'):
    driven(planned(0), tmp_path / 'file' / 'sweep', launch)


@pytest.mark.slow
def test_killed_runs_and_drivers_leave_a_sweep_that_ends_complete(tmp_path):
  first = start(tmp_path, 'local', 3, 40)
  runs = until(lambda: at_work(tmp_path, 2))
  run, attempt = next(iter(runs.items()))
  until(lambda: lives(run))
  [training] = children(attempt)
  os.kill(training, signal.SIGKILL)
  until(lambda: len(lives(run)) == 2)  # it was begun again
  first.kill()
  first.communicate(timeout=TIMEOUT)
  second = start(tmp_path, 'local', 3, 40)  # while the runs still save
  out, err = second.communicate(timeout=TIMEOUT)
  assert (second.returncode, err) == (0, ''), out
  check_each_ended_once(tmp_path, 3)


@pytest.mark.slow
def test_sigterm_saves_the_runs_and_the_same_command_goes_on(tmp_path):
  first = start(tmp_path, 'local', 2, 60)
  runs = until(lambda: at_work(tmp_path, 2))
  until(lambda: all(read(run / 'status.json') for run in runs))
  first.terminate()
  _, err = first.communicate(timeout=TIMEOUT)
  assert (first.returncode, err) == (
    42,
    'Interrupted. The runs are saved; the same command goes on.\n',
  )
  for run in runs:
    assert not is_held(run / '.lease')
    assert read(run / 'status.json')['state'] == 'preempted'
  second = start(tmp_path, 'local', 2, 60)
  assert second.wait(TIMEOUT) == 0
  second.communicate()
  check_each_ended_once(tmp_path, 2)
