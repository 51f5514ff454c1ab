"""Processes report to process 0, and who is missing is named."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from resflax.doctor.roll_call import call
from resflax.errors import LostPeerError
from resflax.parallel.cluster import Cluster


def free_address():
  with socket.socket() as free:
    free.bind(('127.0.0.1', 0))
    return '127.0.0.1:{1}'.format(*free.getsockname())


def together(reports, seconds):
  """Returns what each of some (process, of how many) gets, or its error."""
  address = free_address()

  def one(report):
    process, count = report
    try:
      cluster = Cluster('flags', address, count, process)
      return call(cluster, f'host{process}', seconds)
    except LostPeerError as error:
      return str(error)

  with ThreadPoolExecutor(len(reports)) as pool:
    return list(pool.map(one, reports))


def test_all_learn_who_is_there():
  hosts = {0: 'host0', 1: 'host1', 2: 'host2'}
  assert together([(2, 3), (0, 3), (1, 3)], 20) == [hosts] * 3


def test_all_learn_who_is_missing():
  found = together([(0, 4), (2, 4)], 0.5)
  assert found[0] == found[1]
  assert 'Process 1, 3 of 4 did not come' in found[0]
  assert 'here are 0 on host0, 2 on host2' in found[0]


def test_another_number_of_processes_is_named():
  found = together([(0, 2), (1, 3)], 20)
  assert 'Process 1 on host1 is one of 3, process 0 one of 2' in found[0]


def test_process_0_is_missing():
  with pytest.raises(LostPeerError, match='Connection refused.*open the port'):
    call(Cluster('flags', free_address(), 2, 1), 'host1', 0.5)


def test_an_address_that_does_not_resolve():
  cluster = Cluster('flags', 'nowhere.invalid:1234', 2, 1)
  with pytest.raises(LostPeerError, match=r'reached at nowhere\.invalid:1234'):
    call(cluster, 'host1', 60)  # told at once


def test_a_found_name_that_does_not_resolve_may_come_yet():
  cluster = Cluster('slurm', 'nowhere.invalid:1234', 2, 1)
  with pytest.raises(LostPeerError, match='open the port between them'):
    call(cluster, 'host1', 0.1)


def test_a_port_that_is_taken():
  with socket.create_server(('', 0)) as taken:
    port = taken.getsockname()[1]
    cluster = Cluster('flags', f'127.0.0.1:{port}', 2, 0)
    with pytest.raises(LostPeerError, match=f'Port {port} .*already in use'):
      call(cluster, 'host0', 0.5)


@pytest.mark.parametrize(
  'sent', [b'GET / HTTP/1.1\r\n\r\n', b'{"process": 1}\n', b'[1]\n', b'']
)
def test_strangers_are_not_counted(sent):
  address = free_address()
  host, port = address.split(':')
  with ThreadPoolExecutor(2) as pool:
    main = pool.submit(call, Cluster('flags', address, 2, 0), 'host0', 20)

    def stranger():
      while True:
        try:
          with socket.create_connection((host, port), 5) as connection:
            connection.sendall(sent)
          return
        except OSError:  # it does not listen yet
          continue

    pool.submit(stranger).result(20)
    other = pool.submit(call, Cluster('flags', address, 2, 1), 'host1', 20)
    assert main.result(20) == other.result(20) == {0: 'host0', 1: 'host1'}
