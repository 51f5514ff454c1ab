"""fit.csv: what is written can be read, and what is not like it is refused."""

import numpy as np
import pytest

from resflax.errors import UsageError
from resflax.sweeps.analysis import described
from resflax.sweeps.published_points import efficientnets, resnet_rs
from resflax.sweeps.table import COLUMNS, read_table, write_table
from tests.sweeps.synthetic import point, sweep


def written(tmp_path, **fits):
  path = tmp_path / 'fit.csv'
  write_table(path, {name: described(p, 'error') for name, p in fits.items()})
  return path


def test_points_are_read_as_they_were_written(tmp_path):
  whole = point(
    *(0, 1.5e12, (0.1, 1 / 3)),
    depths=(3, 3, 3),
    width=0.375,
    step_ms=12.5,
    loss=(0.3, 1.25),
    train_loss=(0.1, 0.2),
    recipe='0ff1ce',
    commits=('c0ffee', None),
  )
  fits = {'ours': [whole, point(1, 2e12, [0.2])], 'rs': resnet_rs()}
  assert read_table(str(written(tmp_path, **fits))) == fits


def test_the_cheapest_point_is_first(tmp_path):
  points = sweep(np.random.default_rng(0))
  [read] = read_table(str(written(tmp_path, law=points[::-1]))).values()
  assert read == points


def test_a_table_of_ones_own_needs_no_name_of_a_fit(tmp_path):
  path = written(tmp_path, b=efficientnets())
  lines = path.read_text().splitlines()
  path.write_text('\n'.join(line.partition(',')[2] for line in lines))
  assert read_table(str(path)) == {'points': efficientnets()}


def test_a_design_has_one_line(tmp_path):
  path = written(tmp_path, law=[point(0, 1e12, [0.1])])
  head, line = path.read_text().splitlines()
  path.write_text('\n'.join((head, line, line)))
  with pytest.raises(UsageError, match='line 3: equal to line 2 in config'):
    read_table(str(path))
  path.write_text('\n'.join((head, line.rpartition(',')[0])))
  with pytest.raises(UsageError, match='line 2: no cell for commits is left'):
    read_table(str(path))


@pytest.mark.parametrize(
  'label, recipe, message',
  [('p0', 'b', 'in label'), ('b', 'a', 'in .*resolution.*compute, macs')],
)
def test_a_line_a_run_is_refused(tmp_path, label, recipe, message):
  one = point(0, 1e12, [0.1], label='p0', config='', recipe='a')
  path = written(tmp_path, a=[one, one._replace(label='b', recipe='b')])
  assert len(read_table(str(path))['a']) == 2
  other = one._replace(label=label, recipe=recipe, seeds=(1,))
  with pytest.raises(UsageError, match=f'line 3: equal to line 2 {message}'):
    read_table(str(written(tmp_path, a=[one, other])))


@pytest.mark.parametrize(
  'column, text, message',
  [
    ('resolution', '0', "line 2: resolution='0' is not a whole number above 0"),
    ('resolution', '8.5', "line 2: resolution='8.5' is not a whole number"),
    ('width', '-1', "line 2: width='-1' is not a number above 0"),
    ('compute', 'nan', "line 2: compute='nan' is not a number above 0"),
    ('error', '', "line 2: error='' is not parts of 1, not percent"),
    ('error', '0.1 20', "line 2: error='0.1 20' is not parts of 1, not"),
    ('seeds', '3 3', "line 2: seeds='3 3' has one twice"),
    ('error', '0.1', 'line 2: 2 seeds and 1 of error'),
    ('loss', '0.1 0.2 0.3', 'line 2: 2 seeds and 3 of loss'),
    ('label', '', "line 2: label='' is not text"),
  ],
)
def test_what_is_refused(tmp_path, column, text, message):
  path = written(tmp_path, law=[point(0, 1e12, [0.1, 0.2])])
  head, line = path.read_text().splitlines()
  cells = dict(zip(head.split(','), line.split(','), strict=True))
  path.write_text(f'{head}\n{",".join((cells | {column: text}).values())}\n')
  with pytest.raises(UsageError, match=message) as error:
    read_table(str(path))
  assert '(--points)' in str(error.value)


def test_files_that_are_no_tables_are_refused(tmp_path):
  path = tmp_path / 'fit.csv'
  with pytest.raises(UsageError, match='No such file'):
    read_table(str(path))
  path.write_text(','.join((*COLUMNS, 'eror')) + '\n')
  with pytest.raises(UsageError, match="Unknown column 'eror'. Did you mean"):
    read_table(str(path))
  path.write_text('label,error\na,0.1\n')
  with pytest.raises(UsageError, match='has no column compute, epochs'):
    read_table(str(path))
  path.write_text(','.join(COLUMNS) + '\n')
  with pytest.raises(UsageError, match='holds no points'):
    read_table(str(path))
  path.write_bytes(b'\xff\xfe\x00')
  with pytest.raises(UsageError, match='Cannot read'):
    read_table(str(path))
