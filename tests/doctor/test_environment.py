"""Variables of another job are named, with what to unset."""

import pytest

from resflax.doctor.environment import examine

SLICES = {
  'MEGASCALE_COORDINATOR_ADDRESS': '10.0.0.1:8080',
  'MEGASCALE_NUM_SLICES': '2',
  'MEGASCALE_SLICE_ID': '1',
}
HOSTS = {'TPU_WORKER_ID': '1', 'TPU_WORKER_HOSTNAMES': 'a,b'}


def look(environ, *, has_tpu=False, num_processes=1):
  found = examine(environ, has_tpu=has_tpu, num_processes=num_processes)
  return [(each.verdict, each.found, each.to_do) for each in found]


def test_nothing_is_well():
  [(verdict, _, to_do)] = look({'HOME': '/root', 'SLURM_NTASKS': '1'})
  assert (verdict, to_do) == ('ok', '')


def test_variables_of_a_tpu_without_one():
  [(verdict, found, to_do)] = look({**HOSTS, 'MEGASCALE_NUM_SLICES': '2'})
  assert verdict == 'warning' and 'no TPU is here' in found
  assert to_do == (
    'unset MEGASCALE_NUM_SLICES TPU_WORKER_HOSTNAMES TPU_WORKER_ID'
  )


def test_whole_sets_of_variables_are_well():
  [(verdict, _, _)] = look({**SLICES, **HOSTS}, has_tpu=True)
  assert verdict == 'ok'


@pytest.mark.parametrize(
  'environ, verdict, said',
  [
    ({**HOSTS, 'TPU_WORKER_ID': '2'}, 'failed', 'TPU_WORKER_ID=2'),
    ({**SLICES, 'MEGASCALE_SLICE_ID': '2'}, 'failed', 'MEGASCALE_SLICE_ID=2'),
    ({'MEGASCALE_NUM_SLICES': '2'}, 'failed', 'without MEGASCALE_COORD'),
    ({'TPU_VISIBLE_CHIPS': '0'}, 'warning', 'TPU_VISIBLE_CHIPS=0'),
    ({'TPU_SKIP_MDS_QUERY': '1'}, 'warning', 'other hosts'),
  ],
)
def test_variables_that_contradict_on_a_tpu(environ, verdict, said):
  [found] = look(environ, has_tpu=True)
  assert found[0] == verdict and said in found[1] and 'unset' in found[2]


def test_slurm_without_srun_and_a_proxy_in_the_way():
  [(_, found, to_do)] = look({'SLURM_NTASKS': '4'})
  assert 'SLURM_NTASKS=4' in found and 'srun' in to_do
  proxy = {'HTTPS_PROXY': 'http://proxy:3128', 'http_proxy': ''}
  assert look(proxy)[0][0] == 'ok'
  [(verdict, found, to_do)] = look(proxy, num_processes=2)
  assert verdict == 'warning' and to_do.startswith('unset HTTPS_PROXY,')


def test_devices_that_are_none():
  flag = '--xla_force_host_platform_device_count=8'
  [(verdict, found, _)] = look({'XLA_FLAGS': flag})
  assert verdict == 'warning' and flag in found
