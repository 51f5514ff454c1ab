import pytest

from resflax.weights.spelling import variant_name


@pytest.mark.parametrize(
  ('name', 'ours'),
  [
    ('resnetrs50.tf_in1k', 'resnet_rs_50'),
    ('timm/resnetrs420.tf_in1k', 'resnet_rs_420'),
    ('resnet50d', 'resnet50_d'),
    ('resnet101c.gluon_in1k', 'resnet101_c'),
    ('resnet50.a1_in1k', 'resnet50'),
    ('resnet50_b', 'resnet50'),
    ('seresnet50', 'se_resnet50'),
    ('resnext50_32x4d', 'resnext50_32x4d'),
    ('ResNetRS152', 'resnet_rs_152'),
    ('resnet20_cifar', 'resnet20_cifar'),
    ('timm/tf_efficientnet_b4.ns_jft_in1k', 'efficientnet_b4'),
    ('resnet50t', 'resnet50t'),  # not a model of ours
  ],
)
def test_spellings(name, ours):
  assert variant_name(name) == ours
