"""The rules against the tables of the paper and of the authors' configs."""

import pytest

from resflax import path, rules

EXAMPLES = 1_281_167
POINTS = {p.key: p for p in path.published()}

# (dropout, stochastic depth). Source: the YAML files of tensorflow/tpu,
# models/official/resnet/resnet_rs/configs, at 7dc921f.
TABLE = {
  ('resnet_rs_50', 160): (0.25, 0.0),
  ('resnet_rs_101', 160): (0.25, 0.0),
  ('resnet_rs_101', 192): (0.25, 0.0),
  ('resnet_rs_152', 192): (0.25, 0.0),
  ('resnet_rs_152', 224): (0.25, 0.0),
  ('resnet_rs_152', 256): (0.25, 0.0),
  ('resnet_rs_200', 256): (0.25, 0.1),
  ('resnet_rs_270', 256): (0.25, 0.1),
  ('resnet_rs_350', 256): (0.25, 0.1),
  ('resnet_rs_350', 320): (0.4, 0.1),
  ('resnet_rs_420', 320): (0.4, 0.1),
}


@pytest.mark.parametrize('key', TABLE, ids=lambda key: f'{key[0]}@{key[1]}')
def test_every_published_regulariser(key):
  point, (dropout, drop) = POINTS[key], TABLE[key]
  assert rules.dropout(point, 350).value == dropout
  assert rules.stochastic_depth(point, 350).value == drop
  decided = rules.weight_decay(
    350, regularised=True, peak_lr=1.6, steps=109_475
  )
  assert decided.value == 4e-5


def test_the_paper_has_more_decay_without_regularisers():
  """Table 2: 1e-4 for the ResNet-200 of 350 epochs without any."""
  decided = rules.weight_decay(
    350, regularised=False, peak_lr=1.6, steps=109_475
  )
  assert decided.value == 1e-4


@pytest.mark.parametrize('lr, steps', [(0.8, 218_950), (1.6, 54_737)])
def test_a_long_run_holds_rate_decay_and_steps(lr, steps):
  decided = rules.weight_decay(350, regularised=True, peak_lr=lr, steps=steps)
  assert lr * decided.value * steps == pytest.approx(7.006, rel=0.03)


@pytest.mark.parametrize('epochs', [10, 100, 249])
def test_short_runs_have_no_regulariser(epochs):
  """Appendix B: the grids of 10 and 100 epochs have flip and crop alone."""
  for point in POINTS.values():
    assert rules.dropout(point, epochs).value == 0
    assert rules.stochastic_depth(point, epochs).value == 0
  decided = rules.weight_decay(
    epochs, regularised=False, peak_lr=1.6, steps=3128
  )
  assert decided.value == 1e-4


def test_a_regulariser_that_is_set_lowers_the_decay_of_a_short_run_too():
  decided = rules.weight_decay(90, regularised=True, peak_lr=1.6, steps=28_151)
  assert decided.value == 4e-5 and 'which is set' in decided.reason
  assert 'no regulariser' not in decided.reason


def test_beyond_the_paper_is_told():
  def decay(steps):
    return rules.weight_decay(350, regularised=True, peak_lr=1.6, steps=steps)

  assert 'extrapolated' in decay(1_000_000).reason
  assert 'extrapolated' in decay(20_000).reason
  assert 'extrapolated' not in decay(109_475).reason
  assert rules.growth(1000).reason.endswith('ours, extrapolated)')
  assert 'extrapolated' not in rules.growth(350).reason


@pytest.mark.parametrize(
  'epochs, grows',
  [
    *((1, 'width'), (10, 'width'), (40, 'width')),
    *((41, 'undecided'), (99, 'undecided')),
    *((100, 'depth'), (350, 'depth')),
  ],
)
def test_deep_where_a_run_can_overfit_and_wide_where_not(epochs, grows):
  """Figure 3: 10 epochs prefer width, 100 and 350 prefer depth."""
  decided = rules.growth(epochs)
  assert decided.value == grows and f'{epochs} epochs' in decided.reason
