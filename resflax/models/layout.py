"""Two layouts of a network's variables: block by block, and stacked.

Block by block, `stage2/block1`, `stage2/block2` and on, is the layout of
everything that leaves a process: checkpoints, weights, the digest. Stacked,
`stage2/blocks` holds blocks 2 and on along a new first axis, which is what a
network with `scan_blocks` takes. Both work on any tree that has such stages
in it: variables, optimiser state, moving averages, whole training states.
"""

import operator
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

STACKED = 'blocks'


def is_stackable(num_blocks: int) -> bool:
  """Whether a stage has equal blocks to stack: two beside the first one."""
  return num_blocks > 2


def is_stacked(path: tuple) -> bool:
  """Whether the leaf of a tree at a path of keys holds one a block."""
  return any(getattr(key, 'key', None) == STACKED for key in path)


def stack(tree: PyTree) -> PyTree:
  """Returns `tree` with blocks 2 and on of each stage stacked."""
  return _on_stages(tree, _stack_stage)


def unstack(tree: PyTree) -> PyTree:
  """Returns `tree` block by block."""
  return _on_stages(tree, _unstack_stage)


def _on_stages(tree: PyTree, change: Callable) -> PyTree:
  def is_stage(node):
    return isinstance(node, Mapping) and 'block1' in node

  return jax.tree.map(
    lambda node: change(node) if is_stage(node) else node,
    tree,
    is_leaf=is_stage,
  )


def _stack_stage(stage: Mapping) -> dict:
  count = len(stage)
  if STACKED in stage or not is_stackable(count):
    return dict(stage)
  blocks = [stage[f'block{number}'] for number in range(2, count + 1)]
  stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *blocks)
  return {'block1': stage['block1'], STACKED: stacked}


def _unstack_stage(stage: Mapping) -> dict:
  if STACKED not in stage:
    return dict(stage)
  stacked = stage[STACKED]
  count = len(jax.tree.leaves(stacked)[0])
  blocks = {
    f'block{number + 2}': jax.tree.map(operator.itemgetter(number), stacked)
    for number in range(count)
  }
  return {'block1': stage['block1'], **blocks}
