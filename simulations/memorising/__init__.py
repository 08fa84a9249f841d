"""Spurious correlation with more parameters than rows: noise features, random features, two schemes."""
