"""`evaluation.npz`: what the report shows of an evaluation."""

import io
from collections.abc import Callable, Sequence

import numpy as np
from etils import epath

from resflax.evaluation.classification import Evaluation

SAMPLES = 64  # pictures kept: half the worst mistakes, half an even sample


def sample_indices(evaluation: Evaluation, samples: int = SAMPLES) -> list[int]:
  """Returns which examples to show.

  The worst mistakes come first, by the probability of their label; then
  examples at even distances over the rest of the split.
  """
  examples = evaluation.examples
  order = np.argsort(examples['label_probability'], kind='stable')
  worst = [int(i) for i in order if not examples['top1'][i]][: samples // 2]
  rest = np.setdiff1d(np.arange(evaluation.count), worst)
  step = max(1, len(rest) // (samples // 2))
  return worst + [int(i) for i in rest[::step]][: samples // 2]


def save_evaluation(
  path: epath.PathLike,
  evaluation: Evaluation,
  picture: Callable[[int], np.ndarray],
  *,
  split: str,
  resolution: int,
  class_names: Sequence[str],
) -> None:
  """Writes one row an example, and a few pictures.

  Args:
    path: of the `.npz` file.
    evaluation: of the split.
    picture: gives an example by its index: uint8, all of one shape.
    split: its name.
    resolution: the model was given, in pixels.
    class_names: by label.
  """
  indices = sample_indices(evaluation)
  examples = evaluation.examples
  buffer = io.BytesIO()
  np.savez_compressed(
    buffer,
    split=np.str_(split),
    resolution=np.int32(resolution),
    loss=np.float64(evaluation.loss),
    class_names=np.array(class_names, dtype=np.str_),
    label=examples['label'].astype(np.int32),
    prediction=examples['prediction'].astype(np.int32),
    probability=examples['probability'].astype(np.float32),
    label_probability=examples['label_probability'].astype(np.float32),
    top5=examples['top5'].astype(bool),
    sample_index=np.array(indices, dtype=np.int32),
    sample_image=np.stack([picture(i) for i in indices]),
  )
  epath.Path(path).write_bytes(buffer.getvalue())
