"""Generators on a table: rows of one class in, synthetic rows out."""
