"""All verdicts at a glance: one row per claim, grouped by family.

Constants and exponents show their ratio and its interval against the margin (that of an exponent is
absolute: it is divided by the exponent); every claim shows its outcome, and that of its planted
error, as a glyph and a colour.
"""

from statistics import NormalDist
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.dots import shorten
from figures.faults import FigureError
from figures.points import MEANING, OPEN
from figures.style import BAND, INK, MUTED, OUTCOMES, canvas, style

_ROW = 0.25
# Ratios further from 1 than this many margins are drawn at the edge, so that one of them does not
# flatten all the others.
_MARGINS = 4.0
FLAG = " †"
# Titles that are longer lose whole words in their middle.
_LONGEST = 76

_GLYPH: dict[str, Any] = {
    "ha": "center",
    "va": "center",
    "weight": "bold",
    "fontsize": 7.5,
    "zorder": 3,
}


@style()
def draw(verdicts: dict[str, Any], tolerances: dict[str, float] | None = None) -> Figure:
    """The board of a run's ``verdicts.json``.

    Args:
        verdicts: what that file holds.
        tolerances: of claims of kind exact whose evidence is noisy, by id: the tolerance within which
            they are judged. Such a claim is not called exact.
    """
    claims = verdicts["claims"]
    if not claims:
        raise FigureError("A verdict board needs claims; verdicts.json lists none.")
    families = list(dict.fromkeys(claim["family"] for claim in claims))
    lines = len(claims) + len(families)
    margins = [_margin(c) or 0.0 for c in claims if _is_ratio(c)]
    reach = _MARGINS * max(margins, default=0.0)
    reach = reach or 0.1
    figure = canvas(8.6, 1.3 + _ROW * lines)
    axes, marks = figure.subplots(1, 2, sharey=True, width_ratios=[2.6, 1.0])
    axes.set_ylim(lines - 0.3, -0.7)
    _frame(axes, marks, reach)
    height, ticks, labels = 0, [], []
    for family in families:
        axes.annotate(
            family,
            (0.0, height),
            xycoords=("axes fraction", "data"),
            xytext=(-6, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            weight="bold",
            fontsize=8.5,
        )
        height += 1
        for claim in (each for each in claims if each["family"] == family):
            _ratio(axes, claim, height, reach, _kind(claim, tolerances or {}))
            _mark(marks, claim["outcome"], 0.0, height)
            _twin(marks, (claim.get("twin") or {}).get("outcome"), 1.0, height)
            ticks.append(height)
            note = FLAG if claim.get("flagged_rows") else ""
            labels.append(
                shorten(str(claim.get("title") or claim["id"]), _LONGEST - len(note)) + note
            )
            height += 1
    axes.set_yticks(ticks, labels=labels)
    counts = [f"{sum(c['outcome'] == name for c in claims)} {name}" for name in OUTCOMES]
    summary = f"{len(claims)} claims: {', '.join(counts)}\n(grey ✘: the planted error was caught)"
    if any(claim.get("flagged_rows") for claim in claims):
        summary += f"\n{FLAG.strip()}, open point: rests on cells in which {MEANING}"
    figure.suptitle(summary, fontsize=9.5)
    return figure


def _frame(axes: Axes, marks: Axes, reach: float) -> None:
    axes.axvline(1.0, color=INK, linewidth=0.9, zorder=2)
    axes.set_xlim(1.0 - reach, 1.0 + reach)
    axes.set_xlabel("measured / predicted, interval at the claim's level\n(shaded: margin)")
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=True, axis="y", linestyle=":")
    axes.spines["left"].set_visible(False)
    marks.set_xlim(-0.6, 1.6)
    marks.set_xticks([0.0, 1.0], labels=["claim", "planted\nerror"])
    marks.set_xlabel("outcome")
    marks.tick_params(length=0, labelleft=False)
    marks.grid(visible=False)
    for side in ("left", "bottom"):
        marks.spines[side].set_visible(False)


def _is_ratio(claim: dict[str, Any]) -> bool:
    return claim["kind"] in ("constant", "exponent") and claim.get("ratio") is not None


def _margin(claim: dict[str, Any]) -> float | None:
    """The margin of the claim's ratio."""
    margin, predicted = claim.get("margin"), claim.get("prediction")
    if claim["kind"] == "exponent" and margin is not None and predicted:
        return margin / abs(predicted)
    return margin


def _kind(claim: dict[str, Any], tolerances: dict[str, float]) -> str:
    """What stands for a claim without a ratio: its kind, or the tolerance that its noise calls for.

    >>> _kind({"id": "a", "kind": "exact", "se": 0.0}, {}), _kind({"id": "a", "kind": "exact"}, {"a": 0.01})
    ('exact', 'within 0.01')
    """
    if claim["kind"] == "exact" and claim["id"] in tolerances:
        return f"within {tolerances[claim['id']]:.2g}"
    noisy = claim["kind"] == "exact" and (claim.get("se") or 0.0) > 0.0
    return "within its tolerance" if noisy else claim["kind"]


def _ratio(axes: Axes, claim: dict[str, Any], height: int, reach: float, kind: str) -> None:
    ratio, error, margin = claim.get("ratio"), claim.get("ratio_se"), _margin(claim)
    if ratio is None or not _is_ratio(claim):
        bounded = claim["kind"] == "inequality" and ratio is not None
        note = f"inequality: ratio {ratio:.3g}" if bounded else kind
        axes.text(1.0, height, f"  {note}", color=MUTED, fontsize=7.5, va="center", zorder=3)
        return
    if margin is not None:
        axes.fill_betweenx(
            [height - 0.42, height + 0.42], 1 - margin, 1 + margin, color=BAND, linewidth=0
        )
    colour = OUTCOMES[claim["outcome"]][1]
    if abs(ratio - 1.0) > reach:
        edge = 1.0 + 0.94 * (reach if ratio > 1.0 else -reach)
        axes.plot([edge], [height], marker=">" if ratio > 1.0 else "<", color=colour, zorder=4)
        side = "right" if ratio > 1.0 else "left"
        axes.annotate(
            f"{ratio:.3g}",
            (edge, height),
            xytext=(-6 if ratio > 1.0 else 6, 0),
            textcoords="offset points",
            ha=side,
            va="center",
            fontsize=7.5,
        )
        return
    half = NormalDist().inv_cdf(1.0 - claim.get("level", claim["alpha"])) * error if error else 0.0
    look = {"marker": "o", "color": colour, "markeredgecolor": "white"}
    if claim.get("flagged_rows"):
        look |= {**OPEN, "markeredgecolor": colour}
    axes.errorbar(
        [ratio],
        [height],
        xerr=[half],
        capsize=2.5,
        linestyle="none",
        zorder=4,
        **look,
    )


def _mark(axes: Axes, outcome: str, x: float, height: int) -> None:
    glyph, colour = OUTCOMES[outcome]
    axes.scatter([x], [height], s=95, color=colour, zorder=2)
    axes.text(x, height, glyph, color="white", **_GLYPH)


def _twin(axes: Axes, outcome: str | None, x: float, height: int) -> None:
    """A planted error that was caught is as it should be, and drawn quietly."""
    if outcome not in OUTCOMES:
        axes.text(x, height, "–", ha="center", va="center", color=MUTED)
    elif outcome == "contradicted":
        axes.text(x, height, OUTCOMES[outcome][0], color=MUTED, **_GLYPH)
    else:
        _mark(axes, outcome, x, height)
