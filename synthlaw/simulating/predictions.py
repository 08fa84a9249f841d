"""``predict``: the tidy table of a sweep from theory alone."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from scaling.theory.expansion import Expansion, expansion, without_rounding
from scaling.theory.proportional.units import predicted_errors
from scaling.theory.tokens import expansion as tokens
from simulations.population.units import METRICS, Unit, make_unit, metrics_of, unit_population
from simulations.runs.moments import measures
from simulations.runs.table import Terms, unit_table
from simulations.setup.configuration import Sweep, points, read_sweep
from simulations.setup.generator_specs import generator_label
from simulations.setup.regimes import is_proportional, is_tokens
from simulations.setup.worlds import world
from simulations.token_sweeps.population import token_population

Progress = Callable[[int, int], None]
Source = str | os.PathLike[str] | Mapping[str, Any] | Sweep


def units(sweep: Sweep) -> Iterator[tuple[Unit, str, dict[str, Any]]]:
    """Every unit of a sweep with its generator's label and its swept values."""
    for point in points(sweep):
        specs = point.sweep.synthetic.generators
        for spec in specs:
            yield make_unit(point.sweep, spec), generator_label(spec, specs), dict(point.swept)


# Where the table keeps which metric the theory speaks of ...
METRIC = "metric"
# ... and why cells have no prediction: {sentence: cells}.
UNPREDICTED = "unpredicted"
NEGATIVE = (
    "of kl, as its expansion comes out below 0, far from the truth (layers that overshoot, or few raw rows;"
    " lower step or add rows)"
)
# ... and a sentence on sizes at which the limit is not to be trusted without a simulation, "" as a rule.
CAUTION = "caution"
# Below these the limit's remainder may show in the second digit (paper_notes/proportional.md, section 7).
FEW_FEATURES, FEW_ROWS = 50, 20
# Below so many rows per feature the expansion's remainder shows: at 20, duplicates and reweighting cost 8 %
# more than it says (rows of the right law 1 %), at 40 it is 4 %.
FEW_PER_FEATURE = 25


class Predicted(NamedTuple):
    """The predicted ``terms`` of a unit, and why cells have none: ``{sentence: cells}``."""

    terms: Terms
    unpredicted: Counter[str]


def predicted(unit: Unit, population: Any = None) -> Predicted:
    """What theory says of a unit; ``population`` where it is known already.

    In the proportional regime that are the errors alone, as a whole.
    """
    if is_tokens(unit.sweep):
        found = token_population(unit) if population is None else population
        expanded = tokens.expansion(found, unit.generator, unit.counts)
        lost = tokens.without_divergence(found, expanded).any()
        reason = Counter({NEGATIVE: len(unit.cells)} if lost else {})
        return Predicted(terms(expanded, len(metrics_of(unit.sweep))), reason)
    if not is_proportional(unit.sweep):
        found = unit_population(unit) if population is None else population
        return Predicted(terms(expansion(found)), Counter())
    limit = predicted_errors(unit)
    nothing = measures(np.full((len(unit.cells), 2 * len(unit.counts)), np.nan))
    errors = measures(np.concatenate([np.full_like(limit.errors, np.nan), limit.errors], axis=1))
    return Predicted(Terms(errors, nothing, nothing, nothing), Counter(filter(None, limit.reason)))


def told(table: pd.DataFrame, config: Sweep, unpredicted: Iterable[Counter[str]]) -> None:
    """Note in ``table.attrs`` the metric that the theory speaks of, where it says nothing, and where
    it says more than it should."""
    table.attrs[METRIC] = METRICS[is_proportional(config)]
    table.attrs[UNPREDICTED] = dict(sum(unpredicted, Counter()))
    table.attrs[CAUTION] = _caution(config)


def _caution(config: Sweep) -> str:
    """A sentence where a group's rows (or, in the proportional regime, the features) are few for a theory
    of many."""
    sizes = [
        (world(point.sweep.setting).means.shape[1], min(point.sweep.counts.values()))
        for point in points(config)
    ]
    if not is_proportional(config):
        features, rows = min(sizes, key=lambda size: size[1] / size[0])
        if rows >= FEW_PER_FEATURE * features:
            return ""
        return (
            f"the expansion is one of many rows per feature, and here a group has as few as {rows} raw"
            f" {'row' if rows == 1 else 'rows'} for {features}"
            f" {'feature' if features == 1 else 'features'}; compare it with a simulation."
        )
    features, rows = min(size[0] for size in sizes), min(size[1] for size in sizes)
    if features >= FEW_FEATURES and rows >= FEW_ROWS:
        return ""
    return (
        f"the limit is one of many features and rows, and here are as few as {features} features and"
        f" {rows} raw rows of a group; compare it with a simulation."
    )


def terms(expanded: Expansion, metrics: int = 2) -> Terms:
    """The predicted terms of a unit as measures, balanced means included; an unknown second-order term
    counts 0, and so does a balanced mean of terms that cancel to rounding (an oracle's second order at
    full balance)."""
    known = expanded.floor + expanded.variance + np.nan_to_num(expanded.second_order)
    parts = (known, expanded.floor, expanded.variance, expanded.second_order)
    means = [measures(np.asarray(part), metrics) for part in parts]
    for each in means:
        size = np.abs(each[..., :-1]).max(axis=-1)
        each[..., -1] = without_rounding(each[..., -1], size)
    return Terms(*means)


def predict(sweep: Source, progress: Progress | None = None) -> pd.DataFrame:
    """Predict excess risks and 0-1 errors of every cell of a sweep, without simulating.

    For a group's excess risk, ``E R_g(theta_hat) - R_g(theta_bal)`` is predicted as

        floor + variance + second_order,

    exact up to terms of order ``n^-2`` when all counts ``n`` grow in proportion; for a 0-1 error
    the floor is the error at the population minimiser, so that the sum is the error itself. With
    ``theory.regime = "proportional"`` only the errors are predicted, and only their sum: the limit as
    dimension and counts grow together, at the quotient of this sweep.

    Args:
        sweep: a SWEEP.toml (path), the same as a dictionary, or a ``Sweep``.
        progress: called with (generators done, generators in all), over all points of a ``[sweep]``.

    Returns:
        One row per cell, metric and group, with the columns of the tidy table up to
        ``second_order`` and one column per swept key. Terms are NaN where no theory exists;
        ``table.attrs["unpredicted"]`` says why cells of the proportional regime have no prediction.

    Raises:
        ValueError: one sentence naming the place, the fault and the remedy.

    Do not trust it where the smallest group has fewer than about 25 rows per feature: the
    neglected terms are then as large as ``variance`` itself, and on separable data the
    estimator does not exist.

    Source: paper_notes/excess_risk.md, paper_notes/proportional.md.

    >>> table = predict({"setting": {"kind": "imbalance", "dim": 5, "separation": 2.0},
    ...                  "counts": {"majority": 2000, "minority": 200},
    ...                  "synthetic": {"ratios": [1.0]}})
    >>> row = table[(table.metric == "excess_risk") & (table.group == "balanced")].iloc[0]
    >>> f"{row.predicted:.4e}"
    '6.9380e-04'
    """
    config = read_sweep(sweep)
    every, parts = list(units(config)), []
    for done, each in enumerate(every, start=1):
        parts.append((each, predicted(each[0])))
        if progress is not None:
            progress(done, len(every))
    frames = [
        unit_table(unit, label, swept, found.terms, None) for (unit, label, swept), found in parts
    ]
    table = pd.concat(frames, ignore_index=True)
    told(table, config, (found.unpredicted for _, found in parts))
    return table
