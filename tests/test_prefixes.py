"""Sums over prefixes of a stream of normal rows: nested without a doubt, and of the right law.

Every statistical test compares with false-fail rate 1e-6, says what it could detect and has a wrong
twin; all statistics compared are standardised.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import chi2, kstwo
from stochastic import FALSE_FAIL, Disagreement, assert_mean, sample_mean
from streams import distance, keys

from simulations.statistics.prefixes import Sums, block_length, octaves, prefix, stream

DIM = 3
LENGTH = 256


@jax.jit
def _sums(keys: jax.Array, rows: jax.Array) -> Sums:
    """Prefixes of lengths ``rows (P,)`` of every stream: ``(R, P, ..)``."""

    def one(key: jax.Array) -> Sums:
        source = stream(key, DIM, 52, jnp.int32(52))
        return jax.lax.map(lambda n: prefix(source, n), rows)

    return jax.vmap(one)(keys)


def _prefixes(keys: jax.Array, *rows: int) -> Sums:
    return Sums(*(np.asarray(part) for part in _sums(keys, jnp.array(rows, jnp.int64))))


def test_prefixes_are_those_of_one_list_of_rows() -> None:
    """Differences of neighbouring prefixes are rows: first and second sums must name the same ones."""
    last = 4 * LENGTH + 3
    sums = _prefixes(keys(2), *range(last + 1))
    rows = np.diff(sums.total, axis=1)
    squares = np.diff(sums.square, axis=1)
    assert np.abs(sums.total[:, 0]).max() == 0.0
    # Sums of size 1e3, so that rounding is 1e-13 of that.
    np.testing.assert_allclose(squares, rows[..., :, None] * rows[..., None, :], atol=1e-10)
    assert len(np.unique(rows.reshape(-1, DIM).round(9), axis=0)) == 2 * last


@pytest.mark.parametrize("start", [2**30 + 5 * LENGTH - 3, 3 * 2**40 + 11])
def test_neighbours_far_out_differ_by_a_row(start: int) -> None:
    sums = _prefixes(keys(3), *range(start, start + 7))
    rows = np.diff(sums.total, axis=1)
    gaps = np.diff(sums.square, axis=1) - rows[..., :, None] * rows[..., None, :]
    # A few roundings of sums of size ``start`` (squares) and ``start^1/2`` (totals, times a row).
    assert np.abs(gaps).max() < 30 * start * 2.0**-52
    assert 0.1 < rows.std() < 3.0


def test_other_prefixes_change_no_bit() -> None:
    two = keys(2)
    lengths = (1000, 70_001, 2 * 10**9, 10**15 + 7)
    together = _prefixes(two, *lengths)
    for place, rows in enumerate(lengths):
        alone = _prefixes(two, rows, 5, rows + 1, 12)
        assert (alone.total[:, 0] == together.total[:, place]).all()
        assert (alone.square[:, 0] == together.square[:, place]).all()


def test_room_for_octaves() -> None:
    for dim in (1, 10, 300):
        length = block_length(dim)
        for rows in (1, length, 2 * length, 2 * length + 1, 10**12):
            count = octaves(rows, dim)
            assert length << count >= rows
            assert count == 1 or length << (count - 1) < rows


def _increments(sums: Sums, ends: tuple[int, ...]) -> np.ndarray:
    """Standardised first and second sums of the rows between consecutive ends, ``(R, P, 5)``:
    two totals, two diagonal entries and one off it, each of mean 0 and variance 1."""
    counts = np.diff(np.array([0, *ends], dtype=float))
    total = np.diff(sums.total, axis=1, prepend=0.0) / np.sqrt(counts)[:, None]
    square = np.diff(sums.square, axis=1, prepend=0.0)
    square = (square - counts[:, None, None] * np.eye(DIM)) / np.sqrt(counts)[:, None, None]
    chosen = [square[..., 0, 0] / 2**0.5, square[..., 2, 2] / 2**0.5, square[..., 1, 0]]
    return np.stack([total[..., 0], total[..., 2], *chosen], axis=-1)


def _assert_increments_of_rows(sums: Sums, ends: tuple[int, ...], detects: float = 0.25) -> None:
    """Increments are uncorrelated with variance 1, and have the third moments of sums of rows."""
    found = _increments(sums, ends)
    counts = np.diff(np.array([0, *ends], dtype=float))
    flat = found.reshape(len(found), -1)
    assert_mean(*sample_mean(flat), 0.0, detects=detects)
    products = flat[:, :, None] * flat[:, None, :]
    upper = np.triu_indices(flat.shape[1])
    mean, se = sample_mean(products[:, upper[0], upper[1]])
    assert_mean(mean, se, np.eye(flat.shape[1])[upper], detects=detects)
    # Third cumulants add up over rows: of z^2 it is 8, of (z, z, z^2) and of (z^2, zy, zy) it is 2.
    a, b, s, t, u = np.moveaxis(found, -1, 0)
    triples = np.stack([s**3, t**3, a * a * s, b * b * t, s * u * u, u**3, a**3, a * b * u], axis=1)
    expected = np.array([2.0, 2.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0])[:, None] * 2**0.5 / counts**0.5
    mean, se = sample_mean(triples)
    assert_mean(mean, se, expected, detects=1.0)


# Ends inside the first block, in leaves, inside octaves, at their ends, far out.
ENDS = (100, 300, 512, 700, 1500, 5 * 2**20, 2**24, 3 * 2**30 + 77, 10**12)


def test_increments_have_the_moments_of_rows() -> None:
    """Joint moments of nested prefixes. Detects a correlation of .25 or a scale off by 12 %
    (sharing one draw between two uses gives 1/2 or more)."""
    _assert_increments_of_rows(_prefixes(keys(4000), *ENDS), ENDS)


def test_twin_rows_counted_twice_are_caught() -> None:
    """A prefix that begins its last octave anew, with numbers of its own, is no part of the stream."""
    ends = (5 * 2**20, 7 * 2**20)
    sums = _prefixes(keys(4000), *ends)
    _assert_increments_of_rows(sums, ends)
    other = _prefixes(keys(4000, 1), *ends)
    mixed = Sums(*(np.stack([a[:, 0], b[:, 1]], axis=1) for a, b in zip(sums, other, strict=True)))
    with pytest.raises(Disagreement):
        _assert_increments_of_rows(mixed, ends, detects=3.0)


@pytest.mark.parametrize("rows", [40, 777, 2**12 + 2**11 + 99, 10**6])
def test_generalised_variance_has_its_law(rows: int) -> None:
    """``z1' P z1`` (the Schur complement of the centred scatter) is chi-square with n - d degrees of
    freedom. Kolmogorov's test at 1e-6 with 4000 samples sees a law .065 away: a
    degree of freedom off at 40 rows, a scale off by 17/sqrt(rows) %."""
    sums = _prefixes(keys(4000, 9), rows)
    means = sums.total[:, 0] / rows
    scatter = sums.square[:, 0] - rows * means[:, :, None] * means[:, None, :]
    schur = 1.0 / np.linalg.inv(scatter)[:, 0, 0]
    limit = kstwo.isf(FALSE_FAIL, len(schur))
    assert distance(schur, chi2(rows - DIM).cdf) < limit
    assert distance(schur * (1.0 + 0.5 / np.sqrt(rows)), chi2(rows - DIM).cdf) > limit
