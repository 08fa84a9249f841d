"""The expansion of fitted generators against samples that NumPy draws from their definitions."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from fitted_world import (
    COVARIANCES,
    ESTIMATED,
    KNOWN,
    LABELS,
    MEANS,
    SMOOTHED,
    lifted,
    mean_score,
    mean_score_of,
    sweep,
)
from samples import units_of
from stochastic import Disagreement, assert_mean, sample_mean

from simulations.population.coupling import Coupling, coupled
from simulations.population.losses import LOGISTIC
from simulations.population.plugins import PLUGINS, plugged, plugin
from simulations.population.quadrature import gaussian_grid
from simulations.population.units import Unit, UnitPopulation, unit_population


class _Drawn(NamedTuple):
    """R samples of one group: ``raw (R, n, 2)``, ``made (R, m + N, 2)``, ``twins`` of the right law
    from the same normals; weights ``(m + N,)`` of made rows."""

    raw: np.ndarray
    made: np.ndarray
    twins: np.ndarray
    weight: np.ndarray


def _draw(spec: dict[str, Any], cell: Any, g: int, replicates: int) -> _Drawn:
    """Drawn by NumPy from the definition of the generator."""
    rng = np.random.default_rng([7, g])
    n, m, big_n = int(cell.raw[g]), int(cell.oversampled[g]), cell.augment
    root, mean = np.linalg.cholesky(COVARIANCES[g]), MEANS[g]
    raw = mean + rng.standard_normal((replicates, n, 2)) @ root.T
    z = rng.standard_normal((replicates, m + big_n, 2))
    twins = mean + z @ root.T
    weight = np.repeat([cell.row_weight[g], cell.augment_weight], [m, big_n])
    if spec["kind"] == "smoothed":
        source = rng.integers(0, n, (replicates, m + big_n))
        seeds = np.take_along_axis(raw, source[:, :, None], axis=1)
        return _Drawn(raw, seeds + spec["bandwidth"] * z @ root.T, twins, weight)
    centre = raw.mean(axis=1, keepdims=True)
    if spec["covariance"] == "known":
        return _Drawn(raw, centre + z @ root.T, twins, weight)
    fits = (raw - centre).transpose(0, 2, 1) @ (raw - centre) / (n - 1)
    roots = np.linalg.cholesky(fits)
    return _Drawn(raw, centre + z @ roots.transpose(0, 2, 1), twins, weight)


def _small(spec: dict[str, Any], counts: tuple[int, int], kind: str = "logistic") -> Any:
    """A cell of few rows, its population, and its samples."""
    asked = sweep(spec, counts, estimator={"kind": kind})
    asked["synthetic"]["augment"] = [counts[1] // 2]
    unit = units_of(asked)[0]
    return unit, unit_population(unit)


def _score(theta: np.ndarray, x: np.ndarray, weight: Any, label: float) -> np.ndarray:
    """Weighted sum of the scores of the rows of each sample."""
    x = lifted(x, len(theta))
    u = x @ theta
    return (
        (np.asarray(LOGISTIC.first(jnp.asarray(u), jnp.full_like(u, label))) * weight)[..., None]
        * x
    ).sum(1)


def _scores(unit: Unit, found: UnitPopulation, spec: dict[str, Any], replicates: int) -> Any:
    """Scores of samples with fitted rows, of coupled ones, and these with scatter about the sample's own
    mean: ``(R, p)`` each."""
    cell, theta = unit.cells[0], found.theta[0]
    made, twins = np.zeros((2, replicates, len(theta)))
    means, products, own = [], [], []
    for g in range(2):
        drawn = _draw(spec, cell, g, replicates)
        raw = _score(theta, drawn.raw, cell.row_weight[g], LABELS[g])
        made += raw + _score(theta, drawn.made, drawn.weight, LABELS[g])
        twins += raw + _score(theta, drawn.twins, drawn.weight, LABELS[g])
        for centre, kept in ((MEANS[g], products), (drawn.raw.mean(1, keepdims=True), own)):
            centred = drawn.raw - centre
            scatter = centred.transpose(0, 2, 1) @ centred / cell.raw[g]
            kept.append(scatter - COVARIANCES[g])
        means.append(drawn.raw.mean(1) - MEANS[g])
    if found.coupling is None:
        return made, twins, twins
    one = Coupling(*(part[0] for part in found.coupling))
    join = jax.jit(jax.vmap(lambda m, d: coupled(one, m, d), in_axes=1))
    pieces = [np.asarray(join(np.array(means), np.array(d))) for d in (products, own)]
    return made, twins + pieces[0], twins + pieces[1]


def _upper(scores: np.ndarray, scale: np.ndarray) -> np.ndarray:
    scaled = scores / scale
    upper = np.triu_indices(len(scale))
    return (scaled[:, :, None] * scaled[:, None, :])[:, *upper]


REPLICATES = 60_000


@pytest.mark.parametrize("spec", [KNOWN, ESTIMATED])
def test_the_coupled_score_is_exact_at_every_size(spec: dict[str, Any]) -> None:
    """At 24/8 raw rows its mean is 0 and its covariance V. Detects .04 standard deviations and
    7 % of the variances. Twins: scatter about the sample's own mean; V without the covariance's part."""
    unit, found = _small(spec, (24, 8))
    v = found.expansions.score_covariance[0]
    scale = np.sqrt(np.diag(v))
    _, coupled_scores, own = _scores(unit, found, spec, REPLICATES)
    mean, se = sample_mean(coupled_scores / scale)
    assert_mean(mean, se, 0.0, detects=0.04)
    products, products_se = sample_mean(_upper(coupled_scores, scale))
    expected = (v / np.outer(scale, scale))[np.triu_indices(len(scale))]
    assert_mean(products, products_se, expected, detects=0.07)
    if spec is ESTIMATED:
        mean, se = sample_mean(own / scale)
        with pytest.raises(Disagreement):
            assert_mean(mean, se, 0.0, detects=0.04)
        without = unit_population(_small(KNOWN, (24, 8))[0]).expansions.score_covariance[0]
        wrong = (without / np.outer(scale, scale))[np.triu_indices(len(scale))]
        with pytest.raises(Disagreement):
            assert_mean(products, products_se, wrong, detects=0.07)


@pytest.mark.parametrize("spec", [KNOWN, ESTIMATED])
def test_fitted_rows_are_coupled_to_first_order(spec: dict[str, Any]) -> None:
    """Samples with fitted rows less coupled ones are of order 1/n: at four times the rows the mean
    square falls 16 times (within 30 %). Uncoupled they are of order n^-1/2."""
    gaps = []
    for rows in ((96, 32), (384, 128)):
        unit, found = _small(spec, rows)
        made, coupled_scores, _ = _scores(unit, found, spec, 4_000)
        gaps.append(((made - coupled_scores) ** 2).mean() * rows[1] ** 2)
        free = _scores(unit, found._replace(coupling=None), spec, 4_000)
        gaps.append(((made - free[1]) ** 2).mean() * rows[1] ** 2)
    assert gaps[2] / gaps[0] == pytest.approx(1.0, rel=0.3)
    assert gaps[3] / gaps[1] == pytest.approx(4.0, rel=0.3)


@pytest.mark.parametrize("spec", [KNOWN, ESTIMATED])
def test_the_mean_score_of_fitted_rows(spec: dict[str, Any]) -> None:
    """Given the fit the mean score is exact; less the coupling its mean is that of the second order,
    times 1 + O(1/n). Detects a third of it at 640/320 rows. Twin: half of it."""
    unit, found = _small(spec, (640, 320))
    cell, theta = unit.cells[0], found.theta[0]
    total, means, products = np.zeros((12_000, len(theta))), [], []
    for g in range(2):
        raw = _draw(spec, cell, g, 12_000).raw
        centre = raw.mean(1)
        scatter = (raw - MEANS[g]).transpose(0, 2, 1) @ (raw - MEANS[g]) / cell.raw[g]
        off = centre - MEANS[g]
        # The sample covariance, with divisor n - 1.
        fits = (scatter - off[:, :, None] * off[:, None, :]) * cell.raw[g] / (cell.raw[g] - 1)
        if spec is KNOWN:
            fits = np.broadcast_to(COVARIANCES[g], fits.shape)
        curve = mean_score_of(LOGISTIC, theta, g, gaussian_grid(2.0))
        base = curve(MEANS[g], COVARIANCES[g])
        moved = jax.jit(jax.vmap(curve))(centre, fits) - np.asarray(base)[None]
        total += float(found.coupling.weight[0, g]) * np.asarray(moved)
        means.append(off)
        products.append(scatter - COVARIANCES[g])
    one = Coupling(*(part[0] for part in found.coupling))
    join = jax.jit(jax.vmap(lambda m, d: coupled(one, m, d), in_axes=1))
    mean, se = sample_mean(total - np.asarray(join(np.array(means), np.array(products))))
    expected = mean_score(spec, LOGISTIC, theta, cell)
    size = np.abs(expected).max()
    bounds = {"detects": 0.35 * size, "remainder": 5.0 / 320 * size}
    assert_mean(mean, se, expected, **bounds)
    with pytest.raises(Disagreement):
        assert_mean(mean, se, 0.5 * expected, **bounds)


def test_the_covariance_of_smoothed_rows_is_exact_at_every_size() -> None:
    """At 24/8 raw rows. Detects 7 % of the variances. Twin: rows of the smoothed law, independent."""
    unit, found = _small(SMOOTHED, (24, 8))
    v = found.expansions.score_covariance[0]
    scale = np.sqrt(np.diag(v))
    made, _, _ = _scores(unit, found, SMOOTHED, REPLICATES)
    upper = np.triu_indices(len(scale))
    products, se = sample_mean(_upper(made, scale))
    assert_mean(products, se, (v / np.outer(scale, scale))[upper], detects=0.07)
    free = unit._replace(components=unit.components._replace(fitted=None))
    wrong = unit_population(free).expansions.score_covariance[0]
    with pytest.raises(Disagreement):
        assert_mean(products, se, (wrong / np.outer(scale, scale))[upper], detects=0.07)


@pytest.mark.parametrize("spec", [SMOOTHED, KNOWN, ESTIMATED])
@pytest.mark.parametrize("kind", sorted(PLUGINS))
def test_plug_in_rules_on_fitted_rows(kind: str, spec: dict[str, Any]) -> None:
    """Spread and second-order mean of rules computed from moments, for rows that NumPy draws: exact with
    smoothed rows, else up to 1/n of themselves (96/48 raw rows). Detects 15 % of the variances and
    .08 standard deviations of the rule. Twin: independent rows."""
    unit, found = _small(spec, (96, 48), kind)
    cell, at_cell = unit.cells[0], found.expansions
    weights = (unit.components.total_weight @ unit.components.mixing)[0]
    at = plugin(PLUGINS[kind], weights, unit.components.atoms)
    centre, replicates, moments = np.asarray(at.centre), 20_000, []
    for g in range(2):
        drawn = _draw(spec, cell, g, replicates)
        x = lifted(np.concatenate([drawn.raw, drawn.made], axis=1) - centre[g], 3)
        weight = np.concatenate([np.full(drawn.raw.shape[1], cell.row_weight[g]), drawn.weight])
        moments.append((x * weight[:, None]).transpose(0, 2, 1) @ x)
    rule = jax.jit(jax.vmap(partial(plugged, PLUGINS[kind], at)))(np.stack(moments, axis=1))
    first, second = np.asarray(rule.first), np.asarray(rule.second)
    scale = np.sqrt(np.diag(at_cell.spread[0]))
    upper = np.triu_indices(len(scale))
    small = 0.0 if spec is SMOOTHED else 1.0
    mean, se = sample_mean((first + second) / scale)
    bias = at_cell.bias[0] / scale
    assert_mean(mean, se, bias, detects=0.08, remainder=0.015 * small)
    products, se = sample_mean(_upper(first, scale))
    expected = (at_cell.spread[0] / np.outer(scale, scale))[upper]
    assert_mean(products, se, expected, detects=0.15, remainder=0.03 * small)
    free = unit._replace(components=unit.components._replace(fitted=None))
    wrong = unit_population(free).expansions.spread[0]
    with pytest.raises(Disagreement):
        assert_mean(
            products, se, (wrong / np.outer(scale, scale))[upper], detects=0.15, remainder=0.03
        )
