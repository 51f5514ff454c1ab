"""Measurements as ratios: what is compared runs in one process, in turns."""
