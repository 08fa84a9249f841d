"""Sweeps in the token world: a setting's tables, exact populations of cells, rows as counts, replicates."""
