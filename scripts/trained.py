"""The flags by which commands are given a trained net, and how it is loaded."""

from absl import flags

from resflax.errors import UsageError

WORKDIR = flags.DEFINE_string('workdir', None, 'Folder of a run.')
CHECKPOINT = flags.DEFINE_enum(
  'checkpoint', 'latest', ('latest', 'best'), 'Best is that on validation.'
)
WEIGHTS = flags.DEFINE_string(
  'weights', None, 'A file of weights or hub:REPO, in place of --workdir.'
)
MODEL = flags.DEFINE_string(
  'model', None, 'Variant that the weights are of; unset = as they say.'
)


def check_given() -> None:
  """Refuses none and both, before anything slow is imported.

  Raises:
    UsageError: saying what to give.
  """
  if bool(WORKDIR.value) == bool(WEIGHTS.value):
    raise UsageError(
      'Give one of --workdir, a folder of scripts.train, and --weights, a file '
      'of weights.'
    )
  if MODEL.value and not WEIGHTS.value:
    raise UsageError(
      f'--model={MODEL.value} does nothing for a run, which knows its own: '
      'leave it out.'
    )
  if WEIGHTS.value and CHECKPOINT.present:
    raise UsageError(
      f'--checkpoint={CHECKPOINT.value} does nothing for a file of weights, '
      'which holds one net: leave it out.'
    )


def given() -> dict[str, str]:
  """Returns what the net was loaded from, by the flag's name."""
  named = {'workdir': WORKDIR.value, 'weights': WEIGHTS.value}
  return {name: value for name, value in named.items() if value}


def load(*, data_dir=None, dataset=None, resolution=None):
  """Returns the net as a `resflax.runs.Run`.

  Args:
    data_dir: where a run's data set lies now.
    dataset: that weights have the classes of, and to train on.
    resolution: of the test, in place of what run or weights say.
  """
  if WORKDIR.value:
    from resflax.runs import load_run

    run = load_run(
      WORKDIR.value, checkpoint=CHECKPOINT.value, data_dir=data_dir
    )
    return run.with_preprocessing(resolution=resolution)
  from resflax.pretrained import load_pretrained

  return load_pretrained(
    WEIGHTS.value, model=MODEL.value, dataset=dataset, resolution=resolution
  )
