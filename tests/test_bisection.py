"""Halving: exact identities, and the laws of what is drawn, with wrong twins that must be seen."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import chi2, kstwo
from stochastic import FALSE_FAIL, Disagreement, assert_mean, sample_mean
from streams import distance, keys

from simulations import draws
from simulations.statistics import bisection
from simulations.statistics.bisection import Node, fresh, halves, leaf_rows

DIM = 3
SAMPLES = 2000


@partial(jax.jit, static_argnames="dim")
def _family(key: jax.Array, other: jax.Array, rows: jax.Array, dim: int) -> tuple[Node, Node, Node]:
    """A node of ``2 rows`` rows, and its halves."""
    whole = fresh(key, 2 * rows, dim)
    return whole, *halves(other, whole, rows)


def _gap(whole: Node, left: Node, right: Node, rows: int) -> float:
    """How far the halves are from adding up to the whole, in units of a row."""
    scatter = [np.asarray(node.root @ node.root.T) for node in (whole, left, right)]
    delta = np.asarray(left.total - right.total) / np.sqrt(2.0 * rows)
    total = np.abs(np.asarray(left.total + right.total - whole.total)).max()
    square = scatter[0] - scatter[1] - scatter[2] - np.outer(delta, delta)
    return max(total, np.abs(square).max())


@pytest.mark.parametrize("rows", [256, 2**20, 2**50])
def test_halves_add_up_to_the_whole(rows: int) -> None:
    """``W = W_left + W_right + delta delta'`` with the very delta that parts the totals.

    Exact to rounding: ten roundings of numbers of size ``2 rows`` are allowed. Twin: totals parted by
    a second delta.
    """
    key, other, third = keys(3, rows % 7)
    whole, left, right = _family(key, other, jnp.int64(rows), DIM)
    allowed = 10 * 2 * rows * 2.0**-52
    assert _gap(whole, left, right, rows) < allowed
    if allowed < 1e-6:
        again, _ = halves(third, whole, jnp.int64(rows))
        apart = (left._replace(total=again.total), right._replace(total=whole.total - again.total))
        assert _gap(whole, *apart, rows) > 1e-3


@pytest.mark.parametrize(("rows", "dim"), [(256, 40), (2**30, 3)])
def test_each_half_is_made_of_rows_of_its_own(rows: int, dim: int) -> None:
    """Schur complements of the scatters are chi-square with ``n - d`` degrees of freedom, totals
    normal, and the two halves uncorrelated. Kolmogorov's test at 1e-6 with 2000 samples sees a law
    .08 away, five degrees of freedom in 216. Correlations of .3 are seen."""
    made = jax.vmap(lambda a, b: _family(a, b, jnp.int64(rows), dim))
    _, left, right = made(keys(SAMPLES), keys(SAMPLES, 1))
    limit = kstwo.isf(FALSE_FAIL / 5, SAMPLES)
    law = chi2(rows - dim)
    found = []
    for node in (left, right):
        # The last entry of the root, squared, is the Schur complement of all others.
        schur = np.asarray(node.root)[:, -1, -1] ** 2
        assert distance(schur, law.cdf) < limit
        size = np.asarray(node.total)[:, 0] ** 2 / rows
        assert distance(size, chi2(1).cdf) < limit
        total, corner = np.asarray(node.total), np.asarray(node.root)[:, 0, 0] ** 2
        found += [total[:, 0] / rows**0.5, (corner - rows + 1) / (2 * rows) ** 0.5]
        found += [np.asarray(node.root)[:, -1, 0], (schur - rows + dim) / (2 * rows) ** 0.5]
    assert distance(schur + 6.0 * np.sqrt(rows / 216.0), law.cdf) > limit
    values = np.stack(found, axis=1)
    upper = np.triu_indices(len(found), 1)
    mean, se = sample_mean(values[:, upper[0]] * values[:, upper[1]])
    assert_mean(mean, se, 0.0, detects=0.3)


def test_halving_knows_nothing_of_how_the_node_was_made() -> None:
    """Where the totals part is uncorrelated with the node; detects .25. Twin: the node's own key
    used again to halve it (a mistake once made here)."""

    def products(other: jax.Array) -> tuple[np.ndarray, np.ndarray]:
        made = jax.vmap(lambda a, b: _family(a, b, jnp.int64(2**20), DIM))
        whole, left, _ = made(keys(3000), other)
        total, root = np.asarray(whole.total), np.asarray(whole.root)
        node = [total[:, k] / 2**10.5 for k in range(DIM)] + [root[:, 1, 0], root[:, 2, 1]]
        parting = (np.asarray(left.total) - total / 2) / 2**9.5
        found = np.stack(node, axis=1)[:, :, None] * parting[:, None, :]
        return sample_mean(found.reshape(3000, -1))

    mean, se = products(keys(3000, 1))
    assert_mean(mean, se, 0.0, detects=0.25)
    mean, se = products(keys(3000))
    with pytest.raises(Disagreement):
        assert_mean(mean, se, 0.0, detects=0.5)


def test_leaf_rows_have_the_statistics_of_their_leaf() -> None:
    key, other = keys(2, 5)
    node = fresh(key, jnp.int64(256), DIM)
    rows = np.asarray(leaf_rows(other, node, 256))
    np.testing.assert_allclose(rows.sum(axis=1), node.total, atol=1e-11)
    centred = rows - rows.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(centred @ centred.T, node.root @ node.root.T, atol=1e-10)


def test_leaf_rows_are_normal_and_independent() -> None:
    """Over fresh nodes the rows of a leaf are standard normal: each row's squared length has its
    law, and neighbours do not know each other. Detects correlations of .2. Twin: rows
    that keep the node's scatter fixed at its mean are too regular."""

    def lengths(key: jax.Array, other: jax.Array) -> tuple[jax.Array, jax.Array]:
        rows = leaf_rows(other, fresh(key, jnp.int64(256), DIM), 256)
        return (rows[:, 7] ** 2).sum(), jnp.stack([rows[0, 0] * rows[0, 1], (rows**2).sum()])

    size, pairs = jax.vmap(lengths)(keys(4000), keys(4000, 1))
    limit = kstwo.isf(FALSE_FAIL / 2, 4000)
    assert distance(size, chi2(DIM).cdf) < limit
    assert distance(pairs[:, 1], chi2(256 * DIM).cdf) < limit
    mean, se = sample_mean(np.asarray(pairs[:, :1]))
    assert_mean(mean, se, 0.0, detects=0.2)

    def regular(key: jax.Array) -> jax.Array:
        node = Node(jnp.zeros(DIM), jnp.eye(DIM) * 16.0)
        return (leaf_rows(key, node, 256) ** 2).sum()

    assert distance(jax.vmap(regular)(keys(4000, 1)), chi2(256 * DIM).cdf) > limit


def test_chi_numbers_have_their_law_and_are_hardly_ever_refused() -> None:
    """Kolmogorov's test with 100,000 numbers sees a shift of half a degree of freedom in 128."""
    degrees = jnp.full(1000, 128.0)

    @jax.vmap
    def draw(key: jax.Array) -> tuple[jax.Array, jax.Array]:
        shape = (bisection.PROPOSALS, 1000)
        normals, uniforms = (part.reshape(shape) for part in draws.numbers(key, 3000, 3000))
        b = 64.0 - 1.0 / 3.0
        # The density of the gamma law over that of the proposal, straight from their definitions.
        cube = (1.0 + normals / (9.0 * b) ** 0.5) ** 3
        accept = jnp.exp(0.5 * normals**2 + b * (1.0 - cube + jnp.log(cube)))
        return bisection.chi(normals, uniforms, degrees) ** 2, 1.0 - jnp.minimum(accept, 1.0)

    values, refused = draw(keys(100, 3))
    assert 0.0 < float(refused.mean()) < 5e-4
    limit = kstwo.isf(FALSE_FAIL, values.size)
    assert distance(values, chi2(128).cdf) < limit
    assert distance(values, chi2(128.5).cdf) > limit
