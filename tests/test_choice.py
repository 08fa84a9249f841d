"""The choice among laws: right when it ranks, a refusal where the data cannot tell, and faults."""

import numpy as np
import pytest
from scipy.stats import binom
from stochastic import FALSE_FAIL

from scaling.fitting.curves import curve
from scaling.fitting.fit import fit
from scaling.fitting.laws import LAWS, value
from scaling.forecasting.choice import Choice, choose, criterion_of


def drawn(
    law: str, parameters: list[float], decades: float, relative: float, seed: int = 0, n: int = 12
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x = np.geomspace(10.0, 10.0 ** (1.0 + decades), n)
    y = value(LAWS[law], parameters, x[:, None])
    se = relative * y
    return x, y + se * np.random.default_rng(seed).normal(size=n), se


def test_a_floor_seen_over_three_decades_is_ranked() -> None:
    found = choose(curve(*drawn("power_floor", [0.5, 1.0, 0.2], 3.0, 0.02)))
    assert found.ranked and found.best is not None and found.best.law.name == "power_floor"
    tried = {each.fit.law.name: each for each in found.candidates}
    assert not tried["power"].plausible and not tried["reciprocal_floor"].plausible
    assert tried["power"].heldout > 3.0 * tried["power_floor"].heldout
    assert sum(each.weight for each in found.candidates) == pytest.approx(1.0)
    assert found.warnings == ()


def test_over_one_decade_no_floor_is_excluded() -> None:
    """The trap: a power law fits a short curve best, and the floors it allows change the forecast.
    The refusal says what would tell, and the forecast holds both."""
    found = choose(curve(*drawn("power_floor", [0.5, 1.0, 0.05], 1.0, 0.03)))
    assert not found.ranked and found.best is None
    names = {each.law.name for each in found.plausible}
    assert {"power", "power_floor"} <= names
    assert "standard errors" in found.reason and "would tell" in found.reason
    assert [told.code for told in found.warnings] == ["unranked"]
    (told,) = found.forecast([1000.0])
    assert told.low < 0.05 + 1000.0**-0.5 < told.high


def test_a_floor_that_is_known_tells() -> None:
    """The same curve with its floor given: ranked. Laws that have no floor are left out."""
    x, y, se = drawn("power_floor", [0.5, 1.0, 0.05], 1.0, 0.003)
    found = choose(curve(x, y, se), held={"floor": 0.05}, candidates=("power", "power_floor"))
    assert found.ranked and [each.fit.law.name for each in found.candidates] == ["power_floor"]


def test_what_is_asked_decides() -> None:
    """Laws that disagree ten times beyond the data agree next to them."""
    data = curve(*drawn("power_floor", [0.5, 1.0, 0.05], 1.0, 0.03))
    assert choose(data, far=105.0).ranked
    assert not choose(data, far=10000.0).ranked


def test_a_curve_that_grows_is_told() -> None:
    """Growing laws unasked, with a warning, only where falling ones miss the curve by far."""
    x = np.geomspace(100.0, 1000.0, 9)
    y = 0.5 * (x / 100.0) ** 0.3
    noise = np.random.default_rng(0).normal(size=9)
    found = choose(curve(x, y * (1.0 + 0.01 * noise), 0.01 * y))
    assert all("growing" in {told.code for told in each.warnings} for each in found.plausible)
    (told,) = found.forecast([2000.0])
    assert told.low < 0.5 * 20.0**0.3 < told.high and told.low > y[-1]
    flat = choose(curve(x, 0.5 + 0.01 * noise, np.full(9, 0.01)))
    assert not any("growing" in {t.code for t in each.warnings} for each in flat.plausible)


def test_criteria_by_hand() -> None:
    """chi^2 + 2 k with known errors; AICc with the noise as a parameter without them."""
    x, y, se = drawn("power", [0.5, 1.0], 2.0, 0.02, n=8)
    known, unknown = fit("power", curve(x, y, se)), fit("power", curve(x, y))
    assert criterion_of(known, 1.0) == pytest.approx(2.0 * known.loss + 4.0)
    assert criterion_of(known, 2.0) == pytest.approx(known.loss + 4.0)
    rss = 2.0 * unknown.loss
    assert criterion_of(unknown, 1.0) == pytest.approx(8 * np.log(rss / 8) + 6.0 + 24.0 / 4.0)
    few = fit("power", curve(x[:4], y[:4]))
    assert criterion_of(few, 1.0) == np.inf


def wrong(found: Choice, truth: float, draw: float) -> bool:
    (told,) = found.forecast([found.far])
    return not told.low <= truth + draw <= told.high


def test_forecasts_of_ranked_choices_hold() -> None:
    """Forty curves of three laws, new observations ten times beyond the data: of the ranked ones no
    more are missed than a rate of 5 % gives but for 1e-6. Twin: a log-log line for all of them."""
    missed, ranked, line_missed = 0, 0, 0
    laws = [
        ("power", [0.4, 1.0]),
        ("power_floor", [0.6, 1.0, 0.2]),
        ("reciprocal_floor", [1.0, 0.1]),
    ]
    for seed in range(40):
        law, parameters = laws[seed % 3]
        x, y, se = drawn(law, parameters, 2.5, 0.02, seed)
        found = choose(curve(x, y, se))
        there = np.array([[found.far]])
        truth = float(value(LAWS[law], parameters, there)[0])
        draw = float(se[-3:].mean() * np.random.default_rng(10**6 + seed).normal())
        if found.ranked:
            ranked += 1
            missed += wrong(found, truth, draw)
        slope, intercept = np.polyfit(np.log(x), np.log(y), 1)
        line = np.exp(intercept + slope * np.log(found.far))
        line_missed += abs(line - truth - draw) > 4.0 * float(se[-1])
    assert ranked >= 15
    most = binom.isf(FALSE_FAIL, ranked, 0.05)
    assert missed <= most
    assert line_missed > most


def test_faults() -> None:
    x, y, se = drawn("power", [0.5, 1.0], 1.0, 0.02, n=3)
    with pytest.raises(ValueError, match="too few"):
        choose(curve(x, y, se))
    x, y, se = drawn("power", [0.5, 1.0], 1.0, 0.02)
    with pytest.raises(ValueError, match="no candidate"):
        choose(curve(x, y, se), held={"bias": 1.0})
    with pytest.raises(ValueError, match="no law"):
        choose(curve(x, y, se), candidates=("powr",))
