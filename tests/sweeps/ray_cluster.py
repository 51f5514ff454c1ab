"""A Ray cluster of two nodes on this machine, for as long as stdin is open.

In a process of its own, for Ray's threads and warnings are not pytest's. Prints
the address once it is up.
"""

import sys

from ray.cluster_utils import Cluster

CPUS = 1  # of a node


def main():
  cluster = Cluster(
    initialize_head=True,
    head_node_args={'num_cpus': CPUS, 'include_dashboard': False},
  )
  cluster.add_node(num_cpus=CPUS)
  cluster.wait_for_nodes()
  print(cluster.address, flush=True)
  sys.stdin.read()
  cluster.shutdown()


if __name__ == '__main__':
  main()
