"""Steps that are not finite change nothing and are counted."""

import jax.numpy as jnp
import numpy as np
import pytest

from resflax.errors import NotFiniteError
from resflax.training.finiteness import Finiteness, check_finite

GOOD, BAD = {'finite': True, 'loss': 1.0}, {'finite': False, 'loss': np.inf}


def test_two_in_a_row_are_borne_and_the_third_is_not():
  kept = []
  counting = Finiteness(
    total=5, examples=lambda step: range(step, step + 10), keep=kept.extend
  )
  found = [counting.add(step, m) for step, m in enumerate([BAD, BAD, GOOD], 1)]
  assert found == [False, False, True]
  assert (counting.total, counting.in_a_row) == (7, 0)
  counting.add(4, BAD)
  counting.add(5, BAD)
  with pytest.raises(NotFiniteError) as error:
    counting.add(6, BAD)
  assert error.value.exit_code == 3
  said = str(error.value)
  assert 'steps 4 to 6 (loss inf)' in said
  assert 'Step 4 saw the examples 4, 5, 6, 7, 8, 9, 10, 11 and 2 more' in said
  assert [row['step'] for row in kept] == [4, 5, 6]
  assert kept[2]['examples'] == list(range(6, 16))


def test_a_restart_goes_on_counting():
  with pytest.raises(NotFiniteError, match='steps 8 to 10 '):
    Finiteness(2, in_a_row=2).add(10, BAD)


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_a_state_that_overflowed_is_refused_by_name(dtype):
  state = {'step': jnp.int32(3), 'a': {'kernel': jnp.ones(4, dtype)}}
  check_finite(state, 3)
  state['a']['kernel'] *= jnp.array([1, 1, jnp.nan, 1], dtype)
  with pytest.raises(NotFiniteError, match='a/kernel is not finite at step 3'):
    check_finite(state, 3)
