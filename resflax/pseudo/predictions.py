"""What a teacher says of images, kept on disk part by part."""

import dataclasses
import functools
import os
from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

from resflax.atomic import whole_file
from resflax.data.records import Records
from resflax.data.splits import Picked
from resflax.errors import StorageError, first_line
from resflax.pseudo.turns import by_turns
from resflax.runs import Run


class Predictions(NamedTuple):
  """The likeliest classes of images, the likeliest first.

  Attributes:
    classes: of each image; -1 where it cannot be used.
    probabilities: of these classes.
    agrees: 1 where the first one is the image's own label, 0 where it is not;
      -1 where there is none, or nobody asked.
    bad: what is wrong with those that cannot be used, as lines.
  """

  classes: Int[np.ndarray, 'images k']
  probabilities: Float[np.ndarray, 'images k']
  agrees: Int[np.ndarray, ' images']
  bad: np.ndarray

  @property
  def labels(self) -> Int[np.ndarray, ' images']:
    """The likeliest class."""
    return self.classes[:, 0]

  @property
  def confidences(self) -> Float[np.ndarray, ' images']:
    """Its probability."""
    return self.probabilities[:, 0]


@dataclasses.dataclass(frozen=True)
class Parts:
  """Predictions of images in several files.

  Attributes:
    folder: of the files.
    count: of the images.
    size: images a file.
  """

  folder: str
  count: int
  size: int

  def __len__(self) -> int:
    return -(-self.count // self.size)

  def images(self, part: int) -> range:
    """Returns the images of a part."""
    first = part * self.size
    return range(first, min(first + self.size, self.count))

  def path(self, part: int) -> str:
    """Returns the file of a part."""
    return os.path.join(self.folder, f'part-{part:06d}.npz')

  def read(self, part: int) -> Predictions:
    """Returns the predictions of a part.

    Raises:
      StorageError: its file is damaged, as after a loss of power.
    """
    try:
      with (
        open(self.path(part), 'rb') as file,  # NumPy leaves it open if damaged
        np.load(file, allow_pickle=False) as arrays,
      ):
        return Predictions(**arrays)
    except Exception as error:  # of zipfile, zlib or NumPy
      raise StorageError(
        f'Cannot read {self.path(part)}: {first_line(error)}. Delete it, and '
        'the same command makes it again.'
      ) from error

  def summed_up(self) -> Predictions:
    """Returns the first class of all images, the other classes left out."""
    parts = map(self.read, range(len(self)))
    return joined(
      [
        part._replace(
          classes=part.classes[:, :1], probabilities=part.probabilities[:, :1]
        )
        for part in parts
      ]
    )


def predict(
  run: Run, records: Records, parts: Parts, *, top_k: int, compare: bool
) -> None:
  """Writes the parts that are not there; of several processes, each its own.

  Args:
    run: the teacher.
    records: the images.
    parts: of the images.
    top_k: classes kept.
    compare: whether the images' labels are looked at.
  """
  run = run.on_this_process()
  batch = min(run.setup.resolved['batch_size'], parts.size, len(records))
  predictor = Predictor(run.sized(batch), top_k, compare)

  def work(part: int) -> None:
    if not os.path.exists(parts.path(part)):
      images = Picked(records, parts.images(part), repr(records))
      with whole_file(parts.path(part)) as path:
        np.savez(path, **predictor(images)._asdict())

  by_turns(len(parts), 'Labelling', work)


@dataclasses.dataclass(frozen=True)
class Predictor:
  """Says what a teacher sees, at its test resolution and without noise.

  Attributes:
    run: the teacher, on devices of this process.
    top_k: classes that are said.
    compare: whether they are compared with the images' labels.
  """

  run: Run
  top_k: int
  compare: bool = False

  @functools.cached_property
  def _classify(self):
    @jax.jit
    def classify(variables, batch):
      logits = self.run.setup.predict(variables, batch['image'])
      return jax.lax.top_k(jax.nn.softmax(logits), self.top_k)

    return self.run.sharded(classify)

  def __call__(self, records: Records) -> Predictions:
    """Returns the predictions of some images."""
    rows = []
    for batch in self.run.batches_of(records, strict=False):
      found = self._classify(self.run.variables, {'image': batch['image']})
      probabilities, classes = (np.array(x) for x in found)
      bad = list(batch['bad'])
      probabilities[bad], classes[bad] = 0, -1
      own, mask = batch['label'], batch['mask']
      asked = self.compare & (own >= 0)
      agrees = np.where(asked, classes[:, 0] == own, -1).astype(np.int8)
      said = [f'{b.place}: {b.reason}' for b in batch['bad'].values()]
      rows.append(
        Predictions(
          classes[mask],
          probabilities[mask],
          agrees[mask],
          np.array(said, np.str_),
        )
      )
    return joined(rows)


def joined(parts: Sequence[Predictions]) -> Predictions:
  """Returns predictions one after the other."""
  return Predictions(*map(np.concatenate, zip(*parts, strict=True)))
