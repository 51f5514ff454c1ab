"""What every variant counts, and who says so.

All are exact. A published figure agrees with its source to every digit that
the source gives; where nobody published one the arithmetic is pinned, and
the source is `DERIVED`. MACs are those of convolutions and dense layers for
one image; see `resflax.scaling.Cost`.
"""

from typing import NamedTuple

TORCHVISION = 'torchvision'  # num_params and GFLOPS of its weights' metadata
TIMM = 'timm'  # counted by hooks in timm 1.0.31
# Table 7. Its "FLOPs" are twice the MACs, to two or three digits, and 3 % more
# for 152 @ 192. timm 1.0.31 counts exactly these.
RS_PAPER = 'Bello et al. 2021'
CIFAR_PAPER = 'He et al. 2015'  # table 6; parameters
RESNEXT_PAPER = 'Xie et al. 2017'  # table 7; parameters
DERIVED = 'derived'


class Counts(NamedTuple):
  """The counts of one variant.

  Attributes:
    params: trainable parameters.
    macs: by resolution.
    source: who published them.
    num_classes: of the classifier they include.
    macs_published: whether the source has the MACs too.
  """

  params: int
  macs: dict[int, int]
  source: str
  num_classes: int = 1000
  macs_published: bool = True


def _at_224(params: int, macs: int, source: str) -> Counts:
  return Counts(params, {224: macs}, source)


def _cifar(params: int, macs: int, source: str = CIFAR_PAPER) -> Counts:
  return Counts(
    params, {32: macs}, source, num_classes=10, macs_published=False
  )


PUBLISHED = {
  'resnet18': _at_224(11_689_512, 1_814_073_344, TORCHVISION),
  'resnet26': _at_224(15_995_176, 2_342_256_640, TIMM),
  'resnet34': _at_224(21_797_672, 3_663_761_408, TORCHVISION),
  'resnet50': _at_224(25_557_032, 4_089_184_256, TORCHVISION),
  'resnet101': _at_224(44_549_160, 7_801_405_440, TORCHVISION),
  'resnet152': _at_224(60_192_808, 11_513_626_624, TORCHVISION),
  'resnet200': _at_224(64_673_832, 15_007_481_856, TIMM),
  # He et al. 2015, table 1, has the MACs to two digits: 3.8, 7.6 and 11.3 G.
  'resnet50_v1': _at_224(25_557_032, 3_857_973_248, DERIVED),
  'resnet101_v1': _at_224(44_549_160, 7_570_194_432, DERIVED),
  'resnet152_v1': _at_224(60_192_808, 11_282_415_616, DERIVED),
  'resnet18_c': _at_224(11_708_744, 2_053_713_920, DERIVED),
  'resnet26_c': _at_224(16_014_408, 2_581_897_216, DERIVED),
  'resnet34_c': _at_224(21_816_904, 3_903_401_984, DERIVED),
  'resnet50_c': _at_224(25_576_264, 4_328_824_832, TIMM),
  'resnet101_c': _at_224(44_568_392, 8_041_046_016, TIMM),
  'resnet152_c': _at_224(60_212_040, 11_753_267_200, TIMM),
  'resnet200_c': _at_224(64_693_064, 15_247_122_432, DERIVED),
  'resnet18_d': _at_224(11_708_744, 2_053_713_920, TIMM),
  'resnet26_d': _at_224(16_014_408, 2_581_897_216, TIMM),
  'resnet34_d': _at_224(21_816_904, 3_903_401_984, TIMM),
  'resnet50_d': _at_224(25_576_264, 4_328_824_832, TIMM),
  'resnet101_d': _at_224(44_568_392, 8_041_046_016, TIMM),
  'resnet152_d': _at_224(60_212_040, 11_753_267_200, TIMM),
  'resnet200_d': _at_224(64_693_064, 15_247_122_432, TIMM),
  'se_resnet50': _at_224(28_088_024, 4_091_699_200, TIMM),
  'se_resnet101': _at_224(49_326_872, 7_806_148_608, TIMM),
  'se_resnet152': _at_224(66_821_848, 11_520_204_800, TIMM),
  'resnext50_32x4d': _at_224(25_028_904, 4_230_479_872, TORCHVISION),
  'resnext101_32x4d': _at_224(44_177_704, 7_969_996_800, TIMM),
  'resnext101_64x4d': _at_224(83_455_272, 15_460_270_080, TORCHVISION),
  'resnext101_32x8d': _at_224(88_791_336, 16_414_015_488, TORCHVISION),
  'resnet_rs_26': _at_224(21_631_560, 2_703_073_280, DERIVED),
  'resnet_rs_50': Counts(35_691_912, {160: 2_278_629_376}, RS_PAPER),
  'resnet_rs_101': Counts(
    63_618_696, {160: 4_181_532_672, 192: 6_012_157_952}, RS_PAPER
  ),
  'resnet_rs_152': Counts(
    86_621_576,
    {192: 8_746_844_160, 224: 11_895_185_408, 256: 15_527_886_848},
    RS_PAPER,
  ),
  'resnet_rs_200': Counts(93_209_992, {256: 20_093_386_752}, RS_PAPER),
  'resnet_rs_270': Counts(129_861_448, {256: 26_950_189_056}, RS_PAPER),
  'resnet_rs_300': _at_224(134_386_632, 22_391_988_224, DERIVED),
  'resnet_rs_350': Counts(
    163_956_168, {256: 34_376_597_504, 320: 53_683_601_408}, RS_PAPER
  ),
  'resnet_rs_400': _at_224(182_229_064, 29_831_700_480, DERIVED),
  'resnet_rs_420': Counts(191_891_656, {320: 63_942_344_704}, RS_PAPER),
  'resnet20_cifar': _cifar(269_722, 40_551_040),
  'resnet32_cifar': _cifar(464_154, 68_862_592),
  'resnet44_cifar': _cifar(658_586, 97_174_144),
  'resnet56_cifar': _cifar(853_018, 125_485_696),
  'resnet110_cifar': _cifar(1_727_962, 252_887_680),
  'resnext29_16x64d_cifar': _cifar(68_155_210, 10_688_866_304, RESNEXT_PAPER),
  'plain18': _at_224(11_515_688, 1_794_805_760, DERIVED),
  'plain34': _at_224(21_623_848, 3_644_493_824, DERIVED),
}
PUBLISHED |= {  # at the resolutions of the authors' code
  f'efficientnet_{name}': Counts(params, {resolution: macs}, TIMM)
  for name, params, resolution, macs in (
    ('b0', 5_288_548, 224, 385_814_752),
    ('b1', 7_794_184, 240, 686_802_832),
    ('b2', 9_109_994, 260, 993_561_872),
    ('b3', 12_233_232, 300, 1_827_141_392),
    ('b4', 19_341_616, 380, 4_393_771_024),
    ('b5', 30_389_784, 456, 10_266_384_752),
    ('b6', 43_040_704, 528, 19_067_593_536),
    ('b7', 66_347_960, 600, 37_745_884_192),
  )
}
# Swish, SAME padding and one pooling more change no count.
PUBLISHED |= {
  f'{name}_garden': counts._replace(source=DERIVED)
  for name, counts in PUBLISHED.items()
  if name.startswith('resnet_rs_')
}

# Milliseconds of a training step of 128 images on a core of a TPU v3, in
# bfloat16; batches that did not fit were halved.
# Source: the README of tensorflow/tpu, models/official/resnet/resnet_rs, at
# 7dc921f; Bello et al. 2021, table 3, has 1,024 images on eight cores.
TPU_V3_MS = {
  ('resnet_rs_50', 160): 70,
  ('resnet_rs_101', 160): 120,
  ('resnet_rs_101', 192): 170,
  ('resnet_rs_152', 192): 240,
  ('resnet_rs_152', 224): 320,
  ('resnet_rs_152', 256): 410,
  ('resnet_rs_200', 256): 570,
  ('resnet_rs_270', 256): 780,
  ('resnet_rs_350', 256): 1100,
  ('resnet_rs_350', 320): 1630,
  ('resnet_rs_420', 320): 2090,
}

# Seconds of the same on a V100, in float32. Source: the same README.
V100_S = {
  ('resnet_rs_50', 160): 0.31,
  ('resnet_rs_101', 160): 0.48,
  ('resnet_rs_101', 192): 0.70,
  ('resnet_rs_152', 192): 0.99,
  ('resnet_rs_152', 224): 1.48,
  ('resnet_rs_152', 256): 1.76,
  ('resnet_rs_200', 256): 2.86,
  ('resnet_rs_270', 256): 3.76,
  ('resnet_rs_350', 256): 4.72,
  ('resnet_rs_350', 320): 8.48,
  ('resnet_rs_420', 320): 10.16,
}

# ImageNet top-1 in percent, after 350 epochs.
# Source: Bello et al. 2021, table 7.
RS_TOP1 = {
  ('resnet_rs_50', 160): 78.8,
  ('resnet_rs_101', 160): 80.3,
  ('resnet_rs_101', 192): 81.2,
  ('resnet_rs_152', 192): 82.0,
  ('resnet_rs_152', 224): 82.8,
  ('resnet_rs_152', 256): 83.0,
  ('resnet_rs_200', 256): 83.4,
  ('resnet_rs_270', 256): 83.8,
  ('resnet_rs_350', 256): 84.0,
  ('resnet_rs_350', 320): 84.2,
  ('resnet_rs_420', 320): 84.4,
}


class EfficientNet(NamedTuple):
  """A model beside which ResNet-RS was published.

  Attributes:
    resolution: pixels a side.
    params: trainable parameters, rounded.
    macs: of an image, rounded: half the source's FLOPs.
    tpu_ms: a step of 128 images on a core of a TPU v3.
    v100_s: the same on a V100 in float32, in seconds.
    top1: on ImageNet, in percent.
  """

  resolution: int
  params: int
  macs: int
  tpu_ms: int
  v100_s: float
  top1: float


# Source: Bello et al. 2021, table 7.
EFFICIENTNETS = {
  'B0': EfficientNet(224, 5_300_000, 400_000_000, 90, 0.47, 77.1),
  'B1': EfficientNet(240, 7_800_000, 700_000_000, 150, 0.82, 79.1),
  'B2': EfficientNet(260, 9_200_000, 1_000_000_000, 210, 1.03, 80.1),
  'B3': EfficientNet(300, 12_000_000, 1_800_000_000, 340, 1.76, 81.6),
  'B4': EfficientNet(380, 19_000_000, 4_200_000_000, 710, 4.0, 82.9),
  'B5': EfficientNet(456, 30_000_000, 10_000_000_000, 1510, 8.16, 83.7),
  'B6': EfficientNet(528, 43_000_000, 19_000_000_000, 3010, 15.7, 84.0),
  'B7': EfficientNet(600, 66_000_000, 37_000_000_000, 6020, 29.9, 84.7),
}
