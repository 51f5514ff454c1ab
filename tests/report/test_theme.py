import re
import xml.etree.ElementTree as ET

import pytest
from matplotlib.figure import Figure

from resflax.report.theme import COLOR, PALETTE, canvas, place, si, svg


def drawing() -> Figure:
  axes = place(canvas(300, 200), 20, 10, 200, 100)
  axes.plot([1, 2], [3, 4], 'o', color=COLOR['blue'])
  axes.set_title('a <b> & $5 bill$ 犬')
  return axes.figure


def contrast(first: str, second: str) -> float:
  """The contrast ratio of WCAG 2.1."""

  def luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
      c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4
      for c in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

  dark, light = sorted(map(luminance, (first, second)))
  return (light + 0.05) / (dark + 0.05)


def test_a_figure_is_one_element_in_pixels_and_in_the_page_s_colours():
  element = svg('what it shows', drawing)
  root = ET.fromstring(element.replace('xlink:', ''))
  assert root.attrib['width'] == '300' and root.attrib['height'] == '200'
  assert root.attrib['aria-label'] == 'what it shows'
  assert 'var(--blue)' in element and 'var(--ink)' in element
  assert not set(re.findall('#[0-9a-f]{6}', element)) & set(COLOR.values())
  assert 'a &lt;b&gt; &amp; $5 bill$ 犬' in element
  assert '://' not in element


def test_every_id_is_referred_to():
  element = svg('', drawing)
  ids = re.findall(r' id="([^"]*)"', element)
  assert ids and all(f'#{name}' in element for name in ids)


def test_axes_lie_where_they_are_placed():
  axes = drawing().axes[0]
  box = axes.get_position()
  assert box.x0 * 300 == pytest.approx(20)
  assert (1 - box.y1) * 200 == pytest.approx(10)
  assert box.width * 300 == pytest.approx(200)
  assert box.height * 200 == pytest.approx(100)


@pytest.mark.parametrize('scheme', [0, 1])
@pytest.mark.parametrize('name', ['ink', 'soft', 'blue', 'vermilion'])
def test_text_can_be_read_in_light_and_dark(scheme, name):
  ratio = contrast(PALETTE[name][scheme], PALETTE['paper'][scheme])
  # WCAG AA: 4.5 for text, 3 for what is large or a mark.
  assert ratio >= (3.8 if name == 'vermilion' else 4.5)


def test_light_colours_differ():
  assert len(set(COLOR.values())) == len(PALETTE)


@pytest.mark.parametrize(
  'value, text',
  [
    (0, '0'),
    (999, '999'),
    (1000, '1 k'),
    (999_700, '1 M'),
    (4_089_184_256, '4.09 G'),
    (2e12, '2 T'),
  ],
)
def test_numbers_have_a_prefix(value, text):
  assert si(value) == text
