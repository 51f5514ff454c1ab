"""How it is trained: the loss, the update rule and its schedule."""

from resflax.fields import Field, duration, part, rate

TRAINING = {
  'loss': {'label_smoothing': rate(None, 'mass spread over all classes')},
  'distill': {
    'teacher': Field(str, None, 'run folder of a net to learn from'),
    'temperature': Field(float, 20.0, 'softens its classes', low=1),
    'weight': Field(float, 1.0, 'of its loss beside that of the labels', low=0),
  },
  'optimizer': {
    'name': Field(
      str, 'sgd', 'the update rule', choices=('sgd', 'lars', 'lamb')
    ),
    'lr': Field(float, 0.1, 'peak, for lr_reference_batch examples', low=0),
    'lr_reference_batch': Field(
      int, 256, 'lr grows with batch_size over this; 0 = lr as given', low=0
    ),
    'momentum': part(0.9, 'heavy ball; beta1 of lamb'),
    'nesterov': Field(bool, False, 'look ahead'),
    'weight_decay': Field(float, None, 'of the masked parameters', low=0),
    'decoupled': Field(bool, False, 'decay beside the momentum, not as L2'),
    'decay_mask': Field(
      str,
      'kernels',
      'what decays; all_but_norm as the RS authors have it',
      choices=('kernels', 'all_but_norm'),
    ),
    'clip_norm': Field(float, 0.0, 'longest gradient; 0 = any', low=0),
    'trust_coefficient': Field(
      float, 0.001, 'lars: step of a kernel over its norm', low=0
    ),
    'beta2': part(0.999, 'lamb: of the squared gradients'),
    'epsilon': Field(float, 1e-6, 'lamb: added to their root', low=0),
    'lr_factors': Field(
      tuple,
      (),
      'PATH=FACTOR of the rate of layers, PATH a regular expression; 0 = at '
      'rest',
      item=str,
    ),
    'sharding': Field(
      str,
      'replicated',
      "whether every device keeps the rule's memory and the average of weights "
      'whole, or its part of them (ZeRO, stage 1)',
      choices=('replicated', 'zero1'),
    ),
    'accumulate': Field(
      int, 1, 'parts of a batch whose gradients are averaged', low=1
    ),
  },
  'schedule': {
    'name': Field(
      str,
      'cosine',
      'of the learning rate after warm-up',
      choices=('cosine', 'constant', 'step'),
    ),
    'drops': Field(
      tuple,
      (100 / 3, 200 / 3, 800 / 9),
      'step: where the rate drops, in percent of the run',
      item=float,
    ),
    'drop_factor': rate(0.1, 'step: what it is multiplied by'),
    **duration('total', 'length of the run'),
    **duration('warmup', 'linear warm-up from 0', percent=True),
  },
  'init': {
    'weights': Field(
      str, None, 'file to start from, or hub:REPO; needed at every start'
    ),
    'reset_head': Field(bool, False, 'with a new classifier, of zeros'),
  },
  'ema': {
    'decay': part(0.9999, 'average of weights and statistics; 0 = none'),
    'dynamic': Field(bool, True, 'min(decay, (1 + n) / (10 + n))'),
  },
}
