"""Reads a compiled program's text: cycles, bytes and collectives.

XLA for TPU writes its cost model's `estimated_cycles` next to each
instruction. A loop's body counts as often as it runs, which
`Compiled.cost_analysis` does not see.
"""

import dataclasses
import math
import re
from collections import Counter

_COMPUTATION = re.compile(r'(?P<entry>ENTRY )?%?(?P<name>[\w.\-]+) \(.*\{\s*')
_INSTRUCTION = re.compile(
  r'\s+(?:ROOT )?%?(?P<name>[\w.\-]+) = (?P<shape>.+?) (?P<op>[a-z\-]+)\('
  r'(?P<rest>.*)'
)
_CYCLES = re.compile(r'"estimated_cycles":"(\d+)"')
_TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"')
_BODY = re.compile(r'body=%?([\w.\-]+)')
_CALLED = re.compile(r'(?:to_apply=|branch_computations=\{)%?([\w.\-]+)')
_SHAPE = re.compile(r'(?P<type>[a-z]+\d*)\[(?P<sides>[\d,]*)\]')
_OPERAND = re.compile(r'%([\w.\-]+)')

_COLLECTIVES = (
  *('all-reduce', 'all-gather', 'reduce-scatter', 'all-to-all'),
  'collective-permute',
)
# Instructions that name memory but move none.
_FREE = (
  *('parameter', 'constant', 'tuple', 'get-tuple-element', 'bitcast'),
  *('while', 'call', 'conditional', 'after-all', 'partition-id'),
)


@dataclasses.dataclass(frozen=True)
class Counts:
  """What one run of a program does on one chip.

  Attributes:
    cycles: the sum of the compiler's estimates.
    bytes: read and written by its instructions, each operand once.
    collectives: how many there are of each kind.
    collective_bytes: of their results.
  """

  cycles: int
  bytes: int
  collectives: dict[str, int]
  collective_bytes: int


@dataclasses.dataclass(frozen=True)
class _Instruction:
  name: str
  op: str
  bytes: int
  operands: tuple[str, ...]
  line: str


def count(text: str) -> Counts:
  """Counts a compiled program, `Compiled.as_text()`."""
  computations, entry = _parse(text)
  total = Counter()
  _add(computations, entry, 1, total)
  return Counts(
    cycles=total['cycles'],
    bytes=total['bytes'],
    collectives={op: total[op] for op in _COLLECTIVES if total[op]},
    collective_bytes=total['collective_bytes'],
  )


def _add(computations: dict, name: str, times: int, total: Counter) -> None:
  instructions = computations[name]
  sizes = {i.name: i.bytes for i in instructions}
  for i in instructions:
    if cycles := _CYCLES.search(i.line):
      total['cycles'] += times * int(cycles[1])
    if i.op not in _FREE:
      read = sum(sizes.get(operand, 0) for operand in i.operands)
      total['bytes'] += times * (i.bytes + read)
    kind = i.op.removesuffix('-start')
    if kind in _COLLECTIVES:
      total[kind] += times
      total['collective_bytes'] += times * i.bytes
    if i.op == 'while':
      trips = _TRIPS.search(i.line)
      body = _BODY.search(i.line)[1]
      _add(computations, body, times * int(trips[1] if trips else 1), total)
    elif i.op in ('call', 'conditional'):
      for called in _CALLED.findall(i.line):
        _add(computations, called, times, total)


def _parse(text: str) -> tuple[dict[str, list[_Instruction]], str]:
  """Returns the instructions of each computation, and the entry's name."""
  computations, current, entry = {}, None, ''
  for line in text.splitlines():
    if head := _COMPUTATION.fullmatch(line):
      current = computations[head['name']] = []
      entry = head['name'] if head['entry'] else entry
    elif current is not None and (found := _INSTRUCTION.match(line)):
      operands = found['rest'].split(')', 1)[0]
      current.append(
        _Instruction(
          found['name'],
          found['op'],
          size_of(found['shape']),
          tuple(_OPERAND.findall(operands)),
          line,
        )
      )
  return computations, entry


def size_of(shape: str) -> int:
  """Returns the bytes of an HLO shape such as `(bf16[8,4]{1,0}, f32[])`."""
  return sum(
    math.prod(int(side) for side in found['sides'].split(',') if side)
    * _width(found['type'])
    for found in _SHAPE.finditer(re.sub(r'\{[^}]*\}', '', shape))
  )


def _width(kind: str) -> int:
  """Bytes of an element; what is smaller than a byte takes one."""
  bits = re.search(r'\d+', kind)
  return max(1, int(bits[0]) // 8) if bits else 1  # pred
