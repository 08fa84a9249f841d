"""Lesson 2: new rows, repeated rows, weighted rows: the same cure, three prices.

Long because a lesson is one notebook, read from top to bottom: what lessons share is in the files beside it.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="2. Oversampling, duplication, reweighting")

with app.setup:
    import marimo as mo
    import numpy as np
    from exercises import Exercise, Mistake, nearest
    from page import asked, axes, field, fields, picture, sheet, short, table
    from scipy.optimize import root_scalar
    from worlds import imbalance, population, rows

    import synthlaw
    from figures.style import INK, MUTED, PALETTE, plain_log
    from scaling.theory.size.best_ratio import best_ratio
    from simulations.population.units import make_unit
    from simulations.setup.configuration import read_sweep

    MAJORITY, MINORITY = 2000, 200
    MINORITY_ONLY = ["minority"]
    ORACLE, COPIES, WEIGHTS = ({"kind": kind} for kind in ("oracle", "duplicate", "reweight"))


@app.cell(hide_code=True)
def _():
    mo.md("""
    # 2. Oversampling, duplication, reweighting

    *About 30 minutes. You need lesson 1.*

    **You will learn**

    1. that three remedies (new synthetic rows, copies of the rows there are, weights) remove the same floor;
    2. that they leave very different **variances**, and why copies are never better than weights at balance;
    3. when a synthetic generator that is a little wrong still beats both.

    ## First, a question

    2,000 rows of the majority, 200 of the minority, as in lesson 1. We fill the minority up to 2,000
    (a) with 1,800 rows from a generator that knows the minority's law exactly; (b) with 1,800 random copies of
    the 200 rows; or (c) we add nothing and give each minority row ten times the weight.
    """)
    return


@app.cell
def _():
    # Everything at ratio 1 in one table: floor, variance and their sum for each remedy.
    remedies = {"new rows": ORACLE, "copies": COPIES, "weights": WEIGHTS}
    at_balance = synthlaw.predict(
        imbalance(MAJORITY, MINORITY, ratios=[1.0], generators=remedies.values())
    )
    left = {
        name: rows(at_balance, generator=spec["kind"]).iloc[0] for name, spec in remedies.items()
    }
    costs = {name: float(each.predicted) for name, each in left.items()}
    return at_balance, costs, left, remedies


@app.cell(hide_code=True)
def _(costs):
    _price = costs["copies"] / costs["new rows"]
    _options = {1.0: "About the same", 2.0: "About twice", 6.0: "About six times"}
    guess = Exercise(
        "How many times larger is the excess risk after (b), copies, than after (a), new rows?",
        nearest(_options, _price, ratios=True),
        f"{_price:.2f} times, to be exact. Copies look like 2,000 minority rows; they carry the information of 200.",
        options=tuple(_options.values()),
        mistakes=(
            Mistake("About the same", "Both have no floor. Is the floor all there is?"),
            Mistake("About twice", "Count the *distinct* minority rows in (b)."),
        ),
    )
    guessed = field(guess)
    return guess, guessed


@app.cell(hide_code=True)
def _(guess, guessed):
    asked("Predict first", guess, guessed)
    return


@app.cell(hide_code=True)
def _(left):
    mo.vstack(
        [
            mo.md(r"""
            ## One identity, three variances

            To first order the expected excess risk of a fitted rule is

            $$\text{excess risk} = \text{floor} + \tfrac12\,\mathrm{tr}(H\,M),$$

            $$M = A\,V A ,$$

            with $H$ the curvature (Hessian) of the balanced risk, $A$ the inverse of the curvature of the training
            objective and $V$ the covariance of its gradient, all at the limiting rule of lesson 1; $\mathrm{tr}$ is the
            trace. So $M$ is the covariance of the fitted coefficients, and the second term, the **variance**, is what their
            noise costs. **Only $V$ knows how the balance was made.** With
            $n$ minority rows, $m$ rows added, $w$ the weight of one row (all weights sum to 1) and $C$ the covariance of one
            minority row's gradient:
            """),
            table(
                ["remedy", "minority part of $V$", "in words"],
                [
                    ["new rows", r"$w^2 (n + m)\,C$", "all rows are independent"],
                    [
                        "weights",
                        r"$w^2\,\frac{(n+m)^2}{n}\,C$",
                        "$n$ rows, each counted $(n+m)/n$ times",
                    ],
                    [
                        "copies",
                        r"$w^2 \bigl[\frac{(n+m)^2}{n} + m(1 - \frac1n)\bigr] C$",
                        "the same, and the noise of drawing copies",
                    ],
                ],
                "The majority's part of $V$ is the same for all three.",
            ),
            table(
                ["remedy", "floor", "variance, ½ tr(HM)", "excess risk"],
                [
                    [k, f"{short(v.floor)}", f"{short(v.variance)}", f"{short(v.predicted)}"]
                    for k, v in left.items()
                ],
                "At 2,000 and 200 rows, full balance; computed by `synthlaw.predict`.",
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    The **oversampling ratio** says what share of the missing minority rows is added: 0 leaves the data raw, 1 fills up to
    balance, 2 adds twice the missing rows. **Move the slider**: what do the three lines do as the minority gets
    rarer, and where does each have its lowest point?
    """)
    return


@app.cell
def _():
    minority = mo.ui.slider(
        steps=[50, 100, 200, 500, 1000], value=MINORITY, show_value=True, label="minority rows"
    )
    minority
    return (minority,)


@app.cell
def _(minority, remedies):
    _ratios = np.linspace(0, 2, 81)
    curves = synthlaw.predict(
        imbalance(MAJORITY, minority.value, ratios=_ratios, generators=remedies.values())
    )
    return (curves,)


@app.cell
def _(remedies):
    # Real fits of 400 samples a cell, for 200 minority rows.
    simulated = synthlaw.simulate(
        imbalance(MAJORITY, MINORITY, ratios=(0, 0.5, 1, 1.5, 2), generators=remedies.values()),
        replicates=400,
    )
    return (simulated,)


@app.cell(hide_code=True)
def _(curves, minority, simulated):
    _figures, (_axes,) = axes()
    for _name, _tone, _mark in (
        ("oracle", PALETTE[0], "o"),
        ("duplicate", PALETTE[1], "s"),
        ("reweight", PALETTE[2], "D"),
    ):
        _line, _points = rows(curves, generator=_name), rows(simulated, generator=_name)
        if _name == "reweight":
            _axes.axhline(_line.predicted.iloc[0], color=_tone, label="weights", linestyle="--")
            _at = np.array([1.0])
        else:
            _label = {"oracle": "new rows", "duplicate": "copies"}[_name]
            _axes.plot(_line.ratio, _line.predicted, color=_tone, label=_label)
            _at = _points.ratio.to_numpy()
        if minority.value == MINORITY:
            _axes.errorbar(_at, _points.estimate, 2 * _points.se, fmt=_mark, color=_tone)
    plain_log(_axes, "y")
    _axes.set(xlabel="oversampling ratio (0 raw, 1 balanced)", ylabel="balanced excess risk")
    _axes.legend(loc="upper right")
    _best = rows(curves, generator="oracle").sort_values("predicted").iloc[0]
    picture(
        _figures,
        "Excess risk against the oversampling ratio: new rows and copies fall steeply to ratio 1 and rise again;"
        " copies stop at the level of weights, well above new rows.",
        f"{minority.value} minority rows. Lines are theory; points (at {MINORITY} rows) are simulated fits, ±2 standard errors."
        f" The least excess with new rows is {short(_best.predicted)}, at ratio {_best.ratio:.2f}. Beyond it the minority is the larger class:"
        " the floor comes back.",
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## A generator that is wrong

    Nobody has a generator that knows the law exactly. Let its rows be off by $\delta$ along the first
    feature, away from the majority: it writes minority rows that are *too typical*. The rule then
    pays a floor of its own, which no number of rows removes. Weights pay no floor at all.

    **Decide, then move the slider:** at which $\delta$ (in standard deviations) do the two break even?
    """)
    return


@app.cell
def _():
    off = mo.ui.slider(
        steps=[0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5],
        value=0.1,
        show_value=True,
        label="shift δ of the generator",
    )
    off
    return (off,)


@app.cell
def _():
    def shifted(delta: float, majority: int = MAJORITY, few: int = MINORITY) -> dict:
        """Balanced with rows that are off by delta along the first feature."""
        spec = {"kind": "shift", "shift": [delta, 0, 0, 0, 0], "groups": MINORITY_ONLY}
        return imbalance(majority, few, ratios=[1.0], generators=[spec])

    def excess(delta: float) -> float:
        """Its predicted excess risk."""
        return float(rows(synthlaw.predict(shifted(delta))).predicted.iloc[0])

    deltas = np.linspace(0.0, 0.5, 26)
    by_shift = np.array([excess(each) for each in deltas])
    return by_shift, deltas, excess, shifted


@app.cell(hide_code=True)
def _(by_shift, costs, deltas, excess, off):
    _figures, (_axes,) = axes()
    _axes.plot(deltas, by_shift, color=PALETTE[0], label="1,800 shifted rows")
    _axes.axhline(costs["weights"], color=PALETTE[2], linestyle="--", label="weights")
    _axes.axhline(costs["new rows"], color=MUTED, linestyle=":", label="right law")
    _axes.plot([off.value], [excess(off.value)], "o", color=INK, markersize=8)
    plain_log(_axes, "y")
    _axes.set(
        xlabel="shift δ of the generator (standard deviations)", ylabel="balanced excess risk"
    )
    _axes.legend(loc="upper left")
    _word = "less" if excess(off.value) < costs["weights"] else "more"
    picture(
        _figures,
        "Excess risk grows with the generator's shift and crosses the level of weights between 0.2 and 0.3.",
        f"2,000 and 200 rows, at balance. At δ = {off.value:g} the synthetic rows cost {short(excess(off.value))}, **{_word} than weights** ({short(costs['weights'])}).",
    )
    return


@app.cell(hide_code=True)
def _(costs, excess, left, shifted):
    _even = float(root_scalar(lambda d: excess(d) - costs["weights"], bracket=(0.01, 0.5)).root)
    _twice = population(imbalance(MAJORITY, MINORITY, ratios=[2.0])).theta[0]
    _config = read_sweep(imbalance(MAJORITY, MINORITY))
    _best = float(best_ratio(make_unit(_config, _config.synthetic.generators[0])).ratio)
    _names = {0.5: "About a half", 1.0: "Almost exactly 1", 2.0: "About 2"}
    # With ten times the data noise is a tenth; the floor of a wrong generator stays.
    _many = [
        float(rows(synthlaw.predict(each)).predicted.iloc[0])
        for each in (
            shifted(_even, 10 * MAJORITY, 10 * MINORITY),
            imbalance(10 * MAJORITY, 10 * MINORITY, ratios=[1.0], generators=[WEIGHTS]),
        )
    ]
    _winner = "Weights" if _many[1] < _many[0] else "The synthetic rows"
    exercises = (
        Exercise(
            "How many times larger is the excess risk with weights than with right-law rows?",
            costs["weights"] / costs["new rows"],
            r"Each class makes up half of $V$. New rows are worth 2,000 of each, weights 200 and 2,000: $\frac12(\frac1{200} + \frac1{2000})$ against $\frac1{2000}$.",
            mistakes=(
                Mistake(
                    10.0,
                    "The minority part grows tenfold, but half of $V$ is the majority's, which stays.",
                ),
                Mistake(costs["copies"] / costs["new rows"], "That is the price of copies."),
            ),
            hint="Divide two numbers of the table.",
        ),
        Exercise(
            "By how many percent is the variance of copies larger than that of weights?",
            float(left["copies"].variance / left["weights"].variance - 1),
            r"The extra $w^2 m (1 - 1/n) C$ is the noise of drawing which rows are copied.",
            mistakes=(
                Mistake(
                    float(left["copies"].variance / left["new rows"].variance - 1),
                    "That compares copies with new rows.",
                ),
            ),
            hint="Divide the two variances of the table and take off 1.",
            tolerance=0.03,
            percent=True,
        ),
        Exercise(
            "With right-law rows and ratio 2 the minority becomes the larger class. What is the intercept of the limiting rule?",
            float(_twice[-1]),
            r"$200 + 3600$ against $2000$ rows: $\log 1.9$, positive now.",
            mistakes=(
                Mistake(
                    float(np.log(2)),
                    "Ratio 2 adds twice the *missing* rows, 3,600: not twice the majority.",
                ),
            ),
            hint="How many minority rows are there at ratio 2? Then lesson 1.",
        ),
        Exercise(
            "At which ratio is the excess risk with right-law rows least?",
            nearest(_names, _best),
            f"At {_best:.3f}. The floor is quadratic and the gain in variance linear in the distance from 1, so the best ratio is off by order 1/n only.",
            options=tuple(_names.values()),
            hint="Look at the lowest point of the line of new rows.",
        ),
        Exercise(
            "At which shift δ does the wrong generator cost as much as weights?",
            _even,
            "Below it a slightly wrong generator wins because it cuts the variance; above it the floor outweighs that.",
            hint="Use the slider: where does the line cross the level of weights?",
            tolerance=0.1,
        ),
        Exercise(
            "At exactly that shift, all counts grow tenfold. Who wins now?",
            _winner,
            f"{short(_many[0])} for synthetic rows, {short(_many[1])} for weights: noise fell tenfold, the floor did not."
            " **The more data you have, the better a generator must be.**",
            options=("The synthetic rows", "Weights", "Still a tie"),
            hint="What falls as data grow, and what does not?",
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
    mo.md(r"""
    ## Summary

    - Balance removes the floor however it is made. What differs is the variance.
    - Right-law rows are worth real rows. Copies and weights have the variance of the few rows there are;
      copies add the noise of the draw.
    - A wrong generator trades variance for a floor. Compare it with *weights*, the honest null model, not
      with raw data.
    - These are statements on the balanced risk. For a single group or the 0-1 error copies can come out
      ahead of weights: see section 5 of the note.

    **Further reading.** [imbalance.md](../imbalance.md), sections 2 to 5; [generators.md](../generators.md)
    for generators fitted to the very rows you train on. Next: [lesson 3](03_spurious.py).
    """)
    return


if __name__ == "__main__":
    app.run()
