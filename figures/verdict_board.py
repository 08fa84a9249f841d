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

# Inches of a row; of one where a board of more lines than these stands in columns.
_ROW, _DENSE, _MOST_LINES = 0.25, 0.17, 75
# Ratios further from 1 than this many margins are drawn at the edge, so that one of them does not
# flatten all the others.
_MARGINS = 4.0
FLAG = " †"
# Titles that are longer lose whole words in their middle.
_LONGEST = 76

_DISC = 70
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

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: no claims.

    >>> claim = {"id": "one", "family": "imbalance", "kind": "constant", "outcome": "supported",
    ...          "prediction": 1.0, "ratio": 1.01, "ratio_se": 0.004, "margin": 0.02, "alpha": 1e-4}
    >>> draw({"claims": [claim]}).get_suptitle().splitlines()[0]
    '1 claims: 1 supported, 0 unresolved, 0 contradicted'
    """
    claims = verdicts["claims"]
    if not claims:
        raise FigureError("A verdict board needs claims; verdicts.json lists none.")
    margins = [_margin(c) or 0.0 for c in claims if _is_ratio(c)]
    reach = _MARGINS * max(margins, default=0.0)
    reach = reach or 0.1
    columns = _columns(claims)
    lines = max(map(_lines, columns))
    row = _ROW if len(columns) == 1 else _DENSE
    figure = canvas(8.6 if len(columns) == 1 else 6.4 * len(columns), 1.3 + row * lines)
    grid = figure.subplots(1, 2 * len(columns), width_ratios=[2.4, 1.0] * len(columns))
    for column, axes, marks in zip(columns, grid[::2], grid[1::2], strict=True):
        marks.sharey(axes)
        axes.set_ylim(lines - 0.3, -0.7)
        _frame(axes, marks, reach)
        _column(axes, marks, column, reach, tolerances or {})
        if len(columns) > 1:
            axes.tick_params(labelsize=7.0)
            marks.tick_params(labelsize=7.0)
    counts = [f"{sum(c['outcome'] == name for c in claims)} {name}" for name in OUTCOMES]
    summary = f"{len(claims)} claims: {', '.join(counts)}\n(grey ✘: the planted error was caught)"
    if any(claim.get("flagged_rows") for claim in claims):
        summary += f"\n{FLAG.strip()}, open point: rests on cells in which {MEANING}"
    figure.suptitle(summary, fontsize=9.5)
    return figure


def _lines(claims: list[dict[str, Any]]) -> int:
    return len(claims) + len({claim["family"] for claim in claims})


def _columns(claims: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The claims by family, in columns of about the same height; a family stays whole.

    >>> def many(family, count):
    ...     return [{"family": family}] * count
    >>> [len(column) for column in _columns(many("a", 30) + many("b", 30) + many("c", 50))]
    [60, 50]
    >>> [len(column) for column in _columns(many("a", 9) + many("b", 2) + many("a", 1))]
    [12]
    """
    families = [
        [claim for claim in claims if claim["family"] == name]
        for name in dict.fromkeys(claim["family"] for claim in claims)
    ]
    lines = _lines(claims)
    count = min(len(families), -(-lines // _MOST_LINES))
    found: list[list[dict[str, Any]]] = [[] for _ in range(count)]
    done = 0
    for family in families:
        # Where the middle of a family lies says in which column it stands.
        own = len(family) + 1
        found[min(count - 1, int(count * (done + own / 2.0) / lines))] += family
        done += own
    return [column for column in found if column]


def _column(
    axes: Axes,
    marks: Axes,
    claims: list[dict[str, Any]],
    reach: float,
    tolerances: dict[str, float],
) -> None:
    """Claims one below the other, under the names of their families."""
    height, ticks, labels, family = -1, [], [], None
    for claim in claims:
        height += 1
        if claim["family"] != family:
            family = claim["family"]
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
        _ratio(axes, claim, height, reach, _kind(claim, tolerances))
        _mark(marks, claim["outcome"], 0.0, height)
        _twin(marks, (claim.get("twin") or {}).get("outcome"), 1.0, height)
        ticks.append(height)
        note = FLAG if claim.get("flagged_rows") else ""
        title = str(claim.get("title") or claim["id"])
        labels.append(shorten(title, _LONGEST - len(note)) + note)
    axes.set_yticks(ticks, labels=labels)


def _frame(axes: Axes, marks: Axes, reach: float) -> None:
    axes.axvline(1.0, color=INK, linewidth=0.9, zorder=2)
    axes.set_xlim(1.0 - reach, 1.0 + reach)
    axes.set_xlabel("measured / predicted, interval\nat the claim's level (shaded: margin)")
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
    axes.scatter([x], [height], s=_DISC, color=colour, zorder=2)
    axes.text(x, height, glyph, color="white", **_GLYPH)


def _twin(axes: Axes, outcome: str | None, x: float, height: int) -> None:
    """A planted error that was caught is as it should be, and drawn quietly."""
    if outcome not in OUTCOMES:
        axes.text(x, height, "–", ha="center", va="center", color=MUTED)
    elif outcome == "contradicted":
        axes.text(x, height, OUTCOMES[outcome][0], color=MUTED, **_GLYPH)
    else:
        _mark(axes, outcome, x, height)
