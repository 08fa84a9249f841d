"""Rows of the simulated table given their label: their law, their keys, their prefixes."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from craft_samples import columns, large_sample
from samples import Rows, rows_of, units_of
from stochastic import Disagreement, assert_mean, sample_mean

from simulations import draws
from simulations.craft import law as craft
from simulations.craft import rows as craft_rows
from simulations.craft.rows import CraftRows

COUNTS = {"majority": 700, "minority": 90}
SHIFT = [0.3, 0, 0, 0, 0, 0, 0, 0.5, 0]
GENERATORS: dict[str, dict[str, Any]] = {
    "oracle": {},
    "shift": {"shift": SHIFT},
    "label_noise": {"rate": 0.2},
    "duplicate": {},
    "reweight": {},
}


@cache
def _rows(kind: str, replicate: int = 0, ratio: float = 1.0, x6: str = "normal") -> Rows:
    sweep = {
        "setting": {"kind": "craft", "x6": x6},
        "counts": COUNTS,
        "synthetic": {
            "generators": [{"kind": kind, **GENERATORS[kind]}],
            "ratios": [ratio],
            "augment": [30],
            "augment_row_weight": 0.5,
        },
    }
    return rows_of(units_of(sweep)[0], replicate)


@pytest.mark.parametrize("kind", sorted(GENERATORS))
def test_exactly_the_rows_of_the_cell(kind: str) -> None:
    rows = _rows(kind)
    assert rows.weight.sum() == pytest.approx(1.0, rel=1e-12)
    for g, n in enumerate(COUNTS.values()):
        raw = rows.segment == g
        assert (rows.weight[raw, 0] > 0).sum() == n
        assert (rows.y[raw] == g).all()
        if kind in ("oracle", "shift", "label_noise"):
            assert (rows.weight[rows.segment == 2 + g, 0] > 0).sum() == (700 - n)
            assert (rows.weight[rows.segment == 4 + g, 0] > 0).sum() == 30


def test_same_key_same_rows_and_longer_pools_begin_with_shorter_ones() -> None:
    first = _rows("oracle")
    _rows.cache_clear()
    again, other, longer = _rows("oracle"), _rows("oracle", 1), _rows("oracle", 0, 4.0)
    assert (first.x == again.x).all() and (first.x != other.x).any()
    for segment in range(4):
        few, many = (rows.x[rows.segment == segment] for rows in (first, longer))
        assert len(few) <= len(many) and (few == many[: len(few)]).all()
    assert (longer.segment == 3).sum() > (first.segment == 3).sum()


def test_generators_share_their_rows() -> None:
    right, moved, noisy = _rows("oracle"), _rows("shift"), _rows("label_noise")
    pool = right.segment == 3
    gap = moved.x[pool, :9] - right.x[pool, :9]
    np.testing.assert_allclose(gap, np.tile(SHIFT, (pool.sum(), 1)), atol=1e-12)
    assert (noisy.x == right.x).all()
    assert 0.1 < (noisy.y != right.y)[pool].mean() < 0.3
    assert (noisy.y == right.y)[right.segment < 2].all()


def test_rows_lie_on_the_lattice_and_obey_its_relations() -> None:
    for x6 in ("normal", "sign"):
        x = _rows("oracle", x6=x6).x[:, :9]
        tenths = np.rint(10.0 * x)
        np.testing.assert_allclose(10.0 * x, tenths, atol=1e-12)
        assert (tenths[:, 8] == craft.product(tenths[:, 0], tenths[:, 1])).all()
        assert (tenths[:, 7] == craft.product(tenths[:, 1], tenths[:, 2])).all()
        assert (np.abs(tenths[:, 5]) == 10.0).all() == (x6 == "sign")


BLOCKS = 1500


@cache
def _sample(label: int, sign: bool = False, noise: float = 0.5) -> np.ndarray:
    """384,000 rows of a label, ``(N, 9)``."""
    law = CraftRows(
        jnp.asarray(noise),
        jnp.asarray(craft.median(noise)),
        jnp.asarray(sign),
        jnp.asarray([0.0, 1.0]),
    )
    key = jax.random.key_data(jax.random.key(11 + label, impl=draws.IMPLEMENTATION))

    def block(number):
        own = draws.block_key(key, jnp.uint32(label), number)
        return craft_rows.row_columns(law, own, law.label[label])

    found = jax.jit(lambda numbers: jax.lax.map(block, numbers))(
        jnp.arange(BLOCKS, dtype=jnp.uint32)
    )
    return np.asarray(found).transpose(0, 2, 1).reshape(-1, 9)


@pytest.mark.parametrize("sign", [False, True])
@pytest.mark.parametrize("label", [0, 1])
def test_moments_of_rows_against_the_population(label: int, sign: bool) -> None:
    """54 first and second moments given the label; detects .06 (twins: the rows of the other label,
    and rows that took any candidate)."""
    from simulations.craft.quadrature import weighted_rows

    table = weighted_rows(0.5, sign, True)
    expected = table.weights @ columns(table.points[:, :9])
    mean, se = sample_mean(columns(_sample(label, sign)))
    # A sign's square is 1: no spread, no error.
    se = np.maximum(se, 1e-12)
    assert_mean(mean, se, expected[label], detects=0.06, remainder=2e-6)
    for twin in (expected[1 - label], expected.mean(axis=0)):
        with pytest.raises(Disagreement):
            assert_mean(mean, se, twin, detects=0.06)


def test_moments_of_rows_against_rows_drawn_as_the_authors_do() -> None:
    """No table and no lattice on the other side; detects .05 (third moments of X1, X2, X3 included)."""

    def moments(x: np.ndarray) -> np.ndarray:
        triple = x[:, 0] * x[:, 1] * x[:, 2]
        return np.column_stack([columns(x), triple, x[:, 2] ** 3 / 3.0])

    x, score = large_sample(0.5)
    for label in (0, 1):
        theirs = x[(score > craft.median(0.5)) == bool(label)]
        (one, se_one), (two, se_two) = (
            sample_mean(moments(_sample(label))),
            sample_mean(moments(theirs)),
        )
        assert_mean(one - two, np.hypot(se_one, se_two), 0.0, detects=0.06)


def test_the_labels_of_rows_are_calibrated() -> None:
    """Of rows of both labels in equal numbers a share P(label = 1 | m) bears label 1, in each of ten
    bins; detects .03 (twin: another noise)."""
    x = np.concatenate([_sample(0), _sample(1)])
    y = np.repeat([0.0, 1.0], len(x) // 2)
    m = craft.mean_score(*(10.0 * x[:, [0, 1, 2, 8]].T))

    def gaps(noise: float) -> tuple[np.ndarray, np.ndarray]:
        p = craft.label_probability(noise, m)
        bins = np.digitize(p, np.linspace(0.1, 0.9, 9))
        parts = [sample_mean((y - p)[bins == b]) for b in range(10)]
        return np.array([part[0] for part in parts]), np.array([part[1] for part in parts])

    assert_mean(*gaps(0.5), 0.0, detects=0.03)
    with pytest.raises(Disagreement):
        assert_mean(*gaps(0.7), 0.0, detects=0.03)


def test_a_second_round_goes_on_where_the_first_ended(monkeypatch) -> None:
    """With few candidates a round many rounds are needed, and the rows still bear the label's law:
    20,480 rows, detects .06 in the mean of m."""
    monkeypatch.setattr(craft_rows, "CANDIDATES", 100)
    law = CraftRows(0.5, craft.median(0.5), False, [0.0, 1.0])
    key = jax.random.key_data(jax.random.key(4, impl=draws.IMPLEMENTATION))

    def block(number):
        return craft_rows.accepted(
            law, draws.block_key(key, jnp.uint32(0), number), jnp.asarray(1.0)
        )

    found = jax.jit(lambda numbers: jax.lax.map(block, numbers))(jnp.arange(80, dtype=jnp.uint32))
    tenths = np.asarray(found).transpose(1, 0, 2).reshape(3, -1)
    first, second, third = tenths
    m = craft.mean_score(first, second, third, craft.product(first, second))
    i, j, k, mass = craft.lattice()
    exact = craft.mean_score(i, j, k, craft.product(i, j))
    given = mass * craft.label_probability(0.5, exact)
    mean, se = sample_mean(m)
    assert_mean(mean, se, given @ exact / given.sum(), detects=0.06)
