"""Sweeps of made-up runs, as folders: their costs are real, their scores a law.

python -m tests.sweeps.folders DIR
"""

import json
import sys
from pathlib import Path

import numpy as np

from configs.digits import get_config
from resflax import scaling
from resflax.config import resolve
from resflax.fields import flat, nest
from resflax.resolution import sizes_from
from resflax.resolved import Facts
from resflax.sweeps.points import compute

FACTS = Facts(1293, {}, '')
FLOOR, TOP, EXPONENT = 0.05, 0.6, 0.3  # of error, at 1e11 FLOPs
UNIT = 1e11
CLASSES, EXAMPLES = 10, 360
LADDER = [  # depths, width, resolution
  (blocks, width, size)
  for blocks, width, size in (
    *((1, 0.125, 16), (1, 0.1875, 16), (1, 0.25, 16), (1, 0.375, 16)),
    *((2, 0.375, 16), (2, 0.5, 24), (3, 0.625, 24), (4, 0.75, 24)),
    *((4, 1.0, 32), (6, 1.0, 32), (8, 1.25, 32)),
  )
]


def law(flops):
  """The error at a compute of training."""
  return FLOOR + (TOP - FLOOR) * (flops / UNIT) ** -EXPONENT


def write_run(folder, fields, error, *, seed=0, loss=None, finished=True):
  """Writes the folder of a run; returns its compute.

  Args:
    folder: gets the files.
    fields: over the digits' config, by path.
    error: of the test split, a function of the compute.
    seed: of the run.
    loss: its cross-entropy; None = its error.
    finished: else it is cut off at half of its steps.
  """
  given = {**dict(flat(get_config().to_dict())), **fields, 'seed': seed}
  resolved = resolve(nest(given), FACTS)
  flops = cost(resolved)
  reached = error(flops)
  total = resolved['schedule.total_steps']
  steps = [round(total * part / 6) for part in range(1, 7)]
  rows = [
    _row(resolved, step, 1 - (1 - reached) * step / total)
    for step in (steps if finished else steps[:3])
  ]
  if finished:
    rows.append({**rows[-1], 'test/top1': 1 - reached, 'test/loss': reached})
  files = {
    'config.json': {'config': resolved.config, 'derived': resolved.derived},
    'dataset.json': {
      'name': 'digits',
      'class_names': [str(label) for label in range(CLASSES)],
      'channels': 1,
    },
    'status.json': {
      'state': 'done' if finished else 'running',
      'total_steps': total,
    },
    'environment.json': {'commit': 'f00d' * 10},
  }
  (folder / 'metrics').mkdir(parents=True)
  for name, content in files.items():
    (folder / name).write_text(json.dumps(content))
  lines = ''.join(json.dumps(row) + '\n' for row in rows)
  (folder / 'metrics' / '000000000.jsonl').write_text(lines)
  if finished:
    _write_evaluation(folder / 'evaluation.npz', reached, loss or reached)
  return flops


def cost(resolved):
  """FLOPs of training, as `points.compute` counts them."""
  table, model = resolved['resolution.table'], resolved.group('model')
  macs = {
    size: scaling.totals(
      scaling.count(model, size, num_classes=CLASSES, in_channels=1)
    ).macs
    for size in sizes_from(table, 0)
  }
  steps, batch = resolved['schedule.total_steps'], resolved['batch_size']
  return compute(table, steps, batch, macs)


def _row(resolved, step, error):
  return {
    'step': step,
    'epoch': step * resolved['batch_size'] / FACTS.num_examples,
    'examples': step * resolved['batch_size'],
    'time': 0.5 * step,
    'resolution': resolved['resolution.table'][-1].resolution,
    'images_per_second': 500.0,
    'eval/top1': 1 - error,
    'eval/loss': 2 * error,
  }


def _write_evaluation(path, error, loss):
  """Arrays whose cross-entropy is `loss`."""
  label = np.arange(EXAMPLES) % CLASSES
  wrong = np.arange(EXAMPLES) < error * EXAMPLES
  probability = np.full(EXAMPLES, np.exp(-loss), np.float32)
  np.savez(
    path,
    split='test',
    resolution=16,
    loss=loss,
    class_names=np.array([str(label) for label in range(CLASSES)]),
    label=label.astype(np.int32),
    prediction=((label + wrong) % CLASSES).astype(np.int32),
    probability=probability,
    label_probability=probability,
    top5=np.ones(EXAMPLES, bool),
    sample_index=np.zeros(1, np.int32),
    sample_image=np.zeros((1, 8, 8, 1), np.uint8),
  )


def prepend_rows(folder, rows):
  """Adds rows of training metrics before those of `write_run`."""
  file = folder / 'metrics' / '000000000.jsonl'
  text = ''.join(json.dumps(row) + '\n' for row in rows)
  file.write_text(text + file.read_text())


def shape(blocks, width, size):
  """The fields of a shape: so many blocks in each of four stages."""
  return {
    'model.depths': (blocks,) * 4,
    'model.width': width,
    'resolution.schedule': 'fixed',
    'resolution.start': None,
    'resolution.train': size,
  }


def write_sweep(folder, shapes=LADDER, *, seeds=3, noise=0.03, **fields):
  """Writes a sweep along the law, and its `runs.jsonl`."""
  rng = np.random.default_rng(0)
  rows = []
  for seed in range(seeds):
    for chosen in shapes:
      factor = np.exp(noise * rng.standard_normal())
      label = 'b{}_w{:g}_r{}'.format(*chosen)
      name = f'{label}-{seed:08x}'
      write_run(
        folder / name,
        {**shape(*chosen), **fields},
        lambda flops, factor=factor: law(flops) * factor,
        seed=seed,
      )
      rows.append({'label': label, 'name': name, 'against': ''})
  lines = ''.join(json.dumps(row) + '\n' for row in rows)
  (folder / 'runs.jsonl').write_text(lines)


if __name__ == '__main__':
  write_sweep(Path(sys.argv[1]))
