"""Records the losses of the same run in torch with timm's parts.

Needs torch and timm, see `record`.

python -m tests.parity.record_training
"""

import json

import timm
import torch
from timm.loss import LabelSmoothingCrossEntropy
from timm.models.resnet import Bottleneck, ResNet
from timm.optim import create_optimizer_v2
from timm.scheduler import CosineLRScheduler
from timm.utils import ModelEmaV3

from tests.parity import training as run


def losses() -> dict:
  """Returns torch's loss at every step, and at the end the average's."""
  model = ResNet(
    Bottleneck,
    (1, 1, 1, 1),
    num_classes=run.CLASSES,
    channels=(16, 32, 64, 128),
    stem_type='deep',
    stem_width=8,
    avg_down=True,
    replace_stem_pool=True,
    act_layer=torch.nn.SiLU,
  )
  state = {name: torch.from_numpy(a) for name, a in run.weights().items()}
  model.load_state_dict(state, strict=True)
  loss = LabelSmoothingCrossEntropy(run.SMOOTHING)
  optimizer = create_optimizer_v2(
    model, 'sgd', run.PEAK, weight_decay=run.DECAY, momentum=run.MOMENTUM
  )
  assert optimizer.param_groups[0]['nesterov']  # timm's sgd is
  schedule = CosineLRScheduler(
    optimizer,
    t_initial=run.STEPS - run.WARMUP,
    warmup_t=run.WARMUP,
    warmup_prefix=True,
    t_in_epochs=False,
  )
  average = ModelEmaV3(model, decay=run.AVERAGE)
  found = []
  for step in range(run.STEPS):
    schedule.step_update(step)
    value = loss(model.train()(_images(step)), _labels(step))
    optimizer.zero_grad()
    value.backward()
    optimizer.step()
    average.update(model)
    found.append(value.item())
  with torch.no_grad():
    logits = average.module.train()(_images(run.STEPS))
  return {
    'timm': timm.__version__,
    'losses': [float(f'{x:.8g}') for x in found],
    'average': loss(logits, _labels(run.STEPS)).item(),
  }


def _images(step: int) -> torch.Tensor:
  return torch.from_numpy(run.batch(step)[0].transpose(0, 3, 1, 2).copy())


def _labels(step: int) -> torch.Tensor:
  return torch.from_numpy(run.batch(step)[1]).long()


if __name__ == '__main__':
  run.DATA.write_text(json.dumps(losses(), indent=0) + '\n')
