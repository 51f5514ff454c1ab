"""Whether what every device keeps a copy of is the same on all of them."""

import collections
import hashlib

import jax
import numpy as np
from jaxtyping import PyTree

from resflax.errors import LostPeerError
from resflax.parallel import distributed
from resflax.training.state import path_of


def check_replicas(state: PyTree, step: int) -> None:
  """Refuses to go on where devices have drifted apart.

  A device that computes wrongly is noticed nowhere else: each goes on with its
  own copy, and a checkpoint holds that of the first.

  Args:
    state: arrays over the mesh; those of which devices hold parts are left out.
    step: it stands at.

  Raises:
    LostPeerError: names the first leaf, and the device that is alone.
  """
  leaves = {
    path_of(keys): leaf
    for keys, leaf in jax.tree_util.tree_leaves_with_path(state)
    if leaf.is_fully_replicated
  }
  for path, leaf in leaves.items():
    digests = {
      shard.device: hashlib.sha256(np.asarray(shard.data)).hexdigest()
      for shard in leaf.addressable_shards
    }
    if len(set(digests.values())) > 1:
      counts = collections.Counter(digests.values())
      odd = min(digests, key=lambda device: counts[digests[device]])
      raise LostPeerError(
        f'{path} differs on {odd} from that on other devices at step {step}: '
        'the device computes wrongly. Leave it out; the same command goes on '
        'from the last save.'
      )
    leaves[path] = next(iter(digests.values()))
  whole = hashlib.sha256(repr(leaves).encode()).hexdigest()
  distributed.check_equal(f'state at step {step}', whole)
