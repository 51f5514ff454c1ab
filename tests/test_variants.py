"""The table of models: names, rows, and how fields are filled."""

import pytest

from resflax.efficientnets import SCALES
from resflax.errors import UsageError
from resflax.published import PUBLISHED
from resflax.variants import ALIASES, DEFAULTS, VARIANTS, complete, variant

DEPTHS = (18, 26, 34, 50, 101, 152, 200)
RS_DEPTHS = (26, 50, 101, 152, 200, 270, 300, 350, 400, 420)
NAMES = [
  *(f'resnet{depth}' for depth in DEPTHS),
  *(f'resnet{depth}_v1' for depth in (50, 101, 152)),
  *(f'resnet{depth}_c' for depth in DEPTHS),
  *(f'resnet{depth}_d' for depth in DEPTHS),
  *(f'se_resnet{depth}' for depth in (50, 101, 152)),
  'resnext50_32x4d',
  'resnext101_32x4d',
  'resnext101_64x4d',
  'resnext101_32x8d',
  *(f'resnet_rs_{depth}' for depth in RS_DEPTHS),
  *(f'resnet_rs_{depth}_garden' for depth in RS_DEPTHS),
  *(f'resnet{depth}_cifar' for depth in (20, 32, 44, 56, 110)),
  'resnext29_16x64d_cifar',
  'plain18',
  'plain34',
]


def test_the_names_are_those_of_the_documentation():
  assert list(VARIANTS) == NAMES
  assert set(PUBLISHED) == {*NAMES, *SCALES}
  assert not set(ALIASES) & {*NAMES, *SCALES}


@pytest.mark.parametrize('name', NAMES)
def test_rows_hold_fields_alone(name):
  assert set(VARIANTS[name]) <= set(DEFAULTS)
  assert set(variant(name)) == set(DEFAULTS)


@pytest.mark.parametrize('name', NAMES)
def test_names_tell_the_number_of_layers(name):
  row = variant(name)
  layers = 2 if row['branch'] == 'basic' else 3
  counted = layers * sum(row['depths']) + 2
  # Some RS nets are called after a rounder number.
  named = {272: 270, 419: 420, 296: 300, 398: 400}.get(counted, counted)
  assert str(named) in name


def test_b_is_the_plain_name():
  assert variant('resnet50_b') == variant('resnet50')
  assert variant('resnet50_v1')['branch'] == 'bottleneck'


def test_a_row_is_the_callers_own():
  variant('resnet_rs_50')['norm']['momentum'] = 1
  assert variant('resnet_rs_50')['norm'] == {'momentum': 0.0}


def test_an_unknown_variant_gets_a_near_miss():
  with pytest.raises(UsageError) as error:
    variant('resnet50d')
  # Of a long list only how long it is, beside the near miss.
  assert str(error.value) == (
    "Unknown variant 'resnet50d'. Did you mean 'resnet50_d'? There are "
    f'{len(VARIANTS) + len(SCALES)} (config.model.variant).'
  )


def test_fields_go_before_the_variant_and_none_means_by_the_variant():
  fields = complete(
    {'variant': 'resnet_rs_50', 'width': 0.25, 'depths': None, 'se_ratio': 0.0},
    norm={'group_size': 64, 'epsilon': None},
    stem='conv7x7',
    width=None,
  )
  assert fields['width'] == 0.25
  assert fields['depths'] == (3, 4, 6, 3)
  assert fields['se_ratio'] == 0.0
  assert fields['stem'] == 'conv7x7'
  assert fields['norm'] == {'group_size': 64, 'momentum': 0.0, 'epsilon': 1e-5}


def test_completing_again_changes_nothing():
  fields = complete('resnext50_32x4d', width=2)
  assert complete(fields) == fields
  assert isinstance(fields['width'], float)


def test_fields_need_no_variant():
  fields = complete({'depths': (1, 1, 1, 1), 'branch': 'basic'})
  assert fields['shortcut'] == 'projection'
  assert fields['norm']['momentum'] == 0.9


@pytest.mark.parametrize(
  ('fields', 'message'),
  [
    ({'widht': 2}, r"Unknown field 'widht'. Did you mean 'width'\?.*model\)"),
    ({'norm': {'eps': 1}}, r"Unknown field 'eps'.*\(config.model.norm\)"),
  ],
)
def test_unknown_fields_are_refused(fields, message):
  with pytest.raises(UsageError, match=message):
    complete({'variant': 'resnet50', **fields})
