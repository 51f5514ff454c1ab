r"""ImageNet and pseudo-labelled images, ResNet-RS-152 at 224. Not run.

  python -m scripts.pseudo_label --workdir=TEACHER --dataset=folder:IMAGES \
    --per_class=130000 --out=DATA/more_images
  python -m scripts.train --workdir=DIR \
    --config=configs/imagenet/resnet_rs_noisy_student.py:DATA/more_images

Bello et al. 2021, section 5: 1.2 M labelled images of ImageNet and 130 M of
JFT-300M, labelled by Noisy Student's EfficientNet-L2 (88.4 %; Xie et al. 2020:
a confidence of 0.3 and more, 130,000 a class), are trained on jointly, with the
hyper-parameters of ImageNet alone. Expected top-1: 86.2 %. Neither the images
nor the teacher are public: yours will differ.

As in `resnet_rs.py`: rs152_i224, batches of 4,096, rate 1.6, 350 epochs of the
labelled images, and all regularisers. Of Noisy Student's code: three
pseudo-labelled images to a labelled one, soft targets without smoothing.

Ours, for the paper does not say: that ratio; that a batch of 4,096 holds both
kinds (Noisy Student has 4,096 labelled images and three times as many others,
so a fourth of the steps; images seen of each kind are equal); and that the
model is the 152 at 224, which follows from the speed-ups it is reported with
(4.7 on TPUs, 5.5 on GPUs, against EfficientNet-B5).
"""

from configs.base import shrink
from configs.imagenet import resnet_rs
from resflax.arguments import parse_arg
from resflax.errors import UsageError


def get_config(arg=None):
  """Returns the config; `runlocal` shrinks it and runs on digits."""
  arg = parse_arg(
    arg,
    images=str,
    model='rs152_i224',
    epochs=350.0,
    batch=4096,
    runlocal=False,
  )
  if not arg['images'] and not arg['runlocal']:
    raise UsageError(
      'Give the folder that scripts.pseudo_label wrote: '
      '--config=configs/imagenet/resnet_rs_noisy_student.py:DIR'
    )
  c = resnet_rs.get_config(
    f'{arg["model"]},epochs={arg["epochs"]},batch={arg["batch"]}'
  )
  c.data.mixture.sources = (f'pseudo:{arg["images"]}',)
  c.data.mixture.ratios = (1, 3)
  return shrink(c) if arg['runlocal'] else c
