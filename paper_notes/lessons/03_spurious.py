"""Lesson 3: an attribute that travels with the label, and the group that pays for it.

Long because a lesson is one notebook, read from top to bottom: what lessons share is in the files beside it.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="3. Spurious correlation and the worst group")

with app.setup:
    from typing import Any

    import marimo as mo
    import numpy as np
    import pandas as pd
    from exercises import Exercise, Mistake, nearest
    from page import asked, axes, field, fields, picture, sheet, short, table
    from scipy.optimize import minimize_scalar, root_scalar
    from worlds import population, rows, spurious

    import synthlaw
    from figures.style import INK, PALETTE

    ALIGNED, CONFLICTING = 1000, 100
    # One group of each kind; by symmetry its twin has the same error.
    KINDS = {"aligned": "1,1", "conflicting": "1,-1"}
    TONES = {"aligned": PALETTE[0], "conflicting": PALETTE[1]}
    MARKS = {"aligned": "o", "conflicting": "s"}


@app.cell(hide_code=True)
def _():
    mo.md("""
    # 3. Spurious correlation and the worst group

    *About 30 minutes. You need lessons 1 and 2.*

    **You will learn**

    1. why a rule can be right on average and wrong on a group nearly half of the time, although *no class is rare*;
    2. that balancing groups, not classes, removes it, and what it does to the coefficient at fault;
    3. why a generator that copies the correlation is no cure at balance, and when it can be.

    ## First, a question

    Photographs of cows and camels. Cows mostly stand on grass, camels mostly on sand: 1,000 photographs
    of each animal show the usual ground (**aligned**), 100 of each the unusual one (**conflicting**). Both animals have
    1,100 photographs: the classes are balanced. A linear rule sees a noisy measurement of the animal (class means
    at distance 2) and a *clearer* one of the ground (distance 3).
    """)
    return


@app.cell
def _():
    def errors(table, **where) -> dict[str, float]:
        """0-1 error of one aligned and one conflicting group at the limiting rule."""
        return {k: float(rows(table, "error", g, **where).floor.iloc[0]) for k, g in KINDS.items()}

    raw = errors(synthlaw.predict(spurious(ALIGNED, CONFLICTING)))
    return errors, raw


@app.cell(hide_code=True)
def _(raw):
    _options = {0.05: "About 5 %", 0.16: "About 16 %", 0.45: "About 45 %"}
    guess = Exercise(
        "A logistic regression is fitted to all 2,200 photographs. What share of the *conflicting* ones (a cow on sand) does it get wrong?",
        nearest(_options, raw["conflicting"]),
        f"It errs on {raw['conflicting']:.1%} of the conflicting photographs and on {raw['aligned']:.1%} of the aligned ones.",
        options=tuple(_options.values()),
        mistakes=(
            Mistake("About 5 %", "That is the error on the *usual* photographs."),
            Mistake(
                "About 16 %",
                "That would be so if the rule ignored the ground. Does it pay to ignore it, in training?",
            ),
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
    mo.md(r"""
    ## The world

    Four groups $(y, s)$, label $y = \pm1$ and attribute $s = \pm1$, each normal with unit covariance and mean
    $(y\,c/2,\; s\,q/2,\; 0, \dots)$, with $c = 2$ (core) and $q = 3$ (spurious). A rule with slope $\theta$ and
    intercept $b$ says $y = 1$ where $\theta'x + b > 0$; so it errs in group $(y, s)$ with probability ($\Phi$: the standard
    normal distribution function)

    $$\Phi\Bigl(-\frac{\frac c2\theta_1 + y s\,\frac q2\,\theta_2 + y\,b}{|\theta|}\Bigr).$$

    So everything hangs on $\theta_2$, the weight the rule gives to the ground: positive, it lowers the error of
    aligned groups ($ys = 1$) and raises that of conflicting ones ($ys = -1$). Unlike lesson 1 the logistic model is
    *misspecified* on raw data: no linear rule is the true log odds, so the limiting rule has no closed form. The library finds it by
    minimising the exact risk of the training mixture.

    **The remedy**: add rows of the rare *groups*. The oversampling ratio (lesson 2) says what share of the gap between the
    groups is filled. **Move the slider** and find the ratio at which all groups are served alike.
    """)
    return


@app.cell
def _():
    conflicting = mo.ui.slider(
        steps=[10, 50, 100, 200, 500],
        value=CONFLICTING,
        show_value=True,
        label="conflicting rows per label",
    )
    conflicting
    return (conflicting,)


@app.cell
def _(conflicting):
    ratios = np.linspace(0, 1.5, 31)
    sweep = spurious(ALIGNED, conflicting.value, ratios=ratios)
    predicted = synthlaw.predict(sweep)
    slopes = population(sweep).theta[:, :2]
    return predicted, ratios, slopes


@app.cell
def _():
    # 300 real samples a cell, for 100 conflicting rows.
    simulated = synthlaw.simulate(
        spurious(ALIGNED, CONFLICTING, ratios=(0, 0.5, 1, 1.5)), replicates=300
    )
    return (simulated,)


@app.cell(hide_code=True)
def _(conflicting, predicted, ratios, simulated, slopes):
    _figures, (_left, _right) = axes(3.7, 3.2, 2)
    for _kind, _group in KINDS.items():
        _line = rows(predicted, "error", _group)
        _left.plot(_line.ratio, _line.predicted, color=TONES[_kind], label=_kind)
        if conflicting.value == CONFLICTING:
            _points = rows(simulated, "error", _group)
            _left.errorbar(
                _points.ratio,
                _points.estimate,
                2 * _points.se,
                fmt=MARKS[_kind],
                color=TONES[_kind],
            )
    _left.set(xlabel="oversampling ratio", ylabel="0-1 error of a group", ylim=(0, None))
    _left.legend(loc="upper right")
    _right.plot(ratios, slopes[:, 0], color=PALETTE[2], label="core, θ₁")
    _right.plot(ratios, slopes[:, 1], color=PALETTE[3], linestyle="--", label="spurious, θ₂")
    _right.axhline(0, color=INK, linewidth=0.8)
    _right.set(xlabel="oversampling ratio", ylabel="coefficient of the limiting rule")
    _right.legend(loc="center right")
    _first, _last = (
        rows(predicted, "error", KINDS["conflicting"]).predicted.iloc[k] for k in (0, 20)
    )
    picture(
        _figures,
        (
            "The conflicting groups' error falls and the aligned groups' rises until both meet at ratio 1.",
            "The spurious coefficient falls to 0 at ratio 1, the core one hardly moves.",
        ),
        f"{conflicting.value} conflicting rows. From ratio 0 to {ratios[20]:g} the conflicting error goes from {_first:.1%} to {_last:.1%},"
        f" the spurious coefficient from {slopes[0, 1]:.3f} to {abs(slopes[20, 1]):.3f}. Beyond ratio 1 the roles change. Lines are theory; points (at {CONFLICTING} rows) are simulated fits, ±2 standard errors.",
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    At balance the reflection of the attribute swaps groups of equal weight: the best rule cannot prefer
    grass to sand, so $\theta_2 = 0$. That proof needs no formula, only symmetry.

    ## A generator that leaks

    A language model asked for "a cow on sand" may still put grass into the picture. Say that with
    probability $t$ (the *leak*) a synthetic row is drawn with the ground of the *raw* data. A share $\psi = 10/11$ of those
    show the usual ground. So the rows that were to fill the conflicting groups partly fill the aligned ones.

    **Decide, then move the slider**: does more of it help, beyond ratio 1?
    """)
    return


@app.cell
def _():
    leak = mo.ui.slider(
        steps=[0, 0.1, 0.3, 0.5, 0.6, 1], value=0.3, show_value=True, label="leak t"
    )
    leak
    return (leak,)


@app.cell
def _():
    wide = np.linspace(0, 4, 41)

    def leaking(strength: float, ratios: Any = wide) -> pd.DataFrame:
        """The table of a generator with this leak."""
        spec = {"kind": "leak", "strength": float(strength)}
        return synthlaw.predict(spurious(ALIGNED, CONFLICTING, ratios=ratios, generators=[spec]))

    def floor(strength: float, ratio: float) -> float:
        """The floor of the balanced excess risk at one ratio."""
        return float(rows(leaking(strength, [ratio])).floor.iloc[0])

    def slope(strength: float, ratio: float) -> float:
        """The spurious coefficient of the limiting rule."""
        spec = {"kind": "leak", "strength": float(strength)}
        rule = population(spurious(ALIGNED, CONFLICTING, ratios=[ratio], generators=[spec])).theta
        return float(rule[0, 1])

    return floor, leaking, slope, wide


@app.cell(hide_code=True)
def _(leak, leaking, wide):
    _table = leaking(leak.value)
    _figures, (_left, _right) = axes(3.7, 3.1, 2)
    for _kind, _group in KINDS.items():
        _left.plot(wide, rows(_table, "error", _group).floor, color=TONES[_kind], label=_kind)
    _left.axvline(1.0, color=INK, linewidth=0.8, linestyle=":")
    _left.set(xlabel="oversampling ratio", ylabel="0-1 error of a group", ylim=(0, None))
    _left.legend(loc="lower right")
    _floors = rows(_table).floor.to_numpy()
    _right.plot(wide, _floors, color=PALETTE[2])
    _right.axvline(1.0, color=INK, linewidth=0.8, linestyle=":")
    _right.set(
        xlabel="oversampling ratio", ylabel="floor of the balanced excess risk", ylim=(0, None)
    )
    _at = int(np.argmin(_floors))
    picture(
        _figures,
        (
            f"Errors of an aligned and a conflicting group against the ratio, with a leak of {leak.value:g}.",
            f"The floor at ratio 1 is {_floors[10]:.4f}; on the range shown it is least at ratio {wide[_at]:.1f}.",
        ),
        f"Leak {leak.value:g}: the floor at ratio 1 (dotted) is {short(_floors[10])}; the least on this range, {short(_floors[_at])}, is at ratio {wide[_at]:.1f}.",
    )
    return


@app.cell(hide_code=True)
def _(errors, floor, raw, slope):
    _share = np.array([ALIGNED, CONFLICTING]) / (ALIGNED + CONFLICTING)
    _average = float(_share @ [raw["aligned"], raw["conflicting"]])
    _half = population(spurious(ALIGNED, CONFLICTING, ratios=[0.5])).theta[0]
    _raw = population(spurious(ALIGNED, CONFLICTING)).theta[0]
    _even = errors(synthlaw.predict(spurious(ALIGNED, CONFLICTING, ratios=[1.0])))
    _search: Any = minimize_scalar(lambda r: floor(0.3, r), bounds=(1.0, 4.0), method="bounded")
    _undone = float(_search.x)
    _whole = [floor(1.0, r) for r in (0.0, 1.0, 3.0)]
    _no = "No ratio helps" if np.ptp(_whole) < 1e-4 * _whole[0] else "A ratio of 3 helps"
    # However many rows are added, the coefficient stays positive from this leak on.
    _strong = float(root_scalar(lambda t: slope(t, 10_000.0), bracket=(0.3, 0.9)).root)
    exercises = (
        Exercise(
            "What is the 0-1 error of the raw rule *averaged over the training mixture* (its own training error, with endless data)?",
            _average,
            r"$\frac{10}{11}$ of the aligned error and $\frac1{11}$ of the conflicting one. A dashboard that shows this number is content.",
            mistakes=(
                Mistake(
                    float(np.mean(list(raw.values()))),
                    "That gives both kinds of group equal weight; the training data do not.",
                ),
            ),
            hint="Weigh the two errors at ratio 0 (above, or in the table of the summary) by their rows.",
            percent=True,
        ),
        Exercise(
            "What is the error of every group at ratio 1, with rows of the right law?",
            _even["conflicting"],
            r"$\Phi(-c/2) = \Phi(-1)$: the ground is ignored, the animal alone decides.",
            mistakes=(Mistake(0.0, "The animal is measured with noise, too."),),
            hint=r"Put $\theta_2 = 0$ and $b = 0$ into the formula for the error.",
            percent=True,
        ),
        Exercise(
            "What is the spurious coefficient of the limiting rule at ratio 0.5?",
            float(_half[1]),
            f"Half of the missing rows remove {1 - _half[1] / _raw[1]:.0%} of the coefficient: the first rows are worth most.",
            mistakes=(Mistake(float(_half[0]), "That is the core coefficient."),),
            hint="The dashed line beside the first picture, at 100 conflicting rows.",
            tolerance=0.06,
        ),
        Exercise(
            "A generator leaks with $t = 0.3$. At which ratio has it no floor?",
            _undone,
            r"At $\rho^\ast = 1/(1 - 2t\psi)$: more than twice the rows, because most leaked rows go to the wrong groups. In practice you do not know $t$: this is a limit on what may be claimed, no recipe.",
            mistakes=(
                Mistake(
                    1.0, "At 1 there are as many rows *written for* each group; are they in it?"
                ),
            ),
            hint="Where does the floor touch 0?",
            tolerance=0.05,
        ),
        Exercise(
            "And if the generator leaks always, $t = 1$?",
            _no,
            f"The rows it adds have the raw shares: the floor is {_whole[0]:.4f}, {_whole[1]:.4f} and {_whole[2]:.4f} at ratios 0, 1 and 3.",
            options=("A ratio of 3 helps", "No ratio helps"),
            hint="Move the slider to 1.",
        ),
        Exercise(
            "From which leak $t$ on does *no* ratio remove the floor?",
            _strong,
            r"At $t = 11/20$. From $t = 1/(2\psi)$ on a row written for a conflicting group is aligned at least as often as not.",
            mistakes=(
                Mistake(0.5, r"Nearly: a leaked row still conflicts with probability $1 - \psi$."),
            ),
            hint=r"When is $1 - 2t\psi$ no longer positive? $\psi = 10/11$.",
        ),
    )
    answers = fields(exercises)
    return answers, exercises


@app.cell(hide_code=True)
def _(answers, exercises):
    sheet(exercises, answers)
    return


@app.cell(hide_code=True)
def _(errors):
    _steps = {
        r: errors(synthlaw.predict(spurious(ALIGNED, CONFLICTING, ratios=[r])))
        for r in (0.0, 0.25, 0.5, 1.0)
    }
    mo.vstack(
        [
            mo.md("## Summary"),
            table(
                ["ratio", "aligned error", "conflicting error"],
                [
                    [f"{r:g}", f"{e['aligned']:.4f}", f"{e['conflicting']:.4f}"]
                    for r, e in _steps.items()
                ],
                "What endless right-law rows lead to.",
            ),
            mo.md("""
            - Balanced classes are not balanced groups. Name the weighting of a metric, always.
            - Right-law rows for the rare groups take the attribute out of the rule; the aligned groups pay for it.
            - A generator that carries the attribute over keeps a floor at every ratio up to 1.

            **Further reading.** [spurious.md](../spurious.md) has the proofs and the law of leaked rows;
            [proportional_spurious.md](../proportional_spurious.md) what happens with more parameters than rows. Next:
            [lesson 4](04_floor_trap.py).
            """),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
