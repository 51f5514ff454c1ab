"""What is trained: the model, and the budget it may have."""

from resflax.fields import Field, part, rate

MODEL = {
  'model': {
    'variant': Field(str, 'resnet50', 'row of resflax.variants'),
    'width': Field(float, None, 'multiplies every feature count', low=1e-3),
    'depths': Field(tuple, None, 'blocks a stage', item=int),
    'stem': Field(str, None, 'slot, see resflax.models.stems'),
    'branch': Field(str, None, 'slot, see resflax.models.branches'),
    'shortcut': Field(str, None, 'slot, see resflax.models.shortcuts'),
    'cardinality': Field(int, None, 'groups of the 3x3 (ResNeXt)', low=1),
    'group_width': Field(int, None, 'features a group in stage 1', low=1),
    'se_ratio': rate(None, 'squeeze of squeeze-and-excitation; 0 = none'),
    'activation': Field(str, None, 'non-linearity', choices=('relu', 'swish')),
    'padding': Field(
      str, None, 'of strided convolutions', choices=('symmetric', 'same')
    ),
    'dropout_rate': part(None, 'before the classifier'),
    'stochastic_depth_rate': part(None, 'drop rate of the deepest block'),
    'stochastic_depth_by': Field(
      str, None, 'how the rate rises with depth', choices=('stage', 'block')
    ),
    'norm': {
      'group_size': Field(
        int, None, 'samples a batch-norm group; 0 = the whole batch', low=0
      ),
      'momentum': rate(None, 'part of the running statistics that is kept'),
      'epsilon': Field(float, None, 'added to the variance', low=0),
    },
    'conv': Field(
      str,
      'auto',
      "by platform, or XLA's and autodiff's (which has a forward mode)",
      choices=('auto', 'xla'),
    ),
    'scan_blocks': Field(
      str,
      'auto',
      'equal blocks as a loop, which compiles once; auto = where it is fast',
      choices=('auto', 'on', 'off'),
    ),
    'remat': Field(
      str,
      'none',
      'compute blocks again in the backward pass, to save memory',
      choices=('none', 'blocks'),
    ),
  },
  'scaling': {
    'rule': Field(
      str,
      'off',
      'decide size, resolution and regularisers by a budget',
      choices=('off', 'resnet_rs'),
    ),
    'macs': Field(float, None, 'budget: multiply-adds of one image', low=1),
    'latency_ms': Field(
      float, None, 'budget: a step of 128 images on a TPU v3 core', low=0
    ),
    'grow': Field(
      str,
      'auto',
      'depth or width; auto = by the length of the run',
      choices=('auto', 'depth', 'width'),
    ),
  },
}
