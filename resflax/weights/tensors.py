"""The tensors of a model, by path, without making the model.

A path is that of the unstacked variables, joined by slashes:
`params/stage2/block1/branch/conv2/conv/kernel`. Which tensors there are
follows from `resflax.slots`, so a file is checked before JAX is imported.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from resflax import efficientnets
from resflax.fields import flat as leaves_of
from resflax.fields import nest as nested
from resflax.geometry import stages, stem_features
from resflax.slots import BRANCHES, SHORTCUTS, STEMS, BlockShape, Convolution

STEM_KERNEL = 'params/stem/conv1/conv/kernel'
HEAD_KERNEL = 'params/head/kernel'
HEAD_BIAS = 'params/head/bias'


def shapes(
  fields: Mapping, *, num_classes: int, channels: int
) -> dict[str, tuple[int, ...]]:
  """Returns the shape of every tensor of a model.

  Args:
    fields: complete and checked, see `resflax.variants.complete`.
    num_classes: outputs of the classifier.
    channels: of the image.
  """
  if efficientnets.is_efficientnet(fields):
    shape = efficientnets.shape(fields)
    return dict(_efficientnet(shape, num_classes, channels))
  features = stem_features(fields)
  found = {}
  convolutions = STEMS[fields['stem']].convolutions(channels, features)
  for number, convolution in enumerate(convolutions, start=1):
    found |= _convolution(f'stem/conv{number}', convolution)
  for stage, blocks in enumerate(stages(fields), start=1):
    for number, shape in enumerate(blocks, start=1):
      found |= dict(_block(f'stage{stage}/block{number}', shape, fields))
    features = blocks[-1].features
  return found | _dense('head', features, num_classes)


def channels_of(variables: Mapping) -> int:
  """Returns the channels of the images that a model's variables are for."""
  return variables['params']['stem']['conv1']['conv']['kernel'].shape[2]


def classes_of(variables: Mapping) -> int:
  """Returns the outputs of a model's classifier."""
  return variables['params']['head']['bias'].size


def flatten(variables: Mapping) -> dict[str, np.ndarray]:
  """Returns the arrays of nested dicts by path."""
  leaves = leaves_of(variables, separator='/')
  return {path: np.asarray(leaf) for path, leaf in leaves}


def nest(flat: Mapping[str, np.ndarray]) -> dict:
  """Returns arrays by path as nested dicts."""
  return nested(flat, separator='/')


def _block(
  name: str, shape: BlockShape, fields: Mapping
) -> Iterator[tuple[str, tuple[int, ...]]]:
  convolutions = BRANCHES[fields['branch']].convolutions(shape)
  for number, convolution in enumerate(convolutions, start=1):
    yield from _convolution(f'{name}/branch/conv{number}', convolution).items()
  if shape.changes and SHORTCUTS[fields['shortcut']]:
    projection = Convolution(1, shape.in_features, shape.features)
    yield from _convolution(f'{name}/shortcut', projection).items()
  if shape.se_features:
    inputs, hidden = shape.features, shape.se_features
    yield from _dense(f'{name}/se/reduce', inputs, hidden).items()
    yield from _dense(f'{name}/se/expand', hidden, inputs).items()


def _efficientnet(
  shape: efficientnets.Shape, num_classes: int, channels: int
) -> Iterator[tuple[str, tuple[int, ...]]]:
  stem = Convolution(3, channels, shape.stem)
  yield from _convolution('stem/conv1', stem).items()
  for stage, blocks in enumerate(shape.stages, start=1):
    for number, block in enumerate(blocks, start=1):
      name = f'stage{stage}/block{number}'
      for part, convolution in block.convolutions.items():
        yield from _convolution(f'{name}/{part}', convolution).items()
      inputs, hidden = block.inner_features, block.se_features
      yield from _dense(f'{name}/se/reduce', inputs, hidden).items()
      yield from _dense(f'{name}/se/expand', hidden, inputs).items()
  top = Convolution(1, shape.stages[-1][-1].features, shape.top)
  yield from _convolution('top/conv1', top).items()
  yield from _dense('head', shape.top, num_classes).items()


def _convolution(name: str, c: Convolution) -> dict[str, tuple[int, ...]]:
  kernel = (c.kernel, c.kernel, c.inputs // c.groups, c.features)
  vector = (c.features,)
  return {
    f'params/{name}/conv/kernel': kernel,
    f'params/{name}/norm/scale': vector,
    f'params/{name}/norm/bias': vector,
    f'batch_stats/{name}/norm/mean': vector,
    f'batch_stats/{name}/norm/var': vector,
  }


def _dense(name: str, inputs: int, features: int) -> dict[str, tuple[int, ...]]:
  return {
    f'params/{name}/kernel': (inputs, features),
    f'params/{name}/bias': (features,),
  }
