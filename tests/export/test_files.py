import json

import jax
import numpy as np
import pytest
from jax import export as programs

from resflax.errors import ResflaxError, StorageError
from resflax.export import files
from resflax.export.files import export
from resflax.pretrained import load_pretrained


@pytest.mark.parametrize('kind', ['stablehlo', 'onnx', 'safetensors'])
def test_a_file_computes_what_the_net_does(kind, classifier, tmp_path):
  path = tmp_path / 'new' / f'net.{kind}'
  assert export(str(path), classifier(), kind) < 1e-5
  names = [path.name] + [f'{path.name}.json'] * (kind == 'stablehlo')
  assert sorted(p.name for p in path.parent.iterdir()) == names


def test_a_program_is_for_all_platforms_and_any_batch(classifier, tmp_path):
  made = classifier(class_names=tuple('abcde'))
  path = tmp_path / 'net.stablehlo'
  export(str(path), made, 'stablehlo')
  program = programs.deserialize(bytearray(path.read_bytes()))
  assert program.platforms == ('cpu', 'cuda', 'tpu')
  [images] = program.in_avals
  assert str(images.shape) == '(batch, 20, 20, 3)' and images.dtype == np.uint8
  images = np.arange(7 * 1200).reshape(7, 20, 20, 3).astype(np.uint8)
  np.testing.assert_allclose(
    program.call(images), made(images), rtol=1e-5, atol=1e-4
  )
  said = json.loads((tmp_path / 'net.stablehlo.json').read_text())
  assert said['class_names'] == list('abcde')
  assert said['input']['shape'] == ['batch', 20, 20, 3]
  assert said['normalised_inside']['mean'] == [0.5, 0.4, 0.3]
  assert said['platforms'] == ['cpu', 'cuda', 'tpu']


def test_weights_are_a_run_again(classifier, tmp_path):
  made = classifier(class_names=tuple('abcde'), crop=0.9)
  path = tmp_path / 'net.safetensors'
  export(str(path), made, 'safetensors')
  run = load_pretrained(path)
  assert run.preprocessing == made.preprocessing
  assert run.class_names == tuple('abcde')


@pytest.mark.parametrize('wrong', [1e-3, float('nan')])
@pytest.mark.parametrize('kind', ['stablehlo', 'onnx', 'safetensors'])
def test_what_differs_is_not_left_behind(
  wrong, kind, classifier, tmp_path, monkeypatch
):
  """The file's last layer is another one; the net it came from is not."""
  path, made = tmp_path / 'new' / f'net.{kind}', classifier()
  write, read = files._WAYS[kind]

  def change(leaf):
    return leaf if leaf.shape[-1] != 5 else leaf * np.float32(1 + wrong)

  def write_another(unfinished, classifier):
    variables = jax.tree.map(change, classifier.variables)
    write(
      unfinished,
      classifier.__class__(**{**classifier.__dict__, 'variables': variables}),
    )

  monkeypatch.setitem(files._WAYS, kind, (write_another, read))
  with pytest.raises(ResflaxError, match='not kept: its logits differ'):
    export(str(path), made, kind)
  assert not path.parent.exists()


def test_a_folder_that_cannot_be_made(classifier, tmp_path):
  (tmp_path / 'file').touch()
  with pytest.raises(StorageError, match='Cannot write .*file/net'):
    export(str(tmp_path / 'file' / 'net.safetensors'), classifier(), 'onnx')
