"""Every source's models and ours give equal logits from equal weights."""

import numpy as np
import pytest

from tests.parity.cases import CASES, QUICK
from tests.parity.measure import answer, differences, recorded
from tests.parity.record import record

TOLERANCE = 1e-4  # relative, in float32
PACKAGES = {
  'timm': ('torch', 'timm'),
  'torchvision': ('torch', 'torchvision'),
  'cifar': ('torch',),
  'keras': ('tensorflow', 'keras', 'tf_keras'),
  'garden': ('tensorflow', 'tf_keras', 'official'),
}


def parameters():
  """The quick cases; the others wait for `pytest --parity`."""
  for case in CASES:
    quick = case.key in QUICK[case.source]
    marks = pytest.mark.slow if quick else pytest.mark.parity
    yield pytest.param(case, marks=marks, id=f'{case.source}-{case.key}')


@pytest.mark.parametrize('case', list(parameters()))
def test_equal_logits(case):
  theirs = recorded(case)
  logits, stages = differences(answer(case), theirs)
  assert logits < TOLERANCE
  assert stages < TOLERANCE


@pytest.mark.parity
@pytest.mark.parametrize('source', QUICK)
def test_the_library_itself_still_answers_so(source):
  """Where it is installed: what is on record is what it says today."""
  for package in PACKAGES[source]:
    pytest.importorskip(package, reason=f'{source} needs {package}')
  for case in CASES:
    if case.source == source and case.key in QUICK[source]:
      logits, stages = differences(record(case), recorded(case))
      assert max(logits, stages) < 1e-5, case.key


@pytest.mark.slow
@pytest.mark.parametrize(
  ('key', 'wrong'),
  [
    ('resnetrs50@64', {'padding': 'same'}),
    ('tf_efficientnet_b0@64', {'padding': 'symmetric'}),
    ('ResNet50@97', {'branch': 'bottleneck_b'}),
    ('resnet-rs-50@64', {'shortcut': 'avg_pool'}),
    ('resnet-rs-50@64', {'activation': 'relu'}),
  ],
)
def test_another_convention_shows(key, wrong):
  """One that changes no name and no shape."""
  case = next(case for case in CASES if case.key == key)
  logits, stages = differences(answer(case, **wrong), recorded(case))
  assert min(logits, stages) > 10 * TOLERANCE


def test_logits_depend_on_the_image_a_hundred_times_more():
  """So that a difference of the tolerance means something."""
  for case in CASES:
    first, second = np.asarray(recorded(case)['logits'])
    assert np.abs(first - second).max() > 100 * TOLERANCE * np.abs(first).max()


def test_quick_cases_exist():
  for source, keys in QUICK.items():
    assert set(keys) <= {c.key for c in CASES if c.source == source}
