import base64
import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from resflax.report.examples import STORED, data_uri, gallery, worst_count
from resflax.report.read import read_run


def pixels_of(uri: str):
  kind, encoded = uri.split(',', 1)
  assert kind == 'data:image/png;base64'
  return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))))


@pytest.mark.parametrize('channels', [1, 3])
def test_a_small_image_keeps_every_pixel(channels):
  shape = (9, 7, channels)
  pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
  decoded = pixels_of(data_uri(pixels))
  np.testing.assert_array_equal(decoded.reshape(shape), pixels)


def test_a_large_image_is_reduced_and_keeps_its_shape():
  decoded = pixels_of(data_uri(np.full((300, 600, 3), 77, np.uint8)))
  assert decoded.shape == (STORED // 2, STORED, 3)
  assert (decoded == 77).all()


def test_the_worst_mistakes_end_where_the_even_sample_begins(write_run):
  evaluation = read_run(write_run()).evaluation
  assert worst_count(evaluation) == 6
  sample = dataclasses.replace(
    evaluation,
    sample_index=evaluation.sample_index[6:],
    sample_image=evaluation.sample_image[6:],
  )
  assert worst_count(sample) == 0


def test_a_gallery_marks_what_is_right_and_names_what_is_wrong(write_run):
  evaluation = read_run(write_run()).evaluation
  shown = evaluation.sample_index
  html = gallery(evaluation, 0, len(shown))
  assert html.count('<img ') == len(shown)
  assert html.count('✓') == evaluation.correct[shown].sum()
  assert html.count('✗') == (~evaluation.correct[shown]).sum()
  worst = shown[0]
  card = gallery(evaluation, 0, 1)
  assert f'<span>class {evaluation.prediction[worst]}</span>' in card
  assert f'<span>class {evaluation.label[worst]}</span>' in card
  assert f'<i>{evaluation.probability[worst]:.0%}</i>' in card
  assert f'<i>{evaluation.label_probability[worst]:.0%}</i>' in card
