"""Lesson 5: how many synthetic rows, in theory and for a table of your own.

Long because a lesson is one notebook, read from top to bottom: what lessons share is in the files beside it.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="5. How many rows")

with app.setup:
    import marimo as mo
    import numpy as np
    from exercises import Exercise, Mistake
    from page import asked, axes, field, fields, picture, sheet, short, table
    from worlds import DIM

    import synthlaw
    from figures.style import INK, MUTED, PALETTE, plain_log
    from scaling.theory.size.curve import size_curve
    from scaling.theory.size.directions import MEANINGS, alignment, directions
    from scaling.theory.size.optimum import optimal_size
    from scaling.theory.size.problem import SizeProblem, gaussian_problem
    from scaling.theory.size.quality import quality_score
    from scaling.theory.size.sizes import size

    MAJORITY, MINORITY = 2000, 200
    MISSING = MAJORITY - MINORITY

    def problem(
        along: float, across: float, majority: int = MAJORITY, few: int = MINORITY
    ) -> SizeProblem:
        """Two classes at distance 2; synthetic minority rows are off along and across that line."""
        means = np.zeros((3, DIM))
        means[:, 0] = -1.0, 1.0, 1.0 + along
        means[2, 1] = across
        return gaussian_problem(means, (majority, few))


@app.cell(hide_code=True)
def _():
    mo.md("""
    # 5. How many rows

    *About 30 minutes. You need lessons 1 and 2.*

    **You will learn**

    1. why "fill up to balance" is the right number only for a right generator;
    2. to read a generator's error as a *direction*: along the imbalance it can be cancelled by another number of rows,
       across it nothing helps;
    3. to let `synthlaw plan` decide for a table of your own, and to accept "do not" for an answer.

    ## First, a question

    2,000 majority rows, 200 minority rows. Your generator writes minority rows that are *too typical*: their mean lies
    0.3 further away from the majority than it should. Everybody adds 1,800 rows, to balance.
    """)
    return


@app.cell
def _():
    best = {shift: optimal_size(problem(shift, 0.0)) for shift in (-0.3, 0.0, 0.3)}
    return (best,)


@app.cell(hide_code=True)
def _(best):
    _options = {"fewer": "Fewer than 1,800", "balance": "1,800", "more": "More than 1,800"}
    _rows = best[0.3].rows
    _right = "more" if _rows > 1.05 * MISSING else "fewer" if _rows < 0.95 * MISSING else "balance"
    guess = Exercise(
        "How many rows of this generator are best?",
        _options[_right],
        f"{_rows:,.0f} are. Each such row makes the rule *less* eager to call a case minority than a right one would, so it takes more of them to undo the imbalance.",
        options=tuple(_options.values()),
        mistakes=(
            Mistake(
                "Fewer than 1,800",
                "A bad generator should be used less? Ask first in which *direction* it is wrong.",
            ),
            Mistake("1,800", "Balance is best when the only error is the imbalance itself."),
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
    ## Two directions

    Training pulls the rule with the gradient of the training risk. At the rule we *want* ($\theta_{\rm bal}$) that
    pull should be zero. Of the two classes and of the synthetic rows let $R_0$ (majority), $R_1$ (minority) and $R_{\rm syn}$ be the
    expected losses, and $n_0$, $n_1$, $m$ the numbers of rows. Then the pull is

    $$G(m) = \frac{\frac12 (n_0 - n_1 - m)\,g_\phi + m\,g_\psi}{n_0 + n_1 + m},$$

    with $g_\phi = \nabla R_0 - \nabla R_1$, the pull of the imbalance, and $g_\psi = \nabla R_{\rm syn} - \nabla R_1$, the pull of the
    generator's error. At balance the first term is gone and the second is not. If both point along one line, another $m$ makes them cancel:

    $$m^\ast = \frac{n_0 - n_1}{1 - 2\,\langle g_\psi, g_\phi\rangle/\langle g_\phi, g_\phi\rangle}$$

    (Ma and Zhang, arXiv 2601.16120; here in the metric of the inverse curvature, $\langle a, b\rangle = a'H^{-1}b$, because that is what a
    pull costs in excess risk). That is right for small errors of the generator. The library also minimises the whole curve, floor + variance +
    **second order** (the other term of order one over the number of rows).

    **Move the sliders.** First along: too far from the majority (positive), too close (negative). Then back to 0, and across.
    """)
    return


@app.cell
def _():
    _steps = [-0.5, -0.3, -0.1, 0, 0.1, 0.3, 0.5]
    along = mo.ui.slider(steps=_steps, value=0.3, show_value=True, label="shift along the classes")
    across = mo.ui.slider(steps=_steps, value=0, show_value=True, label="shift across them")
    mo.vstack([along, across])
    return across, along


@app.cell
def _(across, along):
    case = problem(along.value, across.value)
    found = directions(case)
    numbers = np.linspace(0, 4500, 91)
    curve = size_curve(case, numbers)
    optimum = optimal_size(case)
    formula = size(case, found)
    return case, curve, formula, found, numbers, optimum


@app.cell(hide_code=True)
def _(case, curve, formula, found, numbers, optimum):
    _figures, (_axes,) = axes()
    _axes.plot(numbers, curve.total, color=PALETTE[0], label="floor + variance + second order")
    _axes.plot(
        numbers,
        np.where(curve.floor > 1e-7, curve.floor, np.nan),
        color=PALETTE[1],
        linestyle="--",
        label="floor",
    )
    _axes.axvline(MISSING, color=MUTED, linestyle=":", label="balance")
    _axes.plot([optimum.rows], [optimum.value], "o", color=INK, markersize=8, label="best")
    plain_log(_axes, "y")
    _axes.set(xlabel="synthetic minority rows m", ylabel="balanced excess risk", ylim=(1e-4, 0.5))
    _axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    _balanced = size_curve(case, [MISSING]).total[0]
    _which = alignment(found)
    picture(
        _figures,
        f"The excess risk falls to its least value at {optimum.rows:,.0f} rows and rises slowly after; balance is at {MISSING:,}.",
        f"The solid line is the whole curve, the dashed one its floor. Best: **{optimum.rows:,.0f} rows**, excess {short(optimum.value)}; at balance {short(_balanced)}; $m^\\ast$ by formula {formula.rows:,.0f}."
        f" Quality score (floor over variance at balance): {quality_score(case, found):.1f}. The bias is **{_which.case}**: {MEANINGS.get(_which.case, '')}",
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    Put the first slider to 0 and move the second: the best number hardly helps. That bias acts *across*
    the imbalance, where counts have no grip. Only a better generator does.

    ## A table of your own

    You never know the law. `synthlaw plan` estimates the same terms from the table: it fits the generator on folds,
    predicts the balanced loss along the number of rows, compares with *no rows* and with *weights*, and may say no. Here on a
    table we drew (two features, 600 against 60); for yours:

    ```sh
    synthlaw plan data.csv --label outcome --generator gaussian
    ```
    """)
    return


@app.cell
def _():
    _random = np.random.default_rng(0)
    _y = np.repeat(["no", "yes"], [600, 60])
    _x = _random.standard_normal((660, 2)) + np.where(_y == "yes", 1.0, -1.0)[:, None]
    planned = synthlaw.plan(
        {"a": _x[:, 0], "b": _x[:, 1], "outcome": _y}, label="outcome", generator="gaussian"
    )
    return (planned,)


@app.cell(hide_code=True)
def _(planned):
    _curve, _null = planned["curve"], planned["null_model"]
    _m = [each["rows"] for each in _curve]
    _figures, (_axes,) = axes()
    _axes.fill_between(
        _m,
        [e["low"] for e in _curve],
        [e["high"] for e in _curve],
        color=PALETTE[0],
        alpha=0.15,
        label="95 % band",
    )
    _axes.plot(_m, [e["predicted"] for e in _curve], color=PALETTE[0], label="Gaussian rows")
    _axes.axhline(_null["predicted"], color=PALETTE[2], linestyle="--", label="weights")
    _axes.set(xlabel="synthetic minority rows", ylabel="balanced loss", ylim=(0, None))
    _axes.legend(loc="upper right")
    _advice = planned["recommendation"]
    mo.vstack(
        [
            picture(
                _figures,
                "The predicted balanced loss falls with the first rows to the level of weights and then rises slowly.",
                f"Loss without rows {_curve[0]['predicted']:.3f}, with weights {_null['predicted']:.3f}, least with rows {_advice['predicted']:.3f} at {_advice['best_rows']} rows.",
            ),
            mo.md(
                f"**Advice: {'add ' + str(_advice['rows']) + ' rows' if _advice['help'] else 'do not add rows'}.** {_advice['reason']}"
            ),
            mo.md(
                f"Probabilities after oversampling are off: add {-planned['calibration']['correction']:+.2f} to the log odds"
                f" to take it back (lesson 1: $-\\log 10 = {-np.log(10):.2f}$ at full balance)."
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _(best, planned):
    _golden = gaussian_problem([[0, 0], [1, 0], [0.5, 0]], (20, 1), "squared", intercept=False)
    _large = _golden.with_counts(2000, 100)
    _across = problem(0.0, 0.5)
    _gain = 1 - optimal_size(_across).value / float(size_curve(_across, [MISSING]).total[0])
    _scores = [
        quality_score(p, directions(p))
        for p in (problem(0.1, 0.0), problem(0.1, 0.0, 20_000, 2000))
    ]
    exercises = (
        Exercise(
            "A generator writes minority rows that are 0.3 *too close* to the majority (shift along: −0.3). Best number of rows, all terms?",
            float(best[-0.3].rows),
            "Rows near the border push it hard: fewer are needed to undo the imbalance.",
            mistakes=(
                Mistake(float(MISSING), "That is balance, right for an unbiased generator."),
                Mistake(float(best[0.3].rows), "That is for rows that are too far away."),
            ),
            hint="First slider to −0.3, second to 0; read the caption.",
        ),
        Exercise(
            r"The golden case: squared loss, no intercept, majority $N(0, I_2)$, minority $N(e_1, I_2)$, synthetic rows $N(\frac12 e_1, I_2)$: half-way. In units of $n_0 - n_1$, what is $m^\ast$?",
            float(size(_golden, directions(_golden)).rows / _golden.missing),
            r"$g_\phi = \frac43 e_1$ and $g_\psi = \frac12 e_1$: the denominator is $1 - 2\cdot\frac38 = \frac14$. And there the floor is *exactly* zero, with a generator that is badly wrong.",
            mistakes=(
                Mistake(
                    2.0,
                    "A row worth half a row? The gradients say otherwise: compute the denominator.",
                ),
                Mistake(0.25, "That is the denominator."),
            ),
            hint=r"At $\theta_{\rm bal} = e_1/3$: $g_\phi = \frac43 e_1$, $g_\psi = \frac12 e_1$.",
        ),
        Exercise(
            "In the golden case with 2,000 and 100 rows the exact best number is not the 7,600 of the formula. How many more is it? (In the notebook; else say first whether it is more or fewer, and why.)",
            float(optimal_size(_large).rows - size(_large, directions(_large)).rows),
            "More rows also lower the variance; the floor is flat at its zero, so the optimum moves a little beyond.",
            hint="Compute `optimal_size` of the problem at those counts in a new cell: see its documentation, whose example it is.",
            tolerance=0.05,
        ),
        Exercise(
            "Shift 0.5 *across*, 0 along. By how many percent does the best number beat balance?",
            float(_gain),
            "Next to nothing: no number of rows removes a bias across the imbalance.",
            hint="1 − (excess at best)/(excess at balance): both in the caption, and in the table of the summary.",
            tolerance=0.1,
            percent=True,
        ),
        Exercise(
            "All counts grow tenfold. By which factor does the quality score of a generator with shift 0.1 along change?",
            float(_scores[1] / _scores[0]),
            f"From {_scores[0]:.2f} to {_scores[1]:.2f}: the floor stays while the variance falls. Good enough for a pilot study is not good enough for production.",
            mistakes=(Mistake(1.0, "The generator is the same; what is it compared with?"),),
            hint="Floor over variance: which of the two depends on the counts?",
        ),
        Exercise(
            "What does the plan advise for the table above?",
            "Add rows" if planned["recommendation"]["help"] else "Weights, no rows",
            planned["recommendation"]["reason"],
            options=("Add rows", "Weights, no rows"),
            hint="Read the advice to its end.",
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
    _cases = {
        "right law": (0, 0),
        "too far, 0.3": (0.3, 0),
        "too close, 0.3": (-0.3, 0),
        "across, 0.5": (0, 0.5),
    }
    _found = {name: problem(*shift) for name, shift in _cases.items()}
    _best = {name: optimal_size(each) for name, each in _found.items()}
    mo.vstack(
        [
            mo.md("## Summary"),
            table(
                ["generator", "m* (formula)", "best m", "excess at best", "excess at balance"],
                [
                    [
                        name,
                        f"{size(each, directions(each)).rows:,.0f}",
                        f"{_best[name].rows:,.0f}",
                        f"{short(_best[name].value)}",
                        f"{short(size_curve(each, [MISSING]).total[0])}",
                    ]
                    for name, each in _found.items()
                ],
                "2,000 and 200 rows.",
            ),
            mo.md("""
            - The best number cancels the part of the generator's bias that acts along the imbalance, and nothing else.
            - Formulas are first order: minimise the exact curve when the bias is visible.
            - Compare with weights before you add a single row.

            **Further reading.** [synthetic_size.md](../synthetic_size.md); [planning.md](../planning.md) on tables. Next:
            [lesson 6](06_what_a_transformer_can_write.py).
            """),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
