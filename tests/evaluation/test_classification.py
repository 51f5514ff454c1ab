"""Exact evaluation and what is kept of it."""

import numpy as np
import pytest

from resflax.evaluation.classification import evaluate
from resflax.evaluation.record import sample_indices, save_evaluation

RNG = np.random.default_rng(0)


def fake_step(variables, batch):
  """Says of each example what its image holds."""
  del variables
  value = batch['image'][:, 0, 0, 0].astype(np.float32) / 255
  return {
    'loss': value,
    'top1': value < 0.5,
    'top5': value < 0.9,
    'prediction': np.where(value < 0.5, batch['label'], 0).astype(np.int32),
    'probability': 1 - value / 2,
    'label_probability': 1 - value,
  }


def batches(values, labels, size):
  """Padded like `eval_batches`: with zeros, which would count as right."""
  for start in range(0, len(values), size):
    part = values[start : start + size]
    image = np.zeros((size, 1, 1, 1), np.uint8)
    label = np.zeros(size, np.int32)
    image[: len(part), 0, 0, 0] = part
    label[: len(part)] = labels[start : start + size]
    mask = np.arange(size) < len(part)
    yield {'image': image, 'label': label, 'mask': mask}


@pytest.mark.parametrize('size', [1, 7, 64])
@pytest.mark.parametrize('count', [1, 7, 103])
def test_the_padding_counts_for_nothing(count, size):
  values = RNG.integers(0, 256, count).astype(np.uint8)
  labels = RNG.integers(0, 3, count)
  result = evaluate(fake_step, {}, batches(values, labels, size))
  share = values.astype(np.float32) / 255
  assert result.count == count
  assert result.loss == pytest.approx(share.mean(), rel=1e-6)
  assert result.top1 == pytest.approx((share < 0.5).mean())
  assert result.top5 == pytest.approx((share < 0.9).mean())
  np.testing.assert_array_equal(result.examples['label'], labels)
  assert result.row('eval')['eval/count'] == count


def test_worst_mistakes_come_first_then_an_even_sample(tmp_path):
  values = np.linspace(0, 255, 200).astype(np.uint8)
  labels = np.ones(200, np.int64)
  result = evaluate(fake_step, {}, batches(values, labels, 32))
  indices = sample_indices(result, samples=20)
  assert indices[:10] == list(range(199, 189, -1))
  rest = indices[10:]
  assert len(rest) == 10 and rest == sorted(rest)
  assert len(set(indices)) == 20
  save_evaluation(
    tmp_path / 'evaluation.npz',
    result,
    lambda index: np.full((2, 2, 1), index % 256, np.uint8),
    split='test',
    resolution=2,
    class_names=['no', 'yes'],
  )
  with np.load(tmp_path / 'evaluation.npz', allow_pickle=False) as data:
    assert data['class_names'].tolist() == ['no', 'yes']
    assert data['label'].shape == data['prediction'].shape == (200,)
    assert data['sample_image'][0, 0, 0, 0] == data['sample_index'][0] == 199
    assert float(data['loss']) == result.loss


def test_few_examples_are_all_shown():
  values = np.array([0, 255], np.uint8)
  result = evaluate(fake_step, {}, batches(values, np.array([1, 1]), 2))
  assert sample_indices(result) == [1, 0]
