"""Stands for scripts.train where a driver is under test: starts at once.

A run of `schedule.total_steps` steps of a twentieth of a second, saved after
each. It goes on where it stopped, and keeps in `lives.jsonl` when it began and
when it came to its end, and whether another was at work in its folder.
"""

import fcntl
import json
import os
import pathlib
import signal
import sys
import time

STEP_S = 0.05


def main(flags):
  given = dict(flag.removeprefix('--').split('=', 1) for flag in flags)
  get = {name.removeprefix('config.'): text for name, text in given.items()}
  life = Life(pathlib.Path(get['workdir']))
  life.note('begin')
  if 'data.train_split' in get:  # what the run is refused for
    sys.exit(int(get['data.train_split']))
  stop = []
  signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
  total = int(get.get('schedule.total_steps', 4))
  for step in range(life.step, total):
    time.sleep(STEP_S)
    life.save('running', step + 1, total)
    if stop and get.get('log_gradient_norms') != 'true':  # or it is stubborn
      life.save('preempted', step + 1, total)
      sys.exit(42)
  life.note('end')
  life.save('done', total, total)


class Life:
  """One start of a run, in its folder."""

  def __init__(self, folder):
    self.folder = folder
    status = folder / 'status.json'
    self.step = json.loads(status.read_text())['step'] if status.exists() else 0
    (folder / 'metrics').mkdir(exist_ok=True)
    self.write('config.json', {'config': {}, 'derived': {}})
    self.alone = os.open(folder / 'alone', os.O_WRONLY | os.O_CREAT)
    try:
      fcntl.flock(self.alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
      self.note('beside')

  def save(self, state, step, total):
    row = {'step': step, 'time': step * STEP_S, 'train/loss': 1.0}
    row |= {'eval/top1': 0.5, 'test/top1': 0.5}
    self.write(f'metrics/{step:09d}.jsonl', row)
    status = {'state': state, 'step': step, 'total_steps': total}
    self.write('status.json', status)

  def write(self, name, content):
    new = self.folder / '.new'
    new.write_text(json.dumps(content) + '\n')
    new.replace(self.folder / name)

  def note(self, event):
    row = {'event': event, 'time': time.time(), 'pid': os.getpid()}
    with open(self.folder / 'lives.jsonl', 'a') as file:
      file.write(json.dumps(row) + '\n')


if __name__ == '__main__':
  main(sys.argv[1:])
