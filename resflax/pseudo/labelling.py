"""From a teacher and images to a data set on disk."""

import dataclasses
import json
import os
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from resflax.data.describing import About, check_class_names, describe
from resflax.data.importing import checked_name
from resflax.data.local import storing, target_dir
from resflax.data.records import Dataset
from resflax.data.shard_writing import CHECKSUMS
from resflax.data.writing import write_json
from resflax.errors import UsageError
from resflax.models.layout import unstack
from resflax.parallel import distributed
from resflax.pseudo.balance import MIN_CONFIDENCE, copies_of, spread
from resflax.pseudo.folder import begin, clear, is_there, shared_folder
from resflax.pseudo.predictions import Parts, predict
from resflax.pseudo.shards import SHARD_EXAMPLES, SPLIT, Shards
from resflax.pseudo.summary import summarise
from resflax.report.confidence import draw_confidence
from resflax.report.theme import save
from resflax.runs import Run
from resflax.sweeps.results import digest as config_digest
from resflax.training.state import digest_of

VERSION = '1.0.0'
SUMMARY = 'summary.json'


@dataclasses.dataclass(frozen=True)
class Options:
  """How images are labelled and chosen.

  Attributes:
    min_confidence: images below are left out.
    per_class: see `copies_of`.
    top_k: likeliest classes kept of each image.
    compare: whether to count how often labels of the images agree, which are
      written nowhere.
    shard_examples: examples a file.
    part_images: images that are labelled at a time, and what a killed process
      has to do again.
  """

  min_confidence: int | float = MIN_CONFIDENCE
  per_class: int | None = None
  top_k: int = 10
  compare: bool = False
  shard_examples: int = SHARD_EXAMPLES
  part_images: int = 2048


class Labelled(NamedTuple):
  """A pseudo-labelled data set.

  Attributes:
    folder: of its files.
    summary: what came of it.
    was_there: whether it was whole before.
  """

  folder: str
  summary: dict
  was_there: bool


def pseudo_label(
  run: Run,
  dataset: Dataset,
  split: str,
  out: str,
  options: Options,
  teacher: Mapping[str, str],
) -> Labelled:
  """Labels images and writes them as a TFDS data set of ArrayRecord.

  The same call goes on where one was killed; several processes that see one
  disk share the work.

  Args:
    run: the teacher.
    dataset: of the images; its labels are not looked at.
    split: of the data set.
    out: the data set's folder: its last part is the name, the rest TFDS's
      folder.
    options: how.
    teacher: where it was loaded from, for the summary.

  Raises:
    UsageError: a folder or name that is not allowed, one that was made from
      something else, or nothing that is confident enough.
    StorageError: the data cannot be written.
    LostPeerError: another process is gone, or labels something else.
  """
  out = target_dir(out, '--out')
  records = dataset.split(split)
  options = _checked(options, run, dataset)
  about = _about(run, dataset, split, out, options)
  path = os.path.join(out, VERSION)
  distributed.check_equal('what is labelled', json.dumps(about.origin))
  if distributed.on_main(lambda: is_there(path, about)):
    return Labelled(path, _summary(path), True)
  with storing(out, '--out'), shared_folder(path) as folder:
    work = distributed.on_main(lambda: begin(folder, about))
    parts = Parts(work, len(records), options.part_images)
    predict(run, records, parts, top_k=about.soft, compare=options.compare)
    said = parts.summed_up()
    copies = copies_of(
      said.labels,
      said.confidences,
      len(run.class_names),
      min_confidence=options.min_confidence,
      per_class=options.per_class,
    )
    _check_some(copies, said.confidences, options)
    shards = Shards(
      folder, work, about.name, options.shard_examples, spread(copies)
    )
    shards.write(records, parts, f'{dataset.info.name} {split}')
    summary = summarise(
      said,
      copies,
      run.class_names,
      min_confidence=options.min_confidence,
      compare=options.compare,
    )
    summary |= {'teacher': dict(teacher), 'origin': about.origin}
    distributed.on_main(lambda: _finish(folder, about, shards, summary))
  distributed.on_main(lambda: clear(path))
  return Labelled(path, summary, False)


def _checked(options: Options, run: Run, dataset: Dataset) -> Options:
  classes = run.class_names
  check_class_names(classes)
  if options.compare and dataset.info.class_names != classes:
    raise UsageError(
      f'--compare_labels: {dataset.info.name} has other classes than the '
      'teacher, or none: leave it out.'
    )
  top_k = min(options.top_k, len(classes))
  return dataclasses.replace(options, top_k=top_k)


def _about(
  run: Run,
  dataset: Dataset,
  split: str,
  out: str,
  options: Options,
) -> About:
  """Describes the data set; the same origin gives the same files."""
  info, sees = dataset.info, run.preprocessing
  return About(
    name=checked_name(os.path.basename(out), '--out'),
    version=VERSION,
    description=f'{info.name} {split}, labelled by a trained net.',
    origin={
      'teacher_digest': digest_of(unstack(run.variables)),
      'teacher_step': run.step,
      'teacher_config': config_digest(run.config),
      'dataset': info.name,
      'dataset_version': info.version,
      'split': split,
      'resolution': sees.resolution,
      'crop': sees.crop,
      'batch_size': run.setup.resolved['batch_size'],
      **dataclasses.asdict(options),
    },
    class_names=run.class_names,
    channels=info.channels,
    soft=options.top_k,
  )


def _check_some(
  copies: Int[np.ndarray, ' images'],
  confidences: Float[np.ndarray, ' images'],
  options: Options,
) -> None:
  if not copies.any():
    raise UsageError(
      f'No image has a confidence of {options.min_confidence:g}, the highest '
      f'is {confidences.max(initial=0):.3g}: lower --min_confidence.'
    )


def _finish(folder: str, about: About, shards: Shards, summary: dict) -> None:
  """Writes what makes the files a data set, and what is known of it."""
  written = shards.written()
  write_json(
    os.path.join(folder, CHECKSUMS), {s.path: s.sha256 for s in written}
  )
  write_json(os.path.join(folder, SUMMARY), summary)
  picture = os.path.join(folder, 'confidence.svg')
  save(picture, draw_confidence, summary['confidence'])
  describe(about, {SPLIT: written}, folder)


def _summary(path: str) -> dict:
  with open(os.path.join(path, SUMMARY), encoding='utf-8') as file:
    return json.load(file)
