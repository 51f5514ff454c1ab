"""Programs for machines that are not here: compiled, counted, estimated."""
