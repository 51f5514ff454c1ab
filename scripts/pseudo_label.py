r"""Labels images by a trained net, as a data set to train on.

  python -m scripts.pseudo_label --workdir=TEACHER --dataset=folder:DIR \
    --out=DATA/web_images
  python -m scripts.pseudo_label --workdir=TEACHER --dataset=cifar10 \
    --split='train@0[1%:]' --out=DATA/cifar10_rest --compare_labels

The same command goes on where one was killed. Images of low confidence are
left out, and classes are balanced as in Noisy Student (Xie et al. 2020).
"""

from absl import flags

from resflax.errors import UsageError
from scripts import hosts, trained
from scripts.command import run

DATASET = flags.DEFINE_string('dataset', None, 'TFDS name or folder:DIR.')
DATA_DIR = flags.DEFINE_string(
  'data_dir', None, "Where TFDS data lies; unset = TFDS's default."
)
SPLIT = flags.DEFINE_string(
  'split', 'train', 'Images to label, such as unlabelled or train@0[1%:].'
)
OUT = flags.DEFINE_string(
  'out', None, "The new data set's folder; its last part is the name."
)
MIN_CONFIDENCE = flags.DEFINE_float(
  'min_confidence',
  0.3,
  'Leave out images whose class is less probable.',
  lower_bound=0.0,
  upper_bound=1.0,
)
PER_CLASS = flags.DEFINE_integer(
  'per_class',
  None,
  'Images a class, by copies or by confidence; 130,000 as published, 0 = no '
  'balancing, unset = as many as pass the filter in the mean.',
  lower_bound=0,
)
TOP_K = flags.DEFINE_integer(
  'top_k', 10, 'Classes kept of each image, with probabilities.', lower_bound=1
)
COMPARE = flags.DEFINE_bool(
  'compare_labels',
  False,
  'Count how often labels of the images agree; they are written nowhere.',
)
SHARD_EXAMPLES = flags.DEFINE_integer(
  'shard_examples', 4096, 'Images a file.', lower_bound=1
)
BATCH_SIZE = flags.DEFINE_integer(
  'batch_size', None, "Images at once; unset = the run's.", lower_bound=1
)
RESOLUTION = flags.DEFINE_integer(
  'resolution', None, 'Pixels a side; unset = as it was tested.', lower_bound=8
)


def main(argv) -> None:
  """Labels the images and says what came of it."""
  del argv
  trained.check_given()
  for flag in (DATASET, OUT):
    if not flag.value:
      raise UsageError(f'--{flag.name} is missing.')
  # JAX and TFDS take seconds to import: a typo is answered before.
  from resflax.data.sources import load_dataset
  from resflax.parallel import distributed
  from resflax.pseudo.labelling import Options, pseudo_label
  from resflax.training.environment import use_compilation_cache

  hosts.join()
  use_compilation_cache()
  dataset = distributed.main_first(
    lambda: load_dataset(DATASET.value, DATA_DIR.value, labelled=False)
  )
  teacher = trained.load(resolution=RESOLUTION.value)
  if BATCH_SIZE.value:
    teacher = teacher.sized(BATCH_SIZE.value)
  done = pseudo_label(
    teacher,
    dataset,
    SPLIT.value,
    OUT.value,
    Options(
      MIN_CONFIDENCE.value,
      PER_CLASS.value,
      TOP_K.value,
      COMPARE.value,
      SHARD_EXAMPLES.value,
    ),
    trained.given(),
  )
  if distributed.is_main():
    _say(done)


def _say(done) -> None:
  found = done.summary
  there = ' is there already' if done.was_there else ''
  print(f'{done.folder}{there}')
  print(
    f'  {found["images"]:,} images, {found["bad"]:,} bad; '
    f'{found["passed"]:,} of confidence {MIN_CONFIDENCE.value:g} and more'
  )
  print(
    f'  {found["kept"]:,} kept, {found["written"]:,} with copies, at most '
    f'{found["most_copies"]:,} of one'
  )
  rarest = min(found['classes'], key=lambda row: row['kept'])
  print(f'  fewest: {rarest["kept"]:,} images of {rarest["name"]!r}')
  for name, share in found['agree'].items():
    if share is not None:
      print(f'  labels of {name} images agree: {share:.2%}')
  print(
    'Train on it beside labels: '
    f'--config.data.mixture.sources="(\'pseudo:{OUT.value}\',)"'
  )


if __name__ == '__main__':
  run(main)
