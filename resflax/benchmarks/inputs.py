"""Images per second of the input pipeline, beside others and the bare decode.

Each pipeline is a process of its own (TensorFlow's threads and ArrayRecord's
readers do not share one well); they work in turns on the same cores.
"""

import importlib.util
import multiprocessing
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial

from resflax.benchmarks import input_peers, photos
from resflax.benchmarks.measure import Row
from resflax.data.randaugment import RandAugment
from resflax.data.resizing import copy_name

BATCHES = 32  # a turn
WARM_UP = 24

FLAX = "tf.data, as in Flax's example"
PILLOW = 'Pillow, as in timm'
PIPELINES: dict[str, tuple[Callable, int]] = {
  FLAX: (partial(input_peers.tensorflow, make=input_peers.flax_image), 224),
  'tf.data, bilinear, uint8': (
    partial(input_peers.tensorflow, make=input_peers.uint8_image),
    224,
  ),
  PILLOW: (input_peers.pillow, 224),
  'bare decode': (input_peers.bare_decode, 0),
  'resflax': (input_peers.resflax, 224),
  'resflax at 160': (input_peers.resflax, 160),
  'resflax at 128': (input_peers.resflax, 128),
  'resflax, RandAugment': (
    partial(
      input_peers.resflax, randaugment=RandAugment(layers=2, magnitude=15)
    ),
    224,
  ),
  f'resflax, copy of max_side={photos.COPY}': (
    partial(input_peers.resflax, name=copy_name(photos.NAME, photos.COPY)),
    224,
  ),
}


def run(*, quick: bool, folder: str | None = None) -> Iterator[Row]:
  """Times the pipelines; those of TensorFlow where it is installed.

  Args:
    quick: fewer turns.
    folder: of JPEG photos; None makes some.
  """
  tensorflow = importlib.util.find_spec('tensorflow') is not None
  chosen = {
    name: pipeline
    for name, pipeline in PIPELINES.items()
    if tensorflow or not name.startswith('tf.data')
  }
  with tempfile.TemporaryDirectory() as data_dir:
    images = photos.prepare(folder, data_dir)
    rates = _rates(chosen, data_dir, images, rounds=3 if quick else 9)
  peer = FLAX if tensorflow else PILLOW
  for kind, unit in enumerate(('images/CPU-s', 'images/s')):
    for name, rate in rates.items():
      aimed = (name, peer, kind) == ('resflax', FLAX, 0)
      yield Row(
        *(name, rate[kind], unit, rate[kind] / rates[peer][kind]),
        *(peer, '>= 1.5' if aimed else ''),
      )


class Worker:
  """A pipeline in its own process, which stands still between its turns."""

  def __init__(self, *arguments):
    context = multiprocessing.get_context('spawn')
    self._end, theirs = context.Pipe()
    self._process = context.Process(target=_serve, args=(theirs, *arguments))
    self._process.start()
    self._end.recv()  # it is ready
    self._stop()

  def turn(self) -> tuple[float, float]:
    """Returns images per CPU-second and per second of one turn."""
    os.kill(self._process.pid, signal.SIGCONT)
    self._end.send(BATCHES)
    cpu, wall = self._end.recv()
    self._stop()
    images = BATCHES * input_peers.BATCH
    return images / cpu, images / wall

  def end(self) -> None:
    """Kills the process."""
    self._process.kill()
    self._process.join()

  def _stop(self) -> None:
    # Threads that work ahead would do so in the others' turns.
    os.kill(self._process.pid, signal.SIGSTOP)


def _rates(
  pipelines, data_dir: str, images: list[bytes], rounds: int
) -> dict[str, tuple[float, float]]:
  """Returns medians of images per CPU-second and per second on the clock."""
  workers = {
    name: Worker(make, data_dir, images, resolution)
    for name, (make, resolution) in pipelines.items()
  }
  try:
    turns = [
      {name: worker.turn() for name, worker in workers.items()}
      for _ in range(rounds)
    ]
  finally:
    for worker in workers.values():
      worker.end()
  return {
    name: tuple(
      statistics.median(turn[name][kind] for turn in turns) for kind in (0, 1)
    )
    for name in workers
  }


def _serve(end, make: Callable, *arguments) -> None:
  """Makes so many batches each time it is asked, and says what they took."""
  batches = make(*arguments)
  for _ in range(WARM_UP):
    next(batches)
  end.send(None)
  while True:
    count = end.recv()
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(count):
      next(batches)
    end.send((time.process_time() - cpu, time.perf_counter() - wall))
