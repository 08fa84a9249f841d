"""Worlds of infinite dimension: the Gaussian sequence model and a logistic cosine series on [0, 1]."""
