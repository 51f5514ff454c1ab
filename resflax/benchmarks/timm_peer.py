"""The same nets in timm, on torch: the peer that users come from.

As timm's own benchmark trains them: channels last, SGD with momentum, and on
a GPU bfloat16 autocast and `torch.compile`.
"""

import importlib.util
from collections.abc import Callable

NAMES = {
  'resnet50': 'resnet50',
  'resnext50_32x4d': 'resnext50_32x4d',
  'resnet_rs_50': 'resnetrs50',
  'resnet_rs_152': 'resnetrs152',
  'resnet_rs_420': 'resnetrs420',
}


def is_here() -> bool:
  """Whether torch and timm are installed."""
  return all(importlib.util.find_spec(name) for name in ('torch', 'timm'))


def stepper(
  variant: str, *, resolution: int, batch_size: int, gpu: bool
) -> Callable[[], None]:
  """Returns a function that does one more training step and waits for it.

  Args:
    variant: one of ours that timm has, see `NAMES`.
    resolution: pixels a side.
    batch_size: images.
    gpu: the first GPU; else the CPU, in float32 and not compiled.
  """
  import timm
  import torch

  device = 'cuda' if gpu else 'cpu'
  layout = torch.channels_last
  model = timm.create_model(NAMES[variant]).to(device, memory_format=layout)
  model.train()
  optimizer = torch.optim.SGD(
    model.parameters(), 0.1, momentum=0.9, weight_decay=1e-4, nesterov=True
  )
  loss = torch.nn.CrossEntropyLoss().to(device)
  images = torch.randn(batch_size, 3, resolution, resolution, device=device)
  images = images.contiguous(memory_format=layout)
  labels = torch.randint(0, 1000, (batch_size,), device=device)
  forward = torch.compile(model) if gpu else model

  def step():
    optimizer.zero_grad()
    with torch.autocast(device, torch.bfloat16, enabled=gpu):
      value = loss(forward(images), labels)
    value.backward()
    optimizer.step()
    value.item()  # waits

  return step
