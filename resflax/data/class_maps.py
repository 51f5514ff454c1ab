"""Which of a net's classes the labels of another data set are."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from resflax.data import imagenet
from resflax.data.records import DatasetInfo
from resflax.errors import DataError, UsageError

NO_NAME = 'class {}'  # what the classes of weights without names are called


class ClassMap(NamedTuple):
  """What a data set's labels mean to a net.

  Attributes:
    columns: the net's classes that compete; None = all of them.
    places: by label, the place of its class among them; -1 = it is not there.
    renamed: the first label's name and the net's where classes are told by
      number although they are called otherwise; None = the names agree.
  """

  columns: tuple[int, ...] | None
  places: Int[np.ndarray, ' labels']
  renamed: tuple[str, str] | None = None

  def applied(self, batch: Mapping) -> dict:
    """Returns a batch of evaluation with places for labels.

    Raises:
      DataError: an example of a class that does not compete.
    """
    mask = batch['mask']
    places = np.where(mask, self.places[batch['label']], 0)
    if (places < 0).any():
      label = int(batch['label'][np.argmin(places)])
      raise DataError(
        f'There is an example of class {label}, which is not among the '
        f'{len(self.columns or ())} that the data set is known to have: '
        'prepare it anew.'
      )
    return {**batch, 'label': places}


def class_map(info: DatasetInfo, names: Sequence[str]) -> ClassMap:
  """Returns which of a net's classes a data set asks for.

  By the names of classes where they say it, else by their number. Of ImageNet,
  weights that do not name their 1,000 classes have them in the usual order, and
  folders may be called by WordNet ids or, as ImageNet-V2's, by numbers.

  Args:
    info: of the data set.
    names: of the net's classes, in order.

  Raises:
    UsageError: the data set has classes that the net does not know.
  """
  own, names = info.class_names, tuple(names)
  if not own:
    raise UsageError(f'{info.name} has no labels: give a --dataset with them.')
  subset = imagenet.subset_of(info.name)
  if subset and len(own) == len(names):
    places = np.full(len(own), -1, np.int32)
    places[list(subset)] = np.arange(len(subset))
    return ClassMap(subset, places)
  if own == names:
    return _among(range(len(own)), len(names))
  for known in (names, _imagenet_ids(names), _imagenet_numbers(names)):
    if set(own) <= set(known):
      place = {name: i for i, name in enumerate(known)}
      return _among([place[name] for name in own], len(names))
  if len(own) == len(names):
    return _among(range(len(own)), len(names))._replace(
      renamed=_first_renamed(own, names)
    )
  raise UsageError(
    f'{info.name} has {len(own)} classes, and the net tells {len(names)} '
    'apart: give a --dataset of these, or of some of them by the same names.'
  )


def _among(classes: Sequence[int], total: int) -> ClassMap:
  """Makes the map of labels of these classes; what is not there, is out."""
  if len(classes) == total:
    return ClassMap(None, np.array(classes, np.int32))
  columns = tuple(sorted(classes))
  return ClassMap(columns, np.searchsorted(columns, classes).astype(np.int32))


def _named(names: Sequence[str]) -> bool:
  return names[:1] != (NO_NAME.format(0),)


def _first_renamed(own, names) -> tuple[str, str] | None:
  pairs = zip(own, names, strict=True)
  renamed = (pair for pair in pairs if pair[0] != pair[1])
  return next(renamed, None) if _named(names) else None


def _imagenet_ids(names: tuple[str, ...]) -> tuple[str, ...]:
  usual = not _named(names) and len(names) == 1000
  return imagenet.class_names() if usual else ()


def _imagenet_numbers(names: tuple[str, ...]) -> tuple[str, ...]:
  of_imagenet = len(names) == 1000
  return tuple(map(str, range(1000))) if of_imagenet else ()
