"""What is saved is what was there, and what is kept is what should be."""

import errno
import threading

import jax
import jax.numpy as jnp
import pytest

from resflax.errors import StorageError
from resflax.training import saved as saved_steps
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


def saved(tmp_path, *steps, **options):
  checkpoints = Checkpointer(tmp_path, last=9, **options)
  for step in steps:
    checkpoints.save(state(step), {}, {'eval/top1': step / 10})
  checkpoints.close()
  return tmp_path / 'checkpoints'


def damage(step):
  """Flips a bit of the largest file, which Orbax would read as a number."""
  file = max(step.rglob('*'), key=lambda p: p.is_file() and p.stat().st_size)
  content = bytearray(file.read_bytes())
  content[len(content) // 2] ^= 8
  file.write_bytes(bytes(content))


def test_damaged_steps_are_logged_and_set_aside(tmp_path, caplog):
  folder = saved(tmp_path, 1, 2, 3, 4)
  damage(folder / '4')
  (folder / '3' / 'manifest.json').unlink()
  (folder / '2' / 'commit_success.txt').unlink()
  checkpoints = Checkpointer(tmp_path, last=9)
  assert checkpoints.saved == 4  # until it is looked at
  assert checkpoints.latest() == checkpoints.saved == 1
  assert checkpoints.best() == (1, 0.1)
  said = [record.message for record in caplog.records]
  assert 'is not what was written' in said[0]
  assert said[1:] == [
    'skipped checkpoint 3: no manifest.json: its save was not finished',
    'skipped checkpoint 2: commit_success.txt is missing',
  ]
  assert {p.name for p in (tmp_path / 'damaged').iterdir()} == {'2', '3', '4'}
  restored, _ = checkpoints.restore(state(), 1)
  assert digest(restored) == digest(state(1))
  checkpoints.save(state(4), {}, None)  # its place is free
  checkpoints.close()
  assert Checkpointer(tmp_path, read_only=True).latest() == 4


def test_a_fourth_damaged_step_ends_it_and_moves_nothing(tmp_path):
  folder = saved(tmp_path, 1, 2, 3, 4, 5)
  for step in (2, 3, 4, 5):
    damage(folder / str(step))
  before = sorted(tmp_path.rglob('*'))
  with pytest.raises(StorageError, match='newest 4 of 5 .* damaged') as error:
    Checkpointer(tmp_path).latest()
  assert error.value.exit_code == 6
  assert sorted(tmp_path.rglob('*')) == before


def test_where_all_are_damaged_the_run_does_not_begin_anew(tmp_path):
  damage(saved(tmp_path, 1) / '1')
  with pytest.raises(StorageError, match='newest 1 of 1'):
    Checkpointer(tmp_path).latest()


def test_a_first_save_that_was_cut_off_is_no_save(tmp_path):
  (saved(tmp_path, 1) / '1' / 'manifest.json').unlink()
  reading = Checkpointer(tmp_path, read_only=True)
  assert reading.latest() is None
  assert (tmp_path / 'checkpoints' / '1').exists()
  writing = Checkpointer(tmp_path)
  assert writing.latest() is None and writing.saved == 0
  writing.save(state(1), {}, None)
  writing.close()
  assert writing.saved == 1


def test_what_is_damaged_is_not_restored_either(tmp_path):
  """As the best, which nobody looked at before."""
  damage(saved(tmp_path, 1) / '1')
  checkpoints = Checkpointer(tmp_path, read_only=True)
  assert checkpoints.best() == (1, 0.1)
  with pytest.raises(StorageError, match='Checkpoint 1 .* is damaged: state/'):
    checkpoints.restore(state(), 1)


def test_a_step_counts_once_its_manifest_is_there(tmp_path, monkeypatch):
  """And none before it is deleted until then."""
  checkpoints = Checkpointer(tmp_path, last=1)
  checkpoints.save(state(1), {}, None)
  checkpoints.save(state(2), {}, None)
  may_write = threading.Event()
  write = saved_steps.write_manifest

  def waiting(folder, metrics):
    assert folder.name != '3' or may_write.wait(30)
    write(folder, metrics)

  monkeypatch.setattr(saved_steps, 'write_manifest', waiting)
  checkpoints.save(state(3), {}, None)
  assert checkpoints.saved == 2
  assert Checkpointer(tmp_path, read_only=True).latest() == 2
  may_write.set()
  checkpoints.close()
  assert checkpoints.saved == 3
  kept = {int(p.name) for p in (tmp_path / 'checkpoints').iterdir()}
  assert kept == {3}


def test_a_save_that_fails_does_not_count(tmp_path, monkeypatch):
  checkpoints = Checkpointer(tmp_path, last=1)
  checkpoints.save(state(1), {}, None)

  write = saved_steps.write_manifest

  def full(folder, metrics):
    if folder.name == '2':
      raise OSError(errno.ENOSPC, 'No space left on device')
    write(folder, metrics)

  monkeypatch.setattr(saved_steps, 'write_manifest', full)
  checkpoints.save(state(2), {}, None)
  with pytest.raises(StorageError, match='write .* No space left on device'):
    checkpoints.close()
  assert checkpoints.saved == 1
