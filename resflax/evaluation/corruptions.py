"""Errors on pictures that were made worse, as ImageNet-C counts them."""

from collections.abc import Iterable

# Top-1 errors of AlexNet over the five severities, by which errors are divided.
# Source: Hendrycks and Dietterich 2019, their code's numbers.
ALEXNET_ERRORS = {
  'gaussian_noise': 0.886428,
  'shot_noise': 0.894468,
  'impulse_noise': 0.922640,
  'defocus_blur': 0.819880,
  'glass_blur': 0.826268,
  'motion_blur': 0.785948,
  'zoom_blur': 0.798360,
  'snow': 0.866816,
  'frost': 0.826572,
  'fog': 0.819324,
  'brightness': 0.564592,
  'contrast': 0.853204,
  'elastic_transform': 0.646056,
  'pixelate': 0.717840,
  'jpeg_compression': 0.606500,
}


def corruption_errors(
  outcomes: Iterable[tuple[str, float]],
) -> dict[str, list[float]]:
  """Returns the errors of corrupted sets by corruption, over severities.

  Args:
    outcomes: names such as `imagenet2012_corrupted/fog_3`, and the top-1 of
      each in 0..1. Others are left out.
  """
  errors: dict[str, list[float]] = {}
  for name, top1 in outcomes:
    base, _, config = name.partition('/')
    corruption, _, severity = config.split(':')[0].rpartition('_')
    if base.endswith('_corrupted') and severity.isdigit():
      errors.setdefault(corruption, []).append(1 - top1)
  return errors


def mean_corruption_error(errors: dict[str, list[float]]) -> float | None:
  """Returns the mCE in 0..1 and above; None unless all 75 sets are there.

  Source: Hendrycks and Dietterich 2019, section 4.2.
  """
  if any(len(errors.get(name, ())) != 5 for name in ALEXNET_ERRORS):
    return None
  ratios = [sum(errors[c]) / 5 / base for c, base in ALEXNET_ERRORS.items()]
  return sum(ratios) / len(ratios)
