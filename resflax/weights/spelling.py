"""Model names as other libraries spell them."""

import re

from resflax.efficientnets import SCALES
from resflax.variants import ALIASES, VARIANTS

_SPELLINGS = {  # timm's, and Keras's in lower case
  r'resnetrs(\d+)': r'resnet_rs_\1',
  r'resnet(\d+)([bcd])': r'resnet\1_\2',
  r'seresnet(\d+)': r'se_resnet\1',
  r'tf_(efficientnet_b\d)': r'\1',
}
_KNOWN = {*VARIANTS, *SCALES}


def variant_name(name: str) -> str:
  """Returns the variant that another library calls `name`.

  What follows a dot says how timm's weights were trained, not what they are
  weights of. A name that is not known is returned as it is.
  """
  if name in _KNOWN:
    return name
  bare = name.rsplit('/', 1)[-1].split('.', 1)[0].lower()
  for spelling, ours in _SPELLINGS.items():
    if re.fullmatch(spelling, bare):
      bare = re.sub(spelling, ours, bare)
      break
  bare = ALIASES.get(bare, bare)
  return bare if bare in _KNOWN else name
