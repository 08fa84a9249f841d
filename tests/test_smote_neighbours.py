"""Neighbours: equal to brute force, whatever the padding, the blocks or the ties."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from simulations.compilation import quick_jit
from simulations.smote import neighbours as kernel
from simulations.smote.neighbours import MOST_ROWS, whole_coordinates

RNG = np.random.default_rng(5)
neighbours = quick_jit(kernel.neighbours, static_argnums=(2, 3))


def brute_force(rows: np.ndarray, k: int) -> np.ndarray:
    """The k nearest other rows by all differences; ties by number (the sort is stable)."""
    squares = ((rows[:, None, :] - rows[None, :, :]) ** 2).sum(axis=2)
    np.fill_diagonal(squares, np.inf)
    return np.argsort(squares, axis=1, kind="stable")[:, :k]


def lattice(n: int, d: int, width: int) -> np.ndarray:
    """Whole numbers: squared distances are exact in either program, and many are equal."""
    return RNG.integers(-width, width + 1, (n, d)).astype(float)


@pytest.mark.parametrize(
    ("n", "d", "k", "width"),
    [
        (60, 1, 3, 4),
        (60, 2, 5, 3),
        (83, 10, 5, 1),
        (50, 3, 49, 2),
        (40, 2, 1, 10**6),
        (2, 4, 1, 3),
    ],
)
def test_neighbours_equal_brute_force_on_tied_rows(n: int, d: int, k: int, width: int) -> None:
    rows = lattice(n, d, width) / 8.0 + 100.0
    assert np.array_equal(neighbours(jnp.asarray(rows), n, k), brute_force(rows, k))


@pytest.mark.parametrize(("n", "d", "k"), [(200, 10, 5), (97, 1, 7), (150, 40, 20)])
def test_neighbours_equal_brute_force_up_to_the_rounding_that_is_stated(
    n: int, d: int, k: int
) -> None:
    rows = RNG.standard_normal((n, d)) * np.geomspace(1.0, 10.0, d)
    found = np.asarray(neighbours(jnp.asarray(rows), n, k))
    near = np.linalg.norm(rows[found] - rows[:, None, :], axis=2)
    best = np.linalg.norm(rows[brute_force(rows, k)] - rows[:, None, :], axis=2)
    # Each coordinate moves by half a step at most, each distance by a step times sqrt(d).
    step = 2.0 ** -((53 - (4 * d - 1).bit_length()) // 2) * 2.0 * np.abs(rows - rows[0]).max()
    assert np.abs(near - best).max() <= step * np.sqrt(d)
    assert (found == brute_force(rows, k)).mean() > 0.999
    assert all(len(set(each)) == k for each in found)


def test_rounded_coordinates_are_exact_in_a_product() -> None:
    rows = RNG.standard_normal((30, 10)) * 1e5
    whole = np.asarray(quick_jit(whole_coordinates)(jnp.asarray(rows), jnp.ones(30, bool)))
    assert np.array_equal(whole, np.round(whole))
    ints = [[int(v) for v in row] for row in whole]
    largest = max(sum((a - b) ** 2 for a, b in zip(r, s, strict=True)) for r in ints for s in ints)
    assert 2**40 < largest < 2**53
    scale = np.abs(rows - rows[0]).max()
    assert np.allclose(whole / np.abs(whole).max(), (rows - rows[0]) / scale, rtol=0, atol=2e-7)


def test_padding_changes_no_neighbour_and_is_none() -> None:
    rows = lattice(70, 3, 2)
    alone = neighbours(jnp.asarray(rows), 70, 6)
    for garbage in (0.0, np.nan, np.inf, 1e200):
        padded = np.concatenate([rows, np.full((58, 3), garbage)])
        found = np.asarray(neighbours(jnp.asarray(padded), 70, 6))
        assert np.array_equal(found[:70], alone)
        assert np.array_equal(found[70:], np.repeat(np.arange(70, 128)[:, None], 6, axis=1))


@pytest.mark.parametrize("most", [1, 500, 70 * 7, 10**6])
def test_blocks_change_no_neighbour(most: int) -> None:
    rows = jnp.asarray(lattice(70, 3, 2))
    assert np.array_equal(neighbours(rows, 65, 6, most), neighbours(rows, 65, 6))


def test_one_program_serves_every_count_and_every_replicate() -> None:
    rows = jnp.asarray(RNG.standard_normal((4, 32, 2)))
    counts = jnp.array([32, 20, 7, 1])
    program: Any = quick_jit(jax.vmap(lambda x, n: kernel.neighbours(x, n, 8)))
    found = np.asarray(program(rows, counts))
    for each, n, got in zip(np.asarray(rows), map(int, counts), found, strict=True):
        expected = brute_force(each[:n], min(8, n - 1))
        assert np.array_equal(got[:n, : n - 1], expected)
        # Where there are fewer than k others, a row stands for itself.
        assert (got[:n, n - 1 :] == np.arange(n)[:, None]).all()


def test_equal_rows_are_each_others_neighbours() -> None:
    rows = np.repeat(RNG.standard_normal((10, 3)) + 1e3, 4, axis=0)
    assert np.array_equal(neighbours(jnp.asarray(rows), 40, 3), brute_force(rows, 3))
    same = neighbours(jnp.full((5, 2), 7.7), 5, 2)
    assert same.tolist() == [[1, 2], [0, 2], [0, 1], [0, 1], [0, 1]]


def test_sizes_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="k = 0"):
        kernel.neighbours(jnp.zeros((3, 1)), 3, 0)
    with pytest.raises(ValueError, match="at most"):
        jax.eval_shape(lambda x: kernel.neighbours(x, 3, 1), jnp.zeros((MOST_ROWS + 1, 0)))
