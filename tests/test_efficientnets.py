"""EfficientNet's shapes against the authors' code, and what is refused."""

import math

import pytest

from configs.finetune import get_config
from resflax.efficientnets import SCALES, shape
from resflax.errors import UsageError
from resflax.scaling import count
from resflax.variants import complete

# As the authors' code writes B0 (`efficientnet_builder.efficientnet`).
BLOCKS = (
  *('r1_k3_s11_e1_i32_o16_se0.25', 'r2_k3_s22_e6_i16_o24_se0.25'),
  *('r2_k5_s22_e6_i24_o40_se0.25', 'r3_k3_s22_e6_i40_o80_se0.25'),
  *('r3_k5_s11_e6_i80_o112_se0.25', 'r4_k5_s22_e6_i112_o192_se0.25'),
  'r1_k3_s11_e6_i192_o320_se0.25',
)
COEFFICIENTS = {  # its `efficientnet_params`: width, depth
  'efficientnet_b0': (1.0, 1.0),
  'efficientnet_b1': (1.0, 1.1),
  'efficientnet_b2': (1.1, 1.2),
  'efficientnet_b3': (1.2, 1.4),
  'efficientnet_b4': (1.4, 1.8),
  'efficientnet_b5': (1.6, 2.2),
  'efficientnet_b6': (1.8, 2.6),
  'efficientnet_b7': (2.0, 3.1),
}


def round_filters(filters, width):
  """As the authors' code has it."""
  filters *= width
  new = max(8, int(filters + 4) // 8 * 8)
  return int(new + 8 if new < 0.9 * filters else new)


def test_names():
  assert list(SCALES) == list(COEFFICIENTS)


@pytest.mark.parametrize('name', SCALES)
def test_blocks_are_those_of_the_authors_strings(name):
  width, depth = COEFFICIENTS[name]
  got = shape(complete(name, stochastic_depth_rate=0.2))
  assert (got.stem, got.top) == (
    round_filters(32, width),
    round_filters(1280, width),
  )
  index, total = 0, sum(len(blocks) for blocks in got.stages)
  for text, blocks in zip(BLOCKS, got.stages, strict=True):
    r, k, s, e, i, o, _ = text.split('_')
    assert len(blocks) == math.ceil(int(r[1:]) * depth)
    for number, block in enumerate(blocks):
      inputs = round_filters(int((o if number else i)[1:]), width)
      assert block.in_features == inputs
      assert block.features == round_filters(int(o[1:]), width)
      assert block.expansion == int(e[1:])
      assert block.kernel == int(k[1:])
      assert block.stride == (1 if number else int(s[1]))
      assert block.se_features == max(1, int(inputs * 0.25))
      assert block.drop_rate == pytest.approx(0.2 * index / total)
      index += 1


def test_a_width_that_rounds_too_far_down_is_rounded_up():
  assert round_filters(11, 1.0) == 16  # 8 would be less than 0.9 of 11
  stem = {shape(complete(name)).stem for name in SCALES}
  assert stem == {32, 40, 48, 56, 64}


def test_parts_of_the_count():
  costs = count('efficientnet_b0', 224)
  assert [cost.name for cost in costs] == [
    'stem',
    *(f'stage{number}' for number in range(1, 8)),
    *('top', 'head'),
  ]
  assert costs[0].output_shape == (112, 112, 32)
  assert costs[-2].output_shape == (7, 7, 1280)
  assert costs[-1].params == 1281 * 1000


@pytest.mark.parametrize(
  ('fields', 'message'),
  [
    ({'width': 0.5}, r'^config\.model\.width=0\.5 is for ResNets, .* None, or'),
    ({'depths': (1, 1, 1, 1)}, r'config\.model\.depths=\(1, 1, 1, 1\) is for'),
    ({'stem': 'deep'}, r'config\.model\.stem=deep is for ResNets'),
    ({'se_ratio': 0.25}, r'config\.model\.se_ratio=0\.25 is for ResNets'),
    ({'stochastic_depth_by': 'block'}, r'stochastic_depth_by=block is for'),
    ({'activation': 'gelu'}, r"Unknown activation 'gelu'"),
    ({'dropout_rate': 1.0}, r'config\.model\.dropout_rate=1\.0'),
    ({'norm': {'epsilon': 0.0}}, r'config\.model\.norm\.epsilon=0\.0'),
    ({'variant': 'efficientnet_b8'}, r"Did you mean 'efficientnet_b"),
  ],
)
def test_what_is_refused(fields, message):
  with pytest.raises(UsageError, match=message) as error:
    count({'variant': 'efficientnet_b0'} | fields, 224)
  assert len(str(error.value).splitlines()) == 1


def test_an_output_stride_is_refused():
  with pytest.raises(UsageError, match='output_stride=16 is for ResNets'):
    count('efficientnet_b0', 224, output_stride=16)


def test_fields_are_complete_once_and_for_all():
  fields = complete({'variant': 'efficientnet_b3', 'dropout_rate': 0.3})
  assert complete(fields) == fields
  assert fields['norm'] == {'group_size': 0, 'momentum': 0.99, 'epsilon': 1e-3}


def test_the_fine_tuning_config_knows_its_stages():
  factors = get_config('efficientnet_b0,decay=0.5').optimizer.lr_factors
  assert factors[0] == f'stem={0.5**8:g}' and factors[-1] == 'stage7=0.5'
  factors = get_config('efficientnet_b0,fixres').optimizer.lr_factors
  assert factors == ('head=1', 'top/conv1/norm=1', '.*=0')
  config = get_config('resnet50,fixres')
  assert config.optimizer.lr_factors == (
    'head=1',
    'stage4/block3/branch/conv3/norm=1',
    '.*=0',
  )
  # Objects are as large as in the test.
  assert (config.augment.crop, config.resolution.test_crop) == ('none', 1.0)
