"""Damage to files, and file systems that are full or read-only."""

import contextlib
import os
import subprocess

import numpy as np


def files_of(step):
  """The files of a saved step that are not empty, largest last."""
  files = [x for x in step.rglob('*') if x.is_file() and x.stat().st_size]
  return sorted(files, key=lambda x: (x.stat().st_size, x))


def flip(file, bit):
  """Flips a bit; once more undoes it."""
  with file.open('r+b') as content:
    content.seek(bit // 8)
    byte = content.read(1)[0]
    content.seek(bit // 8)
    content.write(bytes([byte ^ 1 << bit % 8]))


def random_bits(step, count):
  """Yields (file, bit) in random places of a step, each byte as likely."""
  files = files_of(step)
  sizes = np.array([x.stat().st_size for x in files])
  rng = np.random.default_rng(0)
  for place in rng.choice(sizes.sum(), count, replace=False):
    number = int(np.searchsorted(np.cumsum(sizes), place, side='right'))
    offset = int(place - sizes[:number].sum())
    yield files[number], 8 * offset + int(rng.integers(8))


def fill(folder):
  """Fills a file system; returns the file to delete."""
  file = folder / 'filler'
  with file.open('wb', buffering=0) as content:
    for size in (1 << 16, 1 << 12):
      with contextlib.suppress(OSError):
        while content.write(b'x' * size) == size:
          pass
  return file


@contextlib.contextmanager
def small_disk(path):
  """Yields a file system of 8 MB, or None where nothing may be mounted."""
  path.mkdir()
  command = ('mount', '-t', 'tmpfs', '-o', 'size=8m', 'none', str(path))
  if os.getuid() or subprocess.run(command, stderr=-3).returncode:
    yield None
    return
  try:
    yield path
  finally:
    subprocess.run(('umount', '-l', str(path)), check=True)


@contextlib.contextmanager
def read_only(path):
  """Makes a file system of `small_disk` read-only inside."""
  subprocess.run(('mount', '-o', 'remount,ro', path), check=True)
  try:
    yield
  finally:
    subprocess.run(('mount', '-o', 'remount,rw', path), check=True)
