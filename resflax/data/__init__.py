"""From a data set's name to batches: a batch is a function of its position.

`sources` gives records by index, `decode` turns their bytes into pixels,
`augment` chooses and cuts the crop, `pipeline` makes the batches. TensorFlow
is never imported here.
"""
