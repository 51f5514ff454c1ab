"""Which processes belong together, by flags and by what Slurm says."""

import pytest

from resflax.errors import LostPeerError, UsageError
from resflax.parallel import distributed
from resflax.parallel.cluster import Cluster, find

NONE = (None, None, None)
SLURM = {
  'SLURM_JOB_ID': '4098',
  'SLURM_STEP_NODELIST': 'node[003-004]',
  'SLURM_NTASKS': '2',
  'SLURM_PROCID': '1',
  'SLURM_LOCALID': '0',
}


@pytest.fixture
def slurm(monkeypatch):
  """A function that sets Slurm's variables, some of them otherwise."""

  def set_all(**others):
    for name, value in {**SLURM, **others}.items():
      monkeypatch.setenv(name, value)

  return set_all


def test_flags_are_taken_at_their_word():
  given = ('host:8476', 2, 1)
  assert find('auto', *given) == Cluster('flags', *given)


@pytest.mark.parametrize(
  'mode, given, said',
  [
    ('auto', ('host:8476', None, 1), 'belong together'),
    ('off', ('host:8476', 2, 1), 'belong together'),
    ('auto', ('host:8476', 2, 2), 'they are 0 to 1'),
    ('on', NONE, 'JAX finds no cluster'),
  ],
)
def test_half_of_it_is_refused(mode, given, said):
  with pytest.raises(UsageError, match=said):
    find(mode, *given)


@pytest.mark.parametrize('process', [0, 1])
def test_an_address_that_does_not_resolve_is_told_at_once(process):
  given = {'num_processes': 2, 'process_id': process}
  with pytest.raises(LostPeerError, match=r'reached at nohost\.invalid:1234'):
    distributed.start(coordinator_address='nohost.invalid:1234', **given)


def test_no_cluster_is_none():
  assert find('auto', *NONE) is None
  assert find('off', *NONE) is None


def test_slurm_is_found(slurm, monkeypatch):
  slurm()
  port = 4098 % 4096 + 61440
  assert find('auto', *NONE) == Cluster('slurm', f'node003:{port}', 2, 1)
  assert find('off', *NONE) is None
  monkeypatch.setenv('JAX_COORDINATOR_PORT', '9999')
  assert find('auto', *NONE).address == 'node003:9999'
  monkeypatch.setenv('JAX_COORDINATOR_ADDRESS', 'other:1234')
  assert find('auto', *NONE).address == 'other:1234'


def test_one_task_is_no_cluster_unless_it_is_wanted(slurm):
  slurm(SLURM_NTASKS='1', SLURM_PROCID='0')
  assert find('auto', *NONE) is None
  assert find('on', *NONE).num_processes == 1


def test_an_address_that_does_not_come(slurm, monkeypatch):
  from jax._src.clusters.slurm_cluster import SlurmCluster

  def fail(*_):
    raise RuntimeError('Failed to recognize coordinator address x')

  slurm()
  monkeypatch.setattr(SlurmCluster, 'get_coordinator_address', fail)
  with pytest.raises(LostPeerError, match='coordinator address x'):
    find('auto', *NONE)
