"""Records what TensorFlow makes of RandAugment's operations; needs it.

python -m tests.data.record_randaugment

The operations are written down here with the kernels that the reference code
calls (github.com/tensorflow/tpu, efficientnet/autoaugment.py, and the contrib
image functions it used); what comes out is compared by SHA-256.
"""

import hashlib
import json
import math
import pathlib

import tensorflow as tf

from tests.data.randaugment_cases import CASES, DRAW, picture

FILE = pathlib.Path(__file__).with_name('randaugment_tf.json')


def main() -> None:
  """Writes the digests of all cases."""
  digests = {}
  for name, magnitude, sign, translate, size in CASES:
    image, level = tf.constant(picture(size)), magnitude / 10
    if name in BY_LEVEL:
      result = BY_LEVEL[name](image, level)
    elif name == 'Rotate':
      result = rotate(image, sign * level)
    else:
      matrix = MATRICES[name](sign * level, translate)
      result = project(image, matrix)
    key = f'{name} {magnitude} {sign} {translate} {size}'
    digests[key] = hashlib.sha256(result.numpy().tobytes()).hexdigest()
  content = {'tensorflow': tf.__version__, 'digests': digests}
  FILE.write_text(json.dumps(content, indent=1) + '\n')


def blend(one, two, level):
  """Enhances: from one image towards the other, or past it."""
  factor = level * 1.8 + 0.1
  one, two = tf.cast(one, tf.float32), tf.cast(two, tf.float32)
  mixed = one + factor * (two - one)
  if not 0 < factor < 1:
    mixed = tf.clip_by_value(mixed, 0.0, 255.0)
  return tf.cast(mixed, tf.uint8)


def project(image, coefficients):
  """What the contrib transform did, with grey where nothing comes from."""
  height, width = image.shape[:2]
  alpha = tf.ones([height, width, 1], tf.uint8)
  moved = tf.raw_ops.ImageProjectiveTransformV3(
    images=tf.concat([image, alpha], 2)[None],
    transforms=tf.constant([coefficients], tf.float32),
    output_shape=[height, width],
    fill_value=0.0,
    interpolation='NEAREST',
    fill_mode='CONSTANT',
  )[0]
  grey = tf.constant(128, tf.uint8)
  return tf.where(moved[..., 3:] == 0, grey, moved[..., :3])


def rotate(image, level):
  angle = math.radians(level * 30)
  height, width = image.shape[:2]
  cos, sin = math.cos(angle), math.sin(angle)
  right = ((width - 1) - (cos * (width - 1) - sin * (height - 1))) / 2
  down = ((height - 1) - (sin * (width - 1) + cos * (height - 1))) / 2
  return project(image, [cos, -sin, right, sin, cos, down, 0, 0])


def by_channel(function):
  return lambda image, level: tf.stack(
    [function(image[..., i]) for i in range(3)], -1
  )


def autocontrast(channel):
  low = tf.cast(tf.reduce_min(channel), tf.float32)
  high = tf.cast(tf.reduce_max(channel), tf.float32)
  scale = 255.0 / (high - low)
  scaled = tf.cast(channel, tf.float32) * scale + -low * scale
  scaled = tf.cast(tf.clip_by_value(scaled, 0.0, 255.0), tf.uint8)
  return tf.cond(high > low, lambda: scaled, lambda: channel)


def equalize(channel):
  channel = tf.cast(channel, tf.int32)
  counts = tf.histogram_fixed_width(channel, [0, 255], nbins=256)
  there = tf.boolean_mask(counts, counts != 0)
  step = (tf.reduce_sum(there) - there[-1]) // 255
  if step == 0:
    return tf.cast(channel, tf.uint8)
  table = (tf.cumsum(counts) + step // 2) // step
  table = tf.clip_by_value(tf.concat([[0], table[:-1]], 0), 0, 255)
  return tf.cast(tf.gather(table, channel), tf.uint8)


def sharpness(image, level):
  kernel = tf.constant([[1, 1, 1], [1, 5, 1], [1, 1, 1]], tf.float32) / 13.0
  kernel = tf.tile(kernel[:, :, None, None], [1, 1, 3, 1])
  smooth = tf.nn.depthwise_conv2d(
    tf.cast(image, tf.float32)[None], kernel, [1] * 4, 'VALID'
  )[0]
  smooth = tf.cast(tf.clip_by_value(smooth, 0.0, 255.0), tf.uint8)
  inner = tf.pad(tf.ones_like(smooth), [[1, 1], [1, 1], [0, 0]])
  smooth = tf.pad(smooth, [[1, 1], [1, 1], [0, 0]])
  return blend(tf.where(inner == 1, smooth, image), image, level)


def contrast(image, level):
  grey = tf.cast(tf.image.rgb_to_grayscale(image), tf.int32)
  counts = tf.histogram_fixed_width(grey, [0, 255], nbins=256)
  mean = tf.reduce_sum(tf.cast(counts, tf.float32)) / 256.0
  flat = tf.clip_by_value(tf.ones_like(grey, tf.float32) * mean, 0.0, 255.0)
  flat = tf.image.grayscale_to_rgb(tf.cast(flat, tf.uint8))
  return blend(flat, image, level)


def color(image, level):
  grey = tf.image.grayscale_to_rgb(tf.image.rgb_to_grayscale(image))
  return blend(grey, image, level)


def posterize(image, level):
  shift = tf.constant(8 - int(level * 4), tf.uint8)
  return tf.bitwise.left_shift(tf.bitwise.right_shift(image, shift), shift)


def solarize(image, level):
  dark = tf.cast(image, tf.int32) < int(level * 256)
  return tf.where(dark, image, 255 - image)


def solarize_add(image, level):
  added = tf.cast(image, tf.int64) + int(level * 110)
  added = tf.cast(tf.clip_by_value(added, 0, 255), tf.uint8)
  return tf.where(image < 128, added, image)


def cutout(image, level):
  reach, (height, width) = int(level * 40), image.shape[:2]
  row, column = int(DRAW[1] * height), int(DRAW[2] * width)
  top, left = max(0, row - reach), max(0, column - reach)
  bottom, right = max(0, height - row - reach), max(0, width - column - reach)
  mask = tf.zeros([height - top - bottom, width - left - right], tf.uint8)
  padding = [[top, bottom], [left, right]]
  mask = tf.pad(mask, padding, constant_values=1)[..., None]
  return tf.where(mask == 0, tf.constant(128, tf.uint8), image)


BY_LEVEL = {
  'AutoContrast': by_channel(autocontrast),
  'Equalize': by_channel(equalize),
  'Invert': lambda image, level: 255 - image,
  'Posterize': posterize,
  'Solarize': solarize,
  'Color': color,
  'Contrast': contrast,
  'Brightness': lambda image, level: blend(tf.zeros_like(image), image, level),
  'Sharpness': sharpness,
  'Cutout': cutout,
  'SolarizeAdd': solarize_add,
}
MATRICES = {
  'ShearX': lambda level, by: [1, level * 0.3, 0, 0, 1, 0, 0, 0],
  'ShearY': lambda level, by: [1, 0, 0, level * 0.3, 1, 0, 0, 0],
  'TranslateX': lambda level, by: [1, 0, level * by, 0, 1, 0, 0, 0],
  'TranslateY': lambda level, by: [1, 0, 0, 0, 1, level * by, 0, 0],
}


if __name__ == '__main__':
  main()
