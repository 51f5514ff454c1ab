"""Packaging: only `resflax`; configs and scripts run from the clone."""

import pathlib
import re

from setuptools import find_packages, setup

ROOT = pathlib.Path(__file__).parent
INIT = (ROOT / 'resflax' / '__init__.py').read_text(encoding='utf-8')

setup(
  name='resflax',
  version=re.search(r"__version__ = '([^']+)'", INIT)[1],
  description='ResNet, -B, -C, -D, ResNeXt and ResNet-RS in JAX/Flax',
  long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
  long_description_content_type='text/markdown',
  license='Apache-2.0',
  packages=find_packages(include=['resflax', 'resflax.*']),
  python_requires='>=3.11',
  install_requires=[
    'absl-py>=2.5',
    'array_record>=0.8.3',
    'etils[epath]>=1.15',
    'flax>=0.12.8',
    'grain>=0.2.18',
    'importlib_resources>=7.1',  # tensorflow-datasets forgets to ask for it
    'jax>=0.10.2',
    'jaxtyping>=0.3.11',
    'matplotlib>=3.11',
    'ml_collections>=1.1',
    'numpy>=2.4',
    'opencv-python-headless>=5.0',
    'optax>=0.2.8',
    'orbax-checkpoint>=0.12.8',
    'pillow>=13.0',
    'rich>=15.0',
    'safetensors>=0.8',
    'scikit-learn>=1.9',
    'scipy>=1.17',
    'simplejpeg>=1.9',
    'tensorboardX>=2.6.5',
    'tensorflow-datasets>=4.9.10',
  ],
  extras_require={
    'test': [
      *('beartype>=0.23', 'pytest>=9.2', 'pytest-xdist>=3.8', 'ruff'),
      *('gcsfs>=2026.10', 'h5py>=3.14', 'onnx>=1.23', 'onnxruntime>=1.32'),
      'ray>=2.60',
      # Programs are compiled for TPUs, which needs none.
      "jax[tpu]; sys_platform == 'linux' and platform_machine == 'x86_64'",
    ],
    'dev': ['pre-commit>=4.7'],
    'tf': ['tensorflow-cpu>=2.21'],
    'bench': ['tensorflow-cpu>=2.21'],
    'onnx': ['onnx>=1.23', 'onnxruntime>=1.32'],
    'gcs': ['gcsfs>=2026.10'],
    'ray': ['ray>=2.60'],
    'tpu': ['jax[tpu]'],
    'cuda': ['jax[cuda13]'],
    'wandb': ['wandb'],
    # Weights of other libraries, each for one kind of file.
    'hub': ['huggingface_hub'],
    'keras': ['h5py>=3.14'],
    'torch': ['torch'],
    # The libraries themselves, for `pytest tests/parity --parity`.
    'parity': [
      *('timm>=1.0.31', 'torch>=2.14', 'torchvision>=0.29'),
      *('keras>=3.15', 'tf_keras>=2.21', 'tensorflow-cpu>=2.21'),
    ],
  },
)
