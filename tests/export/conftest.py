import pytest

from resflax.export.classifier import Classifier, of_run
from resflax.pretrained import load_pretrained
from tests.export.nets import write


@pytest.fixture
def classifier(tmp_path_factory):
  """A function that returns a tiny model with all that belongs to it."""

  def make(variant='resnet20_cifar', **metadata) -> Classifier:
    folder = tmp_path_factory.mktemp('weights')
    return of_run(load_pretrained(write(folder, variant, **metadata)))

  return make
