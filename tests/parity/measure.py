"""What we answer, and how far it is from what the libraries answered."""

import json
import pathlib
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from resflax.models import build_model
from resflax.models.layout import stack
from resflax.weights import load_weights
from tests.parity import drawing
from tests.parity.cases import Case

DATA = pathlib.Path(__file__).parent / 'data'


def recorded(case: Case) -> dict:
  """Returns what the library answered: logits, and statistics of stages."""
  return json.loads((DATA / f'{case.source}.json').read_text())[case.key]


def summary(stage: np.ndarray) -> np.ndarray:
  """Returns mean and root mean square of each image's features."""
  flat = np.asarray(stage, np.float64).reshape(len(stage), -1)
  return np.stack([flat.mean(1), np.sqrt((flat**2).mean(1))])


def answer(case: Case, **overrides) -> dict:
  """Returns what our model answers with the case's weights converted.

  Args:
    case: which.
    **overrides: fields that make another model of it.
  """
  variables = load_weights(
    case.ours,
    drawing.tensors(case.source, case.ours),
    case.source,
    drop_background=case.source == 'garden',
  )
  # In loops, for the deepest would compile for minutes.
  model = build_model(
    case.ours,
    num_classes=drawing.CLASSES,
    output_stride=case.output_stride,
    scan_blocks='on',
    **overrides,
  )

  @jax.jit
  def run(variables, images):
    endpoints = model.apply(variables, images, train=False, method='features')
    return model.apply(variables, images, train=False), endpoints

  with jax.default_matmul_precision('highest'):
    logits, endpoints = run(
      stack(variables), jnp.asarray(drawing.images(case.size))
    )
  stages = [endpoints[name] for name in endpoints if name.startswith('stage')]
  return {
    'logits': np.asarray(logits),
    'stages': [summary(np.asarray(stage)) for stage in stages],
  }


def differences(ours: Mapping, theirs: Mapping) -> tuple[float, float]:
  """Returns the largest differences of logits and of stages, relative.

  Relative to the largest of the logits, or of a stage's statistics.
  """
  return (
    _relative(ours['logits'], theirs['logits']),
    max(map(_relative, ours['stages'], theirs['stages'])),
  )


def _relative(ours, theirs) -> float:
  ours, theirs = np.asarray(ours), np.asarray(theirs)
  assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
  return float(np.abs(ours - theirs).max() / np.abs(theirs).max())
