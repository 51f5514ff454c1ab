"""From a model's fields to the shape of every block.

`resflax.models` builds its modules from these shapes and `resflax.scaling`
counts them, so widths, strides and dilations are worked out in one place.
"""

import dataclasses
from collections.abc import Iterator, Mapping

from resflax.slots import BRANCHES, STEMS, BlockShape


def scaled(features: int, width: float) -> int:
  """Returns a feature count at a width: rounded to nearest, at least 1.

  Not `int(features * width)` as in Model Garden: 100 * 0.29 is 28.99... there.
  """
  return max(1, round(features * width))


def stages(
  fields: Mapping, output_stride: int | None = None
) -> tuple[tuple[BlockShape, ...], ...]:
  """Returns the shapes of all blocks, stage by stage.

  Args:
    fields: complete and checked, see `resflax.variants.complete`.
    output_stride: input pixels a side to one pixel of the last stage; strides
      past it become dilations. None = the natural one.
  """
  expansion = BRANCHES[fields['branch']].expansion
  in_features = stem_features(fields)
  shapes = []
  for base, rates, strides in zip(
    fields['features'],
    _drop_rates(fields),
    _strides(fields, output_stride),
    strict=True,
  ):
    base = scaled(base, fields['width'])
    first = BlockShape(
      in_features=in_features,
      inner_features=_inner_features(fields, base),
      features=base * expansion,
      groups=fields['cardinality'],
      se_features=_se_features(fields, base * expansion),
      **strides,
    )
    other = dataclasses.replace(
      first,
      in_features=first.features,
      stride=1,
      natural_stride=1,
      first_dilation=first.dilation,
    )
    blocks = [first] + [other] * (len(rates) - 1)
    shapes.append(
      tuple(
        dataclasses.replace(block, drop_rate=rate)
        for block, rate in zip(blocks, rates, strict=True)
      )
    )
    in_features = first.features
  return tuple(shapes)


def stem_features(fields: Mapping) -> int:
  return scaled(fields['features'][0], fields['width'])


def natural_stride(fields: Mapping) -> int:
  """Returns the output stride of a net without dilation."""
  return STEMS[fields['stem']].stride * 2 ** (len(fields['depths']) - 1)


def _strides(
  fields: Mapping, output_stride: int | None
) -> Iterator[dict[str, int]]:
  """Yields strides and dilations of each stage's first block.

  Source: torchvision's `replace_stride_with_dilation`. The block that loses
    its stride keeps the dilation before it, so that its outputs hold those of
    the strided net, at every second pixel.
  """
  output_stride = output_stride or natural_stride(fields)
  reached, dilation = STEMS[fields['stem']].stride, 1
  for stage in range(len(fields['depths'])):
    natural = 2 if stage else 1
    stride = natural if reached * natural <= output_stride else 1
    reached *= stride
    yield {
      'stride': stride,
      'natural_stride': natural,
      'first_dilation': dilation,
      'dilation': dilation * natural // stride,
    }
    dilation *= natural // stride


def _inner_features(fields: Mapping, base: int) -> int:
  """Returns the features of a bottleneck's 3x3 convolution.

  Source: Xie et al. 2017's code and torchvision: `group_width` is that of a
    stage of 64 base features, others in proportion, rounded down.
  """
  if fields['group_width'] is None:
    return base
  return fields['cardinality'] * max(1, base * fields['group_width'] // 64)


def _se_features(fields: Mapping, features: int) -> int:
  """Returns SE's hidden units: of the *output* features, as in RS and timm."""
  ratio = fields['se_ratio']
  return max(1, int(features * ratio)) if ratio else 0


def _drop_rates(fields: Mapping) -> list[list[float]]:
  """Returns the stochastic-depth rate of each block, stage by stage.

  Source: 'stage' is Bello et al. 2021's code: rate * i/5 for their block
    groups i = 2..5, the stem being the first; (i+1)/(n+1) for n stages here.
    'block' is timm's, after Huang et al. 2016: linear from 0 in the first
    block to the rate in the last.
  """
  rate, depths = fields['stochastic_depth_rate'], fields['depths']
  if fields['stochastic_depth_by'] == 'stage':
    return [
      [rate * (stage + 1) / (len(depths) + 1)] * depth
      for stage, depth in enumerate(depths, start=1)
    ]
  last = max(1, sum(depths) - 1)
  starts = [sum(depths[:stage]) for stage in range(len(depths))]
  return [
    [rate * block / last for block in range(start, start + depth)]
    for start, depth in zip(starts, depths, strict=True)
  ]
