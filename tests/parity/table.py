"""Compares every pair and prints docs/results/parity.md.

python -m tests.parity.table > docs/results/parity.md
"""

from tests.parity.cases import CASES, QUICK
from tests.parity.measure import answer, differences, recorded

HEAD = """# Equal logits

Made by `python -m tests.parity.table > docs/results/parity.md` on one CPU core,
from answers that `python -m tests.parity.record` took from the libraries' own
models (timm 1.0.31, torchvision 0.29.1 and torch 2.14.1; Keras 3.15, tf_keras
2.21 and tf-models-official 2.20 on TensorFlow 2.21).

Weights and batch statistics are random, drawn by name; images are two of noise.
The differences are the largest of ten logits, and of the mean and the root mean
square of each stage's features, relative to the largest value, in float32. The
tests allow 1e-4. Rows in bold are compared in every test run, the others by
`pytest tests/parity --parity`.

| source | their model | ours | pixels | output stride | logits | stages |
|---|---|---|--:|--:|--:|--:|"""


def main() -> None:
  print(HEAD)
  for case in CASES:
    logits, stages = differences(answer(case), recorded(case))
    bold = '**' * (case.key in QUICK[case.source])
    print(
      f'| {case.source} | {bold}{case.theirs}{bold} | `{case.ours}` '
      f'| {case.size} | {case.output_stride or "as it is"} '
      f'| {logits:.1e} | {stages:.1e} |',
      flush=True,
    )


if __name__ == '__main__':
  main()
