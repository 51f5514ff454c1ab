"""Converts weights of other libraries to ours, or ours to theirs.

python -m scripts.convert hub:timm/resnetrs50.tf_in1k rs50.safetensors
python -m scripts.convert --to=timm rs50.safetensors rs50_timm.safetensors
"""

import os

from absl import flags

from resflax.errors import UsageError
from resflax.paths import absolute
from scripts.command import run

SOURCE = flags.DEFINE_string(
  'source',
  'auto',
  'Who wrote SRC: timm, torchvision, keras, garden, cifar, resflax; auto = by '
  'its names.',
)
MODEL = flags.DEFINE_string(
  'model', None, "A variant, by timm's spelling too; unset = as SRC says."
)
TO = flags.DEFINE_enum(
  'to', 'resflax', ('resflax', 'timm', 'torchvision'), 'Whose file DST will be.'
)
NUM_CLASSES = flags.DEFINE_integer(
  'num_classes', None, 'Outputs of the classifier; unset = as in SRC.'
)
RESET_HEAD = flags.DEFINE_bool(
  'reset_head', False, 'Make the classifier zeros, to be trained anew.'
)
DROP_BACKGROUND = flags.DEFINE_bool(
  'drop_background', False, "Leave out class 0, as of Model Garden's 1,001."
)


def main(arguments: list[str]) -> None:
  """Converts one file."""
  if len(arguments) != 2:
    raise UsageError(
      f'{len(arguments)} arguments are given: give two, the weights to read '
      'and the file to write (SRC DST).'
    )
  source, destination = arguments
  if not destination.endswith('.safetensors'):
    raise UsageError(
      f'{destination!r} is not written: give a name that ends in .safetensors.'
    )
  if os.path.exists(absolute(destination)):
    raise UsageError(f'{destination} is there already: give another name.')
  from resflax.weights import loading, saving

  weights = loading.read_weights(MODEL.value, source, SOURCE.value)
  metadata = weights.metadata
  variables = weights.variables(
    num_classes=NUM_CLASSES.value,
    reset_head=RESET_HEAD.value,
    drop_background=DROP_BACKGROUND.value,
  )
  if TO.value == 'resflax':
    saving.save_weights(destination, variables, metadata)
    for other in weights.alike:
      print(
        f"note: {source} could be {weights.source}'s or {other}'s, whose names "
        f'are equal, and is taken as {weights.source}: --source={other} keeps '
        'its mean and std.'
      )
  else:
    saving.export(destination, variables, metadata.all_fields, TO.value)
  print(f'{destination}: {metadata.model} as {TO.value} weights')


if __name__ == '__main__':
  run(main, positional=True)
