"""Generators fitted to rows: pure functions from raw rows and random numbers to synthetic rows."""
