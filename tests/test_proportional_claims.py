"""Claims of the proportional regime: samples, control variates, and verdicts at a fresh seed."""

import numpy as np
import pytest

from simulations.sampling.layout import fitted_of
from simulations.wide.layout import layout
from simulations.wide.replicate import fit
from synthlaw.claims import registry
from synthlaw.claims.lab import PRESETS, Lab, scaled
from synthlaw.claims.proportional import existence, means
from synthlaw.claims.proportional.cases import BALANCING, DUPLICATES
from synthlaw.claims.proportional.means import PARTS
from synthlaw.claims.proportional.samples import (
    Case,
    _statistics,
    controlled_means,
    drawn,
    measured,
    sweep_of,
)
from synthlaw.verifying.verification import run_claim
from tests.stochastic import Disagreement, assert_mean, sample_mean

SAMPLES = 1500


def _statistics_of(case: Case, loss: str, cell: int) -> np.ndarray:
    lab = Lab(PRESETS["quick"])
    unit = lab.units(sweep_of(case, loss))[0]
    laid_out, rng = layout(unit), np.random.default_rng(5)
    basis = np.eye(1, unit.world.means.shape[1])
    return np.array(
        [
            _statistics(unit, laid_out, drawn(unit, laid_out, rng), cell, basis)
            for _ in range(SAMPLES)
        ]
    )


@pytest.mark.parametrize(
    ("case", "loss", "cell"),
    [
        (BALANCING, "squared", 1),
        (DUPLICATES, "squared", 0),
        (PARTS[2].case, "mean_difference", 0),
    ],
)
def test_control_variates_have_mean_zero(case: Case, loss: str, cell: int) -> None:
    """In units of their spread: detects .26 of it. The twin forgets the degrees of freedom, a shift of
    the squares of the scatter by d/m of a term's size."""
    values = _statistics_of(case, loss, cell)
    scaled_values = values / values.std(axis=0)
    assert_mean(*sample_mean(scaled_values), 0.0, detects=0.26)
    # The last statistic belongs to the square of the scatter along the span.
    forgotten = (values[:, -1] + 0.2) / values[:, -1].std()
    with pytest.raises(Disagreement):
        assert_mean(*sample_mean(forgotten), 0.0, detects=0.26)


def test_controls_take_noise_away_and_no_bias() -> None:
    rng = np.random.default_rng(0)
    controls = rng.standard_normal((400, 5))
    samples = 2.0 + controls[:, :1] + 0.01 * rng.standard_normal((400, 1))
    mean, se = controlled_means(samples, controls)
    assert abs(mean[0] - 2.0) < 5e-3 and 4e-4 < se[0] < 6e-4


def test_folds_bring_in_no_bias_where_one_sample_would() -> None:
    """A curved dependence on ten controls, 60 samples. Detects .022; the twin's coefficients come from
    the very samples that they correct, which is off by .036."""
    rng = np.random.default_rng(3)
    folds, alone = [], []
    for _ in range(1500):
        c = rng.standard_normal((60, 10))
        curved = 0.5 * (c**2 - 1.0).sum(axis=1) / np.sqrt(20.0)
        y = (c[:, 0] + curved + 0.3 * rng.standard_normal(60))[:, None]
        folds.append(controlled_means(y, c)[0][0])
        design = np.column_stack([np.ones(60), c])
        alone.append(np.linalg.lstsq(design, y, rcond=None)[0][0, 0])
    assert_mean(*sample_mean(np.array(folds)), 0.0, detects=0.022)
    with pytest.raises(Disagreement):
        assert_mean(*sample_mean(np.array(alone)), 0.0, detects=0.022)


def test_samples_are_those_of_the_engine_in_law() -> None:
    """Rows have the segments' means and variances; a fitted segment is drawn about its raw rows' mean."""
    lab = Lab(PRESETS["quick"])
    unit = lab.units(sweep_of(PARTS[2].case, "mean_difference"))[0]
    assert fitted_of(unit).any()
    laid_out = layout(unit)
    given = drawn(unit, laid_out, np.random.default_rng(1))
    start = given.sample.start
    minority = given.sample.rows[start[1] : start[2]]
    fitted = [s for s in range(2, 6) if start[s + 1] > start[s]]
    assert np.allclose(given.centre[fitted[0]], minority.mean(axis=0))
    assert fit(unit, laid_out, given.sample, 0).status == 0


def test_sizes_multiply_the_dimension_too() -> None:
    sweep = sweep_of(PARTS[3].case, "mean_difference")
    larger = scaled(sweep, 3, 0)
    assert larger["setting"]["dim"] == 75 and larger["counts"] == {"majority": 225, "minority": 75}
    shift = larger["synthetic"]["generators"][0]["shift"]
    assert len(shift) == 75 and shift[0] == 0.6 and not any(shift[1:])
    assert sweep["setting"]["dim"] == 25


def test_a_case_measures_what_is_predicted_once() -> None:
    lab = Lab(PRESETS["quick"], seed=3)
    case = BALANCING._replace(name="short", losses={"squared": 0.05}, steps={"quick": {1: 60}})
    found = measured(lab, case)
    assert found is measured(lab, case)
    mean, se = found[1]["squared"].mean, found[1]["squared"].se
    assert mean.shape == se.shape == (2, 6) and (se[:, :5] > 0).all()
    assert np.abs(mean[1, 2] / found[1]["squared"].predicted[1, 2] - 1.0) < 0.05


def test_a_normal_curve_finds_its_centre() -> None:
    """Shares of a curve centred at .2: found to rounding of the counts."""
    kappa, count = np.array([0.16, 0.18, 0.2, 0.22, 0.25]), np.full(5, 1e6)
    from scipy.stats import norm

    hits = np.round(count * norm.cdf((np.log(kappa) - np.log(0.2)) * 8.0))
    at, se = existence.centre(64, kappa, hits, count)
    assert abs(at - 0.2) < 1e-4 and 0 < se < 1e-3


CHEAP = [
    "proportional-duplicates",
    "proportional-mean-difference-exact",
    "proportional-gap",
    "proportional-multiplicities",
    "proportional-best-ridge",
]


@pytest.mark.parametrize("name", CHEAP)
def test_a_claim_stands_and_its_twin_falls(name: str) -> None:
    claim = next(each for each in registry() if each.id == name)
    entry, _ = run_claim(claim, Lab(PRESETS["quick"], seed=77))
    assert entry["outcome"] == "supported" and entry["twin"]["outcome"] == "contradicted"
    assert entry["failures"] == 0


def test_the_thresholds_of_the_claims_differ() -> None:
    assert existence.predicted() < 0.9 * existence.predicted(0.5)
    assert means.SEPARATION == 1.0
