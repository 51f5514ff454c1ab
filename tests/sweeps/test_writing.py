"""The files of a fit, and what stands beside ResNet-RS on ImageNet."""

import numpy as np
import pytest

from resflax.errors import StorageError
from resflax.sweeps.analysis import analyse
from resflax.sweeps.published_points import resnet_rs
from resflax.sweeps.writing import check_folder, write
from tests.sweeps.synthetic import sweep


def drawn(folder, points, metric='error'):
  """Returns the text of the frontiers of a fit."""
  fit = analyse(points, metric, refits=20)
  files = write(str(folder), {'fits': {'sweep': fit}, 'provenance': {}})
  assert {str(path) for path in folder.iterdir()} == set(files)
  return (folder / 'frontier.svg').read_text()


def test_published_points_stand_beside_a_sweep_of_resnet_rs(tmp_path):
  text = drawn(tmp_path / 'rs', resnet_rs()[:4])
  assert 'ResNet-RS, published' in text and 'EfficientNet' in text
  others = sweep(np.random.default_rng(0))  # of which no time on TPUs is known
  text = drawn(tmp_path / 'others', others)
  assert 'sweep' in text and 'EfficientNet' not in text


def test_a_folder_that_is_a_file_is_refused(tmp_path):
  (tmp_path / 'file').write_text('')
  with pytest.raises(StorageError, match='is a file'):
    check_folder(str(tmp_path / 'file' / 'below'))
  check_folder(str(tmp_path / 'new' / 'below'))
  assert not (tmp_path / 'new').exists()
