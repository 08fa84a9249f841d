"""Pictures from tables and verdicts; nothing here computes a result.

``FIGURES`` names every kind of picture; ``render`` remakes those of a run folder.
"""

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

from matplotlib.figure import Figure

from figures import (
    agreement,
    alignment,
    attention,
    benchmark,
    distance,
    divergence,
    exponent_ladder,
    fit_board,
    fit_curve,
    fit_exponents,
    fit_profile,
    fit_residuals,
    fit_ridge,
    ladder,
    mixture_map,
    overparameterised,
    plan_curve,
    proportional,
    published,
    ratio_curve,
    series_curves,
    size_curve,
    slack,
    smote_law,
    synthetic_curve,
    token_chain,
    token_kl,
    token_risk,
    token_slack,
    trained,
    verdict_board,
    wald_calibration,
    worst_group,
)
from figures.faults import FigureError
from figures.pictures import pictures
from figures.shares import draw, draw_all

FIGURES: dict[str, Callable[..., Figure]] = {
    "ratio_curve": ratio_curve.draw,
    "ladder": ladder.draw,
    "slack": slack.draw,
    "agreement": agreement.draw,
    "distance": distance.draw,
    "worst_group": worst_group.draw,
    "divergence": divergence.draw,
    "synthetic_curve": synthetic_curve.draw,
    "size_curve": size_curve.draw,
    "alignment": alignment.draw,
    "wald_calibration": wald_calibration.draw,
    "smote_law": smote_law.draw,
    "series_curves": series_curves.draw,
    "exponent_ladder": exponent_ladder.draw,
    "mixture_map": mixture_map.draw,
    "overparameterised": overparameterised.draw,
    "token_seeds": token_risk.seeds,
    "token_rows": token_risk.rows,
    "token_spurious": token_risk.spurious,
    "token_chain": token_chain.draw,
    "proportional_curve": proportional.draw,
    "existence": proportional.existence,
    "token_kl": token_kl.draw,
    "token_slack": token_slack.draw,
    "verdict_board": verdict_board.draw,
    "fit_curve": fit_curve.draw,
    "fit_residuals": fit_residuals.draw,
    "fit_profile": fit_profile.draw,
    "fit_ridge": fit_ridge.draw,
    "fit_exponents": fit_exponents.draw,
    "fit_board": fit_board.draw,
    "plan_curve": plan_curve.draw,
    "trained_kl": trained.draw,
    "attention": attention.draw,
    "benchmark": benchmark.draw,
    "published_curves": published.curves,
    "published_exponents": published.exponents,
    "published_forecasts": published.forecasts,
}


def render(
    name: str,
    directory: str | Path,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Remake pictures of a run as ``directory/figures/*.png`` and ``*.svg``, with the numbers drawn beside
    them, ``*.csv`` (of several tables the points; ``directory/tables`` has all).

    Args:
        name: ``all``; a key of ``FIGURES`` (every picture of that kind); or one picture's own
            name, which for a claim is its id.
        directory: what ``synthlaw verify``, ``simulate``, ``fit``, ``plan`` or ``train`` left.
        workers: processes that may share the drawing of all pictures.
        progress: called with (pictures done, pictures in all).

    Returns:
        The paths of the drawings.

    Raises:
        ValueError: one sentence: the folder has no tables, or nothing in it has this name.
    """
    folder = Path(directory)
    found = pictures(folder)
    chosen = [each for each in found if name in ("all", each.name, each.figure)]
    if not chosen:
        names = dict.fromkeys(["all", *(e.figure for e in found), *(e.name for e in found)])
        close = get_close_matches(name, list(names), n=1)
        remedy = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(names)}."
        raise FigureError(f"{folder} has no figure {name!r}; {remedy}")
    if name == "all":
        return draw_all(chosen, folder, workers, progress)
    return draw(chosen, folder, progress)


__all__ = ["FIGURES", "render"]
