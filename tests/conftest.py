"""Strict numerics for every test: 64-bit floats, no silent broadcasting, no window."""

import os

os.environ["MPLBACKEND"] = "Agg"
# Two processes test at a time: the threads of a library's matrix products would wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import jax
from hypothesis import settings

jax.config.update("jax_enable_x64", True)
# A (n,) and a (n, 1) array must never meet unnoticed.
jax.config.update("jax_numpy_rank_promotion", "raise")

# The same examples on every machine and every day; a failure can always be repeated.
settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.load_profile("steady")
