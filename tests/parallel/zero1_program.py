"""Trains some steps over devices; see test_zero1.py, which starts it.

A process of its own, for the number of devices is fixed when jax starts.
"""

import json
import sys

import jax
import numpy as np

from resflax.data.sources import load_dataset
from resflax.fields import nest
from resflax.parallel import mesh as meshes
from resflax.training.assemble import assemble

FIELDS = {
  'batch_size': 16,
  'data.name': 'digits',
  'model.variant': 'resnet20_cifar',
  'model.depths': (1, 1, 1),
  'resolution.schedule': 'fixed',
  'resolution.train': 8,
  'optimizer.name': 'lamb',
  'schedule.total_steps': 4,
}


def trained(sharding, batches):
  """Returns the state after a few steps, and bytes a device holds of it."""
  config = nest({**FIELDS, 'optimizer.sharding': sharding})
  setup = assemble(config, source=load_dataset('digits'))
  step = setup.lower_train(8).compile()
  state = setup.initial_state()
  for batch in batches:
    state, _ = step(state, meshes.shard(setup.mesh, batch))
  held = {
    name: sum(
      leaf.addressable_shards[0].data.nbytes
      for leaf in jax.tree.leaves(getattr(state, name))
    )
    for name in ('params', 'opt_state', 'ema')
  }
  whole = meshes.gathered(setup.mesh, state)
  return [np.asarray(leaf) for leaf in jax.tree.leaves(whole)], held


if __name__ == '__main__':
  rng = np.random.default_rng(0)
  seen = [
    {
      'image': rng.integers(0, 256, (16, 8, 8, 1), dtype=np.uint8),
      'label': rng.integers(0, 10, 16, dtype=np.int32),
    }
    for _ in range(3)
  ]
  expected, replicated = trained('replicated', seen)
  spread, zero1 = trained('zero1', seen)
  largest = max(
    np.abs(a - b).max() / max(np.abs(a).max(), 1e-3)
    for a, b in zip(expected, spread, strict=True)
  )
  json.dump([float(largest), replicated, zero1], sys.stdout)
