"""Exact population quantities: risks, minimisers, the sandwich, means of control variates."""
