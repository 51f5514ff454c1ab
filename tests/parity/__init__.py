"""Equal logits: our models against those of the libraries weights come from.

`record` runs the libraries' own models once, on weights drawn by name, and
keeps what they answer; the tests draw the same weights, convert them and
compare, so that they need none of the libraries.
"""
