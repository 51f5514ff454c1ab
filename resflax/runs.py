"""A finished or running run as something to go on from.

What evaluation and prediction start from. Nothing of the training data is
opened before it is asked for: a run folder suffices to classify a picture.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import numpy as np
from etils import epath
from jaxtyping import Float

from resflax.config import Resolved
from resflax.data.class_maps import ClassMap, class_map
from resflax.data.passes import CHUNK
from resflax.data.pipeline import eval_batches
from resflax.data.records import Dataset, Records, read
from resflax.data.splits import test_split
from resflax.errors import unknown
from resflax.evaluation.classification import (
  Evaluation,
  evaluate,
  with_label_sets,
)
from resflax.parallel import mesh as meshes
from resflax.paths import absolute
from resflax.training.assemble import build
from resflax.training.restore import CHECKPOINTS, dataset_of, restore_state
from resflax.training.setup import Setup
from resflax.training.workdir import read_config


@dataclasses.dataclass(frozen=True)
class Preprocessing:
  """What happens to a picture before the model sees it.

  Attributes:
    resolution: side of the square input, in pixels.
    crop: side of the centre crop as a part of the shorter side, in 0..1.
    mean: of each channel, in 0..1.
    std: of each channel, in 0..1.
    channels: 1 or 3.
  """

  resolution: int
  crop: float
  mean: tuple[float, ...]
  std: tuple[float, ...]
  channels: int


@dataclasses.dataclass(frozen=True)
class Run:
  """A run's model and what it takes to use it.

  Attributes:
    setup: the pieces training started from; its data set is not opened.
    variables: the model's; their moving average where the run keeps one.
    step: updates they have had.
    programs: evaluations that were compiled, also of the run with other
      preprocessing.
  """

  setup: Setup
  variables: dict
  step: int
  programs: dict = dataclasses.field(
    default_factory=dict, repr=False, compare=False
  )

  @property
  def config(self) -> dict:
    """The nested config, every field decided."""
    return self.setup.resolved.config

  @property
  def model(self) -> Any:
    """The linen module."""
    return self.setup.model

  @property
  def class_names(self) -> tuple[str, ...]:
    """The classes by label."""
    return self.setup.dataset.info.class_names

  @property
  def preprocessing(self) -> Preprocessing:
    """What evaluation does to a picture."""
    get = self.setup.resolved.values
    return Preprocessing(
      resolution=get['resolution.test'],
      crop=get['resolution.test_crop'],
      mean=get['data.mean'],
      std=get['data.std'],
      channels=self.setup.dataset.info.channels,
    )

  def with_preprocessing(
    self, *, resolution: int | None = None, crop: float | None = None
  ) -> 'Run':
    """Returns the run with other preprocessing; None leaves it."""
    values = {'resolution.test': resolution, 'resolution.test_crop': crop}
    return self._changed({k: v for k, v in values.items() if v is not None})

  def evaluate(
    self,
    dataset: Dataset | None = None,
    split: str | None = None,
    *,
    batch_size: int | None = None,
  ) -> Evaluation:
    """Evaluates on every example of a split, exactly once.

    The loss is the run's, label smoothing included. Of a data set of some of
    the classes, the others do not compete, and labels and predictions are the
    places among them. Where examples have several labels, each is right.

    Args:
      dataset: another one of these classes or some of them, see `class_map`;
        by default the run's own.
      split: of the data set; by default the one the run was tested on, of
        another data set its test split.
      batch_size: examples at once; is rounded up to divide over the devices.

    Raises:
      UsageError: the data set is not there, or has other classes.
      DataError: an example cannot be read.
    """
    split = split or self.test_split(dataset)
    dataset = dataset or self.setup.dataset
    classes = self.classes_in(dataset)
    records = dataset.split(split)
    run = self.sized(batch_size or self.setup.resolved['batch_size'])
    program = run.compiled(classes.columns)
    several = 'labels' in records[0]
    batches = run.batches_of(records)
    if not several:
      batches = map(classes.applied, batches)
    found = evaluate(run.sharded(program), self.variables, batches)
    return with_label_sets(found, _label_sets(records)) if several else found

  def classes_in(self, dataset: Dataset) -> ClassMap:
    """Returns which of the classes a data set is of.

    Raises:
      UsageError: of others.
    """
    return class_map(dataset.info, self.class_names)

  def compiled(self, columns: tuple[int, ...] | None) -> Callable:
    """Returns the evaluation among these classes, compiled once."""
    size = self.preprocessing.resolution
    key = self.setup.mesh, self.setup.resolved['batch_size'], size, columns
    if key not in self.programs:
      self.programs[key] = self.setup.lower_eval(size, columns).compile()
    return self.programs[key]

  def probabilities(
    self, records: Records
  ) -> Float[np.ndarray, 'examples classes']:
    """Returns the probability of each class for pictures without a label.

    Raises:
      DataError: one cannot be read, saying which.
    """

    def classify(variables, images):
      return jax.nn.softmax(self.setup.predict(variables, images))

    return np.concatenate([rows for rows, _ in self.outputs(classify, records)])

  def outputs(
    self, function: Callable, records: Records
  ) -> Iterator[tuple[np.ndarray, dict]]:
    """Yields what a function gives of every record once, and their batch.

    Args:
      function: `(variables, uint8 images) -> rows`, to be compiled.
      records: seen as in evaluation.

    Raises:
      DataError: one cannot be read, saying which.
    """
    run = self.sized(min(len(records), self.setup.resolved['batch_size']))
    compiled = run.sharded(
      jax.jit(
        lambda variables, batch: function(variables, batch['image']),
        out_shardings=meshes.replicated(self.setup.mesh),
      )
    )
    for batch in run.batches_of(records):
      rows = compiled(self.variables, {'image': batch['image']})
      yield np.asarray(rows)[batch['mask']], batch

  def test_split(self, dataset: Dataset | None = None) -> str:
    """Returns the split to evaluate on where none is named."""
    if dataset is None:
      return self.setup.resolved['data.test_split']
    return test_split(dataset.info)

  def sized(self, batch_size: int) -> 'Run':
    """Returns the run with batches of so many, rounded up to the devices."""
    devices = self.setup.mesh.size
    return self._changed({'batch_size': -(-batch_size // devices) * devices})

  def _changed(self, values: Mapping) -> 'Run':
    before = self.setup.resolved
    resolved = Resolved({**before.values, **values}, before.reasons)
    setup = dataclasses.replace(self.setup, resolved=resolved)
    return dataclasses.replace(self, setup=setup)

  def on_this_process(self) -> 'Run':
    """Returns the run on the devices of this process alone."""
    if jax.process_count() == 1:
      return self
    setup = dataclasses.replace(
      self.setup, mesh=meshes.make_mesh(jax.local_devices())
    )
    variables = jax.device_put(
      meshes.own_copy(self.variables), meshes.replicated(setup.mesh)
    )
    return dataclasses.replace(self, setup=setup, variables=variables)

  def batches_of(
    self, records: Records, *, strict: bool = True
  ) -> Iterator[dict]:
    """Returns records as evaluation sees them; see `eval_batches`."""
    preprocessing = self.preprocessing
    return eval_batches(
      records,
      batch_size=self.setup.resolved['batch_size'],
      resolution=preprocessing.resolution,
      crop=preprocessing.crop,
      channels=preprocessing.channels,
      shard=meshes.place_among(self.setup.mesh),
      strict=strict,
    )

  def sharded(self, step: Callable) -> Callable:
    """Returns `step(variables, batch)` for a batch that is on the host."""
    mesh = self.setup.mesh
    return lambda variables, batch: step(variables, meshes.shard(mesh, batch))


def _label_sets(records: Records) -> Iterator[tuple[int, ...]]:
  """Yields the labels of each example."""
  for start in range(0, len(records), CHUNK):
    indices = range(start, min(start + CHUNK, len(records)))
    yield from (example['labels'] for example in read(records, indices))


def load_run(
  workdir: epath.PathLike,
  *,
  checkpoint: str = 'latest',
  data_dir: str | None = None,
  model: Any = None,
) -> Run:
  """Returns the run of a folder, finished or not.

  Args:
    workdir: of the run; is not written to.
    checkpoint: `latest`, or `best` on the validation split.
    data_dir: where the run's data set lies now; by default where it lay.
    model: the linen module the run was given in place of `config.model`.

  Raises:
    UsageError: it is not a run folder.
    StorageError: it has no such checkpoint, or what it has cannot be read.
  """
  if checkpoint not in CHECKPOINTS:
    raise unknown('checkpoint', checkpoint, CHECKPOINTS, '--checkpoint')
  path = epath.Path(absolute(workdir))
  resolved = read_config(path)
  dataset = dataset_of(path, data_dir or resolved['data.data_dir'])
  setup = build(resolved, dataset, meshes.make_mesh(), model=model)
  state = restore_state(path, setup, checkpoint)
  variables = meshes.gathered(setup.mesh, state.eval_variables)
  return Run(setup, variables, int(state.step))
