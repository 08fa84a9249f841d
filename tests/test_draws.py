"""Random numbers: which key draws what, and how good single-precision normals are."""

import hashlib
import itertools
import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.random import threefry_2x32
from samples import rows_of, units_of
from scipy.stats import chi2
from stochastic import FALSE_FAIL

from simulations import draws


def _unit(minority: int = 40, **changes):
    sweep = {
        "setting": {"kind": "imbalance", "dim": 2},
        "counts": {"majority": 300, "minority": minority},
        "synthetic": {"ratios": [0, 1, 2]},
    }
    return units_of({**sweep, **changes})[0]


def _key(seed: int) -> jax.Array:
    return jax.random.key_data(jax.random.key(seed, impl=draws.IMPLEMENTATION))


def test_the_generator_is_that_of_jax() -> None:
    """Both words of every counter, against the library's own Threefry, and a published vector."""
    counters = np.random.default_rng(1).integers(0, 2**32, (2, 500), dtype=np.uint32)
    mine = draws.threefry(_key(5), *(jnp.asarray(word) for word in counters))
    library = threefry_2x32(_key(5), jnp.asarray(counters).ravel()).reshape(2, -1)
    assert np.array_equal(np.stack(mine), library)
    zero = jnp.zeros(1, jnp.uint32)
    known = draws.threefry(jnp.zeros(2, jnp.uint32), zero, zero)
    assert [hex(int(word[0])) for word in known] == ["0x6b200159", "0x99ba4efe"]


def test_block_keys_are_distinct() -> None:
    key = jnp.asarray(draws.sample_key(0, {"kind": "imbalance"}, np.array([3, 2])))
    words = np.array(list(itertools.product(range(8), range(6), range(8))), dtype=np.uint32)
    keys = jax.vmap(lambda w: draws.block_key(draws.replicate_key(key, w[0]), w[1], w[2]))(words)
    assert len(np.unique(np.asarray(keys), axis=0)) == len(words)


def test_no_two_purposes_share_bits() -> None:
    """Normals, uniforms and indices of one block, and all normals of several blocks."""
    parts = [np.stack(draws._words(_key(2), np.uint32(p), 4 * draws.BLOCK)) for p in range(3)]
    others = [np.stack(draws._words(_key(seed), np.uint32(0), 4 * draws.BLOCK)) for seed in (3, 4)]
    pairs = np.concatenate([part.T for part in (*parts, *others)])
    assert len(np.unique(pairs, axis=0)) == len(pairs) == 5 * 4 * draws.BLOCK


def test_sample_keys_differ_by_seed_setting_and_counts() -> None:
    base = {"kind": "imbalance", "dim": 2}
    variants = [
        (0, base, (3, 2)),
        (1, base, (3, 2)),
        (0, {**base, "dim": 3}, (3, 2)),
        (0, base, (2, 3)),
    ]
    keys = [tuple(draws.sample_key(s, d, np.array(c)).tolist()) for s, d, c in variants]
    assert len(set(keys)) == len(keys)


def test_a_sample_key_is_that_of_jax_with_words_folded_in() -> None:
    setting, counts, seed = {"kind": "imbalance"}, [3, 2], 2**32 - 5
    digest = hashlib.sha256(json.dumps([setting, counts], sort_keys=True).encode()).digest()
    key = jax.random.key(seed, impl=draws.IMPLEMENTATION)
    for word in np.frombuffer(digest[:12], ">u4").tolist():
        key = jax.random.fold_in(key, word)
    mine = draws.sample_key(seed, setting, np.array(counts))
    assert np.array_equal(mine, jax.random.key_data(key))


def test_a_longer_pool_begins_with_the_shorter_one() -> None:
    short, long = (rows_of(_unit(synthetic={"ratios": [r]}), 3) for r in (1.0, 3.0))
    for segment in range(4):
        few, many = (rows.x[rows.segment == segment] for rows in (short, long))
        assert len(few) <= len(many)
        assert (few == many[: len(few)]).all()
    assert (long.segment == 3).sum() > (short.segment == 3).sum()


def test_replicates_seeds_and_segments_share_no_row() -> None:
    samples = [rows_of(_unit(), 0), rows_of(_unit(), 1), rows_of(_unit(run={"seed": 1}), 0)]
    firsts = np.concatenate([rows.x[:, 0] for rows in samples])
    # 23 random bits per normal: equal values occur by chance, equal pairs hardly ever do.
    pairs = np.concatenate([rows.x[:, :2] for rows in samples])
    assert len(np.unique(pairs, axis=0)) == len(firsts)


def _uniform_outcomes(bits: np.ndarray) -> np.ndarray:
    """The uniforms on (-1, 1) behind ``jax.random.normal`` for 23 random bits, in float32."""
    low = np.nextafter(np.float32(-1), np.float32(0), dtype=np.float32)
    unit = (bits.astype(np.uint32) | np.uint32(0x3F800000)).view(np.float32) - np.float32(1)
    return np.maximum(low, unit * (np.float32(1) - low) + low)


def _normals(uniforms: np.ndarray) -> np.ndarray:
    return np.asarray(np.float32(math.sqrt(2)) * jax.lax.erf_inv(jnp.asarray(uniforms)))


def test_the_enumeration_below_is_of_the_draws_themselves() -> None:
    block = np.asarray(draws.normal_block(_key(3), 4))
    bits = np.stack(draws._words(_key(3), np.uint32(0), 2 * draws.BLOCK)).reshape(4, draws.BLOCK)
    again = _normals(_uniform_outcomes(bits >> 9))
    np.testing.assert_allclose(block, again, rtol=5e-7, atol=1e-7)


def test_single_precision_normals_have_the_right_moments() -> None:
    """All 2^23 outcomes, equally likely. Odd moments vanish up to one asymmetric outcome.

    A relative error of 1e-6 in a second moment moves an excess risk by about 1e-6 of itself,
    a thousandth of the 1e-3 standard error of a claim under the preset full.
    """
    z = _normals(_uniform_outcomes(np.arange(2**23, dtype=np.uint32))).astype(float)
    assert abs(z.mean()) < 1e-6
    assert (z**2).mean() == pytest.approx(1.0, abs=1e-6)
    assert abs((z**3).mean()) < 2e-5
    assert (z**4).mean() == pytest.approx(3.0, abs=2e-5)
    assert 5.0 < np.abs(z).max() < 5.5


def test_sixteen_bits_would_not_be_enough() -> None:
    coarse = _normals(_uniform_outcomes(np.arange(2**16, dtype=np.uint32) << 7)).astype(float)
    assert abs((coarse**2).mean() - 1.0) > 1e-6


@pytest.mark.parametrize("count", [3, 200])
def test_repeated_rows_are_uniform(count: int) -> None:
    """Chi-square at 1e-6; 102,400 draws detect a relative excess of about 10 % in one of 200."""
    keys = jax.vmap(lambda block: draws.derived_key(_key(8), block, 0))(jnp.arange(400))
    drawn = np.asarray(jax.vmap(lambda k: draws.index_block(k, jnp.asarray(count)))(keys)).ravel()
    assert drawn.min() >= 0 and drawn.max() < count

    def p_value(sample: np.ndarray) -> float:
        expected = len(sample) / count
        observed = np.bincount(sample, minlength=count)
        return float(chi2.sf(((observed - expected) ** 2 / expected).sum(), count - 1))

    assert p_value(drawn) > FALSE_FAIL
    # The twin: every twentieth index is the first one.
    assert p_value(np.where(np.arange(len(drawn)) % 20 == 0, 0, drawn)) < FALSE_FAIL
