"""The commands predict, simulate and status and their twin functions."""
