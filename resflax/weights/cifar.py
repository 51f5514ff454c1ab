"""The names of the common CIFAR-10 state dicts.

Source: Idelbayev, `akamaster/pytorch_resnet_cifar10`, option A shortcuts;
  Liu, `kuangliu/pytorch-cifar`, has its projections as `shortcut.0` and `.1`.
"""

from collections.abc import Mapping

from resflax.weights import timm

FAMILY = timm.FAMILY | {
  'stem': ('small_image',),
  'shortcut': ('zero_pad', 'projection'),
  'se_ratio': (0.0,),
}
FAMILIES = (FAMILY,)


def name(path: str, fields: Mapping) -> str:
  """Returns the name of our tensor at `path`."""
  theirs = timm.name(path, fields).replace('downsample.', 'shortcut.')
  return theirs.replace('fc.', 'linear.')
