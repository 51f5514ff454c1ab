"""A small data set as `scripts.pseudo_label` writes it, without a teacher."""

import cv2
import numpy as np

from resflax.data.writing import Encoded, Images, write


def write_pseudo(
  data_dir, name='pseudo', *, count=24, classes=('a', 'b', 'c'), k=2
):
  """Writes `count` grey images; returns (class, probability) rows of each."""
  rng = np.random.default_rng(5)
  images = rng.integers(0, 256, (count, 8, 8, 1), np.uint8)
  rows = []
  for _ in range(count):
    p = rng.dirichlet(np.ones(len(classes)))
    best = np.argsort(-p)[:k]
    rows.append((best.tolist(), p[best].astype(np.float32).tolist()))
  examples = [
    Encoded(cv2.imencode('.png', image)[1].tobytes(), row[0][0], f'{i}', row)
    for i, (image, row) in enumerate(zip(images, rows, strict=True))
  ]
  write(
    Images(
      name=name,
      version='1.0.0',
      description='Made.',
      origin={},
      class_names=classes,
      channels=1,
      soft=k,
      splits={'train': lambda: iter(examples)},
      data_dir=str(data_dir),
    )
  )
  return rows
