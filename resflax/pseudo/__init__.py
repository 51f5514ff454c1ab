"""A trained net's classes of unlabelled images, as a data set to train on.

Source: Xie et al. 2020, "Self-training with Noisy Student".
"""
