"""Lesson 4: a straight line on logarithmic paper finds an exponent that is not there.

Long because a lesson is one notebook, read from top to bottom: what lessons share is in the files beside it.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="4. Reading a scaling law: the floor trap")

with app.setup:
    import marimo as mo
    import numpy as np
    from exercises import Exercise, Mistake
    from page import asked, axes, field, fields, picture, sheet, short, table
    from scipy.optimize import root_scalar
    from worlds import imbalance, rows

    import synthlaw
    from figures.style import PALETTE, plain_log
    from scaling.fitting.local_slopes import local_slopes

    FLOOR, EXPONENT, NOISE, POINTS, FIRST = 0.2, 0.5, 0.01, 10, 10.0

    def truth(x):
        """The law that makes the data of this lesson, with amplitude 1."""
        return FLOOR + x**-EXPONENT

    def fitted(law: str, data: dict, **options) -> dict:
        """One law fitted to one curve."""
        (found,) = synthlaw.fit(data, x="rows", y="error", se="se", law=law, **options)["fits"]
        return found

    def parameter(found: dict, name: str) -> float:
        """A fitted number."""
        return float(found["parameters"][name]["value"])


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # 4. Reading a scaling law: the floor trap

    *About 25 minutes. You need least squares and logarithms.*

    **You will learn**

    1. why a line on log-log paper (both axes logarithmic), with tiny error bars, can give an exponent that is wrong by a factor of four;
    2. that *more* data make it worse;
    3. what to fit instead, and how to see what a curve cannot tell.

    ## First, a question

    An error falls with the number of rows as $0.2 + n^{-1/2}$: a floor of 0.2 and an exponent of one half. You
    measure it at ten sizes with 1 % noise and draw a straight line through the points on log-log paper. The
    slope over *one* decade (10 to 100 rows) is wrong. So you go on to 10,000 rows: three decades.
    """)
    return


@app.cell
def _():
    def measured(decades: int) -> dict[str, np.ndarray]:
        """Ten sizes over so many decades, with 1 % noise; the same noise at every span."""
        x = np.geomspace(FIRST, FIRST * 10.0**decades, POINTS)
        se = NOISE * truth(x)
        noise = np.random.default_rng(0).standard_normal(POINTS)
        return {"rows": x, "error": truth(x) + se * noise, "se": se}

    data = {decades: measured(decades) for decades in (1, 2, 3)}
    lines = {decades: fitted("power", each) for decades, each in data.items()}
    floors = {decades: fitted("power_floor", each) for decades, each in data.items()}
    return data, floors, lines


@app.cell(hide_code=True)
def _(lines):
    _wrong = {k: abs(parameter(each, "exponent") - EXPONENT) for k, each in lines.items()}
    _options = {"nearer": "It comes nearer to 1/2", "same": "It stays", "farther": "It gets worse"}
    _right = (
        "farther"
        if _wrong[3] > _wrong[1] + 0.02
        else "nearer"
        if _wrong[3] < _wrong[1] - 0.02
        else "same"
    )
    guess = Exercise(
        "What happens to the line's slope when the data span three decades in place of one?",
        _options[_right],
        f"It goes from {parameter(lines[1], 'exponent'):.3f} to {parameter(lines[3], 'exponent'):.3f}: the more of the curve is floor, the flatter the line.",
        options=tuple(_options.values()),
        mistakes=(
            Mistake(
                "It comes nearer to 1/2",
                "More data help an estimate of the right law. Is a line the right law?",
            ),
            Mistake("It stays", "What does the curve look like far to the right?"),
        ),
    )
    guessed = field(guess)
    return guess, guessed


@app.cell(hide_code=True)
def _(guess, guessed):
    asked("Predict first", guess, guessed)
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    **Move the slider.** The dashed line is fitted to the points, and so is the curve, a law with a floor. Watch the line's
    exponent, and where the two part beyond the data.
    """)
    return


@app.cell
def _():
    decades = mo.ui.slider(steps=[1, 2, 3], value=2, show_value=True, label="decades measured")
    decades
    return (decades,)


@app.cell(hide_code=True)
def _(data, decades, floors, lines):
    _d, _line, _law = data[decades.value], lines[decades.value], floors[decades.value]
    _x = np.geomspace(FIRST, 1e5, 200)
    _figures, (_axes,) = axes()
    _axes.plot(
        _x,
        parameter(_line, "amplitude") * _x ** -parameter(_line, "exponent"),
        color=PALETTE[1],
        linestyle="--",
        label="line: A n⁻ᵃ",
    )
    _axes.plot(
        _x,
        parameter(_law, "floor")
        + parameter(_law, "amplitude") * _x ** -parameter(_law, "exponent"),
        color=PALETTE[0],
        label="with a floor: E + A n⁻ᵃ",
    )
    _axes.errorbar(
        _d["rows"], _d["error"], 2 * _d["se"], fmt="o", color=PALETTE[2], label="measured"
    )
    plain_log(_axes, "x")
    plain_log(_axes, "y")
    _axes.set(xlabel="rows", ylabel="error")
    _axes.legend(loc="lower left")
    _a, _b = _line["parameters"]["exponent"], _law["parameters"]["exponent"]
    _warned = [each["code"] for each in _line["warnings"]]
    picture(
        _figures,
        f"A line and a law with a floor, fitted to points over {decades.value} decades: beyond the data the line goes on falling, the law does not.",
        f"{decades.value} decade{'s' * (decades.value > 1)}. The line says **{_a['value']:.3f}** (95 %: {_a['low']:.3f} to {_a['high']:.3f}); with a floor the fit says"
        f" **{_b['value']:.3f}** ({_b['low']:.3f} to {_b['high']:.3f}), floor {parameter(_law, 'floor'):.3f}. Warnings on the line: {', '.join(_warned) or 'none'}.",
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Why

    Write the law as $f(n) = E + A n^{-a}$, with floor $E$, amplitude $A$ and exponent $a$. Its slope on log-log paper is *not*
    $-a$. Differentiate:

    $$-\frac{d\log f}{d\log n} = a\,\Bigl(1 - \frac{E}{f(n)}\Bigr).$$

    At small $n$, where $f \gg E$, it is nearly $a$. At large $n$ it tends to 0. A line averages it, weighted by
    where you happened to measure. Its *interval* is tiny because the points are precise; they are just not on a
    line. Over one decade nothing warns you: a line fits so short a curve within its noise.
    """)
    return


@app.cell(hide_code=True)
def _(data, floors, lines):
    mo.vstack(
        [
            table(
                [
                    "decades",
                    "line's exponent",
                    "its warnings",
                    "exponent with a floor",
                    "fitted floor",
                ],
                [
                    [
                        str(k),
                        f"{parameter(lines[k], 'exponent'):.3f} ± {lines[k]['parameters']['exponent']['se']:.3f}",
                        ", ".join(e["code"] for e in lines[k]["warnings"]) or "none",
                        f"{parameter(floors[k], 'exponent'):.3f} ± {floors[k]['parameters']['exponent']['se']:.3f}",
                        f"{parameter(floors[k], 'floor'):.3f} ± {floors[k]['parameters']['floor']['se']:.3f}",
                    ]
                    for k in data
                ],
                f"± one standard error. Truth: exponent {EXPONENT}, floor {FLOOR}. Of the two exponents the wrong one has the smaller standard error, every time.",
            ),
            mo.md("""
            ## What a curve cannot tell

            Over one decade the law with a floor is honest: its interval is wide. `synthlaw fit --law auto` goes
            further: it compares five laws, and where those that fit disagree about larger sizes it *refuses to rank*
            them and averages their forecasts.
            """),
        ]
    )
    return


@app.cell
def _(data, decades):
    chosen = fitted("auto", data[decades.value], at=[1e4])
    return (chosen,)


@app.cell(hide_code=True)
def _(chosen, decades):
    _f = chosen["forecast"][0]
    mo.md(
        f"With {decades.value} decade{'s' * (decades.value > 1)} `auto` answers: law **{chosen['law']}**, status **{chosen['status']}**. At {_f['x']:,.0f} rows it expects"
        f" {_f['value']:.3f} (95 %: {_f['low']:.3f} to {_f['high']:.3f}); the truth is {truth(_f['x']):.3f}. *Go back to the slider: try one decade, and three.*"
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## A curve from lesson 2

    A generator whose rows are shifted by 0.2, used to full balance: theory says floor + variance, and the
    variance falls like $1/n$, so the exponent should be 1. Here is its exact curve, with standard errors of 1 %, as you might have measured it.
    """)
    return


@app.cell
def _():
    _spec = {"kind": "shift", "shift": [0.2, 0, 0, 0, 0], "groups": ["minority"]}
    _sizes = np.round(np.geomspace(200, 20_000, 9), -1).astype(int)
    _cells = [
        rows(synthlaw.predict(imbalance(n, n // 10, ratios=[1.0], generators=[_spec]))).iloc[0]
        for n in _sizes
    ]
    _y = np.array([float(each.predicted) for each in _cells])
    shifted = {"rows": _sizes.astype(float), "error": _y, "se": NOISE * _y}
    known_floor = float(_cells[-1].floor)
    by_line = fitted("power", shifted)
    by_law = fitted("power_floor", shifted, theory=1.0)
    return by_law, by_line, known_floor, shifted


@app.cell(hide_code=True)
def _(by_law, by_line, known_floor, shifted):
    _figures, (_axes,) = axes()
    _x = np.geomspace(200, 200_000, 100)
    for _found, _tone, _dash, _name in (
        (by_line, PALETTE[1], "--", "line"),
        (by_law, PALETTE[0], "-", "with a floor"),
    ):
        _e = parameter(_found, "floor") if "floor" in _found["parameters"] else 0.0
        _y = _e + parameter(_found, "amplitude") * _x ** -parameter(_found, "exponent")
        _axes.plot(_x, _y, color=_tone, linestyle=_dash, label=_name)
    _axes.errorbar(shifted["rows"], shifted["error"], 2 * shifted["se"], fmt="o", color=PALETTE[2])
    plain_log(_axes, "x")
    plain_log(_axes, "y")
    _axes.set(xlabel="majority rows (minority: a tenth)", ylabel="balanced excess risk")
    _axes.legend(loc="upper right")
    _judged = by_law["theory"]["outcome"]
    picture(
        _figures,
        "The excess risk of a shifted generator: a line misses both ends, a law with a floor goes through all points.",
        f"The line says exponent {parameter(by_line, 'exponent'):.2f}. With a floor: exponent {parameter(by_law, 'exponent'):.2f}, floor {short(parameter(by_law, 'floor'))};"
        f" theory says 1 and {short(known_floor)}. Verdict on the exponent 1: **{_judged}** (its interval must lie within 0.02 of 1; how verdicts work is lesson 7).",
    )
    return


@app.cell(hide_code=True)
def _(by_law, data, known_floor, lines):
    # The slope between two neighbours, by the library, at 100 rows.
    _near = 100.0 * np.array([0.999, 1.001])
    _slope = float(local_slopes(_near, truth(_near), np.full(2, 1e-6)).value[0])
    _above = 100.0**-EXPONENT
    _more = float(
        root_scalar(lambda k: (truth(100.0 * k) - FLOOR) / _above - 0.5, bracket=(1.0, 50.0)).root
    )
    _far = parameter(lines[3], "amplitude") * 1e6 ** -parameter(lines[3], "exponent")
    _known = fitted("power_floor", data[1], floor=FLOOR)["parameters"]["exponent"]
    _free = fitted("power_floor", data[1])["parameters"]["exponent"]
    _gain = (_free["high"] - _free["low"]) / (_known["high"] - _known["low"])
    exercises = (
        Exercise(
            "What is the local slope (its size) of $0.2 + n^{-1/2}$ at $n = 100$?",
            _slope,
            r"$f(100) = 0.3$, so $\frac12(1 - 0.2/0.3) = 1/6$.",
            mistakes=(
                Mistake(0.5, "That is the exponent; the slope is smaller by the factor $1 - E/f$."),
                Mistake(1 / 3, "That is $1 - E/f$; multiply it by the exponent."),
            ),
            hint="Use the formula of *Why*, with $E = 0.2$, $a = 1/2$.",
        ),
        Exercise(
            "By which factor must $n$ grow to halve the part *above* the floor?",
            _more,
            r"$n^{-1/2}$ halves when $n$ grows by $2^{1/a} = 4$, whatever the floor.",
            mistakes=(Mistake(2.0, "That halves $1/n$. Here the exponent is one half."),),
            hint="The floor plays no part. When is $k^{-1/2} = 1/2$?",
        ),
        Exercise(
            "The line fitted over three decades is carried on to a million rows. What error does it promise? (Its $A$ and $a$ are in the hint.)",
            _far,
            f"The truth there is {truth(1e6):.3f}. A budget planned with the line is a budget for nothing.",
            mistakes=(
                Mistake(float(truth(1e6)), "That is the truth; the line promises something else."),
            ),
            hint=f"The fit's amplitude is {parameter(lines[3], 'amplitude'):.4f}, its exponent {parameter(lines[3], 'exponent'):.4f}.",
            tolerance=0.04,
        ),
        Exercise(
            "What floor does the fit find in the curve of lesson 2's shifted generator?",
            parameter(by_law, "floor"),
            f"Theory says {short(known_floor)}.",
            hint="The caption of the last picture; or where the curve goes flat.",
            tolerance=0.04,
        ),
        Exercise(
            "You *know* the floor, 0.2, from theory, and fit the one decade again with the floor held. How many times narrower is the interval of the exponent? (Compute it in the notebook, or guess first and look.)",
            float(_gain),
            f"{_known['value']:.3f} ({_known['low']:.3f} to {_known['high']:.3f}) in place of {_free['low']:.3f} to {_free['high']:.3f}: knowing the floor is worth more than decades.",
            hint='Call `fitted("power_floor", data[1], floor=0.2)` in a new cell and compare the lengths of the two intervals.',
            tolerance=0.1,
        ),
    )
    answers = fields(exercises)
    return answers, exercises


@app.cell(hide_code=True)
def _(answers, exercises):
    sheet(exercises, answers)
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## Summary

    - A slope on log-log paper is an exponent only where the floor is zero *and known to be*.
    - More decades make a wrong law more wrong, with ever smaller standard errors.
    - Fit the floor, read the interval, heed the warnings; over one decade believe neither.

    **Further reading.** [fitting.md](../fitting.md), section 5; [forecasting.md](../forecasting.md) on when no law may
    be chosen; every warning has [a page](../warnings/README.md). Next: [lesson 5](05_how_many_rows.py).
    """)
    return


if __name__ == "__main__":
    app.run()
