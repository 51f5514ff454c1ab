"""How often intervals hold the truth: what docs/fit.md quotes.

python -m tests.sweeps.coverage slow_law
"""

import sys
import time

import numpy as np

from resflax.sweeps.budget import TIMES
from resflax.sweeps.held_out import new_points, predicted
from resflax.sweeps.law import NotIdentified, estimated, law_of
from tests.sweeps import synthetic

# 12 points, 3 seeds; the largest of 13 points is the one to be predicted.
REGIMES = {
  'seeds': {},
  'points': {'noise': 0.01, 'between': 0.01},
  'high_floor': {'floor': 0.2, 'exponent': 0.5},
  'slow_law': {'exponent': 0.2, 'decades': 2 * 12 / 11},  # two for the 12
}
NAMES, KINDS = ('floor', 'exponent'), ('interval', 'bca')


def measure(regime: str, sweeps: int = 200) -> tuple[dict, float, float]:
  """Fits made-up sweeps of a known law and counts what held.

  Returns:
    The rate of each (name, kind) of interval, that of new points, and the
    share of sweeps without a law.
  """
  rng, law = np.random.default_rng(0), REGIMES[regime]
  truth = {'floor': synthetic.FLOOR, 'exponent': synthetic.EXPONENT}
  truth |= {name: law[name] for name in truth if name in law}
  held = {(name, kind): [] for name in NAMES for kind in KINDS}
  inside, refused = [], 0
  for _ in range(sweeps):
    points = synthetic.sweep(rng, points=13, **law)
    try:
      entry = law_of(points[:-1], 'error', refits=300)
      inside += [row['inside'] for row in predicted(points, 'error', 1)]
    except NotIdentified:
      refused += 1
      continue
    for name, kind in held:
      low, high = entry[name][kind]
      held[name, kind].append(low <= truth[name] <= high)
  rates = {key: float(np.mean(found)) for key, found in held.items()}
  return rates, float(np.mean(inside)), refused / sweeps


def show(regime: str) -> tuple[dict, float, float]:
  """Prints what it returns, as `measure` does."""
  start = time.process_time()
  rates, inside, refused = measure(regime)
  for (name, kind), rate in rates.items():
    print(f'{regime} {name} {kind}: {rate:.1%}')
  print(f'{regime} a new point: {inside:.1%}; refused {refused:.1%}')
  print(f'{time.process_time() - start:.0f} CPU-seconds')
  return rates, inside, refused


def measure_far(regime: str, sweeps: int = 200) -> float:
  """Returns how often a run of 4 times the largest compute is as forecast."""
  rng, law = np.random.default_rng(1), REGIMES[regime]
  truth = {k: v for k, v in law.items() if k in NAMES}
  noise = law.get('noise', 0.03) / np.sqrt(3), law.get('between', 0.0)
  inside = []
  for _ in range(sweeps):
    points = synthetic.sweep(rng, points=13, **law)[:-1]
    estimate, drawn = estimated(points, 'error', refits=300)
    compute = np.array([points[0].compute, TIMES * points[-1].compute])
    reached = synthetic.errors(compute, **truth)[1]
    reached *= np.exp(np.hypot(*noise) * rng.standard_normal())
    _, low, high = new_points(estimate, drawn, compute[1:])
    inside.append(low[0] <= reached <= high[0])
  return float(np.mean(inside))


if __name__ == '__main__':
  show(sys.argv[1])
  print(f'{TIMES} times the compute: {measure_far(sys.argv[1]):.1%}')
