"""Which of the labelled images are kept, and how often each.

Source: Xie et al. 2020, section 3.1: images of low confidence are left out;
then every class gets as many images, by copies where it has too few and by its
most confident ones where it has too many. On ImageNet a confidence of 0.3 and
130,000 images a class. Their code (`filter_unlabel.py`) draws which images get
the last copies, and cuts at steps of 0.01; here it is the most confident ones.
"""

import numpy as np
from jaxtyping import Float, Int

MIN_CONFIDENCE = 0.3


def copies_of(
  labels: Int[np.ndarray, ' images'],
  confidences: Float[np.ndarray, ' images'],
  num_classes: int,
  *,
  min_confidence: int | float,
  per_class: int | None,
) -> Int[np.ndarray, ' images']:
  """Returns how often each image is kept.

  Args:
    labels: the likeliest class of each; -1 where an image cannot be used.
    confidences: the probability of that class.
    num_classes: of the teacher.
    min_confidence: images below are left out.
    per_class: images a class; None = their mean, so that there are as many in
      all as pass the filter; 0 = no balancing, each once.
  """
  passed = (labels >= 0) & (confidences >= min_confidence)
  copies = np.zeros(len(labels), np.int32)
  if per_class == 0:
    copies[passed] = 1
    return copies
  if per_class is None:
    per_class = max(1, round(int(passed.sum()) / num_classes))
  found = np.flatnonzero(passed)
  # By class, the most confident first; of equals, the first.
  found = found[np.lexsort((-confidences[found], labels[found]))]
  ends = np.searchsorted(labels[found], np.arange(1, num_classes))
  for best_first in np.split(found, ends):
    if len(best_first):
      whole, rest = divmod(per_class, len(best_first))
      copies[best_first] = whole
      copies[best_first[:rest]] += 1
  return copies


def spread(
  copies: Int[np.ndarray, ' images'],
) -> Int[np.ndarray, ' examples']:
  """Returns the image of each example to write, the copies far apart.

  Copy j of the c of image i of n lies at (i + j n / c) modulo n: images stay
  in their order, which reads them in long ranges, and classes stay mixed.
  """
  images = np.repeat(np.arange(len(copies)), copies)
  first = np.repeat(np.cumsum(copies) - copies, copies)
  turn = np.arange(len(images)) - first
  place = images + turn * (len(copies) / copies[images])
  return images[np.argsort(place % len(copies), kind='stable')]
