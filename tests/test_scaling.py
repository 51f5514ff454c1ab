"""The arithmetic against published figures."""

import pytest

from resflax.efficientnets import SCALES
from resflax.errors import UsageError
from resflax.published import PUBLISHED
from resflax.scaling import count, totals
from resflax.variants import VARIANTS


@pytest.mark.parametrize('name', [*VARIANTS, *SCALES])
def test_counts_at_every_published_resolution(name):
  published = PUBLISHED[name]
  for resolution, macs in published.macs.items():
    total = totals(count(name, resolution, num_classes=published.num_classes))
    assert (total.params, total.macs) == (published.params, macs)


# As others print them. Sources: torchvision's weight metadata (4 digits); Bello
# et al. 2021, table 7 (FLOPs, which are 2 MACs; 152 @ 192 says 18, 3 % more).
# EfficientNets: Tan and Le 2019, table 2, whose FLOPs are MACs.
@pytest.mark.parametrize(
  ('name', 'resolution', 'gmacs'),
  [
    ('resnet18', 224, 1.814),
    ('resnet34', 224, 3.664),
    ('resnet50', 224, 4.089),
    ('resnet101', 224, 7.801),
    ('resnet152', 224, 11.514),
    ('resnext50_32x4d', 224, 4.230),
    ('resnext101_32x8d', 224, 16.414),
    ('resnext101_64x4d', 224, 15.460),
    ('resnet_rs_50', 160, 4.6 / 2),
    ('resnet_rs_101', 160, 8.4 / 2),
    ('resnet_rs_101', 192, 12 / 2),
    ('resnet_rs_152', 192, 18 / 2),
    ('resnet_rs_152', 224, 24 / 2),
    ('resnet_rs_152', 256, 31 / 2),
    ('resnet_rs_200', 256, 40 / 2),
    ('resnet_rs_270', 256, 54 / 2),
    ('resnet_rs_350', 256, 69 / 2),
    ('resnet_rs_350', 320, 107 / 2),
    ('resnet_rs_420', 320, 128 / 2),
    ('efficientnet_b0', 224, 0.39),
    ('efficientnet_b1', 240, 0.70),
    ('efficientnet_b2', 260, 1.0),
    ('efficientnet_b3', 300, 1.8),
    ('efficientnet_b4', 380, 4.2),
    ('efficientnet_b5', 456, 9.9),
    ('efficientnet_b6', 528, 19),
    ('efficientnet_b7', 600, 37),
  ],
)
def test_macs_as_printed(name, resolution, gmacs):
  families = {'resnet_rs': 0.03, 'efficientnet': 0.05}  # two digits
  family = name.rsplit('_', 1)[0]
  rounding = families.get(family, 2e-4)
  macs = totals(count(name, resolution)).macs
  assert macs / 1e9 == pytest.approx(gmacs, rel=rounding)


# Source: "activations (M)" of timm's model cards, counted by fvcore.
@pytest.mark.parametrize(
  ('name', 'millions'),
  [('resnet18', 2.5), ('resnet50', 11.1), ('resnext50_32x4d', 14.4)],
)
def test_activations_as_printed(name, millions):
  assert totals(count(name, 224)).activations / 1e6 == pytest.approx(
    millions, abs=0.05
  )


# Millions of parameters over widths: pinned, no publication has them.
@pytest.mark.parametrize(
  ('depth', 'millions'),
  [
    (50, (2.63, 9.45, 35.69, 78.71, 138.52)),
    (101, (4.39, 16.45, 63.62, 141.49, 250.08)),
    (200, (6.26, 23.88, 93.21, 208.00, 368.25)),
    (300, (8.85, 34.20, 134.39, 300.56, 532.72)),
    (400, (11.87, 46.19, 182.23, 408.11, 723.85)),
  ],
)
def test_widths_of_resnet_rs(depth, millions):
  for width, expected in zip((0.25, 0.5, 1, 1.5, 2), millions, strict=True):
    fields = {'variant': f'resnet_rs_{depth}', 'width': width}
    assert totals(count(fields, 224)).params / 1e6 == pytest.approx(
      expected, abs=0.005
    )


def test_rows_follow_the_image():
  rows = count('resnet50', 224)
  assert [(row.name, row.output_shape, row.blocks) for row in rows] == [
    ('stem', (56, 56, 64), 0),
    ('stage1', (56, 56, 256), 3),
    ('stage2', (28, 28, 512), 4),
    ('stage3', (14, 14, 1024), 6),
    ('stage4', (7, 7, 2048), 3),
    ('head', (1, 1, 1000), 0),
  ]
  assert rows[-1].params == 2048 * 1000 + 1000
  assert totals(rows).blocks == 16


def test_odd_and_tiny_images():
  shapes = [row.output_shape[0] for row in count('resnet_rs_50', 97)]
  assert shapes == [25, 25, 13, 7, 4, 1]
  assert [row.output_shape[0] for row in count('resnet50', 8)] == [
    2,
    2,
    1,
    1,
    1,
    1,
  ]


def test_channels_and_classes_change_the_ends_alone():
  rgb, grey = count('resnet50', 64), count('resnet50', 64, in_channels=1)
  assert rgb[0].params - grey[0].params == 2 * 49 * 64
  assert rgb[1:] == grey[1:]
  few = count('resnet50', 64, num_classes=10)
  assert few[-1].params == 2049 * 10


def test_dilation_costs_macs_and_no_parameters():
  plain = totals(count('resnet50_d', 224))
  dense = totals(count('resnet50_d', 224, output_stride=8))
  assert dense.params == plain.params
  assert dense.macs > 4 * plain.macs
  assert count('resnet50_d', 224, output_stride=8)[-2].output_shape == (
    28,
    28,
    2048,
  )


@pytest.mark.parametrize(
  ('resolution', 'channels', 'message'),
  [(7, 3, 'image of 7 x 7 x 3'), (224, 0, 'image of 224 x 224 x 0')],
)
def test_images_that_are_none(resolution, channels, message):
  with pytest.raises(UsageError, match=message):
    count('resnet50', resolution, in_channels=channels)


def test_refuses_what_build_model_refuses():
  with pytest.raises(UsageError, match=r'config\.model\.width'):
    count({'variant': 'resnet50', 'width': 0.0}, 224)
