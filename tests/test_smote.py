"""SMOTE inside JAX: which rows it makes, and that their law is that of everybody's SMOTE.

Given the raw rows, synthetic rows are independent draws of one law. Ours are compared with a sampler of
ten lines in NumPy, and with imbalanced-learn where it is installed, by the means of twelve features:
false-fail rate 1e-6 for all of them, differences of ``DETECTS`` standard deviations found.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from simulations import draws
from simulations.compilation import quick_jit
from simulations.smote import rows as kernel
from simulations.smote.neighbours import neighbours
from tests.stochastic import Disagreement, assert_mean, sample_mean
from tests.streams import keys

ROWS = np.random.default_rng(3).standard_normal((30, 2)) * [1.0, 2.0]
K, DRAWN = 3, 200_000
# Under the mildest twin (one neighbour too many) the distance to the nearest row moves by 0.08.
DETECTS = 0.04
KEY = keys(1)[0]


def _made(key: Any, rows: Any, count: Any, k: int, total: int, segment: int = 4) -> Any:
    return kernel.smote(key, segment, rows, count, neighbours(rows, count, k), total)


made: Any = quick_jit(_made, static_argnums=(3, 4, 5))


def reference(
    rng: np.random.Generator,
    rows: np.ndarray,
    k: int,
    total: int,
    *,
    itself: bool = False,
    one_gap: bool = True,
) -> np.ndarray:
    """SMOTE as everybody writes it; ``itself``, ``one_gap`` make two common mistakes."""
    squares = ((rows[:, None] - rows[None]) ** 2).sum(axis=2)
    np.fill_diagonal(squares, -1.0 if itself else np.inf)
    near = np.argsort(squares, axis=1)[:, :k]
    seed = rng.integers(len(rows), size=total)
    partner = near[seed, rng.integers(k, size=total)]
    gap = rng.random((total, 1 if one_gap else rows.shape[1]))
    return rows[seed] + gap * (rows[partner] - rows[seed])


def features(x: np.ndarray, rows: np.ndarray = ROWS) -> np.ndarray:
    """Twelve numbers of each row ``(m, 12)``: moments, waves, and how far the nearest raw row is."""
    gap = np.sqrt(((x[:, None, :] - rows[None]) ** 2).sum(axis=2))
    nearest = np.sort(gap, axis=1)[:, :2]
    waves = x @ np.array([[3.0, 0.0, 2.0], [0.0, 3.0, -2.0]])
    return np.column_stack(
        [x, x**2, x.prod(axis=1), np.cos(waves), np.sin(waves[:, 2]), nearest, nearest[:, 0] == 0.0]
    )


def assert_same_law(ours: np.ndarray, theirs: np.ndarray) -> None:
    parts = [np.concatenate([features(c) for c in np.array_split(x, 20)]) for x in (ours, theirs)]
    scale = parts[1].std(axis=0)
    scale[scale == 0.0] = 1.0
    (a, a_se), (b, b_se) = (sample_mean(part / scale) for part in parts)
    assert_mean(a - b, np.hypot(a_se, b_se), 0.0, detects=DETECTS)


def ours(k: int = K) -> np.ndarray:
    return np.asarray(made(KEY, jnp.asarray(ROWS), len(ROWS), k, DRAWN))


def test_the_law_is_that_of_a_numpy_smote() -> None:
    rng = np.random.default_rng(11)
    assert_same_law(ours(), reference(rng, ROWS, K, DRAWN))


TWINS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "one neighbour more": lambda rng: reference(rng, ROWS, K + 1, DRAWN),
    "the seed among its neighbours": lambda rng: reference(rng, ROWS, K, DRAWN, itself=True),
    "a gap for each coordinate": lambda rng: reference(rng, ROWS, K, DRAWN, one_gap=False),
}


@pytest.mark.parametrize("twin", TWINS)
def test_a_wrong_smote_has_another_law(twin: str) -> None:
    with pytest.raises(Disagreement):
        assert_same_law(ours(), TWINS[twin](np.random.default_rng(12)))


def test_the_law_is_that_of_imbalanced_learn() -> None:
    module = pytest.importorskip("imblearn.over_sampling")
    majority = np.full((DRAWN + len(ROWS), 2), 50.0)
    x = np.concatenate([majority, ROWS])
    y = np.repeat([0, 1], [len(majority), len(ROWS)])
    sampler = module.SMOTE(k_neighbors=K, random_state=13)
    theirs = sampler.fit_resample(x, y)[0][len(x) :]
    assert theirs.shape == (DRAWN, 2)
    assert_same_law(ours(), theirs)
    with pytest.raises(Disagreement):
        assert_same_law(ours(K + 1), theirs)


def test_seed_partner_and_gap_are_uniform_and_independent() -> None:
    """Every pair has probability 1/(n k); gaps are uniform whatever the pair."""
    n, k, blocks = 7, 3, 2000
    near = neighbours(jnp.asarray(ROWS[:n]), n, k)
    each: Any = quick_jit(jax.vmap(lambda key: kernel.choices(key, near, n)))
    found = kernel.Choices(*(np.asarray(part).ravel() for part in each(keys(blocks))))
    place = (np.asarray(near)[found.seed] == found.partner[:, None]).argmax(axis=1)
    assert (np.asarray(near)[found.seed, place] == found.partner).all()
    assert found.gap.min() >= 0.0 and found.gap.max() < 1.0
    cell = found.seed * k + place
    share = np.bincount(cell, minlength=n * k) / cell.size
    expected = 1.0 / (n * k)
    se = np.sqrt(expected * (1.0 - expected) / cell.size)
    assert_mean(share, np.full(n * k, se), expected, detects=0.1 * expected)
    moments = np.stack([found.gap, found.gap**2, found.gap * found.seed, found.gap * place], axis=1)
    mean, se = sample_mean(moments)
    right = np.array([1 / 2, 1 / 3, (n - 1) / 4, (k - 1) / 4])
    assert_mean(mean, se, right, detects=0.02 * right)
    with pytest.raises(Disagreement):
        assert_mean(mean, se, 1.02 * right, detects=0.02 * right)


def test_prefixes_nest_and_keys_decide() -> None:
    rows = jnp.asarray(ROWS)
    whole = np.asarray(made(KEY, rows, 30, K, 1000))
    assert whole.shape == (1000, 2)
    for total in (1, 255, 256, 257, 700):
        assert np.array_equal(made(KEY, rows, 30, K, total), whole[:total])
    assert made(KEY, rows, 30, K, 0).shape == (0, 2)
    assert np.array_equal(made(KEY, rows, 30, K, 1000), whole)
    others = np.asarray(made(keys(2)[1], rows, 30, K, 1000)), made(KEY, rows, 30, K, 1000, 5)
    assert not any((np.asarray(other) == whole).all(axis=1).any() for other in others)


def test_padding_changes_no_row() -> None:
    padded = np.concatenate([ROWS, np.full((34, 2), np.nan)])
    assert np.array_equal(
        made(KEY, jnp.asarray(padded), 30, K, 500), made(KEY, jnp.asarray(ROWS), 30, K, 500)
    )


def test_a_batch_makes_the_rows_that_each_replicate_makes() -> None:
    rows = np.random.default_rng(8).standard_normal((3, 40, 2))
    counts, streams = np.array([40, 5, 1]), keys(3)
    batch: Any = quick_jit(jax.vmap(lambda key, x, n: _made(key, x, n, 6, 300)))
    together = np.asarray(batch(streams, jnp.asarray(rows), jnp.asarray(counts)))
    for each in range(3):
        alone = made(streams[each], jnp.asarray(rows[each]), counts[each], 6, 300)
        assert np.allclose(together[each], alone, rtol=0.0, atol=1e-15)
    # A single row has no neighbour and is repeated.
    assert np.array_equal(together[2], np.repeat(rows[2, :1], 300, axis=0))


def test_seeds_are_those_of_duplicates() -> None:
    near = neighbours(jnp.asarray(ROWS), 30, K)
    key = draws.block_key(KEY, jnp.asarray(4), jnp.asarray(2))
    same = draws.index_block(key, jnp.asarray(30))
    assert np.array_equal(kernel.choices(key, near, 30).seed, same)


def test_every_row_lies_on_a_segment_between_neighbours() -> None:
    rows = np.asarray(made(KEY, jnp.asarray(ROWS), 30, K, 400))
    near = np.asarray(quick_jit(neighbours, static_argnums=2)(jnp.asarray(ROWS), 30, K))
    starts, ends = np.repeat(ROWS, K, axis=0), ROWS[near.ravel()]
    whole = np.linalg.norm(ends - starts, axis=1)
    there = np.linalg.norm(rows[:, None] - starts[None], axis=2)
    on = there + np.linalg.norm(rows[:, None] - ends[None], axis=2) - whole[None]
    assert on.min(axis=1).max() < 1e-12
