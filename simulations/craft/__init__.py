"""The simulated table of arXiv 2406.03628: its law, its rows, its exact population."""
