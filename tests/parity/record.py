"""Records what the libraries' own models answer; needs those of a source.

timm, torchvision, cifar: torch 2.14.1, timm 1.0.31, torchvision 0.29.1
keras:                    tensorflow 2.21, keras 3.15, tf_keras 2.21, h5py
garden:                   tensorflow 2.21, tf_keras 2.21,
                          tf-models-official 2.20 (--no-deps), gin-config

python -m tests.parity.record SOURCE...
"""

import json
import sys
import tempfile

import numpy as np

from resflax.weights import load_weights
from resflax.weights.saving import export
from resflax.weights.tensors import flatten
from tests.parity import drawing
from tests.parity.cases import CASES, QUICK, Case
from tests.parity.measure import DATA, summary


def reference(case: Case):
  """Returns the library's model; each has shapes, load, run and save."""
  if case.source == 'keras':
    from tests.parity.reference_keras import Keras

    return Keras(case)
  if case.source == 'garden':
    from tests.parity.reference_garden import Garden

    return Garden(case)
  from tests.parity.reference_torch import Torch

  return Torch(case)


def record(case: Case) -> dict:
  """Returns the library's answer."""
  model = reference(case)
  drawn = drawing.tensors(case.source, case.ours)
  shapes = {name: array.shape for name, array in drawn.items()}
  assert shapes == model.shapes, set(shapes.items()) ^ set(model.shapes.items())
  model.load(drawn)
  logits, stages = model.run(drawing.images(case.size))
  if case.key in QUICK[case.source]:
    check_files(model, case, drawn)
  print(case.source, case.key, flush=True)
  return {
    'logits': _rounded(logits[:, -drawing.CLASSES :]),
    'stages': [_rounded(summary(stage)) for stage in stages],
  }


def check_files(model, case: Case, drawn: dict[str, np.ndarray]) -> None:
  """Reads the library's own files, and has it read ours."""
  expected = flatten(load_weights(case.ours, drawn, case.source))
  with tempfile.TemporaryDirectory() as folder:
    for path in model.save(folder):
      got = flatten(load_weights(case.ours, path))
      assert all(np.array_equal(got[p], a) for p, a in expected.items()), path
    if case.source in ('timm', 'torchvision'):
      path = f'{folder}/ours.safetensors'
      variables = load_weights(case.ours, drawn, case.source)
      export(path, variables, case.ours, case.source)
      model.accepts(path)


def _rounded(array: np.ndarray) -> list:
  """Eight digits, as float32 has."""
  return [[float(f'{x:.8g}') for x in row] for row in array]


def main(sources: list[str]) -> None:
  for source in sources:
    found = {}
    for case in CASES:
      if case.source == source:
        found[case.key] = record(case)
        (DATA / f'{source}.json').write_text(json.dumps(found, indent=0) + '\n')


if __name__ == '__main__':
  main(sys.argv[1:])
