"""Random numbers: which key draws which row.

    rows = f(seed, setting, counts, replicate, segment, block)

A *segment* is one stream of rows of one group: its raw rows, its oversampling pool or its
augmentation pool. Segments are drawn in blocks of ``BLOCK`` rows, each from a key of its own,
so that a longer pool begins with the shorter one whatever its length, and rows can be drawn
again block by block. The standard normals behind a pool do not depend on the generator or
the estimator: all cells of a sweep share them, and their differences are paired.

The generator is Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw, SC 2011), the one behind
JAX's keys; written out here because both of its words are used, where ``jax.random`` uses one
of two. Normals are drawn in single precision (23 random bits, |z| below 5.4);
tests/test_draws.py bounds what that does to moments by enumerating all outcomes.
"""

import hashlib
import json
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations.arrays import AnyArray

# Part of what a draw is: changing either changes every number.
IMPLEMENTATION = "threefry2x32"
BLOCK = 256

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = np.uint32(0x1BD11BDA)
# The second word of a counter says what is drawn, so that no two purposes share bits.
_NORMALS, _UNIFORMS, _INDICES, _NODE_NORMALS, _NODE_UNIFORMS = map(np.uint32, range(5))
# The first purpose that no draw has: keys derived from a drawing key take second words from here.
FREE_PURPOSE = 5
# Far above those second words: no purpose shares bits with it.
_SHORT_UNIFORMS = np.uint32(2**16)
_LOWEST = np.nextafter(np.float32(-1), np.float32(0))


def sample_key(seed: int, setting: dict[str, Any], counts: np.ndarray) -> np.ndarray:
    """The key ``(2,)`` of all samples of one setting with these raw counts.

    It is the seed's key with three words folded in, as by ``jax.random.fold_in``; in NumPy, because JAX
    would compile programs for it that run once.
    """
    text = json.dumps([setting, [int(n) for n in counts]], sort_keys=True)
    digest = hashlib.sha256(text.encode()).digest()
    key = np.array([seed >> 32, seed & 0xFFFFFFFF], np.uint32)
    for word in np.frombuffer(digest[:12], ">u4").astype(np.uint32).reshape(3, 1):
        key = np.concatenate(threefry(key, np.zeros_like(word), word))
    return key


def threefry(key: AnyArray, first: AnyArray, second: AnyArray) -> tuple[Any, Any]:
    """Two words of 32 random bits for every counter ``(first, second)``; ``key (2,)``, all uint32."""
    keys = (key[0], key[1], key[0] ^ key[1] ^ _PARITY)
    x, y = first + keys[0], second + keys[1]
    for group in range(5):
        for rotation in _ROTATIONS[group % 2]:
            x = x + y
            y = (y << np.uint32(rotation)) | (y >> np.uint32(32 - rotation))
            y = x ^ y
        x = x + keys[(group + 1) % 3]
        y = y + keys[(group + 2) % 3] + np.uint32(group + 1)
    return x, y


def derived_key(key: Array, first: Array | int, second: Array | int) -> Array:
    """The key ``(2,)`` that belongs to two numbers under another key."""
    words = threefry(key, jnp.asarray(first).astype(jnp.uint32), jnp.asarray(second, jnp.uint32))
    return jnp.stack(words)


def replicate_key(key: Array, replicate: Array) -> Array:
    """The key of one replicate."""
    return derived_key(key, replicate, jnp.uint32(0))


def block_key(replicate: Array, segment: Array, block: Array) -> Array:
    """The key of one block of rows; ``replicate`` is the replicate's key."""
    return derived_key(replicate, segment, block)


def _words(key: Array, purpose: np.uint32, count: int) -> tuple[Array, Array]:
    counters = lax.iota(jnp.uint32, count)
    return threefry(key, counters, jnp.full_like(counters, purpose))


def _normals(bits: Array) -> Array:
    """Single-precision normals from the upper 23 of 32 random bits, by the inverse of the cdf."""
    mantissa = (bits >> np.uint32(9)) | np.uint32(0x3F800000)
    unit = lax.bitcast_convert_type(mantissa, jnp.float32) - np.float32(1)
    uniform = jnp.maximum(_LOWEST, unit * (np.float32(1) - _LOWEST) + _LOWEST)
    return np.float32(np.sqrt(2)) * lax.erf_inv(uniform)


def normal_block(key: Array, dim: int) -> Array:
    """Standard normals ``(dim, BLOCK)``, one row of data per column, as 64-bit floats."""
    half = (dim + 1) // 2
    words = _words(key, _NORMALS, half * BLOCK)
    normals = jnp.concatenate([_normals(word).reshape(half, BLOCK) for word in words])
    return normals[:dim].astype(jnp.float64)


def uniform_block(key: Array) -> Array:
    """Uniforms on [0, 1), multiples of 2^-53, ``(BLOCK,)``: they choose a row's atom."""
    high, low = _words(key, _UNIFORMS, BLOCK)
    upper = (high >> np.uint32(5)).astype(jnp.float64)
    lower = (low >> np.uint32(6)).astype(jnp.float64)
    return (upper * 2.0**26 + lower) * 2.0**-53


def index_block(key: Array, count: Array) -> Array:
    """Integers uniform on 0..count-1, ``(BLOCK,)``: raw rows to repeat (bias below count/2^32)."""
    return index_pairs(key, count, count)[0]


def index_pairs(key: Array, first: Array, second: Array) -> tuple[Array, Array]:
    """Independent integers uniform on 0..first-1 and 0..second-1, ``(BLOCK,)`` each; the first are
    those of `index_block`."""
    one, other = _words(key, _INDICES, BLOCK)
    return _below(one, first), _below(other, second)


def _below(word: Array, count: Array) -> Array:
    """Integers on 0..count-1 from 32 random bits: the upper half of a product."""
    wide = word.astype(jnp.uint64) * count.astype(jnp.uint64)
    return (wide >> np.uint64(32)).astype(jnp.int32)


def numbers(key: Array, normals: int, uniforms: int = 0) -> tuple[Array, Array]:
    """So many standard normals, and uniforms on [0, 1) of 23 random bits: for sums over rows that
    are drawn without the rows (`simulations.statistics.bisection`)."""
    half = (normals + 1) // 2
    drawn = jnp.concatenate([_normals(word) for word in _words(key, _NODE_NORMALS, half)])[:normals]
    if not uniforms:
        return drawn.astype(jnp.float64), jnp.zeros(0)
    words = jnp.concatenate(_words(key, _NODE_UNIFORMS, (uniforms + 1) // 2))[:uniforms]
    return drawn.astype(jnp.float64), (words >> np.uint32(9)).astype(jnp.float64) * 2.0**-23


def short_uniforms(key: Array, block: Array, dim: int, count: int) -> Array:
    """Uniforms of mean 0 and variance 1, ``(dim, count)``, in single precision; ``count`` a multiple of 4.

    They have 16 random bits each, four to a call of the generator, and stand in the middle of their
    cells: symmetric, with variance ``1 - 2^-32`` before rounding. Blocks 0, 1, .. of a key differ; a
    key serves one ``dim`` and ``count``.

    Args:
        key: of a stream.
        block: its number.
        dim: rows of the result.
        count: columns.
    """
    calls = dim * count // 4
    counters = lax.iota(jnp.uint32, calls) + block.astype(jnp.uint32) * np.uint32(calls)
    high, low = threefry(key, counters, jnp.full_like(counters, _SHORT_UNIFORMS))
    # As one number of 64 bits: XLA would run the generator once for every word that is used apart.
    both = (high.astype(jnp.uint64) << np.uint64(32)) | low.astype(jnp.uint64)
    bits = lax.bitcast_convert_type(lax.optimization_barrier(both), jnp.uint16)
    step = 2.0 * 3.0**0.5 / 2**16
    wide = bits.reshape(dim, count).astype(jnp.float32)
    return wide * np.float32(step) + np.float32(0.5 * step - 3.0**0.5)
