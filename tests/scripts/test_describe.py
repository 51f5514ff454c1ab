"""The table of costs, as a user calls it."""

import functools
import json

import pytest

from resflax.published import PUBLISHED
from tests.scripts.calling import call

describe = functools.partial(call, 'describe')


def test_a_table_of_parts_and_totals():
  done = describe('--model=resnet_rs_50', '--resolution=160')
  assert done.returncode == 0
  for text in ('40 x 40 x 256', '2,278,629,376', '35,691,912', '23.66 MiB'):
    assert text in done.stdout


def test_json():
  done = describe(
    '--model=resnet50_b', '--width=0.5', '--num_classes=10', '--json'
  )
  described = json.loads(done.stdout)
  assert (described['model'], described['resolution']) == ('resnet50_b', 224)
  assert [part['name'] for part in described['parts']] == [
    'stem',
    'stage1',
    'stage2',
    'stage3',
    'stage4',
    'head',
  ]
  for name in ('params', 'macs', 'activations', 'blocks'):
    assert described['total'][name] == sum(
      part[name] for part in described['parts']
    )
  assert described['parts'][-1]['params'] == 1025 * 10


def test_precision_halves_the_memory():
  done = describe('--model=resnet_rs_50', '--precision=bfloat16')
  assert '11.83 MiB' in done.stdout


def test_all_counts_equal_the_published_ones():
  done = describe('--all', '--json')
  assert done.returncode == 0
  rows = json.loads(done.stdout)
  assert {row['model'] for row in rows} == set(PUBLISHED)
  assert {row['mark'] for row in rows} == {'equal', 'derived'}
  for row in rows:
    if row['mark'] == 'equal':
      assert row['published_params'] == row['params']
      assert row['published_macs'] in (row['macs'], None)
    else:
      assert row['published_params'] is None
  assert 'resnet_rs_420_garden' in describe('--all').stdout


@pytest.mark.parametrize(
  ('arguments', 'message'),
  [
    ([], '--model is missing'),
    (['--model=resnet55'], "Unknown variant 'resnet55'. Did you mean"),
    (['--model=resnet50', '--resolution=big'], '--resolution=big'),
    (['--model=resnet50', '--resolution=7'], 'resolutions begin at 8 pixels'),
    (['--model=resnet50', '--width=-1'], 'config.model.width=-1.0'),
    (['--model=resnet50', '--output_stride=4'], 'output_stride=4'),
    (['--model=resnet50', 'resolution=64'], "Stray argument 'resolution=64'"),
    (['--modle=resnet50'], 'modle'),
    (['--all', '--width=2'], '--width=2.0 has no meaning beside --all'),
  ],
)
def test_usage_errors_are_one_line_and_exit_code_5(arguments, message):
  done = describe(*arguments)
  assert done.returncode == 5
  assert message in done.stderr
  assert len(done.stderr.splitlines()) == 1
  assert not done.stdout


def test_a_count_that_differs_is_an_error(monkeypatch, capsys):
  from scripts import describe as script

  wrong = PUBLISHED['resnet18']._replace(params=1)
  monkeypatch.setattr(script, 'PUBLISHED', {'resnet18': wrong})
  assert script.compare_all(as_json=False) == 1
  assert 'DIFFERS' in capsys.readouterr().out
