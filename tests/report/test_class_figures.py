import dataclasses

import pytest

from resflax.report.class_figures import (
  LONGEST,
  confused_pairs,
  confusion_matrix,
  per_class,
  shorten,
)
from resflax.report.class_scores import MOST_CLASSES, confusions
from resflax.report.read import read_run


@pytest.mark.parametrize('num_classes', [2, 10, 30])
def test_the_confusion_matrix_shows_every_count_in_its_cell(
  write_run, num_classes
):
  evaluation = read_run(write_run(num_classes)).evaluation
  (axes,) = confusion_matrix(evaluation).axes
  drawn = {(*text.get_position(), text.get_text()) for text in axes.texts}
  assert drawn == {
    (prediction, label, str(count))
    for label, prediction, count in confusions(evaluation)
  }
  assert len(axes.patches) == len(drawn)


def test_accuracy_by_class_equals_the_predictions(write_run):
  evaluation = read_run(write_run()).evaluation
  (axes,) = per_class(evaluation).axes
  names = [label.get_text() for label in axes.get_yticklabels()]
  for name, accuracy in zip(names, axes.lines[0].get_xdata(), strict=True):
    of_class = evaluation.label == evaluation.class_names.index(name)
    assert accuracy == pytest.approx(100 * evaluation.correct[of_class].mean())


@pytest.mark.parametrize('num_classes', [31, 200])
def test_many_classes_become_the_worst_and_the_most_confused(
  write_run, num_classes
):
  evaluation = read_run(write_run(num_classes)).evaluation
  assert len(per_class(evaluation).axes[0].get_yticklabels()) == MOST_CLASSES
  (axes,) = confused_pairs(evaluation).axes
  mistakes = [p for p in confusions(evaluation) if p.label != p.prediction]
  first = axes.get_yticklabels()[0].get_text()
  assert first == f'class {mistakes[0].label} → class {mistakes[0].prediction}'
  share = axes.patches[0].get_width() / 100
  of_class = evaluation.label == mistakes[0].label
  assert share == pytest.approx(mistakes[0].count / of_class.sum())
  assert len(axes.patches) == MOST_CLASSES


def test_a_perfect_model_has_a_bare_diagonal(write_run):
  evaluation = read_run(write_run()).evaluation
  perfect = dataclasses.replace(evaluation, prediction=evaluation.label)
  (axes,) = confusion_matrix(perfect).axes
  assert len(axes.texts) == 10


def test_class_names_fit_an_axis():
  assert shorten('two\n lines') == 'two lines'
  assert shorten('x' * LONGEST) == 'x' * LONGEST
  long = shorten('great white shark, man-eater, man-eating shark')
  assert long.endswith('…') and len(long) == LONGEST
