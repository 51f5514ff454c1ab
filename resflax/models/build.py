"""Strings become classes: the only place that knows both."""

from collections.abc import Mapping

import jax.numpy as jnp
from flax import linen as nn

from resflax.checks import check
from resflax.efficientnets import is_efficientnet
from resflax.efficientnets import shape as efficientnet_shape
from resflax.errors import unknown
from resflax.geometry import stages, stem_features
from resflax.models.branches import BRANCHES
from resflax.models.efficientnet import EfficientNet
from resflax.models.layers import Conventions
from resflax.models.resnet import ResNet
from resflax.models.shortcuts import SHORTCUTS
from resflax.models.stems import STEMS
from resflax.variants import complete

_ACTIVATIONS = {'relu': nn.relu, 'swish': nn.swish}
_DTYPES = {
  'float32': jnp.float32,
  'bfloat16': jnp.bfloat16,
  'float16': jnp.float16,
}


def build_model(
  model: str | Mapping,
  *,
  num_classes: int = 1000,
  dtype: str = 'float32',
  output_stride: int | None = None,
  **overrides,
) -> ResNet | EfficientNet:
  """Returns the linen module of a model.

  Args:
    model: a variant's name, or fields as those of `config.model`, of which
      `variant` names the row that fills what is missing or None.
    num_classes: outputs of the classifier.
    dtype: of the computation: float32, bfloat16 or float16. Parameters,
      statistics and logits are float32.
    output_stride: input pixels a side to one pixel of the last stage: 8, 16
      or 32, by dilation, for segmentation. None = by the strides.
    **overrides: fields that go before those of `model`.

  Raises:
    UsageError: a field or value that does not exist, or two that contradict
      each other.
  """
  fields = complete(model, **overrides)
  check(fields, num_classes=num_classes, output_stride=output_stride)
  if dtype not in _DTYPES:
    raise unknown('dtype', dtype, _DTYPES, 'config.precision')
  conventions = Conventions(
    activation=_ACTIVATIONS[fields['activation']],
    padding=fields['padding'],
    conv_form=fields['conv'],
    dtype=_DTYPES[dtype],
    **fields['norm'],
  )
  if is_efficientnet(fields):
    return EfficientNet(
      efficientnet_shape(fields),
      num_classes=num_classes,
      scan_blocks=fields['scan_blocks'] == 'on',
      remat=fields['remat'],
      dropout_rate=fields['dropout_rate'],
      conventions=conventions,
    )
  return ResNet(
    stem=STEMS[fields['stem']](stem_features(fields), conventions),
    stages=stages(fields, output_stride),
    branch=BRANCHES[fields['branch']],
    shortcut=SHORTCUTS[fields['shortcut']],
    num_classes=num_classes,
    scan_blocks=fields['scan_blocks'] == 'on',
    remat=fields['remat'],
    dropout_rate=fields['dropout_rate'],
    conventions=conventions,
  )
