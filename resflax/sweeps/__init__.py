"""Many runs of one config: which ones, and getting them all done."""
