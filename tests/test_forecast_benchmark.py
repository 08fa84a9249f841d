"""The benchmark of forecasts: the line it compares with, its accounts, and the curves it takes."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import forecasts as benchmark  # noqa: E402

DATA = Path(__file__).parents[2] / "shared" / "data"


def test_the_line_is_that_of_statsmodels() -> None:
    """Forecasts and prediction intervals of the least-squares line through the logarithms."""
    x = np.geomspace(10.0, 1000.0, 9)
    y = 2.0 * x**-0.3 * np.exp(0.05 * np.random.default_rng(0).standard_normal(9))
    there = np.array([2000.0, 5000.0])
    found = benchmark.log_log_line(x, y, there)
    fitted = sm.OLS(np.log(y), sm.add_constant(np.log(x))).fit()
    told = fitted.get_prediction(sm.add_constant(np.log(there))).summary_frame(alpha=0.05)
    expected = np.exp(told[["mean", "obs_ci_lower", "obs_ci_upper"]].to_numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_the_summary_counts_what_it_says() -> None:
    rows = pd.DataFrame(
        {
            "came": [1.0, 2.0, 4.0],
            "ours": [1.1, 2.0, 4.0],
            "ours_low": [0.9, 2.1, 3.0],
            "ours_high": [1.2, 2.2, 5.0],
            "line": [1.0, 1.0, 1.0],
            "line_low": [0.0, 0.0, 0.0],
            "line_high": [1.5, 1.5, 1.5],
            "last": [2.0, 4.0, 8.0],
        }
    )
    found = benchmark.summary(rows)
    assert found["curves"] == 1 and found["ours median"] == 0.0
    assert found["ours rms"] == pytest.approx(10.0 / 3**0.5)
    assert found["last median"] == found["last rms"] == pytest.approx(100.0)
    assert found["ours held"] == pytest.approx(200 / 3)
    assert found["line held"] == pytest.approx(100 / 3)
    assert found["ours width"] == pytest.approx(30.0)


@pytest.mark.published
@pytest.mark.skipif(not DATA.is_dir(), reason="the published curves are not at hand")
def test_the_published_curves_are_taken_whole() -> None:
    """Every set is there, in either abscissa, with positive sizes that increase."""
    for abscissa in ("added", "effective"):
        found = list(benchmark.usable(DATA, abscissa))
        assert len(found) > 400 and len({subset for subset, _ in found}) >= 4
        for _, curve in found:
            assert (np.diff(curve.x[:, 0]) > 0.0).all() and curve.x.min() > 0.0
