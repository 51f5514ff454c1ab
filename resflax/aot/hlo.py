"""Reads a compiled program's text into instructions, loops included.

A loop's body counts as often as it runs, which `Compiled.cost_analysis` does
not see.
"""

import dataclasses
import math
import re
from collections.abc import Iterator, Mapping

_COMPUTATION = re.compile(r'(?P<entry>ENTRY )?%?(?P<name>[\w.\-]+) \(.*\{\s*')
_INSTRUCTION = re.compile(
  r'\s+(?:ROOT )?%?(?P<name>[\w.\-]+) = (?P<shape>.+?) (?P<op>[a-z\-]+)\('
  r'(?P<rest>.*)'
)
_TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"')
_LOOP = re.compile(r'condition=%?([\w.\-]+), body=%?([\w.\-]+)')
_LIMIT = re.compile(r' = s32\[\]\S* constant\((\d+)\)')
_CALLED = re.compile(r'(?:to_apply=|branch_computations=\{)%?([\w.\-]+)')
_SHAPE = re.compile(
  r'(?P<type>[a-z]+\d*)\[(?P<sides>[\d,]*)\](?P<layout>\{[^}]*\})?'
)
_ON_CHIP = re.compile(r'S\([1-9]')  # a memory space that is not HBM
_OPERAND = re.compile(r'%([\w.\-]+)')


@dataclasses.dataclass(frozen=True)
class Instruction:
  """One line of a program.

  Attributes:
    name: of its value.
    op: what it does, such as `fusion`.
    shape: of its value, as text.
    bytes: of its value in HBM.
    operands: the names of the values that it takes.
    line: the text, with what else stands there.
  """

  name: str
  op: str
  shape: str
  bytes: int
  operands: tuple[str, ...]
  line: str


# Instructions by name, in order.
Computation = Mapping[str, Instruction]


def executed(
  computations: Mapping[str, Computation], name: str, times: int = 1
) -> Iterator[tuple[Instruction, Computation, int]]:
  """Yields what runs, the computation that it is part of, how often."""
  for i in computations[name].values():
    yield i, computations[name], times
    if i.op == 'while':
      condition, body = _LOOP.search(i.line).groups()
      trips = _trips(i, computations[condition])
      yield from executed(computations, body, times * trips)
    elif i.op in ('call', 'conditional'):
      for called in _CALLED.findall(i.line):
        yield from executed(computations, called, times)


def _trips(loop: Instruction, condition: Computation) -> int:
  """Returns how often a loop over blocks runs.

  Either XLA has written it down, or the condition compares a counter from 0
  on with the only constant it has, as `lax.scan` lowers to.
  """
  if known := _TRIPS.search(loop.line):
    return int(known[1])
  *_, last = lines = [i.line for i in condition.values()]
  limits = [found for line in lines if (found := _LIMIT.search(line))]
  if len(limits) != 1 or 'direction=LT' not in last:
    raise ValueError(f'How often does {loop.name} run? {last}')
  return int(limits[0][1])


def parse(text: str) -> tuple[dict[str, Computation], str]:
  """Reads `Compiled.as_text()`: its computations, and the entry's name."""
  computations, current, entry = {}, None, ''
  for line in text.splitlines():
    if head := _COMPUTATION.fullmatch(line):
      current = computations[head['name']] = {}
      entry = head['name'] if head['entry'] else entry
    elif current is not None and (found := _INSTRUCTION.match(line)):
      operands = found['rest'].split(')', 1)[0]
      current[found['name']] = Instruction(
        name=found['name'],
        op=found['op'],
        shape=found['shape'],
        bytes=size_of(found['shape'], on_chip=False),
        operands=tuple(_OPERAND.findall(operands)),
        line=line,
      )
  return computations, entry


def size_of(shape: str, *, on_chip: bool = True) -> int:
  """Returns the bytes of an HLO shape such as `(bf16[8,4]{1,0}, f32[])`.

  Args:
    shape: as in a program's text.
    on_chip: count what the compiler keeps in the chip's own memory, too.
  """
  return sum(
    math.prod(int(side) for side in found['sides'].split(',') if side)
    * _width(found['type'])
    for found in _SHAPE.finditer(shape)
    if on_chip or not _ON_CHIP.search(found['layout'] or '')
  )


def _width(kind: str) -> int:
  """Bytes of an element; what is smaller than a byte takes one."""
  bits = re.search(r'\d+', kind)
  return max(1, int(bits[0]) // 8) if bits else 1  # pred
