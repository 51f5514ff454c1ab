"""Labelled images on disk: what is kept, and that nothing is lost or twice."""

import dataclasses
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys

import cv2
import numpy as np
import pytest

from resflax.data.sources import load_dataset
from resflax.data.verifying import verify
from resflax.errors import StorageError, UsageError
from tests.pseudo.conftest import COUNT
from tests.pseudo.program import CLASSES, OPTIONS, label, teacher

TIMEOUT = 120
ONCE = dataclasses.replace(OPTIONS, min_confidence=0.0, per_class=0)


def examples(out):
  """Returns (brightness, label, soft) of each example, and the data set."""
  dataset = load_dataset(f'pseudo:{out}')
  records = dataset.split('train')
  found = [records[i] for i in range(len(records))]
  images = [
    cv2.imdecode(np.frombuffer(e['image'], np.uint8), cv2.IMREAD_GRAYSCALE)
    for e in found
  ]
  return [
    (round(image.mean() * (COUNT - 1) / 255), e['label'], e['soft'])
    for image, e in zip(images, found, strict=True)
  ], dataset


def files(out):
  """Returns the content of the set's files, by name."""
  folder = pathlib.Path(out) / '1.0.0'
  return {path.name: path.read_bytes() for path in folder.iterdir()}


def probability(i, scale=2.0):
  """Of white, for image i: a sigmoid of twice the teacher's logit."""
  x = 2 * (round(255 * i / (COUNT - 1)) / 255) - 1
  return 1 / (1 + np.exp(-2 * scale * x))


def test_every_image_has_the_teachers_classes(folder, tmp_path):
  done = label(folder, tmp_path / 'all', ONCE)
  found, dataset = examples(tmp_path / 'all')
  assert not done.was_there and done.summary['written'] == COUNT
  assert sorted(i for i, *_ in found) == list(range(COUNT))
  assert dataset.info.class_names == CLASSES and dataset.soft == 2
  for i, hard, (classes, probabilities) in found:
    assert hard == classes[0] == int(probability(i) > 0.5)
    p = [1 - probability(i), probability(i)]
    np.testing.assert_allclose(probabilities, sorted(p)[::-1], atol=1e-5)


def test_classes_are_filtered_and_balanced(folder, tmp_path):
  summary = label(folder, tmp_path / 'some').summary
  found, dataset = examples(tmp_path / 'some')
  sure = [
    i for i in range(COUNT) if max(probability(i), 1 - probability(i)) > 0.6
  ]
  assert len(sure) == summary['passed'] == summary['kept'] < COUNT
  assert {i for i, *_ in found} == set(sure)
  labels = [hard for _, hard, _ in found]
  assert labels.count(0) == labels.count(1) == 12
  assert summary['classes'] == [
    {'name': name, 'passed': n, 'kept': n, 'written': 12}
    for name, n in zip(
      CLASSES, np.bincount([i > 10 for i in sure]), strict=True
    )
  ]
  assert sum(summary['confidence']['all']) == COUNT
  assert sum(summary['confidence']['kept']) == len(sure)
  assert verify(dataset, dataset.folder).sound
  names = files(tmp_path / 'some')
  assert sum('array_record' in name for name in names) == 5  # of 24 examples
  assert names['confidence.svg'].startswith(b'<?xml') and 'work' not in names


def test_it_says_where_examples_and_labels_come_from(folder, tmp_path):
  label(folder, tmp_path / 'all', ONCE)
  dataset = load_dataset(f'pseudo:{tmp_path}/all', labelled=False)
  records = dataset.split('train')
  sources = {records.where(i).rpartition('(')[2][:-1] for i in range(COUNT)}
  assert sources == {
    str(path.relative_to(folder)) for path in folder.rglob('*.png')
  }
  origin = json.loads(files(tmp_path / 'all')['metadata.json'])
  assert len(origin['teacher_digest']) == 64
  assert origin['dataset'] == f'folder:{folder}' and origin['split'] == 'train'


def test_images_that_cannot_be_used_are_left_out_and_named(folder, tmp_path):
  (folder / 'broken.png').write_bytes(b'<html>')
  summary = label(folder, tmp_path / 'all', ONCE).summary
  assert (summary['images'], summary['bad']) == (COUNT + 1, 1)
  assert summary['written'] == COUNT == len(examples(tmp_path / 'all')[0])
  [line] = summary['bad_images']
  assert line.startswith(f'{folder}/broken.png: not an image of a known')


def test_labels_that_are_there_are_counted_and_written_nowhere(tmp_path):
  for name, level in (('black', 250), ('white', 255)):
    path = tmp_path / 'labelled' / name
    path.mkdir(parents=True)
    for i in range(3):
      cv2.imwrite(str(path / f'{i}.png'), np.full((8, 8), level, np.uint8))
  options = dataclasses.replace(ONCE, compare=True)
  done = label(tmp_path / 'labelled', tmp_path / 'out', options)
  assert done.summary['agree'] == {'all': 0.5, 'kept': 0.5}
  assert {hard for _, hard, _ in examples(tmp_path / 'out')[0]} == {1}
  images = tmp_path / 'unlabelled'
  images.mkdir()
  cv2.imwrite(str(images / 'a.png'), np.zeros((8, 8), np.uint8))
  with pytest.raises(UsageError, match='--compare_labels: .*other classes'):
    label(images, tmp_path / 'other', options)


class Stopped(BaseException):
  """Ends a call as a signal would: nothing catches it."""


@pytest.fixture
def named(monkeypatch):
  """Returns `watch(stop) -> names`: of files as they get them, up to one."""
  replace = os.replace

  def watch(stop=None):
    names = []

    def counted(source, target):
      names.append(os.path.basename(target))
      if len(names) == stop:
        raise Stopped
      replace(source, target)

    monkeypatch.setattr(os, 'replace', counted)
    return names

  return watch


def test_wherever_it_is_stopped_it_goes_on(folder, tmp_path, named):
  all_names = named()
  label(folder, tmp_path / 'whole' / 'out')
  whole = files(tmp_path / 'whole' / 'out')
  assert len(all_names) > 6 + 5 * 2  # parts; files, and what is said of them
  for stop in range(1, len(all_names) + 1, 3):
    out = tmp_path / f'{stop}' / 'out'
    before = named(stop)
    with pytest.raises(Stopped):
      label(folder, out)
    after = named()
    label(folder, out)
    assert files(out) == whole, before[-1]
    lasting = {n for n in before[:-1] if n.startswith(('part-', 'out-'))}
    assert not lasting & set(after)


def test_predictions_stay_where_only_the_choice_changes(
  folder, tmp_path, named
):
  names, none = named(), dataclasses.replace(OPTIONS, min_confidence=0.999)
  with pytest.raises(UsageError, match=r'confidence of 0.999, the highest is'):
    label(folder, tmp_path / 'out', none)
  assert sum(name.startswith('part-') for name in names) == 6
  names = named()
  label(folder, tmp_path / 'out')
  assert not [name for name in names if name.startswith('part-')]
  label(folder, tmp_path / 'again' / 'out')
  assert files(tmp_path / 'out') == files(tmp_path / 'again' / 'out')


def test_a_damaged_part_is_named(folder, tmp_path, named):
  named(4)
  with pytest.raises(Stopped):
    label(folder, tmp_path / 'out')
  named()
  part = tmp_path / 'out' / '.1.0.0.incomplete' / 'work' / 'part-000001.npz'
  content = part.read_bytes()
  part.write_bytes(content[: len(content) // 2])
  with pytest.raises(StorageError, match=r'part-000001\.npz: .* Delete it'):
    label(folder, tmp_path / 'out')
  part.unlink()
  assert label(folder, tmp_path / 'out').summary['written'] == 24


def test_what_was_made_from_something_else_is_refused(folder, tmp_path, named):
  named(4)
  with pytest.raises(Stopped):
    label(folder, tmp_path / 'out')
  named()
  with pytest.raises(UsageError, match='begun with another teacher'):
    label(folder, tmp_path / 'out', run=teacher(3.0))
  first = label(folder, tmp_path / 'out')
  again = label(folder, tmp_path / 'out')
  assert again.was_there and again.summary == first.summary
  with pytest.raises(UsageError, match='per_class=12, .* per_class=3: del'):
    label(folder, tmp_path / 'out', dataclasses.replace(OPTIONS, per_class=3))
  for name, says in (
    (tmp_path / 'cifar10', 'of a TFDS data set'),
    (tmp_path / 'A b', 'cannot name'),
    ('gs://bucket/out', '--out=gs://bucket/out: .* local folder'),
  ):
    with pytest.raises(UsageError, match=says):
      label(folder, name)


def start(*arguments):
  return subprocess.Popen(
    [sys.executable, '-m', 'tests.pseudo.program', *map(str, arguments)],
    env={**os.environ, 'JAX_PLATFORMS': 'cpu'},
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  )


@pytest.mark.slow
def test_several_processes_write_what_one_does_though_one_is_killed(
  folder, tmp_path
):
  """Three starts of two: killed among the parts, among the files, whole."""
  label(folder, tmp_path / 'one' / 'out')
  out = tmp_path / 'two' / 'out'
  for killed in (3, 5, 0):
    with socket.socket() as free:
      free.bind(('127.0.0.1', 0))
      port = free.getsockname()[1]
    both = [start(folder, out, killed, port, 2, i) for i in range(2)]
    try:
      said = [process.communicate(timeout=TIMEOUT) for process in both]
    finally:
      for process in both:
        process.kill()
    codes = [process.returncode for process in both]
    if killed:
      assert -signal.SIGKILL in codes and 0 not in codes, said
      assert not out.joinpath('1.0.0').exists()
    else:
      assert codes == [0, 0], said
  assert files(out) == files(tmp_path / 'one' / 'out')
