"""What it is trained on: the data, their augmentation and resolution."""

from resflax.fields import Field, rate

DATA = {
  'data': {
    'name': Field(str, 'digits', 'TFDS name, or folder:DIR'),
    'data_dir': Field(str, None, 'where TFDS data lies, local or gs://'),
    'train_split': Field(str, None, 'TFDS split, such as train[:98%]'),
    'val_split': Field(str, None, 'for choices: sweeps, best checkpoint'),
    'test_split': Field(str, None, 'looked at once, at the end'),
    'shuffle': Field(
      str,
      'global',
      'order of an epoch; lanes reads in long ranges, for gs://',
      choices=('global', 'lanes'),
    ),
    'mixture': {
      'sources': Field(
        tuple,
        (),
        'trained on beside the labels: TFDS names, folder:DIR, pseudo:DIR',
        item=str,
      ),
      'ratios': Field(
        tuple,
        None,
        'examples of the labelled data and of each source, by turns',
        item=int,
      ),
      'targets': Field(
        str,
        'soft',
        "a teacher's classes by their probability, or the likeliest alone",
        choices=('soft', 'hard'),
      ),
    },
    'workers': Field(int, 0, 'decoding processes; 0 = threads', low=0),
    'bad_budget': rate(
      1e-5, 'share of bad training examples that are replaced'
    ),
    'mean': Field(
      tuple, None, 'of each channel, in 0..1; unset = ImageNet', item=float
    ),
    'std': Field(
      tuple, None, 'of each channel, in 0..1; unset = ImageNet', item=float
    ),
  },
  'augment': {
    'crop': Field(
      str,
      'random_resized',
      'how training pictures are cut',
      choices=('random_resized', 'pad', 'none'),
    ),
    'flip': Field(bool, True, 'mirror half of them'),
    'area': Field(
      tuple,
      (0.08, 1.0),
      'random_resized: part of the picture',
      item=float,
      length=2,
    ),
    'ratio': Field(
      tuple,
      (0.75, 1.3333333333333333),
      'random_resized: aspect',
      item=float,
      length=2,
    ),
    'pad': rate(0.125, 'pad: border on each side, as a part of the side'),
    'color_jitter': rate(
      0.0, 'change of brightness, contrast and saturation; 0 = none'
    ),
    'lighting': rate(0.0, 'deviation of PCA lighting; 0 = none'),
    'erasing': rate(0.0, 'probability of random erasing'),
    'mixup': Field(float, 0.0, 'alpha of mixup; 0 = none', low=0),
    'cutmix': Field(float, 0.0, 'alpha of cutmix; 0 = none', low=0),
    'randaugment': {
      'layers': Field(
        int, None, 'operations after each other; 0 = none', low=0
      ),
      'magnitude': Field(
        float,
        None,
        'their strength; 10 = the end of their scale',
        low=0,
        high=30,
      ),
      'source': Field(
        str,
        'tpu',
        'translate as the authors (tpu) or, a tenth of it, Model Garden; '
        'scaled = the authors, in proportion to the image',
        choices=('tpu', 'garden', 'scaled'),
      ),
    },
  },
  'resolution': {
    'schedule': Field(
      str,
      'fixed',
      'how the training resolution moves',
      choices=('fixed', 'linear', 'ramp', 'custom'),
    ),
    'train': Field(int, None, 'pixels, of the last stage', low=8, high=4096),
    'start': Field(
      int, None, 'linear, ramp: pixels of the first stage', low=8, high=4096
    ),
    'stages': Field(int, 3, 'linear: number of stages', low=1, high=64),
    'multiple': Field(
      int, None, 'linear, ramp: sizes between are multiples of it', low=1
    ),
    'ramp_begin': Field(
      float, 50.0, 'ramp: in percent of the run', low=0, high=100
    ),
    'ramp_end': Field(
      float, 70.0, 'ramp: in percent of the run', low=0, high=100
    ),
    'batch': Field(
      str,
      'fixed',
      'pixels = steps of smaller images take as many whole batches as have at '
      'most the pixels of one of the largest; the rate grows as the batch, '
      'and durations in steps count batches',
      choices=('fixed', 'pixels'),
    ),
    'strengths': rate(
      1.0,
      'part of RandAugment, dropout, mixup and cutmix in the first stage; '
      'rises to 1 with the stages',
    ),
    'custom': Field(
      tuple,
      (),
      'custom: percent of the run, pixels, percent, pixels, ...',
      item=float,
    ),
    'test': Field(
      int, None, 'pixels in evaluation; unset = train', low=8, high=4096
    ),
    'test_crop': Field(
      float, 0.875, 'part of the short side kept', low=0.1, high=1
    ),
  },
}
