"""What is saved is what was there, and what is kept is what should be."""

import jax
import jax.numpy as jnp
import pytest

from resflax.errors import StorageError
from resflax.training.checkpointing import Checkpointer
from resflax.training.optimizers import make_optimizer
from resflax.training.state import create_state, digest

OPTIMIZER = make_optimizer(
  'sgd', momentum=0.9, nesterov=False, weight_decay=0.0
)


def state(step=0, size=1000):
  variables = {
    'params': {'a': {'kernel': jnp.arange(size, dtype=jnp.float32) + step}},
    'batch_stats': {'a': {'mean': jnp.zeros(3)}},
  }
  made = create_state(variables, OPTIMIZER, ema=True)
  return made.replace(step=jnp.int32(step))


def test_newest_and_best_are_kept(tmp_path):
  checkpoints = Checkpointer(tmp_path, last=2, every=4)
  assert checkpoints.latest() is None
  assert checkpoints.best() == (None, -1.0)
  for step, accuracy in enumerate([0.5, 0.9, None, 0.7, 0.8, None, None], 1):
    metrics = None if accuracy is None else {'eval/top1': accuracy}
    checkpoints.save(state(step), {'seconds': step}, metrics)
  checkpoints.close()
  kept = {int(p.name) for p in (tmp_path / 'checkpoints').iterdir()}
  assert kept == {2, 4, 6, 7}  # best, every fourth, newest two
  again = Checkpointer(tmp_path)
  assert (again.latest(), again.best()) == (7, (2, 0.9))
  restored, meta = again.restore(state(), 2)
  assert meta == {'seconds': 2}
  assert digest(restored) == digest(state(2))
  assert jax.tree.structure(restored) == jax.tree.structure(state())
  again.close()


def test_a_save_in_flight_does_not_see_later_steps(tmp_path):
  """The step donates its input; the copy must be taken before."""
  increment = jax.jit(
    lambda s: jax.tree.map(lambda x: x + 1, s), donate_argnums=0
  )
  now, digests = state(size=300_000), {}
  checkpoints = Checkpointer(tmp_path, last=9)
  for _ in range(5):
    now = increment(now)
    digests[int(now.step)] = digest(now)
    checkpoints.save(now, {}, None)
    for _ in range(20):
      now = increment(now)
  checkpoints.close()
  again = Checkpointer(tmp_path, last=9)
  for step, expected in digests.items():
    restored, _ = again.restore(now, step)
    assert digest(restored) == expected
  again.close()


@pytest.mark.parametrize(
  ('change', 'message'),
  [
    (lambda k: k[:7], r'params/a/kernel as float32 \(1000,\), .* \(7,\)'),
    (lambda k: k.astype(jnp.bfloat16), 'as float32 .* as bfloat16'),
  ],
)
def test_another_shape_or_type_is_refused_by_name(tmp_path, change, message):
  checkpoints = Checkpointer(tmp_path)
  checkpoints.save(state(1), {}, None)
  checkpoints.close()
  checkpoints = Checkpointer(tmp_path)
  other = {'a': {'kernel': change(state().params['a']['kernel'])}}
  with pytest.raises(StorageError, match=message):
    checkpoints.restore(state().replace(params=other), 1)
  checkpoints.close()


def test_another_tree_is_refused_by_name(tmp_path):
  checkpoints = Checkpointer(tmp_path)
  checkpoints.save(state(1), {}, None)
  checkpoints.close()
  checkpoints = Checkpointer(tmp_path)
  with pytest.raises(StorageError, match='batch_stats/a/mean .* as nothing'):
    checkpoints.restore(state().replace(batch_stats={}), 1)
  checkpoints.close()


def test_reading_makes_and_deletes_nothing(tmp_path):
  writing = Checkpointer(tmp_path)
  writing.save(state(1), {}, None)
  writing.close()
  unfinished = tmp_path / 'checkpoints' / '2.orbax-checkpoint-tmp'
  unfinished.mkdir()
  before = sorted(tmp_path.rglob('*'))
  reading = Checkpointer(tmp_path, read_only=True)
  restored, _ = reading.restore(state(), reading.latest())
  reading.close()
  assert digest(restored) == digest(state(1))
  assert sorted(tmp_path.rglob('*')) == before
