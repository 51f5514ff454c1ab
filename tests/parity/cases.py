"""Every pair of a library's model and ours that is compared."""

from typing import NamedTuple

from resflax.weights.spelling import variant_name


class Case(NamedTuple):
  """A library's model on images of one size.

  Attributes:
    source: of `resflax.weights.sources.SOURCES`.
    theirs: the model's name there.
    ours: the variant.
    size: pixels a side.
    output_stride: 8 or 16 by dilation; None = by strides.
  """

  source: str
  theirs: str
  ours: str
  size: int
  output_stride: int | None = None

  @property
  def key(self) -> str:
    dilated = f'/{self.output_stride}' if self.output_stride else ''
    return f'{self.theirs}@{self.size}{dilated}'


TIMM = (
  *('resnet18', 'resnet26', 'resnet34', 'resnet50', 'resnet101', 'resnet152'),
  *('resnet200', 'resnet50c', 'resnet101c', 'resnet152c', 'resnet18d'),
  *('resnet26d', 'resnet34d', 'resnet50d', 'resnet101d', 'resnet152d'),
  *('resnet200d', 'seresnet50', 'seresnet101', 'seresnet152'),
  *('resnext50_32x4d', 'resnext101_32x4d', 'resnext101_64x4d'),
  *('resnext101_32x8d', 'resnetrs50', 'resnetrs101', 'resnetrs152'),
  *('resnetrs200', 'resnetrs270', 'resnetrs350', 'resnetrs420'),
)
EFFICIENTNETS = tuple(f'tf_efficientnet_b{number}' for number in range(8))
TORCHVISION = (
  *('resnet18', 'resnet34', 'resnet50', 'resnet101', 'resnet152'),
  *('resnext50_32x4d', 'resnext101_32x8d', 'resnext101_64x4d'),
)
RS = (50, 101, 152, 200, 270, 350, 420)

CASES = (
  *(Case('timm', name, variant_name(name), 64) for name in TIMM),
  *(
    Case('timm', name, variant_name(name), size)
    for name in ('resnet50', 'resnet50d', 'resnetrs50')
    for size in (97, 161)
  ),
  *(
    Case('timm', name, variant_name(name), size, stride)
    for name in ('resnet50', 'resnet50d', 'resnext50_32x4d', 'resnetrs50')
    for size, stride in ((97, 16), (64, 8))
  ),
  *(Case('timm', name, variant_name(name), 64) for name in EFFICIENTNETS),
  Case('timm', 'tf_efficientnet_b0', 'efficientnet_b0', 97),
  *(Case('torchvision', name, name, 64) for name in TORCHVISION),
  *(
    Case('torchvision', name, name, size, stride)
    for name in ('resnet50', 'resnext50_32x4d')
    for size, stride in ((97, 16), (64, 8))
  ),
  Case('torchvision', 'resnet50', 'resnet50', 97),
  *(
    Case('cifar', f'resnet{depth}', f'resnet{depth}_cifar', 32)
    for depth in (20, 32, 44, 56, 110)
  ),
  Case('cifar', 'resnet20', 'resnet20_cifar', 33),
  *(
    Case('keras', f'ResNet{depth}', f'resnet{depth}_v1', 64)
    for depth in (50, 101, 152)
  ),
  *(
    Case('keras', f'ResNetRS{depth}', f'resnet_rs_{depth}', 64) for depth in RS
  ),
  *(
    Case('keras', name, ours, size)
    for name, ours in (
      ('ResNet50', 'resnet50_v1'),
      ('ResNetRS50', 'resnet_rs_50'),
    )
    for size in (97, 161)
  ),
  *(
    Case('garden', f'resnet-rs-{depth}', f'resnet_rs_{depth}_garden', 64)
    for depth in RS
  ),
  *(
    Case('garden', 'resnet-rs-50', 'resnet_rs_50_garden', size)
    for size in (97, 161)
  ),
)

# What every test run compares: one depth a family and source. Odd sizes show
# how the average pooling pads, and only even ones how strided convolutions do.
QUICK = {
  'timm': (
    *('resnet18@64', 'resnet50@97', 'resnet50c@64', 'resnet50d@161'),
    *('seresnet50@64', 'resnext50_32x4d@64', 'resnetrs50@64'),
    *('resnet50d@97/16', 'tf_efficientnet_b0@64'),
  ),
  'torchvision': (
    *('resnet34@64', 'resnet50@97', 'resnext50_32x4d@64', 'resnet50@64/8'),
  ),
  'cifar': ('resnet20@32', 'resnet20@33'),
  'keras': ('ResNet50@97', 'ResNetRS50@64'),
  'garden': ('resnet-rs-50@64', 'resnet-rs-50@97'),
}
