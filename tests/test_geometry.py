"""Widths, strides, dilations and drop rates, block by block."""

import pytest

from resflax.geometry import scaled, stages
from resflax.variants import complete


def shapes(name='resnet50', output_stride=None, **fields):
  return stages(complete(name, **fields), output_stride)


@pytest.mark.parametrize(
  ('features', 'width', 'expected'),
  [
    (64, 1.0, 64),
    (64, 0.25, 16),
    (100, 0.29, 29),  # 28.999999999999996 in floating point
    (64, 0.7, 45),  # 44.8
    (64, 0.001, 1),
  ],
)
def test_widths_are_rounded_to_nearest(features, width, expected):
  assert scaled(features, width) == expected


def test_bottlenecks_widen_four_times():
  first = [stage[0] for stage in shapes()]
  assert [s.in_features for s in first] == [64, 256, 512, 1024]
  assert [s.inner_features for s in first] == [64, 128, 256, 512]
  assert [s.features for s in first] == [256, 512, 1024, 2048]
  assert [s.stride for s in first] == [1, 2, 2, 2]
  assert all(s.changes for s in first)


def test_later_blocks_change_nothing():
  for stage in shapes('resnet_rs_50', width=0.5):
    for shape in stage[1:]:
      assert not shape.changes
      assert (shape.stride, shape.natural_stride) == (1, 1)


def test_stage_1_of_basic_blocks_is_the_identity():
  assert [stage[0].changes for stage in shapes('resnet18')] == [
    False,
    True,
    True,
    True,
  ]


@pytest.mark.parametrize(
  ('name', 'inner'),  # Source: torchvision
  [
    ('resnext50_32x4d', [128, 256, 512, 1024]),
    ('resnext101_64x4d', [256, 512, 1024, 2048]),
    ('resnext101_32x8d', [256, 512, 1024, 2048]),
    ('resnext29_16x64d_cifar', [1024, 2048, 4096]),
  ],
)
def test_inner_features_of_grouped_convolutions(name, inner):
  assert [stage[0].inner_features for stage in shapes(name)] == inner


def test_groups_stay_whole_at_any_width():
  for stage in shapes('resnext50_32x4d', width=0.3):
    assert stage[0].inner_features % 32 == 0


def test_se_squeezes_the_output_features():
  for name, hidden in (
    ('resnet_rs_50', [64, 128, 256, 512]),
    ('se_resnet50', [16, 32, 64, 128]),
    ('resnet50', [0, 0, 0, 0]),
  ):
    assert [stage[0].se_features for stage in shapes(name)] == hidden


@pytest.mark.parametrize(
  ('output_stride', 'strides', 'first', 'later'),
  [
    (None, [1, 2, 2, 2], [1, 1, 1, 1], [1, 1, 1, 1]),
    (32, [1, 2, 2, 2], [1, 1, 1, 1], [1, 1, 1, 1]),
    (16, [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 2]),
    (8, [1, 2, 1, 1], [1, 1, 1, 2], [1, 1, 2, 4]),
  ],
)
def test_dilation_takes_the_place_of_strides(
  output_stride, strides, first, later
):
  got = shapes(output_stride=output_stride)
  assert [stage[0].stride for stage in got] == strides
  assert [stage[0].first_dilation for stage in got] == first
  assert [stage[0].dilation for stage in got] == later
  assert [stage[1].first_dilation for stage in got] == later
  assert [stage[0].natural_stride for stage in got] == [1, 2, 2, 2]


def test_drop_rates_by_stage_are_those_of_the_rs_configs():
  got = shapes('resnet_rs_200', stochastic_depth_rate=0.1)
  for stage, rate in zip(got, (0.04, 0.06, 0.08, 0.10), strict=True):
    assert [s.drop_rate for s in stage] == pytest.approx([rate] * len(stage))
  three = shapes('resnet20_cifar', stochastic_depth_rate=0.4)
  assert [stage[0].drop_rate for stage in three] == pytest.approx(
    [0.2, 0.3, 0.4]
  )


def test_drop_rates_by_block_rise_linearly_from_zero():
  got = shapes(stochastic_depth_rate=0.3, stochastic_depth_by='block')
  rates = [shape.drop_rate for stage in got for shape in stage]
  assert rates == pytest.approx([0.3 * i / 15 for i in range(16)])


def test_a_single_block_never_drops_by_block():
  got = stages(
    complete(
      {'depths': (1,), 'features': (8,)},
      stochastic_depth_rate=0.5,
      stochastic_depth_by='block',
    )
  )
  assert got[0][0].drop_rate == 0
