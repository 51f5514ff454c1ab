"""The written config is the plan: it loads, and resolves to the same run."""

import runpy

import pytest

from resflax import scaling
from resflax.config import resolve
from resflax.errors import UsageError
from resflax.sweeps.config_file import config_text, write_config
from tests.sweeps.folders import FACTS

PLAN = {
  'metric': 'error',
  'level': 0.9,
  'law': 'frontier',
  'predicted': {'value': 0.1, 'interval': [0.09, 0.12]},
  'compute': 1e15,
  'macs': 10**9,
  'params': 10**7,
  'decades_beyond': 0.6,
  'decades_of_sweep': 2.0,
  'doubts': [],
  'budget': '4 times the largest run',
  'anchor': 'small',
  'is_new': True,
  'grow': 'depth',
  'evidence': 'pairs say so',
  'would_decide': [],
  'recipe': 'the sweep',
  'base': {
    'seed': 3,
    'model.variant': 'resnet_rs_50',
    'model.width': 0.25,
    'data.name': 'digits',
    'data.mean': (0.305,),
    'data.std': (0.376,),
    'eval_every_epochs': None,
    'schedule.total_epochs': 6.0,
  },
  'fields': {
    'model.depths': {'value': (2, 2, 2, 2), 'reason': 'depth grows'},
    'model.width': {'value': 0.5, 'reason': 'as it is'},
    'resolution.train': {'value': 24, 'reason': 'as it is'},
  },
  'provenance': {
    'sweep': 'of """quotes"""\\',
    'runs': 4,
    'configs': ['0123abcd', '4567cdef'],
    'commits': ['f00d' * 10],
    'commit': 'beef' * 10,
    'dirty': False,
    'resflax': '0.1.0',
  },
}


def test_the_file_is_the_plan(tmp_path):
  path = write_config(str(tmp_path / 'next.py'), PLAN)
  config = runpy.run_path(path)['get_config']()
  resolved = resolve(config.to_dict(), FACTS)
  for name, entry in PLAN['fields'].items():
    assert resolved[name] == entry['value']
  assert resolved['seed'] == 3 and resolved['eval_every_epochs'] is None
  assert resolved['data.mean'] == (0.305,)
  small = runpy.run_path(path)['get_config']('runlocal')
  assert small.schedule.total_steps and small.model.width == 0.125
  fields = resolved.group('model')
  assert scaling.totals(scaling.count(fields, 24)).blocks == 8


def test_the_file_says_where_it_comes_from():
  text = config_text('next.py', PLAN)
  words = ' '.join(text.split())
  for part in (
    *('0123abcd', '4567cdef', 'commit f00df00df00d', 'commit beefbeefbeef'),
    *('4 runs of 2 configs', '90% 9.00% to 12.00%', '0.60 decades of compute'),
    *('Depth or width: depth; pairs say so', '--config=next.py'),
  ):
    assert part in words
  assert text == config_text('next.py', PLAN)
  assert max(map(len, text.splitlines())) <= 80


def test_what_is_not_a_plan_is_not_written_over(tmp_path):
  path = tmp_path / 'mine.py'
  path.write_text('mine = 1\n')
  with pytest.raises(UsageError, match='is no plan of a sweep'):
    write_config(str(path), PLAN)
  assert path.read_text() == 'mine = 1\n'
  with pytest.raises(UsageError, match=r'takes a file that ends in \.py'):
    write_config(str(tmp_path / 'next.txt'), PLAN)
  other = str(tmp_path / 'folder' / 'next.py')
  assert write_config(other, PLAN) == write_config(other, PLAN) == other
