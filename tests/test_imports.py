"""Who may import whom: docs/design.md's levels as data, held by a walk."""

import ast
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent

PURE = (  # level 1: the standard library only
  *('arguments', 'checks', 'config', 'conflicts', 'durations', 'errors'),
  *('atomic', 'batches', 'efficientnets', 'fields', 'geometry', 'goodput'),
  *(
    'path',
    'paths',
    'plan',
    'published',
    'resolution',
    'resolved',
    'rules',
    'scaling',
    'schema',
    'slots',
    'turns',
    'variants',
  ),
)
LEVEL_1 = tuple(f'resflax.{name}' for name in PURE)

# Parts of training that know neither models nor data.
ALONE = (
  *('batch', 'checkpointing', 'colour', 'environment', 'erasing'),
  *('finiteness', 'ledger', 'manifest', 'orbax_noise', 'replicas', 'saved'),
  'watchdog',
  *('interruption', 'layerwise', 'loop', 'losses', 'metrics', 'mixing'),
  'optimizers',
  *('pinned', 'programs', 'progress', 'schedules', 'state', 'steps'),
  'workdir',
)
TRAINING_ALONE = tuple(f'resflax.training.{name}' for name in ALONE)

# The resflax modules that those below a name may import; the longest name
# that a module lies below counts.
MAY_IMPORT = {
  'resflax': LEVEL_1,
  'resflax.models': (*LEVEL_1, 'resflax.models'),
  'resflax.data': (*LEVEL_1, 'resflax.data'),
  'resflax.parallel': (*LEVEL_1, 'resflax.parallel'),
  'resflax.report': (*LEVEL_1, 'resflax.report'),
  **{
    name: (*LEVEL_1, *TRAINING_ALONE, 'resflax.parallel')
    for name in TRAINING_ALONE
  },
  'resflax.evaluation': (*LEVEL_1, *TRAINING_ALONE, 'resflax.evaluation'),
  # Of runs, which know evaluation.
  'resflax.evaluation.features': ('resflax',),
  'resflax.evaluation.probe': ('resflax',),
  'resflax.training': ('resflax',),  # the trainer's: where all of it meets
  'resflax.runs': ('resflax',),
  'resflax.recalibration': ('resflax',),
  'resflax.pretrained': ('resflax',),
  'resflax.weights': (*LEVEL_1, 'resflax.models', 'resflax.weights'),
  'resflax.aot': ('resflax',),
  'resflax.export': ('resflax',),
  # Before JAX is imported.
  'resflax.export.formats': LEVEL_1,
  'resflax.doctor': ('resflax',),
  # Before JAX is imported.
  **{
    f'resflax.doctor.{name}': (*LEVEL_1, 'resflax.doctor.launch_scripts')
    for name in ('findings', 'launch', 'launch_scripts')
  },
  'resflax.benchmarks': ('resflax',),
  'resflax.pseudo': ('resflax',),
  'resflax.sweeps': ('resflax',),
  # What sweep files import, and what every run starts with.
  **{
    f'resflax.sweeps.{name}': (*LEVEL_1, *beside)
    for name, beside in {
      'hyper': (),
      'grid': ('resflax.sweeps.hyper',),
      'lease': (),
      'attempt': ('resflax.sweeps.lease',),
    }.items()
  },
  'configs': (*LEVEL_1, 'configs', 'resflax.sweeps.grid'),
  'scripts': ('resflax', 'scripts'),
}

# Packages from elsewhere, and the only places that may import them.
ONLY_IN = {
  'jax': (
    *('resflax.models', 'resflax.training', 'resflax.parallel'),
    *('resflax.runs', 'resflax.recalibration', 'resflax.aot'),
    *('resflax.benchmarks', 'resflax.export', 'resflax.doctor'),
    *('resflax.pseudo', 'resflax.evaluation.features'),
  ),
  'flax': ('resflax.models', 'resflax.training', 'resflax.benchmarks'),
  'optax': ('resflax.training', 'resflax.benchmarks'),
  'orbax': ('resflax.training.checkpointing',),
  'matplotlib': ('resflax.report',),
  'sklearn': (
    *('resflax.data.builders.digits', 'resflax.evaluation.classifiers'),
    'resflax.benchmarks.photos',
  ),
  'scipy': ('resflax.report', 'resflax.sweeps', 'resflax.benchmarks'),
  'tensorflow_datasets': ('resflax.data',),
  'grain': ('resflax.data',),
  'ml_collections': ('configs', 'scripts', 'resflax.training.trainer'),
  'absl': ('scripts', 'resflax.data.writing'),  # TFDS logs by absl
  'wandb': ('resflax.training.metrics',),
  'tensorboardX': ('resflax.training.metrics',),
  'tensorflow': ('resflax.benchmarks.input_peers',),
  'safetensors': ('resflax.weights',),
  'onnx': ('resflax.export',),
  'onnxruntime': ('resflax.export',),
  'ray': ('resflax.sweeps.launchers.ray',),
  'torch': ('resflax.benchmarks.timm_peer',),
  'timm': ('resflax.benchmarks.timm_peer',),
}


def below(name, prefixes):
  return any(name == p or name.startswith(f'{p}.') for p in prefixes)


def module_name(path):
  parts = path.relative_to(ROOT).with_suffix('').parts
  return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


MODULES = {
  module_name(path): path
  for package in ('resflax', 'configs', 'scripts')
  for path in sorted((ROOT / package).rglob('*.py'))
}


def imports(module):
  """Every import of a module, lazy ones too, down to the imported module."""
  found = set()
  for node in ast.walk(ast.parse(MODULES[module].read_text())):
    if isinstance(node, ast.Import):
      found |= {alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom):
      assert not node.level, f'{module} has a relative import'
      names = {f'{node.module}.{alias.name}' for alias in node.names}
      found |= {n if n in MODULES else node.module for n in names}
  return found


def own(name):
  return below(name, ('resflax', 'configs', 'scripts'))


@pytest.mark.parametrize('module', MODULES)
def test_own_modules_stand_above(module):
  level = max((n for n in MAY_IMPORT if below(module, (n,))), key=len)
  for name in filter(own, imports(module)):
    # `resflax` itself holds the version alone.
    assert name == 'resflax' or below(name, MAY_IMPORT[level]), (
      f'{module} may not import {name}'
    )


@pytest.mark.parametrize('module', MODULES)
def test_packages_from_elsewhere_have_their_places(module):
  for name in imports(module):
    package = name.split('.')[0]
    if package in ONLY_IN:
      assert below(module, ONLY_IN[package]), f'{module} imports {name}'


@pytest.mark.parametrize(
  'module',
  [
    *(name for name in MODULES if name in LEVEL_1),
    *('resflax', 'resflax.models', 'resflax.training'),
  ],
)
def test_standard_library_only(module):
  for name in imports(module):
    if module == 'resflax.models' and name == 'resflax.models.build':
      continue  # on first use, which the test below sees to
    assert below(name, LEVEL_1) or name.split('.')[0] in sys.stdlib_module_names


def test_every_named_module_exists():
  assert set(LEVEL_1) | set(TRAINING_ALONE) <= set(MODULES)


def test_loading_configs_and_choices_imports_neither_jax_nor_tensorflow():
  modules = [
    *(name for name in MODULES if below(name, ('configs', *LEVEL_1))),
    'resflax.models',
  ]
  code = (
    f'import sys, {", ".join(modules)}; '
    'print({"jax", "flax", "tensorflow"} & set(sys.modules))'
  )
  done = subprocess.run(
    [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True
  )
  assert (done.stdout.strip(), done.stderr) == ('set()', '')


def test_the_report_needs_no_jax_and_data_no_tensorflow():
  """Grain imports JAX, so data cannot be without it."""
  for module, unwanted in (
    ('resflax.report', {'jax', 'tensorflow', 'grain'}),
    ('resflax.data.pipeline, resflax.data.sources', {'tensorflow', 'torch'}),
    ('resflax.weights.loading', {'jax', 'tensorflow', 'torch', 'h5py'}),
  ):
    code = f'import sys, {module}; print({unwanted} & set(sys.modules))'
    done = subprocess.run(
      [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.strip() == 'set()', done.stdout + done.stderr
