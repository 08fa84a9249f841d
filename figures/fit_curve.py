"""Measured curves with the laws fitted to them, what a new observation may be, and forecasts."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import fit_panels, tidy
from figures.style import BAND, ERROR_BARS, INK, MUTED, PALETTE, style

POINTS = ("curve", "name", "y", "se", "fitted")
LAW = ("curve", "x", "value", "low", "high", "law")
NEW = "95 % interval of a new observation"


@style()
def draw(
    points: pd.DataFrame,
    law: pd.DataFrame | None = None,
    forecast: pd.DataFrame | None = None,
    *,
    x: str = "x",
    y: str = "y",
) -> Figure:
    """A panel per curve: points with two standard errors, the law and its band, forecasts.

    Args:
        points: columns ``curve, name, x, y, se, fitted``; with ``x1, x2, ..`` instead of ``x`` the law
            has several variables, and measured values are drawn against fitted ones.
        law: columns ``curve, x, value, low, high, law``, optionally ``floor``, ``theory`` (the law with
            the exponent of theory) and ``theory_exponent``.
        forecast: columns ``curve, x, value, low, high``.
        x, y: names of the axes.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> points = pd.DataFrame({"curve": 1, "name": "", "x": [10, 100, 1000], "y": [0.5, 0.2, 0.1],
    ...                        "se": 0.01, "fitted": [0.5, 0.2, 0.1]})
    >>> draw(points, x="rows", y="error").axes[0].get_ylabel()
    'error'
    """
    tidy.require(points, POINTS, "fitted curve")
    found = fit_panels.page(points, below=1)
    if "x" not in points.columns:
        fit_panels.each(found, [points], _against_fitted)
        fit_panels.label(found, f"{y} according to the law", f"{y}, measured")
        fit_panels.legend(found)
        return found.figure
    if law is None:
        law = pd.DataFrame({name: [] for name in LAW})
    tidy.require(law, LAW, "fitted curve")
    if forecast is None:
        forecast = pd.DataFrame({name: [] for name in ("curve", "x", "value", "low", "high")})
    fit_panels.each(found, [points, law, forecast], _panel)
    fit_panels.label(found, x, y)
    fit_panels.legend(found)
    return found.figure


def _panel(axes: Axes, points: pd.DataFrame, law: pd.DataFrame, forecast: pd.DataFrame) -> None:
    x, y = tidy.numbers(points, "x"), tidy.numbers(points, "y")
    if len(law):
        _law(axes, law, float(x.max()))
    _measured(axes, x, points)
    if len(forecast):
        place, value = tidy.numbers(forecast, "x"), tidy.numbers(forecast, "value")
        ends = np.abs(np.vstack([tidy.numbers(forecast, end) for end in ("low", "high")]) - value)
        axes.errorbar(
            place,
            value,
            yerr=ends,
            marker="D",
            color=PALETTE[3],
            markeredgecolor="white",
            linestyle="none",
            capsize=3.0,
            zorder=5,
            label="forecast (law and its recent error), 95 % interval",
        )
    drawn = [*y, *tidy.numbers(law, "value"), *tidy.numbers(forecast, "value")]
    fit_panels.scale_axis(axes, "x", [*x, *tidy.numbers(law, "x")], fit_panels.X_FACTOR)
    fit_panels.scale_axis(axes, "y", drawn, fit_panels.Y_FACTOR)
    if axes.get_yscale() == "log":
        # A band that reaches 0 must not stretch a log axis without end.
        axes.set_ylim(bottom=max(axes.get_ylim()[0], 0.3 * min(drawn)))


def _law(axes: Axes, law: pd.DataFrame, last: float) -> None:
    law = tidy.ordered(law, "x")
    x = tidy.numbers(law, "x")
    axes.fill_between(
        x,
        tidy.numbers(law, "low"),
        tidy.numbers(law, "high"),
        color=BAND,
        linewidth=0,
        zorder=0,
        label=NEW,
    )
    value = tidy.numbers(law, "value")
    inside, beyond = x <= last * (1.0 + 1e-9), x >= last * (1.0 - 1e-9)
    if inside.any() and beyond.any():
        # The dashes start where the line ends.
        beyond[np.flatnonzero(inside)[-1]] = True
    axes.plot(x[inside], value[inside], color=PALETTE[0], zorder=2, label="fitted law")
    axes.plot(
        x[beyond], value[beyond], color=PALETTE[0], zorder=2, linestyle=(0, (4, 2)), label="beyond the data"
    )  # fmt: skip
    if "floor" in law.columns and np.isfinite(tidy.numbers(law, "floor")).all():
        height = float(tidy.numbers(law, "floor")[0])
        if height > 0.0:
            axes.axhline(
                height,
                color=MUTED,
                linewidth=1.0,
                linestyle=":",
                zorder=1,
                label="floor of the law",
            )
    if "theory" in law.columns and np.isfinite(tidy.numbers(law, "theory")).all():
        axes.plot(
            x,
            tidy.numbers(law, "theory"),
            color=PALETTE[1],
            linestyle=(0, (1, 1)),
            linewidth=2.0,
            zorder=2,
            label=f"exponent {tidy.numbers(law, 'theory_exponent')[0]:g} of theory",
        )
    name = tidy.texts(law, "law")[0]
    above = axes.get_title()
    axes.set_title(f"{above}\n{name}" if above else name, fontsize=axes.title.get_fontsize())


def _measured(axes: Axes, x: np.ndarray, points: pd.DataFrame) -> None:
    error = tidy.numbers(points, "se")
    known = np.isfinite(error).any()
    axes.errorbar(
        x,
        tidy.numbers(points, "y"),
        yerr=2.0 * np.nan_to_num(error) if known else None,
        marker="o",
        color=INK,
        markeredgecolor="white",
        linestyle="none",
        capsize=2.5,
        zorder=4,
        label=f"measured, {ERROR_BARS}" if known else "measured",
    )


def _against_fitted(axes: Axes, points: pd.DataFrame) -> None:
    fitted, y = tidy.numbers(points, "fitted"), tidy.numbers(points, "y")
    both = np.concatenate([fitted, y])
    ends = np.array([both.min(), both.max()])
    axes.plot(ends, ends, color=PALETTE[0], zorder=1, label="as the law says")
    _measured(axes, fitted, points)
    for which in ("x", "y"):
        fit_panels.scale_axis(axes, which, list(both), fit_panels.Y_FACTOR)
