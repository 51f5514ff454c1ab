"""Counting a program's text, loops included."""
# ruff: noqa: E501

import pytest

from resflax.aot import counts, hlo
from resflax.aot.chips import CHIPS, chip_of
from resflax.errors import UsageError

TEXT = """HloModule jit_step, is_scheduled=true

%c (p.2: bf16[8,4]) -> bf16[8,4] {
  %p.2 = bf16[8,4]{1,0} parameter(0)
  ROOT %m.2 = bf16[8,4]{1,0} multiply(%p.2, %p.2)
}

%d (p.3: bf16[8,4]) -> f32[3] {
  %p.3 = bf16[8,4]{1,0} parameter(0)
  ROOT %m.3 = f32[3]{0} custom-call(%p.3)
}

%body (p: (s32[], bf16[8,4])) -> (s32[], bf16[8,4]) {
  %p = (s32[]{:T(128)}, bf16[8,4]{1,0:T(8,128)}) parameter(0)
  %g = bf16[8,4]{1,0} get-tuple-element(%p), index=1
  %f = bf16[8,4]{1,0} fusion(%g), kind=kLoop, calls=%c, backend_config={"estimated_cycles":"100"}
  ROOT %t = (s32[], bf16[8,4]{1,0}) tuple(%p, %f)
}

%condition (p.1: (s32[], bf16[8,4])) -> pred[] {
  %p.1 = (s32[], bf16[8,4]{1,0}) parameter(0)
  ROOT %lt = pred[] compare(%p.1, %p.1), direction=LT
}

ENTRY %main (a: bf16[8,4]) -> f32[3] {
  %a = bf16[8,4]{1,0} parameter(0)
  %i = (s32[], bf16[8,4]{1,0}) tuple(%a)
  %w = (s32[], bf16[8,4]{1,0}) while(%i), condition=%condition, body=%body, backend_config={"known_trip_count":{"n":"7"}}
  %r = f32[3]{0} fusion(%a), kind=kInput, calls=%d, backend_config={"estimated_cycles":"40"}
  ROOT %s = f32[3]{0} all-reduce(%r), replica_groups={{0,1}}, to_apply=%add, backend_config={"estimated_cycles":"5"}
}
"""


def test_loops_count_as_often_as_they_run():
  counted = counts.count(TEXT)
  assert counted.cycles == 7 * 100 + 40 + 5
  assert counted.collectives == {'all-reduce': 1}
  assert counted.collective_bytes == 12
  loop = 7 * (64 + 64)  # reads and writes 8 x 4 bfloat16
  assert counted.bytes == loop + (64 + 12) + (12 + 12)


def test_a_loop_that_xla_did_not_count_is_read_from_its_condition():
  known = ', backend_config={"known_trip_count":{"n":"7"}}'
  assert known in TEXT
  limit = '  %n = s32[]{:T(128)} constant(9)\n  ROOT %lt'
  text = TEXT.replace(known, '').replace('  ROOT %lt', limit)
  assert counts.count(text).cycles == 9 * 100 + 40 + 5
  with pytest.raises(ValueError, match='How often does w run'):
    counts.count(TEXT.replace(known, ''))


ON_CHIP = """HloModule jit_step

%e (p.1: f32[50]) -> f32[100] {
  %p.1 = f32[50]{0} parameter(0)
  ROOT %m.1 = f32[100]{0} custom-call(%p.1)
}

ENTRY %main (a: bf16[8,4]) -> f32[100] {
  %a = bf16[8,4]{1,0:T(8,128)} parameter(0)
  %s = (bf16[8,4]{1,0:T(8,128)S(1)}, bf16[8,4]{1,0}, u32[]) copy-start(%a)
  %d = bf16[8,4]{1,0:T(8,128)S(1)} copy-done(%s)
  %x = f32[200]{0:T(128)S(1)} multiply(%d, %d), metadata={op_name="jit(step)/small"}
  %y = f32[50]{0} negate(%x), metadata={op_name="jit(step)/jvp(ResNet)/stage1/norm/mul"}
  ROOT %z = f32[100]{0} fusion(%y), calls=%e, metadata={op_name="jit(step)/transpose(jvp(ResNet))/stage1/conv/cond/mul"}
}
"""


def test_only_traffic_with_hbm_is_counted():
  """What is prefetched is read once; what stays on the chip costs nothing."""
  prefetch = 64 + 4  # and its flag
  assert counts.count(ON_CHIP).bytes == prefetch + 200 + (200 + 400)


STACKED = """HloModule jit_step

%f (p.1: f32[10,50], p.2: f32[10,50], p.3: s32[]) -> f32[10,50] {
  %p.1 = f32[10,50]{1,0} parameter(0)
  %p.2 = f32[10,50]{1,0} parameter(1)
  %p.3 = s32[] parameter(2)
  %b.1 = f32[10,1,50]{2,1,0} bitcast(%p.1)
  %s.1 = f32[1,50]{1,0} dynamic-slice(%b.1, %p.3, %p.3)
  ROOT %u.1 = f32[10,50]{1,0} dynamic-update-slice(%p.2, %s.1, %p.3, %p.3)
}

ENTRY %main (a: f32[10,50], b: f32[10,50], i: s32[]) -> f32[10,50] {
  %a = f32[10,50]{1,0} parameter(0)
  %b = f32[10,50]{1,0} parameter(1)
  %i = s32[] parameter(2)
  ROOT %y = f32[10,50]{1,0} fusion(%a, %b, %i), calls=%f
}
"""


def test_of_stacked_values_one_slice_is_read_and_one_written():
  index = 4
  assert counts.count(STACKED).bytes == 200 + 200 + index


def test_the_largest_values_have_the_names_of_modules():
  assert counts.largest(ON_CHIP, 2) == [
    (400, 'stage1/mul (backward)'),
    (200, 'stage1/norm/mul'),
  ]


@pytest.mark.parametrize(
  'shape, expected',
  [
    ('f32[]', 4),
    ('bf16[8,4]{1,0:T(8,128)(2,1)}', 64),
    ('(s32[], pred[3]{0}, f32[2,2])', 4 + 3 + 16),
    ('u8[5]', 5),
    ('token[]', 1),
  ],
)
def test_sizes_of_shapes(shape, expected):
  assert hlo.size_of(shape) == expected


@pytest.mark.parametrize(
  'topology, message',
  [
    ('v9:2x2', "Unknown TPU 'v9'"),
    ('v5e', 'has no size.*v5e:4x4'),
    ('v5e:', 'has no size'),
  ],
)
def test_a_topology_that_does_not_exist_is_refused(topology, message):
  with pytest.raises(UsageError, match=message):
    chip_of(topology)


def test_clocks_follow_from_the_matrix_units():
  """Peak operations = 2 x clock x cells of 128 x 128 units x units."""
  units = {'v2': 2, 'v3': 4, 'v4': 8, 'v5e': 4, 'v5p': 8}
  for name, count in units.items():
    chip = CHIPS[name]
    peak = 2 * chip.clock_hz * count * 128**2
    assert peak == pytest.approx(chip.flops, rel=0.01), name
