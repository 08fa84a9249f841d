"""Nonparametric laws: exponents that are not 1, with their constants."""
