"""Images with what the model made of them: mistakes first, then a sample."""

import base64
import io
from html import escape

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from resflax.report.read import Evaluation

STORED = 128  # pixels: a report of 60 photographs stays below about 3 MB
SHOWN = 107  # CSS pixels at most


def data_uri(pixels: UInt8[np.ndarray, 'height width channels']) -> str:
  """Returns an image as a PNG inside a `data:` address, not above `STORED`."""
  image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
  image.thumbnail((STORED, STORED))
  buffer = io.BytesIO()
  image.save(buffer, format='PNG')
  encoded = base64.b64encode(buffer.getvalue()).decode('ascii')
  return f'data:image/png;base64,{encoded}'


def worst_count(evaluation: Evaluation) -> int:
  """Returns how many of the shown images are there as the worst mistakes.

  They come first, by the probability of their true class; the even sample
  begins where the order of all mistakes is left.
  """
  mistakes = np.flatnonzero(~evaluation.correct)
  probability = evaluation.label_probability[mistakes]
  worst = mistakes[np.argsort(probability, kind='stable')]
  both = min(len(worst), len(evaluation.sample_index))
  same = worst[:both] == evaluation.sample_index[:both]
  return int(np.logical_and.accumulate(same).sum())


def gallery(evaluation: Evaluation, start: int, stop: int) -> str:
  """Returns the shown images `start` to `stop` as HTML, each with a caption."""
  cards = [_card(evaluation, i) for i in range(start, stop)]
  return f'<div class="gallery">{"".join(cards)}</div>'


def _card(evaluation: Evaluation, position: int) -> str:
  index = evaluation.sample_index[position]
  true, predicted = (
    escape(evaluation.class_names[i])
    for i in (evaluation.label[index], evaluation.prediction[index])
  )
  share, true_share = (
    f'{values[index]:.0%}'
    for values in (evaluation.probability, evaluation.label_probability)
  )
  if evaluation.correct[index]:
    lines = _line('<b class="right">✓</b>', predicted, share)
  else:
    lines = _line('<b class="wrong">✗</b>', predicted, share)
    lines += _line('true', true, true_share)
  pixels = evaluation.sample_image[position]
  # Magnified, a small image is shown as the pixels it has.
  pixelated = ' class="pixelated"' if max(pixels.shape[:2]) < SHOWN else ''
  return (
    f'<figure title="true: {true}, predicted: {predicted}">'
    f'<img src="{data_uri(pixels)}" alt="{true}"{pixelated}>'
    f'<figcaption>{lines}</figcaption></figure>'
  )


def _line(mark: str, name: str, share: str) -> str:
  return f'<p>{mark}<span>{name}</span><i>{share}</i></p>'
