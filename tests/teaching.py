"""One figure of each kind in ``figures.FIGURES``, from a small table."""

from collections.abc import Callable
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from figures import FIGURES
from tests.teaching_fits import (
    fit_board,
    fit_forecast,
    fit_law,
    fit_points,
    fit_profile,
    fit_ridge,
    plan_curve,
    published_tables,
    record,
)
from tests.teaching_limits import (
    existence_table,
    exponent_table,
    mixture_table,
    overparameterised_table,
    proportional_table,
    series_table,
    smote_table,
)
from tests.teaching_tables import (
    CELLS,
    VERDICTS,
    alignment_table,
    divergence_table,
    ladder_table,
    loud,
    size_table,
    synthetic_table,
    tidy_table,
    wald_table,
)
from tests.teaching_tokens import (
    attention_table,
    chain_table,
    token_kl_table,
    token_risk_table,
    token_slack_table,
    token_spurious_table,
    trained_table,
)


def _teaching() -> dict[str, Callable[[], Figure]]:
    draw, shown = FIGURES, loud(tidy_table())
    points, fits, told = published_tables()
    return {
        "ratio_curve": partial(draw["ratio_curve"], shown),
        "ladder": partial(draw["ladder"], ladder_table(), margin=0.02, intercept=1.0, intercept_se=0.003),
        "slack": partial(draw["slack"], CELLS),
        "agreement": partial(draw["agreement"], CELLS.assign(tolerance=0.05)),
        "distance": partial(draw["distance"], CELLS, margin=0.05),
        "worst_group": partial(draw["worst_group"], shown),
        "divergence": partial(draw["divergence"], divergence_table()),
        "synthetic_curve": partial(draw["synthetic_curve"], loud(synthetic_table(), 8.0)),
        "size_curve": partial(draw["size_curve"], size_table()),
        "alignment": partial(draw["alignment"], alignment_table()),
        "wald_calibration": partial(draw["wald_calibration"], wald_table()),
        "smote_law": partial(draw["smote_law"], smote_table()),
        "series_curves": partial(draw["series_curves"], series_table()),
        "exponent_ladder": partial(draw["exponent_ladder"], exponent_table()),
        "mixture_map": partial(draw["mixture_map"], mixture_table()),
        "overparameterised": partial(draw["overparameterised"], overparameterised_table()),
        "token_seeds": partial(draw["token_seeds"], token_risk_table((30.0, 1000.0, 10000.0))),
        "token_rows": partial(draw["token_rows"], token_risk_table((6000.0, 12000.0, 18000.0))),
        "token_spurious": partial(draw["token_spurious"], token_spurious_table()),
        "token_chain": partial(draw["token_chain"], chain_table()),
        "proportional_curve": partial(draw["proportional_curve"], proportional_table()),
        "existence": partial(draw["existence"], existence_table()),
        "token_kl": partial(draw["token_kl"], token_kl_table()),
        "token_slack": partial(draw["token_slack"], token_slack_table()),
        "verdict_board": partial(draw["verdict_board"], VERDICTS),
        "fit_curve": partial(
            draw["fit_curve"], fit_points(2), fit_law(2), fit_forecast(2), x="rows", y="error"
        ),
        "fit_residuals": partial(draw["fit_residuals"], fit_points(), x="rows", y="error"),
        "fit_profile": partial(draw["fit_profile"], fit_profile()),
        "fit_ridge": partial(draw["fit_ridge"], fit_ridge(), y="error"),
        "fit_exponents": partial(
            draw["fit_exponents"],
            pd.DataFrame({"label": ["one", "two"], "exponent": [0.5, 0.3], "low": [0.4, 0.2],
                          "high": [0.7, 0.35]}),
            theory=0.45,
        ),
        "fit_board": partial(draw["fit_board"], fit_board(), x="rows", y="error"),
        "plan_curve": partial(draw["plan_curve"], *plan_curve()),
        "trained_kl": partial(draw["trained_kl"], trained_table()),
        "attention": partial(draw["attention"], attention_table()),
        "benchmark": partial(draw["benchmark"], record()),
        "published_curves": partial(draw["published_curves"], points, fits),
        "published_exponents": partial(draw["published_exponents"], fits),
        "published_forecasts": partial(draw["published_forecasts"], points, told),
    }  # fmt: skip


# How to draw each kind of figure, by its name in FIGURES.
TEACHING = _teaching()
