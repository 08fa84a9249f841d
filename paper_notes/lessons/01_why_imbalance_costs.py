"""Lesson 1: why imbalance costs, and why more data of the same kind do not help.

Long because a lesson is one notebook, read from top to bottom: what lessons share is in the files beside it.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="1. Why imbalance costs")

with app.setup:
    import marimo as mo
    import numpy as np
    from exercises import Exercise, Mistake, nearest
    from page import asked, axes, field, fields, picture, sheet, short, table
    from scipy.stats import norm
    from worlds import SEPARATION, imbalance, population, rows

    import synthlaw
    from figures.style import INK, PALETTE, plain_log

    MAJORITY, RARITY = 2000, 10
    RATIOS = (1, 2, 5, 10, 20, 50, 100)
    BLUE, ORANGE = PALETTE[0], PALETTE[1]


@app.cell(hide_code=True)
def _():
    mo.md("""
    # 1. Why imbalance costs: the intercept shift

    *About 25 minutes. You need logistic regression and the normal distribution.*

    **You will learn**

    1. what a rare class does to a fitted rule: it moves *one* number, the intercept, by the log of the
       class ratio;
    2. that the loss this causes is a **floor**: no amount of data of the same kind removes it;
    3. how to tell a floor from sampling noise in a picture.

    ## First, a question

    A clinic has 2,000 records of healthy people and 200 of patients. A logistic regression on them errs too
    often on patients. Your director offers ten times the data: 20,000 healthy and 2,000 patients.
    We measure the **balanced excess risk**: the expected logistic loss of the fitted rule on new cases, averaged
    over the two classes with equal weight, less the least value any linear rule can have.
    """)
    return


@app.cell(hide_code=True)
def _():
    offers = {scale: MAJORITY * scale for scale in (1, 10)}
    before, after = (
        rows(synthlaw.predict(imbalance(n, n // RARITY))).predicted.iloc[0] for n in offers.values()
    )
    _options = {
        10.0: "It falls about tenfold",
        10.0**0.5: "It falls about threefold",
        1.0: "It hardly moves",
    }
    guess = Exercise(
        "What do ten times the data do to the balanced excess risk? *Decide before you read on.*",
        nearest(_options, before / after, ratios=True),
        f"It goes from {before:.4f} to {after:.4f}. Almost all of it is a floor: the rest of this lesson says"
        " where that comes from.",
        options=tuple(_options.values()),
        mistakes=(
            Mistake(
                "It falls about tenfold",
                "That is what happens to *sampling noise*. Is all of the excess noise?",
            ),
            Mistake(
                "It falls about threefold",
                "One over root n is the size of an error of an estimate. Is this one?",
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
    ## The world, in which everything can be computed

    Two classes, each normal with unit covariance in five dimensions, at distance 2 along the first axis:

    $$x \mid (y = 1)\ \sim\ N(e_1, I_5),$$

    $$x \mid (y = 0)\ \sim\ N(-e_1, I_5).$$

    ($N(\mu, \Sigma)$ is the normal law with mean $\mu$ and covariance $\Sigma$; $e_1 = (1, 0, 0, 0, 0)$; $I_5$ is the identity.)
    Logistic regression models the log odds of class 1, here the minority, as $\theta'x + b$, with **slope** $\theta$
    and **intercept** $b$. Bayes' rule says what they *are* in a training sample with $n_1$ rows of class 1 and $n_0$ of
    class 0, where $p_1$, $p_0$ are the two normal densities and $x_1$ is the first feature:

    $$\log\frac{P(y = 1 \mid x)}{P(y = 0 \mid x)} = \log\frac{p_1(x)}{p_0(x)} + \log\frac{n_1}{n_0}$$

    $$= 2 x_1 + \log\frac{n_1}{n_0} .$$

    The first part does not know the counts. The second is a constant. So a rare class leaves the slope alone
    and moves the intercept by $b = \log(n_1/n_0)$: the rule believes, rightly *for its training sample*, that
    the rare class is rare. If we care for both classes alike, that belief is the damage.

    As data without end arrive in this proportion, the fitted rule tends to $\theta = 2e_1$, $b = \log(n_1/n_0)$: the **limiting
    rule**. Its balanced excess risk is the **floor**.

    **Move the slider.** The vertical line is where the rule changes its mind.
    """)
    return


@app.cell
def _():
    rarity = mo.ui.slider(
        steps=list(RATIOS), value=RARITY, show_value=True, label="majority rows per minority row"
    )
    rarity
    return (rarity,)


@app.cell
def _():
    # All rarities at once: floor and errors of the rule that endless data of this kind lead to.
    _few = np.unique(np.round(np.geomspace(10, 1000, 25))).astype(int)
    _predicted = {k: synthlaw.predict(imbalance(1000 * k, 1000)) for k in RATIOS}
    floors = {k: rows(each).floor.iloc[0] for k, each in _predicted.items()}
    errors = {
        k: [rows(each, "error", g).floor.iloc[0] for g in ("minority", "majority")]
        for k, each in _predicted.items()
    }
    rules = {k: population(imbalance(1000 * k, 1000)).theta[0] for k in RATIOS}
    _dense = rows(synthlaw.predict(imbalance(1000, 1000, sweep={"counts.minority": _few.tolist()})))
    curve = _dense["counts.minority"].to_numpy(float), _dense.floor.to_numpy()
    return curve, errors, floors, rules


@app.cell(hide_code=True)
def _(curve, errors, floors, rarity, rules):
    _k = rarity.value
    _theta = rules[_k]
    _cut = -_theta[-1] / _theta[0]
    _figures, (_left, _right) = axes(3.7, 3.1, 2)
    _x = np.linspace(-4, 4, 300)
    for _mean, _share, _tone, _name in ((-1, _k, BLUE, "majority"), (1, 1, ORANGE, "minority")):
        _left.plot(_x, norm.pdf(_x, _mean * SEPARATION / 2), color=_tone, label=_name)
    _wrong = _x < _cut
    _left.fill_between(_x[_wrong], norm.pdf(_x[_wrong], SEPARATION / 2), color=ORANGE, alpha=0.25)
    _left.axvline(_cut, color=INK)
    _left.set(xlabel="first feature", ylabel="density of a class", xlim=(-4, 4))
    _left.legend(loc="upper left", bbox_to_anchor=(0, 1.2), ncols=2)
    _right.plot(1000 / curve[0], curve[1], color=PALETTE[2])
    _right.plot([_k], [floors[_k]], "o", color=INK, markersize=8)
    plain_log(_right, "x")
    _right.set(xlabel="majority rows per minority row", ylabel="floor of the balanced excess risk")
    picture(
        _figures,
        (
            f"Densities of both classes, and the rule's threshold at {_cut:.2f}; what it costs the minority is shaded.",
            f"The floor grows with the imbalance; at {_k} to 1 it is {floors[_k]:.3f}.",
        ),
        f"At {_k} to 1 the intercept is {_theta[-1] + 0.0:.3f}, the slope {_theta[0]:.3f}, the threshold {_cut:.3f}. The shaded"
        f" share of the minority, **{errors[_k][0]:.1%}**, is misclassified; of the majority {errors[_k][1]:.1%}. The floor is"
        f" {short(floors[_k])}. *(Closed forms: no data were drawn.)*",
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    The slope never moves. Everything in the second picture comes from one number, and for small $b$ the floor is a
    parabola in it, $\frac12 b^2\,E\,[p(1-p)]$: $p$ is the probability that the balanced rule gives to class 1, and $p(1-p)$ the
    second derivative of its logistic loss in the score.

    ## Is it true of real fits?

    Now we draw 200 samples of each size, fit, and compute each fitted rule's excess risk exactly (no test set). The
    counts grow in proportion, 10 to 1. The second line belongs to samples in which the minority was filled up to balance
    with new rows of its own law (lesson 2 is about such rows). Theory is the line, simulation the points
    (±2 standard errors, smaller than the points).
    """)
    return


@app.cell
def _():
    scales = (1, 4, 16)
    grown = {
        s: synthlaw.simulate(imbalance(500 * s, 50 * s, ratios=(0, 1)), replicates=200)
        for s in scales
    }
    _each = np.geomspace(1, 16, 13)
    theory = {
        float(n): synthlaw.predict(imbalance(round(500 * n), round(50 * n), ratios=(0, 1)))
        for n in _each
    }
    return grown, theory


@app.cell(hide_code=True)
def _(grown, theory):
    _figures, (_axes,) = axes()
    for _ratio, _tone, _mark, _name in (
        (0.0, ORANGE, "s", "raw, 10 to 1"),
        (1.0, BLUE, "o", "balanced with right-law rows"),
    ):
        _line = [rows(each, ratio=_ratio).predicted.iloc[0] for each in theory.values()]
        _points = [rows(each, ratio=_ratio).iloc[0] for each in grown.values()]
        _axes.plot([500 * n for n in theory], _line, color=_tone, label=_name)
        _axes.errorbar(
            [500 * s for s in grown],
            [p.estimate for p in _points],
            [2 * p.se for p in _points],
            fmt=_mark,
            color=_tone,
        )
    plain_log(_axes, "x")
    plain_log(_axes, "y")
    _axes.set(xlabel="majority rows (minority: a tenth)", ylabel="balanced excess risk")
    _axes.legend(loc="center right")
    _raw = [rows(each, ratio=0.0).estimate.iloc[0] for each in grown.values()]
    _even = [rows(each, ratio=1.0).estimate.iloc[0] for each in grown.values()]
    picture(
        _figures,
        f"Raw data stay near {_raw[-1]:.2f} at every size; balanced data fall in proportion to one over the number of rows.",
        f"Sixteen times the data take the raw excess from {_raw[0]:.3f} to {_raw[-1]:.3f}, the balanced one from"
        f" {short(_even[0])} to {short(_even[-1])}, a factor of {_even[0] / _even[-1]:.1f}. **Lines that go flat are floors, lines that fall are noise.**",
    )
    return


@app.cell(hide_code=True)
def _(errors, floors, rules):
    _twenty = rules[20]
    _shift = float(_twenty[-1])
    _again = [rows(synthlaw.predict(imbalance(20 * n, n))).floor.iloc[0] for n in (1000, 100_000)]
    _never = "No number: it stays" if abs(_again[0] / _again[1] - 1) < 1e-9 else "Twice as many"
    _recall = errors[20][0]
    _symmetric = rows(synthlaw.predict(imbalance(1000, 20_000))).floor.iloc[0]
    exercises = (
        Exercise(
            "The minority is outnumbered 20 to 1. What is the intercept $b$ of the limiting rule?",
            _shift,
            r"$\log(1/20)$, as Bayes' rule says.",
            mistakes=(
                Mistake(
                    float(np.log10(1 / 20)),
                    "That is the logarithm to base 10; odds take the natural one.",
                ),
                Mistake(
                    1 / 20, "These are the odds; the intercept is on the scale of their logarithm."
                ),
            ),
            hint="The intercept at balance is 0. What does the ratio of counts add?",
        ),
        Exercise(
            "At 20 to 1, how far from the middle between the classes does the threshold lie, along the first feature?",
            float(-_twenty[-1] / _twenty[0]),
            r"The score is $2x_1 + b = 0$ at $x_1 = -b/2$: beyond the minority's own mean, 1.",
            mistakes=(Mistake(-_shift, "That is the score's shift; divide by the slope, 2."),),
            hint=r"Where is $2 x_1 + b = 0$?",
        ),
        Exercise(
            "What share of the minority is misclassified by that rule?",
            float(_recall),
            r"The minority's first feature is $N(1, 1)$, and it must exceed the threshold $t$ of Exercise 2: it fails to with probability $\Phi(t - 1)$, $\Phi$ the standard normal distribution function.",
            mistakes=(
                Mistake(float(errors[20][1]), "That is the majority's error."),
                Mistake(float(1 - _recall), "That is the share classified rightly."),
            ),
            hint="A normal with mean 1 and variance 1: how likely is it to stay below the threshold?",
            percent=True,
        ),
        Exercise(
            "How many more rows, in the same proportion 20 to 1, halve the floor?",
            _never,
            f"The floor is {_again[0]:.4f} with 1,000 minority rows and {_again[1]:.4f} with 100,000: it depends on"
            " the *proportion* alone.",
            options=("Twice as many", "Four times as many", "No number: it stays"),
            hint="Look at the upper line of the last picture, and at the formula for $b$.",
        ),
        Exercise(
            "Class 1 becomes the *majority*, 20 to 1 the other way round. What is the floor?",
            float(_symmetric),
            "The two classes are mirror images: the floor depends on the size of $b$, not on its sign.",
            mistakes=(Mistake(float(-floors[20]), "An excess risk cannot be negative."),),
            hint="Reflect the picture about the middle and swap the labels; read the second picture at 20 (or the table of the summary).",
        ),
    )
    answers = fields(exercises)
    return answers, exercises


@app.cell(hide_code=True)
def _(answers, exercises):
    sheet(exercises, answers)
    return


@app.cell(hide_code=True)
def _(errors, floors):
    mo.vstack(
        [
            mo.md("## Summary"),
            table(
                ["majority : minority", "floor", "minority error", "majority error"],
                [
                    [f"{k} : 1", f"{floors[k]:.4f}", f"{errors[k][0]:.3f}", f"{errors[k][1]:.3f}"]
                    for k in floors
                ],
                "What endless raw data lead to.",
            ),
            mo.md(r"""
            - Raw imbalance moves the intercept by $\log(n_1/n_0)$ and, in this world, nothing else.
            - The cost is a floor. More of the same data sharpen the estimate of the wrong target.
            - In other worlds (unequal covariances, a squared loss, several groups per label) more than the
              intercept moves; the floor stays.

            **Further reading.** [imbalance.md](../imbalance.md), section 1, has the proof;
            [excess_risk.md](../excess_risk.md) says how floor, variance and second order add up. Next:
            [lesson 2](02_oversampling.py), what to do about it.
            """),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
