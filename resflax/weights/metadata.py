"""What a file of weights says of itself: the model and its preprocessing."""

import dataclasses
import json
from collections.abc import Mapping

from resflax.errors import DataError
from resflax.fields import tuples

KEY = 'resflax'  # of the JSON text among the strings of a safetensors file


@dataclasses.dataclass(frozen=True)
class Metadata:
  """The model of some weights, and what they want done to a picture.

  None means not known: a state dict says nothing of preprocessing.

  Attributes:
    model: a variant's name.
    fields: of the model, in which it differs from the variant's row.
    class_names: by label.
    resolution: side of the square training images, in pixels.
    test_resolution: side of the square test images, in pixels.
    crop: side of the centre crop as a part of the shorter side, in 0..1.
    interpolation: bilinear, bicubic and so on.
    mean: of each channel, subtracted from values in 0..1.
    std: of each channel, divided by after.
  """

  model: str
  resolution: int | None = None
  test_resolution: int | None = None
  crop: float | None = None
  interpolation: str | None = None
  mean: tuple[float, ...] | None = None
  std: tuple[float, ...] | None = None
  fields: Mapping = dataclasses.field(default_factory=dict)
  class_names: tuple[str, ...] | None = None

  @property
  def all_fields(self) -> dict:
    """What `resflax.variants.complete` takes for the model."""
    return {'variant': self.model, **self.fields}

  def strings(self) -> dict[str, str]:
    """Returns it as a safetensors file holds it."""
    return {KEY: json.dumps(dataclasses.asdict(self))}


def parse(strings: Mapping[str, str], path: str) -> Metadata:
  """Returns what `Metadata.strings` wrote.

  Raises:
    DataError: another program wrote it.
  """
  try:
    values = json.loads(strings[KEY])
    return Metadata(**tuples(values))
  except (KeyError, TypeError, ValueError) as error:
    raise DataError(
      f'{path} does not say what resflax writes in its metadata ({error}): '
      'convert its source again.'
    ) from error


def from_hub(config: Mapping) -> dict:
  """Returns the preprocessing in the `config.json` of a timm repository."""
  cfg = config.get('pretrained_cfg', config)
  size = cfg.get('input_size')
  test_size = cfg.get('test_input_size', size)
  return {
    'resolution': size and size[-1],
    'test_resolution': test_size and test_size[-1],
    'crop': cfg.get('test_crop_pct', cfg.get('crop_pct')),
    'interpolation': cfg.get('interpolation'),
    'mean': cfg.get('mean') and tuple(cfg['mean']),
    'std': cfg.get('std') and tuple(cfg['std']),
  }
