"""Pictures of fits show what they must; a series, a label or a column that is missing is caught.

Long because a third of it makes the tables that all its pictures are drawn from.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

import figures
from figures import (
    fit_board,
    fit_curve,
    fit_exponents,
    fit_panels,
    fit_profile,
    fit_residuals,
    fit_ridge,
)

X = np.array([100.0, 1000.0, 10000.0, 100000.0])


def points(curves: int = 1, **columns: object) -> pd.DataFrame:
    parts = []
    for k in range(1, curves + 1):
        y = 0.1 * k + 3.0 * X**-0.5
        about = {"curve": k, "name": f"model = m{k}" if curves > 1 else None}
        parts.append(
            pd.DataFrame(
                {**about, "x": X, "y": y, "se": 0.01, "fitted": y, "residual": [1, -1, 3, 0]}
            )
        )
    return pd.concat(parts).assign(**columns)


def law(curves: int = 1) -> pd.DataFrame:
    x = np.geomspace(100, 1e6, 9)
    parts = []
    for k in range(1, curves + 1):
        y = 0.1 * k + 3.0 * x**-0.5
        fixed = {"curve": k, "law": "power_floor", "floor": 0.1 * k, "theory_exponent": 0.4}
        parts.append(
            pd.DataFrame(
                {**fixed, "x": x, "value": y, "low": y - 0.02, "high": y + 0.02, "theory": 1.1 * y}
            )
        )
    return pd.concat(parts)


def forecast(curves: int = 1) -> pd.DataFrame:
    return pd.DataFrame(
        {"curve": k, "x": 1e6, "value": 0.1 * k, "low": 0.05 * k, "high": 0.2 * k}
        for k in range(1, curves + 1)
    )


def profile(curves: int = 1, theory: float = 0.55) -> pd.DataFrame:
    exponent = np.linspace(0.4, 0.6, 11)
    fixed = {"estimate": 0.5, "low": 0.45, "high": 0.55, "threshold": 3.84, "theory": theory}
    deviance = ((exponent - 0.5) / 0.025) ** 2
    return pd.concat(
        pd.DataFrame({"curve": k, "name": f"m{k}", "exponent": exponent, "deviance": deviance, **fixed})
        for k in range(1, curves + 1)
    )  # fmt: skip


def ridge() -> pd.DataFrame:
    floor, exponent = (
        each.ravel()
        for each in np.meshgrid(np.linspace(0.1, 0.3, 15), np.linspace(0.4, 0.6, 15), indexing="ij")
    )
    deviance = ((floor - 0.2) / 0.02) ** 2 + ((exponent - 0.5) / 0.02) ** 2
    fixed = {"best_floor": 0.2, "best_exponent": 0.5, "threshold68": 2.3, "threshold95": 6.0}
    table = {"curve": 1, "name": "", "floor": floor, "exponent": exponent, "deviance": deviance}
    return pd.DataFrame({**table, **fixed})


def board(curves: int = 1) -> pd.DataFrame:
    rows = []
    for k in range(1, curves + 1):
        for place, name in enumerate(("power", "power_floor", "broken")):
            rows.append(
                {
                    "curve": k,
                    "label": f"m{k}",
                    "law": name,
                    "weight": (0.0, 0.8, 0.2)[place],
                    "heldout": (0.5, 0.01, np.nan)[place],
                    "plausible": place > 0,
                    "chosen": place == 1,
                    "at": 1e6,
                    "forecast": 0.1 + 0.05 * place,
                }
            )
    return pd.DataFrame(rows)


def labels(figure: Figure) -> set[str]:
    """The entries of the figure's legend."""
    return {text.get_text() for legend in figure.legends for text in legend.get_texts()}


def bars(axes: Axes) -> dict[str, ErrorbarContainer]:
    return {
        str(each.get_label()): each
        for each in axes.containers
        if isinstance(each, ErrorbarContainer)
    }


def line(axes: Axes, label: str) -> np.ndarray:
    return next(np.asarray(e.get_xydata()) for e in axes.lines if e.get_label() == label)


def written(axes: Axes) -> str:
    return "\n".join(text.get_text() for text in axes.texts)


EVERYTHING = {
    fit_curve.NEW,
    "fitted law",
    "beyond the data",
    "floor of the law",
    "exponent 0.4 of theory",
    "measured, ±2 standard errors",
    "forecast (law and its recent error), 95 % interval",
}


def test_a_fitted_curve_shows_all_there_is() -> None:
    figure = fit_curve.draw(points(), law(), forecast(), x="rows", y="error")
    (axes,) = figure.axes
    assert labels(figure) == EVERYTHING
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("rows", "error")
    assert axes.get_xscale() == "log" and axes.get_title() == "power_floor"
    measured = bars(axes)["measured, ±2 standard errors"].lines
    np.testing.assert_allclose(np.asarray(measured[0].get_xydata())[:, 0], X)
    segments = measured[2][0].get_segments()
    np.testing.assert_allclose([(s[1, 1] - s[0, 1]) / 2 for s in segments], 0.02)
    told = (
        bars(axes)["forecast (law and its recent error), 95 % interval"].lines[2][0].get_segments()
    )
    np.testing.assert_allclose(told[0][:, 1], [0.05, 0.2])
    solid, dashed = line(axes, "fitted law"), line(axes, "beyond the data")
    assert solid[-1, 0] <= 1e5 * (1 + 1e-9) and dashed[0, 0] <= 1e5 * (1 + 1e-9)
    assert dashed[-1, 0] == pytest.approx(1e6)


@pytest.mark.parametrize(
    ("missing", "gone"),
    [
        ("theory", "exponent 0.4 of theory"),
        ("floor", "floor of the law"),
        ("forecast", "forecast (law and its recent error), 95 % interval"),
        ("se", "measured, ±2 standard errors"),
    ],
)
def test_what_is_not_in_the_tables_is_not_in_the_legend(missing: str, gone: str) -> None:
    lines = law().drop(columns=[missing], errors="ignore")
    told = None if missing == "forecast" else forecast()
    shown = points(se=np.nan) if missing == "se" else points()
    found = labels(fit_curve.draw(shown, lines, told))
    assert gone not in found and found - {"measured"} == EVERYTHING - {gone}


def test_axes_are_linear_where_numbers_are_close_together_and_log_where_they_are_not() -> None:
    near = points(x=[1.0, 2.0, 3.0, 4.0])
    assert fit_curve.draw(near).axes[0].get_xscale() == "linear"
    steep = points(y=[1.0, 0.1, 0.01, 0.001])
    assert fit_curve.draw(steep).axes[0].get_yscale() == "log"
    below = points(y=[1.0, 0.1, 0.01, -0.001])
    assert fit_curve.draw(below).axes[0].get_yscale() == "linear"


def test_a_law_in_several_variables_is_drawn_against_what_it_says() -> None:
    several = points().rename(columns={"x": "x1"}).assign(x2=2.0)
    figure = fit_curve.draw(several, y="error")
    assert labels(figure) == {"as the law says", "measured, ±2 standard errors"}
    assert figure.axes[0].get_xlabel() == "error according to the law"
    residuals = fit_residuals.draw(several, y="error")
    assert residuals.axes[0].get_xlabel() == "error according to the law"


def test_residuals_are_in_standard_errors_around_zero() -> None:
    figure = fit_residuals.draw(points(), x="rows")
    (axes,) = figure.axes
    assert labels(figure) == {"within ±2", "the law", "measured − law"}
    np.testing.assert_allclose(line(axes, "measured − law")[:, 1], [1, -1, 3, 0])
    low, high = axes.get_ylim()
    assert low == -high and high > 3.0
    assert "standard errors" in axes.get_ylabel() and axes.get_xlabel() == "rows"


def test_a_profile_marks_threshold_interval_estimate_and_theory() -> None:
    figure = fit_profile.draw(profile())
    (axes,) = figure.axes
    marks = {"95 % interval", "threshold", "estimate", "profile"}
    assert labels(figure) == {*marks, "theory 0.55"}
    assert line(axes, "threshold")[0, 1] == 3.84 and line(axes, "estimate")[0, 0] == 0.5
    away = fit_profile.draw(profile(theory=2.0))
    assert labels(away) == marks and "theory 2 →" in written(away.axes[0])
    assert away.axes[0].get_xlim() == pytest.approx((0.4, 0.6))
    nothing = fit_profile.draw(profile(theory=np.nan))
    assert labels(nothing) == marks and not written(nothing.axes[0])


def test_a_ridge_draws_both_regions_and_the_estimate() -> None:
    figure = fit_ridge.draw(ridge(), y="error")
    (axes,) = figure.axes
    assert labels(figure) == {"68 % region of both", "95 % region of both", "estimate"}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("floor of error", "exponent a")
    np.testing.assert_allclose(line(axes, "estimate"), [[0.2, 0.5]])
    widths = [
        float(np.ptp(np.asarray(path.vertices)[:, 0]))
        for each in axes.collections
        for path in each.get_paths()
        if len(path.vertices)  # type: ignore[arg-type]
    ]
    # The region ends at sqrt(6) standard errors of .02.
    assert max(widths) / 2 == pytest.approx(0.02 * np.sqrt(6.0), rel=0.05)


def test_a_board_tells_chosen_plausible_and_ruled_out_apart() -> None:
    figure = fit_board.draw(board(), x="rows", y="error")
    weight, heldout, told = figure.axes
    assert labels(figure) == {"chosen", "plausible", "left out"}
    names = [text.get_text() for text in weight.get_yticklabels()]
    assert names == ["power", "power_floor", "broken"]
    assert "too few points" in written(heldout) and len(heldout.lines) == 2
    assert told.get_xlabel() == "error at\nrows = 1e6" and "error" in heldout.get_xlabel()
    colours = [patch.get_facecolor() for patch in weight.patches[:3]]
    assert len(set(colours)) == 3


def test_a_board_of_many_curves_rings_the_law_chosen() -> None:
    figure = fit_board.draw(board(3))
    (axes,) = figure.axes
    assert labels(figure) == {"Akaike weight (area)", "law chosen"}
    assert [text.get_text() for text in axes.get_yticklabels()] == [f"m{k}" for k in (1, 2, 3)]
    dots = [np.asarray(each.get_facecolor()) for each in axes.collections]
    rings = [each for each, face in zip(axes.collections, dots, strict=True) if len(face) == 0]
    places = [
        np.asarray(ring.get_offsets())[0] for ring in rings if len(np.asarray(ring.get_offsets()))
    ]
    np.testing.assert_allclose(places, [[1, 0], [1, 1], [1, 2]])


def test_exponents_of_many_curves_have_a_row_each() -> None:
    table = pd.DataFrame(
        {"label": ["a", "b"], "exponent": [0.4, 0.6], "low": [0.3, 0.5], "high": [0.6, 0.65]}
    )
    figure = fit_exponents.draw(table, theory=0.5)
    assert labels(figure) == {"theory 0.5", "exponent, 95 % interval"}
    (found,) = bars(figure.axes[0]).values()
    ends = [segment[:, 0].tolist() for segment in found.lines[2][0].get_segments()]
    np.testing.assert_allclose(ends, [[0.3, 0.6], [0.5, 0.65]])


@pytest.mark.parametrize("curves", [2, 7, 24, 30])
def test_many_curves_share_one_page(curves: int) -> None:
    figure = fit_curve.draw(points(curves), law(curves), forecast(curves), x="rows", y="error")
    shown = min(curves, fit_panels.MOST)
    assert len(figure.axes) == shown and labels(figure) == EVERYTHING
    assert [axes.get_title() for axes in figure.axes] == [
        f"model = m{k}\npower_floor" for k in range(1, shown + 1)
    ]
    rest = "" if curves <= shown else f" (the first {shown} of {curves} curves)"
    assert (figure.get_supxlabel(), figure.get_supylabel()) == (f"rows{rest}", "error")
    assert len(fit_profile.draw(profile(curves)).axes) == min(curves, fit_panels.MOST_WIDE)


@pytest.mark.parametrize(
    ("draw", "table"),
    [
        (fit_curve.draw, points().drop(columns="fitted")),
        (fit_residuals.draw, points().drop(columns="residual")),
        (fit_profile.draw, profile().drop(columns="threshold")),
        (fit_ridge.draw, ridge().drop(columns="deviance")),
        (fit_board.draw, board().drop(columns="weight")),
        (fit_exponents.draw, pd.DataFrame({"label": []})),
    ],
)
def test_a_missing_column_is_named(draw, table: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="missing here: "):
        draw(table)


def test_a_folder_of_a_fit_lists_its_pictures_and_lacks_are_said(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "fit.json").write_text(json.dumps({"fits": []}))
    with pytest.raises(ValueError, match=r"fit\.config\.json cannot be read"):
        figures.render("all", tmp_path)
    about = {"fit": {"x": ["augment"], "y": "error", "base": 400.0, "weight": 0.5}}
    (tmp_path / "fit.config.json").write_text(json.dumps(about))
    with pytest.raises(ValueError, match=r"no fit_points\.csv"):
        figures.render("all", tmp_path)
    for name, table in {"points": points(), "law": law(), "board": board()}.items():
        table.to_csv(tmp_path / "tables" / f"fit_{name}.csv", index=False)
    names = {path.stem for path in figures.render("all", tmp_path)}
    assert names == {"fit_curve", "fit_residuals", "fit_board"} <= set(figures.FIGURES)
    assert [path.stem for path in figures.render("fit_board", tmp_path)] == ["fit_board"] * 2
