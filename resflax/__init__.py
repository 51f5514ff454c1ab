"""ResNet and its variants in JAX: models, recipes, scaling laws."""

__version__ = '0.1.0'
