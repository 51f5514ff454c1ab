"""Data sets that resflax brings along, as TFDS builders."""
