"""Reads a compiled program's text: cycles, bytes and collectives.

XLA for TPU writes its cost model's `estimated_cycles` next to each
instruction. A loop's body counts as often as it runs, which
`Compiled.cost_analysis` does not see.
"""

import dataclasses
import math
import re
from collections import Counter
from collections.abc import Iterator

_COMPUTATION = re.compile(r'(?P<entry>ENTRY )?%?(?P<name>[\w.\-]+) \(.*\{\s*')
_INSTRUCTION = re.compile(
  r'\s+(?:ROOT )?%?(?P<name>[\w.\-]+) = (?P<shape>.+?) (?P<op>[a-z\-]+)\('
  r'(?P<rest>.*)'
)
_CYCLES = re.compile(r'"estimated_cycles":"(\d+)"')
_TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"')
_LOOP = re.compile(r'condition=%?([\w.\-]+), body=%?([\w.\-]+)')
_LIMIT = re.compile(r' = s32\[\]\S* constant\((\d+)\)')
_CALLED = re.compile(r'(?:to_apply=|branch_computations=\{)%?([\w.\-]+)')
_SHAPE = re.compile(
  r'(?P<type>[a-z]+\d*)\[(?P<sides>[\d,]*)\](?P<layout>\{[^}]*\})?'
)
_ON_CHIP = re.compile(r'S\([1-9]')  # a memory space that is not HBM
_OPERAND = re.compile(r'%([\w.\-]+)')
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


@dataclasses.dataclass(frozen=True)
class _Instruction:
  name: str
  op: str
  bytes: int
  shape: str
  operands: tuple[str, ...]
  line: str


def count(text: str) -> Counts:
  """Counts a compiled program, `Compiled.as_text()`."""
  total = Counter()
  for i, sizes, times in _executed(*_parse(text)):
    if cycles := _CYCLES.search(i.line):
      total['cycles'] += times * int(cycles[1])
    total['bytes'] += times * _moved(i, sizes)
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
  for i, _, _ in _executed(*_parse(text)):
    whose = _OP_NAME.search(i.line)
    if whose and i.op not in _FREE and not i.op.endswith('-start'):
      name = _shortened(whose[1]) or i.op
      values[name] = max(i.bytes, values.get(name, 0))
  ordered = sorted(values.items(), key=lambda value: -value[1])
  return [(size, name) for name, size in ordered[:number]]


def _executed(
  computations: dict, name: str, times: int = 1
) -> Iterator[tuple[_Instruction, dict[str, int], int]]:
  """Yields what runs, the sizes of its computation's values, how often."""
  instructions = computations[name]
  sizes = {i.name: i.bytes for i in instructions}
  for i in instructions:
    yield i, sizes, times
    if i.op == 'while':
      condition, body = _LOOP.search(i.line).groups()
      trips = _trips(i, computations[condition])
      yield from _executed(computations, body, times * trips)
    elif i.op in ('call', 'conditional'):
      for called in _CALLED.findall(i.line):
        yield from _executed(computations, called, times)


def _trips(loop: _Instruction, condition: list[_Instruction]) -> int:
  """Returns how often a loop over blocks runs.

  Either XLA has written it down, or the condition compares a counter from 0
  on with the only constant it has, as `lax.scan` lowers to.
  """
  if known := _TRIPS.search(loop.line):
    return int(known[1])
  limits = [found for i in condition if (found := _LIMIT.search(i.line))]
  if len(limits) != 1 or 'direction=LT' not in condition[-1].line:
    raise ValueError(f'How often does {loop.name} run? {condition[-1].line}')
  return int(limits[0][1])


def _moved(i: _Instruction, sizes: dict[str, int]) -> int:
  """Returns the bytes of HBM that an instruction reads and writes."""
  if i.op in _FREE or i.op.endswith('-done'):
    return 0
  if i.op.endswith('-start'):
    return i.bytes  # its result names what is read beside what is written
  return i.bytes + sum(sizes.get(operand, 0) for operand in i.operands)


def _shortened(op_name: str) -> str:
  """Returns the modules of `jit(step)/jvp(ResNet)/ResNet.features/...`."""
  parts = op_name.split('/')
  path = [p for p in parts if re.fullmatch(r'\w+', p) and p not in _NOISE]
  backward = any(p.startswith('transpose(') for p in parts)
  return '/'.join(path) + (' (backward)' if backward else '')


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
          size_of(found['shape'], on_chip=False),
          found['shape'],
          tuple(_OPERAND.findall(operands)),
          line,
        )
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
