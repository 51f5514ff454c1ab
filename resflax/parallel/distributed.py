"""Several processes as one program, by JAX's own distributed runtime.

What the processes agree on goes through the store of JAX's coordination
service, not through the devices: it works from any thread, has time limits, and
names who is missing.
"""

import collections
import itertools
import json
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np
from jax._src.distributed import global_state
from jax.experimental import multihost_utils

from resflax import errors
from resflax.errors import LostPeerError, ResflaxError
from resflax.parallel import cluster

WAIT_S = 600  # for the others; a save or a compilation may keep them that long

_ANSWER_S = 60  # for JAX's runtime to know who is dead: above a heartbeat

# Counts what was exchanged under each name, equally in every process: as much a
# property of the process as JAX's runtime, in whose store the names lie.
_exchanged = collections.defaultdict(itertools.count)


def start(
  mode: str = 'auto',
  *,
  coordinator_address: str | None = None,
  num_processes: int | None = None,
  process_id: int | None = None,
  heartbeat_seconds: int = 30,
) -> None:
  """Joins the other processes, before anything else asks for a device.

  Args:
    mode: `auto` joins where JAX finds a cluster (TPU pod, Slurm, Open MPI,
      Kubernetes) of more than one process, `on` always, `off` never.
    coordinator_address: `HOST:PORT` of process 0, where JAX cannot find it.
    num_processes: of the program, where JAX cannot find it.
    process_id: of this one, where JAX cannot find it.
    heartbeat_seconds: after which a process that is not heard counts as dead.

  Raises:
    UsageError: half of what is needed.
    LostPeerError: process 0 has no address, or not all processes came.
  """
  given = (coordinator_address, num_processes, process_id)
  found = cluster.find(mode, *given)
  if found is None:
    return
  cluster.check_address(found)
  try:
    jax.distributed.initialize(
      *given,
      initialization_timeout=120,
      heartbeat_timeout_seconds=heartbeat_seconds,
    )
  except jax.errors.JaxRuntimeError as error:
    raise LostPeerError(
      f'Not all processes came: {errors.first_line(error)}.'
    ) from error


def leave() -> None:
  """Parts from the other processes, once all of them do."""
  if joined():
    jax.distributed.shutdown()


def rows_of_all(rows: np.ndarray) -> np.ndarray:
  """Returns the rows of all processes, one process after the other."""
  if not are_several():
    return rows
  return multihost_utils.process_allgather(rows, tiled=True)


def is_main() -> bool:
  """Whether this process is the one that writes."""
  return jax.process_index() == 0


def are_several() -> bool:
  """Whether there are other processes."""
  return jax.process_count() > 1


def joined() -> bool:
  """Whether this process has joined others."""
  return global_state.client is not None


def gathered(name: str, value: Any) -> list:
  """Returns the value of each process, in their order.

  All processes have to exchange as often under each name.

  Args:
    name: of what is exchanged, of one thread alone.
    value: as JSON has it.

  Raises:
    LostPeerError: a process did not come.
  """
  if not are_several():
    return [value]
  key = _key(name)
  own = f'{key}/{jax.process_index()}'
  global_state.client.key_value_set(own, json.dumps(value))
  texts = [_awaited(f'{key}/{i}', i) for i in range(jax.process_count())]
  return [json.loads(text) for text in texts]


def agreed(name: str, value: Any) -> Any:
  """Returns the main process's value in every process; see `gathered`."""
  if not are_several():
    return value
  key = _key(name)
  if is_main():
    global_state.client.key_value_set(key, json.dumps(value))
    return value
  return json.loads(_awaited(key, 0))


def on_main(call: Callable[[], Any]) -> Any:
  """Returns in every process what a function returns in the main one.

  Args:
    call: returns what JSON can hold.

  Raises:
    ResflaxError: what it raised in the main process.
  """
  if not are_several():
    return call()
  outcome, raised = None, None
  if is_main():
    try:
      outcome = {'value': call()}
    except ResflaxError as error:
      raised = error
      outcome = {'error': type(error).__name__, 'message': str(error)}
  outcome = agreed('main', outcome)
  if raised:
    raise raised
  if 'error' in outcome:
    raise getattr(errors, outcome['error'])(outcome['message'])
  return outcome['value']


def main_first(call: Callable[[], Any]) -> Any:
  """Returns what a function returns; the others call it after the main one.

  So what the first call makes on a shared disk is there for them.
  """
  if not are_several():
    return call()
  made = []
  on_main(lambda: made.append(call()))
  return made[0] if is_main() else call()


def check_equal(what: str, value: str) -> None:
  """Refuses to go on where the processes differ.

  Args:
    what: has to be equal everywhere: 'the config'.
    value: of this process.

  Raises:
    LostPeerError: names the processes that differ from the main one.
  """
  values = gathered(what, value)
  different = [i for i, other in enumerate(values) if other != values[0]]
  if different:
    raise LostPeerError(
      f'Processes {_listed(different)} differ from process 0 in {what}: start '
      'all with the same command, versions and data.'
    )


def stops(step: int, asked: bool) -> bool:
  """Whether all processes stop after a step, since one was asked to.

  To be called at each step. They agree on a step that none has passed.

  Args:
    step: updates done.
    asked: whether this process was, otherwise than by SIGTERM, to which JAX's
      runtime listens.
  """
  if not joined():
    return asked
  if asked:
    os.kill(os.getpid(), signal.SIGTERM)
  return multihost_utils.reached_preemption_sync_point(step)


def explained(error: BaseException) -> LostPeerError | None:
  """Returns the one line for an error that a lost process caused.

  Waits until JAX's runtime knows who it is, for the length of a heartbeat.
  """
  signs = ('gloo', 'nccl', 'coordination', 'unavailable', 'deadline_exceeded')
  text = str(error).lower()
  if global_state.client is None or not any(sign in text for sign in signs):
    return None
  lost = _lost()
  if not lost:
    return None
  return LostPeerError(
    f'Lost process {_listed(lost)} ({errors.first_line(error)}): see its log; '
    'the same command goes on from the last save.'
  )


def _lost() -> list[int]:
  """Returns the processes that are dead; none where one lives and is busy."""
  everybody = list(range(global_state.num_processes))
  pool = ThreadPoolExecutor(1)
  asked = pool.submit(global_state.client.get_live_nodes, everybody)
  try:
    alive = asked.result(_ANSWER_S)
  except TimeoutError:
    alive = everybody
  except jax.errors.JaxRuntimeError:
    alive = everybody[1:]  # for process 0 is who would know
  pool.shutdown(wait=False)
  return [process for process in everybody if process not in alive]


def _key(name: str) -> str:
  return f'resflax/{name}/{next(_exchanged[name])}'


def _awaited(key: str, process: int) -> str:
  try:
    return global_state.client.blocking_key_value_get(key, WAIT_S * 1000)
  except jax.errors.JaxRuntimeError as error:
    raise LostPeerError(
      f'Process {process} did not come within {WAIT_S} s: see its log.'
    ) from error


def _listed(processes: list[int]) -> str:
  return ', '.join(map(str, processes))
