"""Small sets in the schema that TFDS gives ImageNet's test sets."""

import io

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

from resflax.data.imagenet import class_names
from resflax.data.writing import quiet


def write_set(data_dir, name, split, labels, *, config='', size=24):
  """Writes pictures of noise.

  Args:
    data_dir: TFDS's folder.
    name: of the set.
    split: its only one.
    labels: of each picture; sequences of them make a set like ReaL.
    config: of the builder.
    size: of the pictures, in pixels.
  """
  several = not isinstance(labels[0], int)
  builder = _builder_class(name, config, split, labels, several, size)
  with quiet():
    made = builder(data_dir=str(data_dir), config=config or None)
    made.download_and_prepare(file_format='array_record')


def _builder_class(name, config, split, labels, several, size):
  configs = [tfds.core.BuilderConfig(name=config)] if config else []

  class Made(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    VERSION = tfds.core.Version('1.0.0')
    BUILDER_CONFIGS = configs

    def _info(self):
      label = tfds.features.ClassLabel(names=list(class_names()))
      features = {
        'image': tfds.features.Image(encoding_format='png'),
        'file_name': tfds.features.Text(),
      }
      if several:
        features['original_label'] = label
        features['real_label'] = tfds.features.Sequence(
          tfds.features.ClassLabel(names=list(class_names()))
        )
      else:
        features['label'] = label
      return tfds.core.DatasetInfo(
        builder=self,
        features=tfds.features.FeaturesDict(features),
        supervised_keys=('image', 'real_label' if several else 'label'),
        disable_shuffling=True,
      )

    def _split_generators(self, dl_manager):
      del dl_manager
      return {split: self._generate_examples()}

    def _generate_examples(self):
      rng = np.random.default_rng(len(labels))
      for number, own in enumerate(labels):
        pixels = rng.integers(0, 256, (size, size, 3), np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, 'PNG')
        file.seek(0)
        example = {'image': file, 'file_name': f'{number}.png'}
        if several:
          example |= {'original_label': 0, 'real_label': list(own)}
        else:
          example['label'] = own
        yield number, example

  Made.name = name
  return Made
