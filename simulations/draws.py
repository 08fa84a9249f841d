"""Random numbers: which key draws which row.

    rows = f(seed, setting, counts, replicate, segment, block)

A *segment* is one stream of rows of one group: its raw rows, its oversampling pool or its
augmentation pool. Segments are drawn in blocks of ``BLOCK`` rows, each from a key of its own,
so that a longer pool begins with the shorter one whatever its length, and rows can be drawn
again block by block. The standard normals behind a pool do not depend on the generator or
the estimator: all cells of a sweep share them, and their differences are paired.

Normals are drawn in single precision (23 random bits, |z| below 5.4), which is three times
cheaper; tests/test_draws.py bounds what that does to moments by enumerating all outcomes.
"""

import hashlib
import json
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

# Part of what a draw is: changing either changes every number.
IMPLEMENTATION = "threefry2x32"
BLOCK = 256


def sample_key(seed: int, setting: dict[str, Any], counts: np.ndarray) -> Array:
    """The key of all samples of one setting with these raw counts."""
    text = json.dumps([setting, [int(n) for n in counts]], sort_keys=True)
    digest = hashlib.sha256(text.encode()).digest()
    key = jax.random.key(seed, impl=IMPLEMENTATION)
    for start in (0, 4, 8):
        key = jax.random.fold_in(key, int.from_bytes(digest[start : start + 4], "big"))
    return key


def block_key(key: Array, replicate: Array, segment: Array, block: Array) -> Array:
    """The key of one block of rows."""
    for word in (replicate, segment, block):
        key = jax.random.fold_in(key, word)
    return key


def normal_block(key: Array, dim: int) -> Array:
    """Standard normals ``(dim, BLOCK)``, one row of data per column, as 64-bit floats."""
    draws = jax.random.normal(jax.random.fold_in(key, 0), (dim, BLOCK), dtype=jnp.float32)
    return draws.astype(jnp.float64)


def uniform_block(key: Array) -> Array:
    """Uniforms on [0, 1), ``(BLOCK,)``: they choose a row's atom."""
    return jax.random.uniform(jax.random.fold_in(key, 1), (BLOCK,), dtype=jnp.float64)


def index_block(key: Array, count: Array) -> Array:
    """Integers uniform on 0..count-1, ``(BLOCK,)``: raw rows to repeat (bias below count/2^32)."""
    bits = jax.random.bits(jax.random.fold_in(key, 2), (BLOCK,), dtype=jnp.uint32)
    wide = bits.astype(jnp.uint64) * count.astype(jnp.uint64)
    return (wide >> np.uint64(32)).astype(jnp.int32)
