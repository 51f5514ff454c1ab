"""scripts.train on storage that is slow; see test_many.py, which starts it."""

import dataclasses
import time

from resflax.data import sources
from resflax.data.records import Records
from scripts import train
from scripts.command import run

EVERY, SECONDS = 200, 12.0  # of the records read; longer than a heartbeat


@dataclasses.dataclass
class Slow:
  """Records of which some take seconds to read."""

  records: Records
  reads: int = 0

  def __len__(self):
    return len(self.records)

  def __getitem__(self, index):
    self.reads += 1
    if self.reads % EVERY == 0:
      time.sleep(SECONDS)
    return self.records[index]


class SlowDataset(sources.PreparedDataset):
  """Digits, slowly."""

  def split(self, spec):
    return Slow(super().split(spec))


sources.PreparedDataset = SlowDataset
if __name__ == '__main__':
  run(train.main)
