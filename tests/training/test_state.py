"""The average of weights and statistics, and the digest."""

import hashlib

import jax.numpy as jnp
import numpy as np
import pytest

from resflax.training.optimizers import make_optimizer
from resflax.training.state import create_state, digest, update_ema

VARIABLES = {
  'params': {'a': {'kernel': jnp.array([1.0, 2.0])}},
  'batch_stats': {'a': {'mean': jnp.array([0.5])}},
}


def state(ema=True):
  optimizer = make_optimizer(
    'sgd', momentum=0.9, nesterov=False, weight_decay=0.0
  )
  return create_state(VARIABLES, optimizer, ema=ema)


@pytest.mark.parametrize('dynamic', [True, False])
def test_ema_is_the_recursion_with_tfs_dynamic_decay(dynamic):
  values = np.random.default_rng(0).normal(size=20).astype(np.float32)
  ema, expected = {'x': jnp.float32(3.0)}, 3.0
  for n, value in enumerate(values):
    decay = min(0.7, (1 + n) / (10 + n)) if dynamic else 0.7
    expected = decay * expected + (1 - decay) * value
    ema = update_ema(
      ema,
      {'x': jnp.float32(value)},
      decay=0.7,
      dynamic=dynamic,
      step=jnp.int32(n),
    )
  assert float(ema['x']) == pytest.approx(expected, rel=1e-5)


def test_ema_covers_batch_statistics_and_starts_as_a_copy():
  average = state().ema
  assert set(average) == {'params', 'batch_stats'}
  assert average['batch_stats']['a']['mean'] == 0.5
  assert state().eval_variables is not None
  assert state(ema=False).ema is None
  assert state(ema=False).eval_variables['params'] is VARIABLES['params']


def test_digest_is_sha256_over_sorted_paths():
  expected = hashlib.sha256()
  for path, values in (
    ('batch_stats/a/mean', [0.5]),
    ('ema/batch_stats/a/mean', [0.5]),
    ('ema/params/a/kernel', [1.0, 2.0]),
    ('params/a/kernel', [1.0, 2.0]),
  ):
    array = np.array(values, '<f4')
    expected.update(f'{path} float32 {array.shape} '.encode() + array.tobytes())
  assert digest(state()) == expected.hexdigest()


@pytest.mark.parametrize('where', ['params', 'batch_stats', 'ema'])
def test_digest_sees_one_bit(where):
  before = state()
  tree = getattr(before, where)
  group = tree['params'] if where == 'ema' else tree
  name = 'mean' if where == 'batch_stats' else 'kernel'
  bits = np.asarray(group['a'][name]).view(np.uint32).copy()
  bits[0] ^= 1
  changed = {'a': {name: jnp.asarray(bits.view(np.float32))}}
  if where == 'ema':
    changed = {**tree, 'params': changed}
  assert digest(before.replace(**{where: changed})) != digest(before)


def test_digest_leaves_out_the_optimizer_and_the_step():
  before = state()
  assert digest(before.replace(step=jnp.int32(7))) == digest(before)
