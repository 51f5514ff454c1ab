"""The models of timm, torchvision and the common CIFAR-10 code, as they are."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import nn

from tests.parity.cases import Case
from tests.parity.drawing import CLASSES


class Torch:
  """A torch model with stages `layer1` and on, or `blocks`.

  Attributes:
    shapes: of all its tensors, by name.
  """

  def __init__(self, case: Case):
    self.model = MODELS[case.source](case).eval()
    self.shapes = {
      name: tuple(tensor.shape)
      for name, tensor in self.model.state_dict().items()
      if not name.endswith('num_batches_tracked')
    }

  def load(self, tensors: Mapping[str, np.ndarray]) -> None:
    state = {name: torch.from_numpy(array) for name, array in tensors.items()}
    self.model.load_state_dict(state, strict=True)

  def run(self, images: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Returns logits and the outputs of stages."""
    stages = []
    named = self.model.named_children()
    layers = [layer for name, layer in named if name.startswith('layer')]
    for layer in layers or self.model.blocks:
      layer.register_forward_hook(lambda _, __, y: stages.append(y.numpy()))
    with torch.no_grad():
      logits = self.model(torch.from_numpy(images.transpose(0, 3, 1, 2).copy()))
    return logits.numpy(), stages

  def save(self, folder: str) -> list[str]:
    """Writes the files that people have."""
    torch.save(self.model.state_dict(), f'{folder}/x.pth')
    checkpoint = {'epoch': 3, 'state_dict': self.model.state_dict()}
    torch.save(checkpoint, f'{folder}/x.tar')
    return [f'{folder}/x.pth', f'{folder}/x.tar']

  def accepts(self, path: str) -> None:
    """Loads a safetensors file that we wrote."""
    from safetensors.torch import load_file

    self.model.load_state_dict(load_file(path), strict=True)


def _timm(case: Case) -> nn.Module:
  import timm

  stride = case.output_stride or 32
  return timm.create_model(
    case.theirs, num_classes=CLASSES, output_stride=stride
  )


def _torchvision(case: Case) -> nn.Module:
  import torchvision

  dilated = case.output_stride and {
    'replace_stride_with_dilation': [
      case.output_stride <= stride for stride in (4, 8, 16)
    ]
  }
  return torchvision.models.get_model(
    case.theirs, num_classes=CLASSES, **(dilated or {})
  )


class CifarBlock(nn.Module):
  """As in `akamaster/pytorch_resnet_cifar10`, with option A."""

  def __init__(self, inputs: int, features: int, stride: int):
    super().__init__()
    self.stride, self.new = stride, features - inputs
    self.conv1 = nn.Conv2d(inputs, features, 3, stride, 1, bias=False)
    self.bn1 = nn.BatchNorm2d(features)
    self.conv2 = nn.Conv2d(features, features, 3, 1, 1, bias=False)
    self.bn2 = nn.BatchNorm2d(features)

  def forward(self, x):
    y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
    if self.new:
      half = self.new // 2
      x = nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, half, half))
    return torch.relu(x + y)


class CifarNet(nn.Module):
  """As in `akamaster/pytorch_resnet_cifar10`."""

  def __init__(self, case: Case):
    super().__init__()
    depth = (int(case.theirs.removeprefix('resnet')) - 2) // 6
    self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
    self.bn1 = nn.BatchNorm2d(16)
    inputs = 16
    for number, features in enumerate((16, 32, 64), start=1):
      strides = [1 if number == 1 else 2] + [1] * (depth - 1)
      widths = [inputs] + [features] * (depth - 1)
      blocks = [
        CifarBlock(width, features, stride)
        for width, stride in zip(widths, strides, strict=True)
      ]
      self.add_module(f'layer{number}', nn.Sequential(*blocks))
      inputs = features
    self.linear = nn.Linear(64, CLASSES)

  def forward(self, x):
    x = torch.relu(self.bn1(self.conv1(x)))
    x = self.layer3(self.layer2(self.layer1(x)))
    return self.linear(x.mean((2, 3)))


MODELS: dict[str, Callable[[Case], nn.Module]] = {
  'timm': _timm,
  'torchvision': _torchvision,
  'cifar': CifarNet,
}
