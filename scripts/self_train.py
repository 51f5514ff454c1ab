r"""Trains a teacher, labels images by it and trains a student on them.

  python -m scripts.self_train --config=configs/fashion_mnist.py \
    --sweep=configs/sweeps/few_labels.py --draw=0 --workdir=DIR

The sweep file has a run `control`, the teacher, and a run `student` for each
seed, and a function `unlabelled(draw)`, the split that is labelled. What is
done is left, so the same command goes on where one was killed.
"""

import dataclasses
import functools
import os
import runpy
from pathlib import Path

from absl import flags
from ml_collections import config_flags

from resflax.errors import UsageError
from resflax.paths import absolute
from scripts.command import run

CONFIG = config_flags.DEFINE_config_file(
  'config', None, 'A config file, with its argument: FILE.py[:ARG].'
)
SWEEP = flags.DEFINE_string('sweep', None, 'A file with sweep(add).')
DRAW = flags.DEFINE_integer('draw', 0, 'The seed of the runs.', lower_bound=0)
WORKDIR = flags.DEFINE_string('workdir', None, 'Gets a folder a run.')
JOBS = flags.DEFINE_integer(
  'jobs', 1, 'Runs at once, after the teacher.', lower_bound=1
)

TEACHER, STUDENT = 'control', 'student'


def main(argv) -> None:
  """Runs a draw; the rows of all that is done go to `runs.jsonl`."""
  del argv
  for flag in (CONFIG, SWEEP, WORKDIR):
    if flag.value is None:
      raise UsageError(f'--{flag.name} is missing.')
  from resflax.sweeps.beforehand import estimates
  from resflax.sweeps.driver import run_sweep
  from resflax.sweeps.folder import refuse_run
  from resflax.sweeps.grid import load_sweep
  from resflax.sweeps.launchers import LAUNCHERS
  from resflax.sweeps.launchers.job import Settings
  from resflax.sweeps.standing import collect
  from resflax.training.environment import use_compilation_cache

  use_compilation_cache()
  file, _, argument = config_flags.get_config_filename(
    flags.FLAGS['config']
  ).partition(':')
  workdir = absolute(WORKDIR.value)
  refuse_run(workdir)
  planned = [
    _with_images(planned, workdir)
    for planned in load_sweep(SWEEP.value, argument)
  ]
  of_draw = [p for p in planned if p.fields.get('seed') == DRAW.value]
  by_label = {p.label: p for p in of_draw}
  if not {TEACHER, STUDENT} <= by_label.keys():
    raise UsageError(
      f'{SWEEP.value} has no runs {TEACHER!r} and {STUDENT!r} with '
      f'seed={DRAW.value} (--draw).'
    )
  estimates([by_label[TEACHER]], file, workdir)  # refuses another config's
  settings = Settings(Path(workdir), jobs=JOBS.value)
  launch = functools.partial(LAUNCHERS['local'], settings)
  run_sweep([by_label[TEACHER]], file, workdir, launch)
  _label(os.path.join(workdir, by_label[TEACHER].name), workdir)
  rest = [p for p in of_draw if p.label != TEACHER]
  run_sweep(rest, file, workdir, launch)
  rows = collect(planned, workdir)
  for row in rows:
    if row['fields']['seed'] == DRAW.value and 'test/top1' in row:
      print(f'{row["label"]}: test top1 {row["test/top1"]:.2%}')


def _with_images(planned, workdir: str):
  """Returns a student with the images that its teacher labels."""
  if planned.label != STUDENT:
    return planned
  sources = (f'pseudo:{_images(workdir, planned.fields["seed"])}',)
  fields = {**planned.fields, 'data.mixture.sources': sources}
  return dataclasses.replace(planned, fields=fields)


def _images(workdir: str, draw: int) -> str:
  return os.path.join(workdir, f'labelled_{draw}')


def _label(teacher: str, workdir: str) -> None:
  from resflax.data.sources import load_dataset
  from resflax.pseudo.labelling import Options, pseudo_label
  from resflax.runs import load_run

  data = load_run(teacher).config['data']
  done = pseudo_label(
    load_run(teacher),
    load_dataset(data['name'], data['data_dir'], labelled=False),
    runpy.run_path(SWEEP.value)['unlabelled'](DRAW.value),
    _images(workdir, DRAW.value),
    Options(compare=True),
    {'workdir': teacher},
  )
  agree = done.summary['agree']
  print(f'labelled {done.folder}')
  print(f'labels of kept images agree: {agree["kept"]:.2%}')


if __name__ == '__main__':
  run(main)
