"""The ImageNet recipes, field by field, against what was published."""

import pytest

from configs import finetune, transfer
from configs.imagenet import (
  bag_of_tricks,
  resnet,
  resnet_rs,
  resnet_rs_noisy_student,
  resnext,
)
from resflax import path
from resflax.config import resolve
from resflax.errors import UsageError
from resflax.resolved import Facts

# ImageNet's training images, all of them, as the published runs saw them.
FACTS = Facts(1_281_167, {}, '', 'tpu')

# Source of what all eleven have: tensorflow/tpu's configs and MODEL_GARDEN.md.
ALL_RS = {
  'batch_size': 4096,
  'precision': 'bfloat16',
  'model.norm.momentum': 0.0,
  'model.norm.epsilon': 1e-5,
  'model.se_ratio': 0.25,
  'model.stem': 'deep_strided',
  'model.branch': 'bottleneck_b',
  'model.width': 1.0,
  'model.stochastic_depth_by': 'stage',
  'augment.area': (0.08, 1.0),
  'augment.ratio': (0.75, 4 / 3),
  'augment.flip': True,
  'augment.randaugment.layers': 2,
  'loss.label_smoothing': 0.1,
  'optimizer.peak_lr': 1.6,
  'optimizer.momentum': 0.9,
  'optimizer.weight_decay': 4e-5,
  'optimizer.decoupled': False,
  'schedule.name': 'cosine',
  'schedule.warmup_steps': 1564,  # 5 epochs
  'ema.decay': 0.9999,
  'ema.dynamic': True,
  'resolution.test_crop': 0.875,
}
AUTHORS = {
  'model.activation': 'relu',
  'model.shortcut': 'avg_pool',
  'model.padding': 'symmetric',
  'augment.randaugment.source': 'tpu',
  'optimizer.nesterov': True,
  'optimizer.decay_mask': 'all_but_norm',
  'schedule.total_steps': 109_475,
}
GARDEN = {
  'model.activation': 'swish',
  'model.shortcut': 'avg_pool_garden',
  'model.padding': 'same',
  'augment.randaugment.source': 'garden',
  'optimizer.nesterov': False,
  'optimizer.decay_mask': 'kernels',
  'schedule.total_steps': 109_200,
  'schedule.warmup_steps': 1_560,
}
# Blocks, resolution, dropout, stochastic depth, magnitude; and Model Garden's.
TABLE = {
  'rs50_i160': ((3, 4, 6, 3), 160, 0.25, 0.0, 10, 10),
  'rs101_i160': ((3, 4, 23, 3), 160, 0.25, 0.0, 10, 15),
  'rs101_i192': ((3, 4, 23, 3), 192, 0.25, 0.0, 15, 15),
  'rs152_i192': ((3, 8, 36, 3), 192, 0.25, 0.0, 15, 15),
  'rs152_i224': ((3, 8, 36, 3), 224, 0.25, 0.0, 15, 15),
  'rs152_i256': ((3, 8, 36, 3), 256, 0.25, 0.0, 15, 15),
  'rs200_i256': ((3, 24, 36, 3), 256, 0.25, 0.1, 15, 15),
  'rs270_i256': ((4, 29, 53, 4), 256, 0.25, 0.1, 15, 15),
  'rs350_i256': ((4, 36, 72, 4), 256, 0.25, 0.1, 15, 15),
  'rs350_i320': ((4, 36, 72, 4), 320, 0.4, 0.1, 15, 15),
  'rs420_i320': ((4, 44, 87, 4), 320, 0.4, 0.1, 15, 15),
}
SGD = {
  'optimizer.name': 'sgd',
  'optimizer.momentum': 0.9,
  'optimizer.weight_decay': 1e-4,
  'optimizer.decay_mask': 'kernels',
  'resolution.train': 224,
  'resolution.test': 224,
  'ema.decay': 0.0,
}


def resolved(module, arg, *, weights=None):
  config = module.get_config(arg)
  config.init.weights = weights
  return resolve(config.to_dict(), FACTS)


def differences(found, expected):
  return {k: (found[k], v) for k, v in expected.items() if found[k] != v}


def row(name, *, garden=False):
  depths, resolution, dropout, drop, magnitude, of_garden = TABLE[name]
  return {
    'model.depths': depths,
    'resolution.train': resolution,
    'resolution.test': resolution,
    'model.dropout_rate': dropout,
    'model.stochastic_depth_rate': drop,
    'augment.randaugment.magnitude': of_garden if garden else magnitude,
  }


@pytest.mark.parametrize('name', TABLE)
def test_every_field_of_the_eleven_is_the_authors(name):
  found = resolved(resnet_rs, name)
  assert not differences(found, {**ALL_RS, **AUTHORS, **row(name)})


@pytest.mark.parametrize('name', TABLE)
def test_every_field_of_the_eleven_is_model_gardens(name):
  found = resolved(resnet_rs, f'{name},garden')
  expected = {**ALL_RS, **GARDEN, **row(name, garden=True)}
  assert not differences(found, expected)


def test_model_gardens_epochs_are_of_whole_batches():
  found = resolved(resnet_rs, 'rs50_i160,garden,epochs=90,batch=1024')
  assert found['schedule.total_steps'] == 90 * (1_281_167 // 1024)
  assert found['schedule.warmup_steps'] == 5 * (1_281_167 // 1024)


def test_a_model_comes_first():
  with pytest.raises(UsageError, match="'rs152_i256' is a value without a na"):
    resnet_rs.get_config('garden,rs152_i256')


def test_the_table_is_the_published_path():
  keys = {f'rs{p.layers}_i{p.resolution}' for p in path.published()}
  names = {'rs270': 'rs272', 'rs420': 'rs419'}  # as their layers count
  ours = {
    '_'.join((names.get(a, a), b))
    for a, b in (name.split('_') for name in resnet_rs.MODELS)
  }
  assert keys == ours and set(TABLE) == set(resnet_rs.MODELS)


@pytest.mark.parametrize(
  'name, point', list(zip(TABLE, path.published(), strict=True))
)
def test_the_rule_decides_what_was_published(name, point):
  """The whole recipe out of a budget, no field set by hand."""
  found = resolved(resnet_rs, f'macs={point.macs}')
  assert not differences(found, {**ALL_RS, **AUTHORS, **row(name)})
  found = resolved(resnet_rs, f'latency_ms={point.milliseconds}')
  assert not differences(found, row(name))


def test_a_model_and_a_budget_are_one_too_many():
  with pytest.raises(UsageError, match='rs152_i256 is a published model'):
    resnet_rs.get_config('rs152_i256,macs=4e9')


@pytest.mark.parametrize('budget', ['macs=0', 'latency_ms=0', 'macs=nan'])
def test_a_budget_of_nothing_is_refused(budget):
  with pytest.raises(UsageError, match='config.scaling'):
    resolved(resnet_rs, budget)


def test_a_short_run_turns_the_same_budget_to_width():
  found = resolved(resnet_rs, 'macs=12e9,epochs=10')
  assert found['model.width'] > 1
  assert found['model.dropout_rate'] == 0
  assert found['augment.randaugment.layers'] == 0
  assert found['loss.label_smoothing'] == 0


@pytest.mark.parametrize('idle', ['freeze=2', 'decay=0.5'])
def test_fixres_takes_no_rates_by_layer(idle):
  with pytest.raises(UsageError, match='freeze and decay do nothing'):
    finetune.get_config(f'resnet50,fixres,{idle}')


@pytest.mark.parametrize('freeze', [-1, 5])
def test_there_are_four_stages_to_freeze(freeze):
  with pytest.raises(UsageError, match=f'freeze={freeze} is to be from 0'):
    finetune.get_config(f'resnet50,freeze={freeze}')
  rates = finetune.get_config('resnet50,freeze=4').optimizer.lr_factors
  assert rates == ('stem=0', *(f'stage{n}=0' for n in range(1, 5)))


def test_noisy_student_is_the_152_at_224_beside_pseudo_labels():
  found = resolve(
    resnet_rs_noisy_student.get_config('/data/more').to_dict(),
    # Labelled images and as many as pass, in epochs of the labelled ones.
    Facts(131_281_167, {}, '', 'tpu', epoch_examples=4 * FACTS.num_examples),
  )
  expected = {
    **ALL_RS,
    **AUTHORS,
    **row('rs152_i224'),
    'data.mixture.sources': ('pseudo:/data/more',),
    'data.mixture.ratios': (1, 3),
    'data.mixture.targets': 'soft',
    # Of the labelled images, each with three others, in batches of 4,096.
    'schedule.total_steps': round(350 * 4 * 1_281_167 / 4096),
    'schedule.warmup_steps': round(5 * 4 * 1_281_167 / 4096),
  }
  assert not differences(found, expected)
  with pytest.raises(UsageError, match='noisy_student.py:DIR'):
    resnet_rs_noisy_student.get_config()


# Bello et al. 2021, section 7.4: what is taken of the RS methods, and what not.
SUBSET = {
  **{
    path: ALL_RS[path] for path in ('schedule.name', 'optimizer.weight_decay')
  },
  'optimizer.decay_mask': AUTHORS['optimizer.decay_mask'],
  'loss.label_smoothing': ALL_RS['loss.label_smoothing'],
  'augment.randaugment.layers': ALL_RS['augment.randaugment.layers'],
  'augment.mixup': 0.0,
  'augment.cutmix': 0.0,
  'model.dropout_rate': 0.25,
  'model.stochastic_depth_rate': 0.0,
  'model.se_ratio': 0.0,
  'model.stem': 'conv7x7',
  'model.shortcut': 'projection',
  'ema.decay': 0.0,
}


def test_transfer_trains_by_the_papers_subset_for_400_epochs():
  found = resolved(transfer, 'pretrain')
  expected = {
    **SUBSET,
    'data.name': 'imagenet2012',
    'schedule.total_epochs': 400,
    'schedule.warmup_epochs': 5,
    'batch_size': ALL_RS['batch_size'],
    'optimizer.peak_lr': ALL_RS['optimizer.peak_lr'],
    'optimizer.nesterov': True,
    'resolution.train': 224,
    'augment.randaugment.magnitude': 15,
    'augment.randaugment.source': 'tpu',
    'init.weights': None,
    'init.reset_head': False,
  }
  assert not differences(found, expected)
  assert (
    resolved(transfer, 'resnet50,resolution=160,pretrain')[
      'augment.randaugment.magnitude'
    ]
    == 10
  )


@pytest.mark.parametrize(
  'size, magnitude',
  [('', 15), (',resolution=160', 10), (',resolution=224', 15)],
)
def test_transfer_fine_tunes_by_the_same_subset(size, magnitude):
  found, plain = (
    resolved(module, f'data=cifar100{size}', weights='file')
    for module in (transfer, finetune)
  )
  expected = {
    **SUBSET,
    'augment.randaugment.magnitude': magnitude,
    'augment.randaugment.source': 'scaled',
  }
  assert not differences(found, expected)
  # And nothing else is different from fine-tuning.
  changed = {path for path in found.values if found[path] != plain[path]}
  assert changed <= set(expected)
  assert found['init.reset_head'] and found['data.name'] == 'cifar100'


# He et al. 2019, tables 5 and 6.
RUNGS = {
  'base': ('resnet50_v1', 'step', 0.0, 0.0, 120),
  'b': ('resnet50', 'step', 0.0, 0.0, 120),
  'c': ('resnet50_c', 'step', 0.0, 0.0, 120),
  'd': ('resnet50_d', 'step', 0.0, 0.0, 120),
  'cosine': ('resnet50_d', 'cosine', 0.0, 0.0, 120),
  'smoothing': ('resnet50_d', 'cosine', 0.1, 0.0, 120),
  'mixup': ('resnet50_d', 'cosine', 0.1, 0.2, 200),
}


@pytest.mark.parametrize('rung', RUNGS)
def test_every_rung_of_bag_of_tricks(rung):
  variant, schedule, smoothing, mixup, epochs = RUNGS[rung]
  found = resolved(bag_of_tricks, rung)
  expected = {
    **SGD,
    'model.variant': variant,
    'schedule.name': schedule,
    'loss.label_smoothing': smoothing,
    'augment.mixup': mixup,
    'schedule.total_epochs': epochs,
    'batch_size': 1024,
    'optimizer.peak_lr': 0.4,
    'optimizer.nesterov': True,
    'augment.color_jitter': 0.4,
    'augment.lighting': 0.1,
    'schedule.warmup_epochs': 5,
  }
  assert not differences(found, expected)
  # Epochs 30, 60 and 90 of 120.
  assert [d * 1.2 for d in found['schedule.drops']] == [30, 60, 90]


def test_resnext_is_fb_resnet_torchs_recipe():
  found = resolved(resnext, None)
  expected = {
    **SGD,
    'model.variant': 'resnext50_32x4d',
    'model.cardinality': 32,
    'batch_size': 256,
    'optimizer.peak_lr': 0.1,
    'schedule.name': 'step',
    'schedule.total_epochs': 90,
    'schedule.warmup_steps': 0,
    'augment.color_jitter': 0.4,
    'augment.lighting': 0.1,
  }
  assert not differences(found, expected)
  epochs = [0.9 * drop for drop in found['schedule.drops']]
  assert epochs == pytest.approx([30, 60])


def test_resnet_is_of_90_epochs_after_flax():
  found = resolved(resnet, 'batch=8192')
  expected = {
    **SGD,
    'model.variant': 'resnet50',
    'optimizer.peak_lr': 3.2,
    'optimizer.nesterov': True,
    'schedule.name': 'cosine',
    'schedule.total_epochs': 90,
    'schedule.warmup_epochs': 5,
  }
  assert not differences(found, expected)


@pytest.mark.parametrize(
  'module, arg, message',
  [
    (resnet_rs, 'rs50_i224', "Unknown model 'rs50_i224'"),
    (bag_of_tricks, 'mixups', "Unknown rung 'mixups'. Did you mean 'mixup'"),
  ],
)
def test_names_that_are_not_there(module, arg, message):
  with pytest.raises(UsageError, match=message):
    module.get_config(arg)
