"""Every typo ends in one line and exit code 5, before anything compiles."""

import functools
import subprocess
import sys

import pytest

from resflax.data.sources import load_dataset
from tests.scripts.calling import call

CONFIG = '--config=configs/digits.py'


train = functools.partial(call, 'train')


# In a process of its own each: absl's flags are global. JAX is not imported
# before the flags are parsed, so most take a fraction of a second.
@pytest.mark.parametrize(
  ('arguments', 'message'),
  [
    ([], '--config is missing'),
    ([CONFIG, '--config.lr=2'], "Did you mean 'config.optimizer.lr'"),
    ([CONFIG, '--config.model.widht=2'], "Did you mean 'config.model.width'"),
    ([CONFIG, '--confg.seed=1'], 'confg.seed'),
    ([CONFIG, '--wokdir=x'], 'Did you mean: workdir'),
    ([CONFIG, 'config.seed=2'], "Stray argument 'config.seed=2'"),
    ([CONFIG, '--config.seed=1.5'], 'config.seed=1.5 is not allowed'),
    ([CONFIG, '--config.model.depths=3'], 'it takes a tuple of int'),
    ([CONFIG, '--config.augment.flip=maybe'], 'it takes true or false'),
    ([CONFIG, '--config.precision=bf16'], "Did you mean 'bfloat16'"),
    ([CONFIG, '--config.model=resnet50'], 'is a group of fields'),
    ([CONFIG, '--config.optimizer.lr'], 'config.optimizer.lr'),
    ([CONFIG, '--config.data.name=None'], 'config.data.name=None'),
    (['--config=configs/digit.py'], "Did you mean 'configs/digits.py'"),
    (['--config=no/where.py'], 'not a config file'),
    (['--config=configs'], 'not a config file'),
    (['--config=configs/__init__.py'], 'has no function get_config'),
    (['--config.foo=1'], 'such as --config=configs/digits.py'),
    ([f'{CONFIG}:runlocl'], 'runlocl'),
    (['--config=configs/folder.py:/no/where'], 'names no folder'),
  ],
)
def test_typos_are_one_line(arguments, message):
  out = train(*arguments)
  assert out.returncode == 5, out.stderr
  assert message in out.stderr
  assert out.stderr.startswith('error: ')
  assert len(out.stderr.strip().splitlines()) == 1, out.stderr
  assert out.stdout == ''


@pytest.fixture(scope='module')
def digits():
  """The data that a refusal may look at; a clean machine makes them once."""
  load_dataset('digits')


@pytest.mark.slow
@pytest.mark.usefixtures('digits')
@pytest.mark.parametrize(
  ('override', 'message'),
  [
    ('--config.model.variant=resnet51', "Did you mean 'resnet50'"),
    ('--config.model.stem=deeep', "Did you mean 'deep'"),
    ('--config.data.name=digit', "Did you mean 'digits'"),
    ('--config.data.name=cifar100', 'scripts.prepare_data --dataset=cifar100'),
    ('--config.data.val_split=valid', 'valid'),
    ('--config.schedule.total_steps=9', 'two durations'),
    ('--config.schedule.warmup_epochs=60', 'warm-up'),
    ('--config.ema.decay=0', 'config.model.norm.momentum'),
    ('--config.model.norm.group_size=48', 'does not divide'),
    ('--config.data.mean=(0.1,0.2)', 'number'),
    ('--config.platform=tpu', "config.platform='tpu'"),
    ('--config.writers=("tensorbord",)', 'tensorboard and wandb'),
  ],
)
def test_contradictions_are_one_line(override, message, tmp_path):
  out = train(CONFIG, override, f'--workdir={tmp_path}/run')
  assert out.returncode == 5, out.stderr
  assert message in out.stderr
  assert len(out.stderr.strip().splitlines()) == 1, out.stderr
  assert not (tmp_path / 'run' / 'config.json').exists()


@pytest.mark.parametrize(
  'line, message',
  [
    ('wrong', "NameError: name 'wrong' is not defined"),
    ('c.model.widht = 2', "no field 'widht'. Did you mean 'width'?"),
    ('c.nothing = 2', "no field 'nothing'"),
  ],
)
def test_a_config_with_a_bug_is_one_line(tmp_path, line, message):
  (tmp_path / 'mine.py').write_text(
    'from configs.digits import get_config as digits\n'
    f'def get_config():\n  c = digits()\n  {line}\n  return c\n'
  )
  out = train(f'--config={tmp_path}/mine.py')
  assert out.returncode == 5
  assert out.stderr.endswith(f'mine.py fails at line 4 with {message}\n')
  assert out.stderr.count('\n') == 1


def test_help_lists_flags_and_fields():
  out = train(CONFIG, '--help')
  assert out.returncode == 0
  assert '--workdir' in out.stdout
  assert 'optimizer.weight_decay: of the masked parameters' in out.stdout


def test_none_unsets_and_both_spellings_of_a_flag_do():
  code = (
    'import sys\n'
    'import scripts.train as t\n'
    'from scripts.command import parse\n'
    'rest = parse(["x", "--config", "configs/digits.py", '
    '"--config.schedule.total_epochs=None", "--config.seed", "7", '
    '"--config.augment.flip", "--config.model.depths=(1, 2, 1)"],'
    ' positional=False)\n'
    'c = t.CONFIG.value\n'
    'print(rest, c.schedule.total_epochs, c.seed, c.augment.flip, '
    'c.model.depths)'
  )
  out = subprocess.run(
    [sys.executable, '-c', code], capture_output=True, text=True, check=True
  )
  assert out.stdout.strip() == '[] None 7 True (1, 2, 1)'


def test_an_error_is_one_line_whatever_it_says():
  code = (
    'from resflax.errors import DataError\n'
    'from scripts.command import run\n'
    'def main(argv):\n'
    '  raise DataError("two\\n  lines,  and\\n\\na third")\n'
    'run(main)'
  )
  out = subprocess.run(
    [sys.executable, '-c', code], capture_output=True, text=True
  )
  assert out.returncode == 4
  assert out.stderr == 'error: two lines,  and a third\n'
