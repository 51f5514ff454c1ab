"""A run folder as training writes it, with made-up but consistent content."""

import json

import numpy as np
import pytest

STEPS = 40


def predictions(num_classes: int, examples: int = 400) -> dict:
  """Returns the arrays of an evaluation in which four of five are right."""
  rng = np.random.default_rng(0)
  label = np.arange(examples) % num_classes
  guess = np.where(rng.random(examples) < 0.8, 0, rng.integers(1, 99, examples))
  prediction = (label + guess) % num_classes
  probability = rng.uniform(0.5, 1.0, examples)
  right = label == prediction
  return {
    'label': label.astype(np.int32),
    'prediction': prediction.astype(np.int32),
    'probability': probability.astype(np.float32),
    'label_probability': np.where(
      right, probability, (1 - probability) * 0.5
    ).astype(np.float32),
    'top5': right | (rng.random(examples) < 0.5),
  }


def evaluation(num_classes: int, channels: int, side: int, names=None) -> dict:
  """Returns everything that `evaluation.npz` holds."""
  arrays = predictions(num_classes)
  examples = len(arrays['label'])
  order = np.argsort(arrays['label_probability'], kind='stable')
  worst = order[arrays['label'][order] != arrays['prediction'][order]][:6]
  others = np.setdiff1d(np.arange(examples), worst)[:: examples // 6]
  shown = np.concatenate([worst, others]).astype(np.int32)
  rng = np.random.default_rng(1)
  pixels = rng.integers(0, 256, (len(shown), side, side, channels), np.uint8)
  names = names or [f'class {i}' for i in range(num_classes)]
  return arrays | {
    'split': 'test',
    'resolution': side,
    'loss': 0.123456,
    'class_names': np.array(names),
    'sample_index': shown,
    'sample_image': pixels,
  }


def training_rows() -> list[dict]:
  """Returns rows of a run over two resolutions, with validations between."""
  rows = []
  for step in range(1, STEPS + 1):
    clock = {'step': step, 'epoch': step / 10, 'examples': 32 * step}
    clock['time'] = 2.0 * step
    rows.append(
      clock
      | {
        'train/loss': 2.0 / step,
        'train/top1': 1 - 0.9 / step,
        'lr': 0.1 * (1 - step / STEPS),
        'resolution': 16 if step <= 20 else 24,
        'images_per_second': 1000.0 + step,
        'compile_hidden_s': 1.5,
        'compile_exposed_s': 0.5,
      }
    )
    if step % 10 == 0:
      validation = {'loss': 1.5 / step, 'top1': 1 - 0.8 / step, 'top5': 1.0}
      rows.append(
        clock
        | {f'eval/{k}': v for k, v in validation.items()}
        | {'eval/count': 50}
      )
  return rows


@pytest.fixture
def write_run(tmp_path):
  """Returns a function that writes a run folder and returns its path."""

  def write(
    num_classes=10, channels=1, side=8, names=None, finished=True, name='run'
  ):
    folder = tmp_path / name
    (folder / 'metrics').mkdir(parents=True)
    rows = training_rows()
    status = {'state': 'running', 'exit_code': None, 'step': STEPS}
    if finished:
      arrays = evaluation(num_classes, channels, side, names)
      np.savez(folder / 'evaluation.npz', **arrays)
      top1 = float(np.mean(arrays['label'] == arrays['prediction']))
      rows.append(
        {
          'step': STEPS,
          'test/loss': arrays['loss'],
          'test/top1': top1,
          'test/top5': float(np.mean(arrays['top5'])),
          'test/count': len(arrays['label']),
        }
      )
      status |= {'state': 'done', 'exit_code': 0}
    for part in rows[:30], rows[30:]:
      lines = ''.join(json.dumps(row) + '\n' for row in part)
      path = folder / 'metrics' / f'{part[-1]["step"]:09d}.jsonl'
      path.write_text(lines)
    config = {'config': {}, 'derived': {}}
    config['config'] = {
      'seed': 0,
      'model': {'variant': 'resnet18', 'width': 0.25, 'stem': None},
      'data': {'name': 'digits'},
    }
    config['derived']['model.depths'] = {
      'value': [2, 2, 2, 2],
      'reason': 'variant resnet18',
    }
    for file, content in (
      ('config.json', config),
      ('status.json', status | {'total_steps': 80, 'params': 11_689_512}),
      ('environment.json', {'python': '3.11.2', 'versions': {'jax': '0.10'}}),
    ):
      (folder / file).write_text(json.dumps(content))
    return folder

  return write
