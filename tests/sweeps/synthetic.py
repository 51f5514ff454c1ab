"""Sweeps of which the law is known."""

import numpy as np

from resflax.sweeps.points import Point

FLOOR, TOP, EXPONENT = 0.05, 0.6, 0.3


def errors(compute, floor=FLOOR, exponent=EXPONENT):
  """The law: TOP at the smallest compute."""
  return floor + (TOP - floor) * (compute / compute[0]) ** -exponent


def point(number, compute, error, **fields):
  return Point(
    **{
      'label': f'p{number}',
      'config': str(number),
      'group': 'g',
      'depths': (1,),
      'width': 1.0,
      'resolution': 8,
      'epochs': 1.0,
      'compute': float(compute),
      'macs': 1,
      'params': 1,
      'step_ms': None,
      'tpu_ms': None,
      'seeds': tuple(range(len(error))),
      'error': tuple(map(float, error)),
      **fields,
    }
  )


def sweep(
  rng, *, points=12, seeds=3, decades=2.5, noise=0.03, between=0.0, **law
):
  """Design points along a law.

  Args:
    rng: where the noise comes from.
    points: designs.
    seeds: of each.
    decades: of compute.
    noise: standard deviation of the log error over seeds.
    between: the same over points, beyond what their seeds show.
    **law: floor and exponent.
  """
  compute = 1e12 * np.logspace(0, decades, points)
  log_error = np.log(errors(compute, **law))[:, None]
  log_error = log_error + between * rng.standard_normal((points, 1))
  log_error = log_error + noise * rng.standard_normal((points, seeds))
  rows = zip(compute, np.exp(log_error), strict=True)
  return [point(number, *row) for number, row in enumerate(rows)]
