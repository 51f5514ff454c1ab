"""Writes a trained net as a file that runs elsewhere, and compares it.

python -m scripts.export --workdir=/tmp/digits digits.onnx
python -m scripts.export --weights=hub:timm/resnet50.a1_in1k r50.stablehlo
"""

from absl import flags

from resflax.errors import UsageError
from resflax.export.formats import FORMATS, chosen
from resflax.paths import absolute
from scripts import trained
from scripts.command import run

FORMAT = flags.DEFINE_enum(
  'format', None, tuple(FORMATS), 'What DST is; unset = by its ending.'
)
RESOLUTION = flags.DEFINE_integer(
  'resolution',
  None,
  'Pixels a side of the images it takes; unset = as it was tested.',
  lower_bound=8,
)


def main(arguments: list[str]) -> None:
  """Writes one file."""
  if len(arguments) != 1:
    raise UsageError(
      f'{len(arguments)} arguments are given: give one, the file to write '
      '(DST).'
    )
  [destination] = arguments
  trained.check_given()
  kind = chosen(destination, FORMAT.value)
  # JAX and Orbax take seconds to import: a typo is answered before.
  from resflax.export.classifier import of_run
  from resflax.export.files import export
  from resflax.training.environment import use_compilation_cache

  use_compilation_cache()
  loaded = trained.load(resolution=RESOLUTION.value)
  classifier = of_run(loaded)
  differs = export(absolute(destination), classifier, kind)
  height, width, channels = classifier.image
  print(
    f'{destination}: uint8 images [batch, {height}, {width}, {channels}], '
    f'0 to 255, to float32 logits of {classifier.num_classes} classes, '
    f'normalised inside; differs by {differs:.1e} of the largest logit'
  )


if __name__ == '__main__':
  run(main, positional=True)
