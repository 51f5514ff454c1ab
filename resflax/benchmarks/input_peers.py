"""Endless images, by us and by others; each runs in a process of its own.

All take a random resized crop of a JPEG photo, maybe mirrored, in batches.
"""

import concurrent.futures
import io
import os
import random
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from resflax.benchmarks.photos import NAME as PHOTOS
from resflax.data.augment import DRAWS, NO_RANDAUGMENT, Augment
from resflax.data.decode import decode
from resflax.data.pipeline import train_batches
from resflax.data.randaugment import RandAugment
from resflax.data.sources import load_dataset
from resflax.resolution import Stage

BATCH = 64
# Flax's example: `MEAN_RGB` and `STDDEV_RGB`.
MEAN = (0.485 * 255, 0.456 * 255, 0.406 * 255)
STD = (0.229 * 255, 0.224 * 255, 0.225 * 255)


def resflax(
  data_dir: str,
  photos: list[bytes],
  resolution: int,
  *,
  name: str = PHOTOS,
  randaugment: RandAugment = NO_RANDAUGMENT,
  batch_size: int = BATCH,
) -> Iterator:
  """Ours: ArrayRecord to uint8 batches."""
  del photos
  return train_batches(
    load_dataset(name, data_dir).split('train'),
    seed=0,
    batch_size=batch_size,
    stages=(Stage(0, resolution),),
    start=0,
    stop=10**9,
    augment=Augment(randaugment=randaugment),
    channels=3,
  )


def tensorflow(
  data_dir: str, photos: list[bytes], resolution: int, *, make: Callable
) -> Iterator:
  """A tf.data pipeline, from memory: TFRecords would cost little."""
  del data_dir
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
  import tensorflow as tf

  data = tf.data.Dataset.from_tensor_slices(photos).cache().repeat()
  data = data.map(
    lambda photo: make(tf, photo, resolution),
    num_parallel_calls=tf.data.AUTOTUNE,
  )
  batches = data.batch(BATCH, drop_remainder=True).prefetch(10)
  return iter(batches.as_numpy_iterator())


def flax_image(tf, photo, resolution: int):
  """As in Flax's ImageNet example.

  Source: flax/examples/imagenet/input_pipeline.py: decode and crop, bicubic,
    flip, normalise to float32.
  """
  size = [resolution, resolution]
  image = tf.image.resize([_cropped(tf, photo)], size, method='bicubic')[0]
  image = tf.image.random_flip_left_right(image)
  return (image - tf.constant(MEAN)) / tf.constant(STD)


def uint8_image(tf, photo, resolution: int):
  """The same with TensorFlow's bilinear, which aliases, to uint8."""
  size = [resolution, resolution]
  image = tf.image.resize([_cropped(tf, photo)], size)[0]
  return tf.image.random_flip_left_right(tf.cast(image, tf.uint8))


def _cropped(tf, photo):
  """Decodes the blocks under a random crop alone."""
  shape = tf.io.extract_jpeg_shape(photo)
  begin, size, _ = tf.image.sample_distorted_bounding_box(
    shape,
    tf.constant([0.0, 0.0, 1.0, 1.0], tf.float32, [1, 1, 4]),
    min_object_covered=0.1,
    aspect_ratio_range=(3 / 4, 4 / 3),
    area_range=(0.08, 1.0),
    max_attempts=10,
    use_image_if_no_bounding_boxes=True,
  )
  window = tf.stack([begin[0], begin[1], size[0], size[1]])
  return tf.io.decode_and_crop_jpeg(photo, window, channels=3)


def pillow(data_dir: str, photos: list[bytes], resolution: int) -> Iterator:
  """Whole decode and bicubic by Pillow, as timm's loader has it."""
  del data_dir
  augment = Augment()

  def make(photo: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(photo)).convert('RGB')
    draws = [random.random() for _ in range(DRAWS)]
    box, flip = augment(draws, image.height, image.width)
    corner = box.left + box.width, box.top + box.height
    image = image.crop((box.left, box.top, *corner))
    image = image.resize((resolution, resolution), Image.Resampling.BICUBIC)
    if flip:
      image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return np.asarray(image)

  return _threads(photos, make)


def bare_decode(
  data_dir: str, photos: list[bytes], resolution: int
) -> Iterator:
  """Nothing but our decoder, whole images."""
  del data_dir, resolution
  return _threads(photos, lambda photo: decode(photo, 3))


def _threads(photos: list[bytes], make: Callable) -> Iterator[list]:
  cores = len(os.sched_getaffinity(0))
  with concurrent.futures.ThreadPoolExecutor(cores) as pool:
    while True:
      yield list(pool.map(make, random.sample(photos, BATCH)))
