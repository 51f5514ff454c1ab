"""Labels a folder with a teacher of two numbers, in a process of its own.

  python -m tests.pseudo.program IMAGES OUT [KILL_AT] [PORT COUNT PROCESS]

The teacher knows how bright an image is, and needs no training.
"""

import os
import signal
import sys

import jax.numpy as jnp
from flax import linen as nn

from resflax.data.memory import ArrayDataset
from resflax.data.sources import load_dataset
from resflax.parallel import distributed
from resflax.pseudo.labelling import Options, pseudo_label
from resflax.runs import Run
from resflax.training.assemble import assemble

CLASSES = ('black', 'white')


class Brightness(nn.Module):
  """Logits of -x and x for an image of mean x, in -1..1."""

  @nn.compact
  def __call__(self, images, *, train):
    del train
    scale = self.param('scale', nn.initializers.ones, ())
    x = scale * images.mean((1, 2, 3))
    return jnp.stack([-x, x], -1)


def teacher(scale=2.0):
  """Returns the run of a teacher; a larger scale is surer of itself."""
  import numpy as np

  source = ArrayDataset(
    {'train': (np.zeros((8, 8, 8, 1), np.uint8), np.arange(8) % 2)}, CLASSES
  )
  config = {
    'batch_size': 4,
    'schedule': {'total_steps': 1},
    'resolution': {'train': 8, 'test_crop': 1.0},
    'data': {'mean': (0.5,), 'std': (0.5,)},
  }
  setup = assemble(config, model=Brightness(), source=source)
  variables = {'params': {'scale': jnp.float32(scale)}, 'batch_stats': {}}
  return Run(setup, variables, 0)


OPTIONS = Options(
  min_confidence=0.6, per_class=12, shard_examples=5, part_images=4
)


def label(folder, out, options=OPTIONS, run=None, split='train'):
  """Labels the images of a folder."""
  dataset = load_dataset(f'folder:{folder}', labelled=False)
  return pseudo_label(
    run or teacher(), dataset, split, str(out), options, {'workdir': 'none'}
  )


def kill_at(count):
  """Has this process killed before it gives a file its name, the n-th time."""
  replace, left = os.replace, [count]

  def counted(*paths):
    left[0] -= 1
    if not left[0]:
      os.kill(os.getpid(), signal.SIGKILL)
    replace(*paths)

  os.replace = counted


def main(images, out, at='0', port=None, count='1', process='0'):
  """Labels, as one of several processes where a port is given."""
  if port:
    distributed.start(
      'on',
      coordinator_address=f'127.0.0.1:{port}',
      num_processes=int(count),
      process_id=int(process),
      heartbeat_seconds=10,
    )
  kill_at(int(at))
  done = label(images, out)
  print(done.summary['written'], flush=True)


if __name__ == '__main__':
  main(*sys.argv[1:])
