"""Trains over 1, 2, 4 and 8 devices; see test_devices.py, which starts it.

A process of its own, for the number of devices is fixed when jax starts.
"""

import dataclasses
import itertools
import json

import jax

from resflax.data.sources import load_dataset
from resflax.fields import nest
from resflax.parallel import mesh as meshes
from resflax.training.assemble import assemble

STEPS = 60
FIELDS = {
  'batch_size': 16,
  'data.name': 'digits',
  'model.variant': 'resnet20_cifar',
  'model.depths': (1, 1, 1),
  'model.norm.group_size': 8,  # of two devices of four
  'augment.crop': 'pad',
  'resolution.schedule': 'fixed',
  'resolution.train': 8,
  'optimizer.lr': 0.2,
  'optimizer.lr_reference_batch': 0,
  'schedule.total_steps': STEPS,
}


def losses_over(count: int) -> list[float]:
  """Returns the loss of each step over so many devices."""
  setup = assemble(nest(FIELDS), source=load_dataset('digits'))
  setup = dataclasses.replace(
    setup, mesh=meshes.make_mesh(jax.devices()[:count])
  )
  step = setup.lower_train(8).compile()
  state, losses = setup.initial_state(), []
  for batch in itertools.islice(setup.inputs.train_batches(0), STEPS):
    del batch['bad']
    state, metrics = step(state, meshes.shard(setup.mesh, batch))
    losses.append(float(metrics['loss']))
  return losses


if __name__ == '__main__':
  print(json.dumps([losses_over(count) for count in (1, 2, 4, 8)]))
