"""Programs run in turns; tables come out of real, small measurements."""

import pytest

from resflax.benchmarks import convolutions, gpu_steps, loops, nets
from resflax.benchmarks.measure import interleave
from resflax.benchmarks.nets import make_setup, random_batch, stepper
from resflax.errors import UsageError
from tests.scripts.calling import call


def test_programs_run_in_turns_after_one_run_each():
  calls = []
  times = interleave(
    {name: lambda name=name: calls.append(name) for name in 'ab'}, repeats=2
  )
  assert calls == ['a', 'b', 'a', 'b', 'a', 'b']
  for name in 'ab':
    assert len(times[name].cpu) == len(times[name].wall) == 2
    assert times[name].wall_s >= 0 and times[name].cpu_s >= 0


@pytest.mark.slow
def test_the_step_is_the_real_one_and_goes_on(monkeypatch):
  # A warm-up over five epochs of ImageNet begins below float32's resolution.
  schedule = {'total_epochs': 90.0, 'warmup_epochs': 0.0}
  monkeypatch.setitem(nets.RECIPE, 'schedule', schedule)
  setup = make_setup('resnet18', resolution=32, batch_size=2, width=0.125)
  assert setup.num_examples == 1255544  # 98 % of ImageNet
  state = setup.initial_state()
  batch = random_batch(setup, 32)
  assert batch['image'].shape == (2, 32, 32, 3)
  step = stepper(setup.lower_train(32).compile(), state, batch)
  losses = [float(step()['loss']) for _ in range(3)]
  assert len(set(losses)) == 3


@pytest.mark.slow
def test_our_convolutions_are_faster_than_autodiff(monkeypatch):
  monkeypatch.setattr(convolutions, 'SHAPES', ((14, 256, 1),))
  monkeypatch.setattr(convolutions, 'SMALL', ((2, 128, 1),))
  monkeypatch.setattr(convolutions, 'POOLS', ((8, 48, 16),))
  direct, ours, small_direct, small, pool_direct, pool = convolutions.run(
    quick=False
  )
  assert ours.ratio == pytest.approx(direct.value / ours.value)
  assert ours.ratio > 5
  assert small.ratio == pytest.approx(small_direct.value / small.value)
  assert small.ratio > 2
  assert pool.ratio == pytest.approx(pool_direct.value / pool.value)
  assert pool.ratio > 1.5


@pytest.mark.slow
def test_the_loop_runs_as_in_training(monkeypatch):
  monkeypatch.setattr(loops, 'STEPS', 10)
  bare, looped, host = loops.run(quick=True)
  assert looped.ratio == pytest.approx(looped.value / bare.value)
  assert looped.ratio > 0.5
  assert host.ratio == pytest.approx(host.value / 300)


@pytest.mark.slow
def test_a_net_beside_its_ceilings():
  """The GPU's benchmark, on what is here."""
  ceilings = gpu_steps.measure_ceilings(side=256, length=2**20)
  assert ceilings['bytes'] > 1e6 and ceilings['flops'] > 1e6
  setup = make_setup('resnet18', resolution=32, batch_size=2, width=0.125)
  images, *rest = gpu_steps.measure_net(setup, ceilings, repeats=1)
  assert (images.unit, images.value > 0) == ('images/s', True)
  moved, flops = rest
  assert flops.what == 'resnet18 at 32, batch 2: flops'
  ceiling = ceilings['flops'] / 1e12
  assert flops.ratio == pytest.approx(flops.value / ceiling)
  ceiling = ceilings['bytes'] / 1e12
  assert moved.ratio == pytest.approx(moved.value / ceiling)
  assert moved.ratio > 0


def test_a_gpu_that_is_not_here_is_one_line():
  with pytest.raises(UsageError, match='--device=gpu: JAX runs on cpu'):
    next(gpu_steps.run(quick=True))


def test_a_device_is_for_the_step_alone():
  out = call('benchmark', 'conv', '--device=tpu')
  assert out.returncode == 5
  assert out.stderr == (
    'error: --device=tpu is for `step` and `frontier`, each alone.\n'
  )
