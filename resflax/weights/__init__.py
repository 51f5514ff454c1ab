"""Weights in and out: other libraries' files, and one of our own.

A source is a module with a map of names; see `resflax.weights.sources`.
"""

from resflax.weights.loading import load_weights
from resflax.weights.metadata import Metadata
from resflax.weights.saving import save_weights

__all__ = ['Metadata', 'load_weights', 'save_weights']
