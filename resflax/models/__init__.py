"""ResNets as linen modules; `build_model` makes one from a name or fields."""

__all__ = ['build_model']


def __getattr__(name: str):
  # On first use, so that importing this package does not import jax.
  if name == 'build_model':
    from resflax.models.build import build_model

    return build_model
  raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
