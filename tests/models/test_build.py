"""Fields become a network, or one line that says what to change."""

import subprocess
import sys

import jax.numpy as jnp
import pytest
from flax import linen as nn

from resflax.errors import UsageError
from resflax.geometry import stages
from resflax.models import build_model
from resflax.models.branches import Bottleneck
from resflax.models.shortcuts import AvgPoolGarden
from resflax.models.stems import DeepStrided, SmallImage
from resflax.variants import VARIANTS, complete


def test_strings_become_classes():
  model = build_model(
    {
      'variant': 'resnet_rs_50_garden',
      'branch': 'bottleneck',
      'width': 0.5,
      'dropout_rate': 0.25,
      'norm': {'group_size': 16, 'momentum': 0.0, 'epsilon': 1e-3},
    },
    num_classes=7,
    dtype='bfloat16',
  )
  assert isinstance(model.stem, DeepStrided)
  assert model.stem.features == 32
  assert (model.branch, model.shortcut) == (Bottleneck, AvgPoolGarden)
  assert (model.num_classes, model.dropout_rate) == (7, 0.25)
  conventions = model.conventions
  assert conventions == model.stem.conventions
  assert conventions.activation is nn.swish
  assert conventions.padding == 'same'
  assert conventions.group_size == 16
  assert conventions.momentum == 0.0
  assert conventions.epsilon == 1e-3
  assert conventions.dtype == jnp.bfloat16


@pytest.mark.parametrize('name', VARIANTS)
def test_every_variant_is_built_by_its_name(name):
  model = build_model(name)
  assert model.stages == stages(complete(name))
  assert model == build_model(complete(name)) == build_model({'variant': name})


def test_overrides_go_before_fields():
  model = build_model(
    {'variant': 'resnet50', 'stem': 'deep'}, stem='small_image'
  )
  assert isinstance(model.stem, SmallImage)


@pytest.mark.parametrize(
  ('arguments', 'message'),
  [
    (
      {'model': 'resnet51'},
      r"Did you mean 'resnet50'\?.*config\.model\.variant",
    ),
    (
      {'stem': 'deeep'},
      r"^Unknown stem 'deeep'\. .*\(config\.model\.stem\)\.$",
    ),
    ({'colour': 1}, r"Unknown field 'colour'"),
    ({'width': 0}, r'config\.model\.width=0\.0'),
    ({'cardinality': 32}, r'config\.model\.group_width'),
    ({'dtype': 'int8'}, r"Unknown dtype 'int8'.*config\.precision"),
    ({'output_stride': 12}, r'output_stride=12'),
    ({'num_classes': -1}, r'num_classes=-1'),
  ],
)
def test_refusals(arguments, message):
  arguments = {'model': 'resnet50'} | arguments
  with pytest.raises(UsageError, match=message) as error:
    build_model(**arguments)
  assert error.value.exit_code == 5


@pytest.mark.parametrize(
  'module', ['resflax.models', 'resflax.scaling', 'scripts.describe']
)
def test_does_not_import_jax(module):
  code = f'import sys, {module}; sys.exit("jax" in sys.modules)'
  assert (
    subprocess.run([sys.executable, '-c', code], check=False).returncode == 0
  )


def test_the_package_has_no_other_names():
  from resflax import models

  with pytest.raises(AttributeError, match='build_modle'):
    _ = models.build_modle
