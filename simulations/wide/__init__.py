"""Estimators in high dimension: as many features as rows, or more, or a tenth of it."""
