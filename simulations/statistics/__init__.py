"""Replicates from sufficient statistics, without the rows."""
