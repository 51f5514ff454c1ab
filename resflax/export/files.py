"""Writes a trained net as a file, once its logits are those of the net.

A file is read back from disk and run by whatever will run it: JAX alone,
onnxruntime, or our own reader of weights. What differs is not left behind.
"""

import json
from collections.abc import Callable

import jax
import numpy as np
from jax import export as programs
from jaxtyping import Float

from resflax.atomic import whole_file
from resflax.errors import ResflaxError
from resflax.export.classifier import Classifier, of_run
from resflax.export.formats import beside, check_packages
from resflax.pretrained import load_pretrained
from resflax.weights import save_weights

PLATFORMS = ('cpu', 'cuda', 'tpu')
# Of the largest logit. Float32 in another order differs by some 1e-6.
TOLERANCE = 1e-4
BATCHES = (1, 3)

Predict = Callable[[np.ndarray], Float[np.ndarray, 'batch classes']]


def export(path: str, classifier: Classifier, kind: str) -> float:
  """Writes a classifier and returns by how much its logits differ.

  Args:
    path: of the file, whose folder is made, see `formats.chosen`.
    classifier: see `classifier.of_run`.
    kind: one of `FORMATS`.

  Returns:
    The largest difference of a logit on seeded noise, as a part of the
    largest logit.

  Raises:
    UsageError: a package is missing, or the net cannot be written so.
    ResflaxError: what was written computes something else.
    StorageError: it cannot be written.
  """
  check_packages(kind)
  write, read = _WAYS[kind]
  with whole_file(path) as unfinished:
    write(unfinished, classifier)
    differs = difference(read(unfinished), classifier)
    if not differs <= TOLERANCE:  # nor is NaN
      raise ResflaxError(
        f'{path} is not kept: its logits differ from those of the net by '
        f'{differs:.1e} of the largest, and {TOLERANCE:g} is allowed. Please '
        'report it; another --format may do.'
      )
    if kind == 'stablehlo':
      _describe(beside(path), classifier)
  return differs


def difference(predict: Predict, classifier: Classifier) -> float:
  """Returns the largest difference of logits on noise, see `export`."""
  generator = np.random.default_rng(0)
  shape = (max(BATCHES), *classifier.image)
  noise = generator.integers(0, 256, shape, np.uint8)
  differences = []
  # The reference in full float32, which GPUs and TPUs do not multiply in.
  with jax.default_device(jax.devices('cpu')[0]):
    for batch in BATCHES:
      expected = np.asarray(classifier(noise[:batch]))
      found = np.asarray(predict(noise[:batch]))
      if found.shape != expected.shape:
        return float('inf')
      largest = max(np.abs(expected).max(), np.finfo(np.float32).tiny)
      differences.append(np.abs(found - expected).max() / largest)
  return float(np.max(differences))


def _write_stablehlo(path: str, classifier: Classifier) -> None:
  [batch] = programs.symbolic_shape('batch')
  images = jax.ShapeDtypeStruct((batch, *classifier.image), np.uint8)

  def predict(images):
    return classifier.logits(classifier.variables, images)

  program = programs.export(jax.jit(predict), platforms=PLATFORMS)(images)
  with open(path, 'wb') as file:
    file.write(program.serialize())


def _describe(path: str, classifier: Classifier) -> None:
  text = json.dumps({'platforms': PLATFORMS, **classifier.description})
  with open(path, 'w', encoding='utf-8') as file:
    file.write(text + '\n')


def _read_stablehlo(path: str) -> Predict:
  with open(path, 'rb') as file:
    return programs.deserialize(bytearray(file.read())).call


def _write_onnx(path: str, classifier: Classifier) -> None:
  from resflax.export.graph import to_onnx  # whose package is an extra

  description = classifier.description.items()
  model = to_onnx(
    classifier.logits,
    classifier.variables,
    classifier.image,
    {name: json.dumps(value) for name, value in description},
  )
  with open(path, 'wb') as file:
    file.write(model.SerializeToString())


def _read_onnx(path: str) -> Predict:
  import onnxruntime

  session = onnxruntime.InferenceSession(
    path, providers=['CPUExecutionProvider']
  )
  return lambda images: session.run(None, {'images': images})[0]


def _write_safetensors(path: str, classifier: Classifier) -> None:
  save_weights(path, classifier.variables, classifier.metadata)


def _read_safetensors(path: str) -> Predict:
  return of_run(load_pretrained(path))


_WAYS = {
  'stablehlo': (_write_stablehlo, _read_stablehlo),
  'onnx': (_write_onnx, _read_onnx),
  'safetensors': (_write_safetensors, _read_safetensors),
}
