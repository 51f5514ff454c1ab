"""Runs group batch norm over a mesh: see test_devices.py, which starts it.

A process of its own, for the number of devices is fixed when jax starts.
"""

import re
import sys

import jax
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from resflax.models.layers import GroupBatchNorm


def train(group_size: int, num_devices: int, x: np.ndarray) -> dict:
  """Returns outputs, statistics, gradients, and what outputs are bought with:
  each collective, and how many devices take part."""
  mesh = jax.make_mesh(
    (num_devices,),
    ('data',),
    axis_types=(AxisType.Auto,),
    devices=jax.devices()[:num_devices],
  )
  sharded = NamedSharding(mesh, PartitionSpec('data'))
  norm = GroupBatchNorm(group_size, momentum=0.5)
  variables = norm.init(jax.random.key(0), x, train=False)
  x = jax.device_put(x, sharded)

  def apply(x):
    return norm.apply(variables, x, train=True, mutable=['batch_stats'])

  @jax.jit
  def step(x):
    y, updates = apply(x)
    gradient = jax.grad(lambda x: (apply(x)[0] ** 3).sum())(x)
    return {'y': y, 'gradient': gradient, **updates['batch_stats']}

  output = jax.jit(lambda x: apply(x)[0]).lower(x).compile()
  return jax.device_get(step(x)) | {
    'devices': len(x.devices()),
    'collectives': collectives(output.as_text()),
  }


def collectives(program: str) -> list[str]:
  """Returns `all-reduce of 2` and the like for each collective."""
  found = re.findall(
    r'((?:all|reduce|collective)-[a-z-]+)\(.*?replica_groups='
    r'mesh\[(.*?)\] \{(.*?)\}',
    program,
  )
  assert program.count('replica_groups') == len(found), 'another notation'
  described = []
  for operation, mesh, taking_part in found:
    sizes = dict(re.findall(r"'(\w+)'=(\d+)", mesh))
    # An axis, or a part of one: `'data':(4)2` are 2 devices, 4 times.
    axes = re.findall(r"'(\w+)'(?::\(\d+\)(\d+))?", taking_part)
    count = np.prod([int(part or sizes[axis]) for axis, part in axes])
    described.append(f'{operation} of {count}')
  return described


if __name__ == '__main__':
  images = np.load(sys.argv[1])
  results = {}
  for group_size in (2, 4, 8, 0):
    for num_devices in (1, 2, 8):
      for name, value in train(group_size, num_devices, images).items():
        results[f'{group_size}/{num_devices}/{name}'] = value
  np.savez(sys.argv[2], **results)
