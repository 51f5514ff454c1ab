import importlib.util

import pytest

from resflax.errors import UsageError
from resflax.export.formats import chosen


def test_the_ending_says_what_it_is(tmp_path):
  assert chosen(str(tmp_path / 'a.onnx'), None) == 'onnx'
  assert chosen('~/b.stablehlo', 'stablehlo') == 'stablehlo'


@pytest.mark.parametrize(
  ('path', 'kind', 'line'),
  [
    ('net.pb', None, r"'net.pb' .* ends in .stablehlo, .onnx, .safetensors"),
    ('net.onnx', 'stablehlo', 'ends in .stablehlo'),
    ('net', 'onnx', 'ends in .onnx'),
    ('net.onnx', 'onxx', "Did you mean 'onnx'"),
    ('gs://bucket/net.onnx', None, 'not a file of this machine'),
  ],
)
def test_what_cannot_be_written(path, kind, line):
  with pytest.raises(UsageError, match=line):
    chosen(path, kind)


@pytest.mark.parametrize('there', ['net.stablehlo', 'net.stablehlo.json'])
def test_nothing_is_replaced(there, tmp_path):
  (tmp_path / there).touch()
  with pytest.raises(UsageError, match=f'{there} is there already'):
    chosen(str(tmp_path / 'net.stablehlo'), None)


def test_missing_packages_are_named_with_their_extra(tmp_path, monkeypatch):
  find = importlib.util.find_spec
  monkeypatch.setattr(
    importlib.util,
    'find_spec',
    lambda name: None if name == 'onnxruntime' else find(name),
  )
  with pytest.raises(UsageError, match=r"needs onnxruntime, .*'.\[onnx\]'"):
    chosen(str(tmp_path / 'net.onnx'), None)
  assert chosen(str(tmp_path / 'net.stablehlo'), None) == 'stablehlo'
