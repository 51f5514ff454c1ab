"""Evaluations of a run: on validation as it goes, on the test at its end."""

from resflax.evaluation.classification import Evaluation, evaluate
from resflax.evaluation.record import save_evaluation
from resflax.parallel import distributed
from resflax.parallel import mesh as meshes
from resflax.training.jobs import EVAL
from resflax.training.ledger import Ledger
from resflax.training.programs import Programs
from resflax.training.setup import Setup
from resflax.training.state import TrainState
from resflax.training.workdir import Workdir


def evaluated(
  setup: Setup,
  programs: Programs,
  ledger: Ledger,
  state: TrainState,
  split: str,
) -> Evaluation:
  """Evaluates the average of a state over a split.

  Args:
    setup: of the run.
    programs: of the run.
    ledger: is told of each batch.
    state: of the run.
    split: of the data set.
  """
  with ledger.on('compile'):
    program = programs.get(EVAL)
  variables = meshes.gathered(setup.mesh, state.eval_variables)

  def eval_step(variables, batch):
    ledger.beat()
    return program(variables, meshes.shard(setup.mesh, batch))

  batches = setup.inputs.eval_batches(split)
  return evaluate(eval_step, variables, batches, distributed.rows_of_all)


def keep(setup: Setup, folder: Workdir, evaluation: Evaluation) -> None:
  """Keeps what a report shows of the test, in the main process."""
  if not distributed.is_main():
    return
  split = setup.resolved['data.test_split']
  save_evaluation(
    folder.path / 'evaluation.npz',
    evaluation,
    lambda index: setup.inputs.picture(split, index),
    split=split,
    resolution=setup.resolved['resolution.test'],
    class_names=setup.dataset.info.class_names,
  )
