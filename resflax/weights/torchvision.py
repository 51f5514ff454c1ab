"""The names of torchvision's ResNets: timm's, of the plain ones only.

Source: torchvision 0.29, `torchvision/models/resnet.py`.
"""

from resflax.weights import timm

FAMILY = timm.FAMILY | {
  'stem': ('conv7x7',),
  'shortcut': ('projection',),
  'se_ratio': (0.0,),
}
FAMILIES = (FAMILY,)

name = timm.name
