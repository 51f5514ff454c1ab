"""Models that may not be are refused in one line that says what to change."""

import pytest

from resflax.checks import check
from resflax.errors import UsageError
from resflax.variants import VARIANTS, complete


@pytest.mark.parametrize('name', VARIANTS)
def test_every_variant_is_allowed(name):
  check(complete(name))


@pytest.mark.parametrize(
  ('fields', 'message'),
  [
    ({'stem': 'deeep'}, r"Unknown stem 'deeep'. Did you mean 'deep'\?.*\.stem"),
    ({'branch': 'b'}, r'Unknown branch .*config\.model\.branch'),
    ({'shortcut': 'avg'}, r'Unknown shortcut .*config\.model\.shortcut'),
    ({'activation': 'gelu'}, r'Unknown activation .*relu, swish'),
    ({'padding': 'valid'}, r'Unknown padding .*symmetric, same'),
    ({'stochastic_depth_by': 'x'}, r'Unknown stochastic_depth_by'),
    ({'depths': ()}, r'config\.model\.depths=\(\) .*each stage'),
    ({'depths': 50}, r'config\.model\.depths=50 .*such as \(3, 4, 6, 3\)'),
    ({'depths': (3, 0, 6, 3)}, r'config\.model\.depths=\(3, 0, 6, 3\)'),
    ({'depths': (3, 4, 6)}, r'depths=\(3, 4, 6\) has 3 stages, and .*has 4'),
    ({'width': 0.0}, r'config\.model\.width=0\.0 .*above 0'),
    ({'width': -1.0}, r'config\.model\.width=-1\.0'),
    ({'width': float('nan')}, r'config\.model\.width=nan'),
    ({'cardinality': 0}, r'config\.model\.cardinality=0'),
    ({'cardinality': 32}, r'cardinality=32 needs .*config\.model\.group_width'),
    ({'group_width': 0}, r'config\.model\.group_width=0'),
    ({'se_ratio': 1.5}, r'config\.model\.se_ratio=1\.5'),
    ({'dropout_rate': 1.0}, r'config\.model\.dropout_rate=1\.0'),
    ({'stochastic_depth_rate': 1.0}, r'stochastic_depth_rate=1\.0'),
    ({'norm': {'group_size': -1}}, r'config\.model\.norm\.group_size=-1'),
    ({'norm': {'momentum': 1.0}}, r'config\.model\.norm\.momentum=1\.0'),
    ({'norm': {'epsilon': 0.0}}, r'config\.model\.norm\.epsilon=0\.0'),
    (
      {'branch': 'basic', 'cardinality': 32, 'group_width': 4},
      r'cardinality=32 .*group_width=4 need a bottleneck.*model\.branch',
    ),
    (
      {'shortcut': 'none', 'stochastic_depth_rate': 0.1},
      r'stochastic_depth_rate=0\.1 needs a shortcut',
    ),
    (
      {'shortcut': 'zero_pad', 'features': (64, 32, 16, 8)},
      r'features=\(64, 32, 16, 8\) fall',
    ),
  ],
)
def test_fields(fields, message):
  with pytest.raises(UsageError, match=message) as error:
    check(complete('resnet50', **fields))
  assert '\n' not in str(error.value)


@pytest.mark.parametrize(
  ('name', 'output_stride', 'message'),
  [
    ('resnet50', 4, 'output_stride=4 .*one of 8, 16, 32, or None'),
    ('resnet50', 64, 'output_stride=64 '),
    ('resnet20_cifar', 8, 'shrinks an image 4 times, so give None'),
  ],
)
def test_output_stride(name, output_stride, message):
  with pytest.raises(UsageError, match=message):
    check(complete(name), output_stride=output_stride)


def test_a_model_needs_classes():
  with pytest.raises(UsageError, match='num_classes=0'):
    check(complete('resnet50'), num_classes=0)
  with pytest.raises(UsageError, match='depths=None'):
    check(complete({}))
