"""Counts what a compiled program does: cycles, traffic and collectives.

XLA for TPU writes its cost model's `estimated_cycles` next to each
instruction.
"""

import dataclasses
import re
import sys
from collections import Counter
from collections.abc import Mapping

from resflax.aot.hlo import Computation, Instruction, executed, parse, size_of

_CYCLES = re.compile(r'"estimated_cycles":"(\d+)"')
_FUSED = re.compile(r'calls=%?([\w.\-]+)')
_NUMBER = re.compile(r'parameter\((\d+)\)')
_OP_NAME = re.compile(r'op_name="([^"]+)"')

_COLLECTIVES = (
  *('all-reduce', 'all-gather', 'reduce-scatter', 'all-to-all'),
  'collective-permute',
)
# Instructions that name memory but move none.
_FREE = (
  *('parameter', 'constant', 'tuple', 'get-tuple-element', 'bitcast'),
  *('while', 'call', 'conditional', 'after-all', 'partition-id'),
)
_WHOLE = sys.maxsize  # no value has more bytes
# Parts of an instruction's path that say nothing of the model.
_NOISE = (
  *('while', 'body', 'cond', 'closed_call', 'checkpoint', 'conv'),
  'branch_0_fun',
)


@dataclasses.dataclass(frozen=True)
class Counts:
  """What one run of a program does on one chip.

  Attributes:
    cycles: the sum of the compiler's estimates.
    bytes: of HBM that its instructions read and write, each operand once.
    collectives: how many there are of each kind.
    collective_bytes: of their results.
  """

  cycles: int
  bytes: int
  collectives: dict[str, int]
  collective_bytes: int


def count(text: str) -> Counts:
  """Counts a compiled program, `Compiled.as_text()`."""
  computations, entry = parse(text)
  total = Counter()
  for i, computation, times in executed(computations, entry):
    if cycles := _CYCLES.search(i.line):
      total['cycles'] += times * int(cycles[1])
    total['bytes'] += times * _moved(i, computation, computations)
    kind = i.op.removesuffix('-start')
    if kind in _COLLECTIVES:
      total[kind] += times
      total['collective_bytes'] += times * size_of(i.shape)
  return Counts(
    cycles=total['cycles'],
    bytes=total['bytes'],
    collectives={op: total[op] for op in _COLLECTIVES if total[op]},
    collective_bytes=total['collective_bytes'],
  )


def largest(text: str, number: int) -> list[tuple[int, str]]:
  """Returns the largest values a program writes to HBM: bytes, and whose.

  A value is named after the modules and the operation that it comes from.
  """
  values = {}
  for i, _, _ in executed(*parse(text)):
    whose = _OP_NAME.search(i.line)
    if whose and i.op not in _FREE and not i.op.endswith('-start'):
      name = _shortened(whose[1]) or i.op
      values[name] = max(i.bytes, values.get(name, 0))
  ordered = sorted(values.items(), key=lambda value: -value[1])
  return [(size, name) for name, size in ordered[:number]]


def _shortened(op_name: str) -> str:
  """Returns the modules of `jit(step)/jvp(ResNet)/ResNet.features/...`."""
  parts = op_name.split('/')
  path = [p for p in parts if re.fullmatch(r'\w+', p) and p not in _NOISE]
  backward = any(p.startswith('transpose(') for p in parts)
  return '/'.join(path) + (' (backward)' if backward else '')


def _moved(
  i: Instruction,
  computation: Computation,
  computations: Mapping[str, Computation],
) -> int:
  """Returns the bytes of HBM that an instruction reads and writes."""
  if i.op in _FREE or i.op.endswith('-done'):
    return 0
  if i.op.endswith('-start'):
    return i.bytes  # its result names what is read beside what is written
  read = sum(
    min(computation[name].bytes, _read(number, i, computations))
    for number, name in enumerate(i.operands)
  )
  return read + min(i.bytes, _written(i, computation, computations))


def _read(number: int, i: Instruction, computations: Mapping) -> int:
  """Returns the bytes that `i` reads of its operand of that number, at most.

  Of values that are stacked for a loop it reads a slice; what it writes a
  slice into, it does not read.
  """
  if i.op == 'dynamic-slice' and number == 0:
    return size_of(i.shape)
  if i.op == 'dynamic-update-slice' and number == 0:
    return 0
  if i.op != 'fusion':
    return _WHOLE
  fused = computations[_FUSED.search(i.line)[1]]
  parameter = next(
    p.name
    for p in fused.values()
    if p.op == 'parameter' and int(_NUMBER.search(p.line)[1]) == number
  )
  return _read_within(parameter, fused, computations)


def _read_within(name: str, fused: Computation, computations: Mapping) -> int:
  """Returns the bytes that a fusion reads of one of its values, at most."""
  return sum(
    _read_within(i.name, fused, computations)
    if i.op == 'bitcast'
    else _read(number, i, computations)
    for i in fused.values()
    for number, operand in enumerate(i.operands)
    if operand == name
  )


def _written(
  i: Instruction, computation: Computation, computations: Mapping
) -> int:
  """Returns the bytes that an instruction writes, at most."""
  if i.op == 'dynamic-update-slice':
    return size_of(computation[i.operands[1]].shape)
  if i.op == 'bitcast':
    return _written(computation[i.operands[0]], computation, computations)
  if i.op == 'tuple':
    return sum(
      _written(computation[name], computation, computations)
      for name in i.operands
    )
  if i.op == 'fusion':
    fused = computations[_FUSED.search(i.line)[1]]
    return _written(_root(fused), fused, computations)
  return size_of(i.shape)


def _root(computation: Computation) -> Instruction:
  return next(
    i for i in computation.values() if i.line.lstrip().startswith('ROOT ')
  )
