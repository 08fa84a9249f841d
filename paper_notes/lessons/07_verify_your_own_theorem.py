"""Lesson 7: from a statement on paper to a claim that could have been contradicted.

Long because a lesson is one notebook, read from top to bottom: what lessons share is in the files beside it.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="7. Verify your own theorem")

with app.setup:
    from pathlib import Path
    from typing import Any

    import marimo as mo
    import numpy as np
    import own_claim
    from exercises import Exercise, Mistake
    from page import asked, axes, field, fields, picture, sheet, table
    from scipy.optimize import minimize_scalar

    from figures.style import INK, OUTCOMES, PALETTE, plain_log
    from scaling.verdict.equivalence import ALPHA, critical_value, equivalence
    from scaling.verdict.ladder import ladder
    from synthlaw.claims.lab import PRESETS, Lab
    from synthlaw.claims.own import read_claims
    from synthlaw.verifying.verification import run

    FILE = Path(own_claim.__file__)
    MARGIN = PRESETS["quick"].margin


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # 7. Verify your own theorem: from statement to claim file

    *About 40 minutes. You need lesson 2, and the courage to be wrong.*

    **You will learn**

    1. what turns a formula into a *claim*: a prediction, evidence that could refute it, and a wrong twin;
    2. how a number with a standard error becomes *supported*, *contradicted* or *unresolved*;
    3. to write the file that `synthlaw verify --module` runs.

    ## First, a question

    A friend has derived from lesson 2 how much worse copies are than weights when there are $k$ majority rows to one
    minority row: "$1 + (k-1)/k^2$ times, so 1.25 times at $k = 2$." You simulate, and find the excess risks in the
    ratio 1.17, with a standard error of 0.05.
    """)
    return


@app.cell(hide_code=True)
def _():
    friend = 1.0 + own_claim.hasty_price(2)
    first_look = equivalence(1.17 / friend, 0.05 / friend, MARGIN)
    guess = Exercise(
        f"Agreement means within {MARGIN:.0%}. What is the verdict on your friend's formula?",
        first_look.outcome,
        f"Estimate over prediction is {first_look.ratio:.3f} ± {first_look.ratio_se:.3f}. You *suspect* it is wrong, but at the level of one in ten thousand your interval still meets the band: too little data to tell. An error below {first_look.resolution:.0%} may slip through.",
        options=("supported", "contradicted", "unresolved"),
        mistakes=(
            Mistake(
                "supported",
                f"The estimate is {1 - first_look.ratio:.0%} off; support needs the *whole interval* inside the band.",
            ),
            Mistake(
                "contradicted",
                f"{(1 - first_look.ratio) / first_look.ratio_se:.1f} standard errors are nothing to hang anybody for.",
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
    mo.md(rf"""
    ## Step 1: three outcomes

    With $r$ = estimate/prediction, an interval of $\pm {critical_value(ALPHA):.2f}$ standard errors (one-sided level $\alpha = {ALPHA:g}$) is compared with
    the band $1 \pm m$, $m$ the **margin**, here {MARGIN:.0%}: inside, *supported*; apart, *contradicted*; else *unresolved*. The **resolution** is the smallest
    error of the prediction that would have been contradicted with 99 % power.

    **Move the sliders**: at which standard error does your friend's formula fall? And what happens at 0.99?
    """)
    return


@app.cell
def _():
    off = mo.ui.slider(
        steps=[0.9, 0.933, 0.95, 0.97, 0.99, 1, 1.01, 1.03],
        value=0.933,
        show_value=True,
        label="estimate / prediction",
    )
    noise = mo.ui.slider(
        steps=[0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.04],
        value=0.02,
        show_value=True,
        label="its standard error",
    )
    mo.vstack([off, noise])
    return noise, off


@app.cell(hide_code=True)
def _(noise, off):
    _all = [equivalence(off.value, se, MARGIN) for se in noise.steps]
    _mine = equivalence(off.value, noise.value, MARGIN)
    _figures, (_axes,) = axes()
    _axes.axvspan(1 - MARGIN, 1 + MARGIN, color="#d9e6f2")
    for _v in _all:
        _glyph, _tone = OUTCOMES[_v.outcome]
        _bold = _v.ratio_se == noise.value
        _axes.errorbar(
            _v.ratio,
            _v.ratio_se,
            xerr=critical_value(ALPHA) * _v.ratio_se,
            fmt="o",
            color=_tone,
            elinewidth=3 if _bold else 1,
        )
        _axes.annotate(
            f" {_glyph} {_v.outcome}" if _bold else _glyph,
            (_v.ratio, _v.ratio_se),
            (0, 6),
            textcoords="offset points",
            color=_tone,
        )
    plain_log(_axes, "y")
    _axes.set(xlabel="estimate / prediction", ylabel="standard error", xlim=(0.8, 1.15))
    picture(
        _figures,
        f"Intervals around {off.value} for seven standard errors, against the band of {MARGIN:.0%} around 1; the chosen one is {_mine.outcome}.",
        f"**{_mine.outcome}**; resolution {_mine.resolution:.1%}. As the standard error shrinks, *unresolved* goes away: the interval ends up on one side of the band's edge.",
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Step 2: the statement

    Do the derivation again. At balance every row weighs $w = 1/(2n_0)$. For mirror-image classes both gradients' covariances
    weigh alike in the trace, call it $c$. From lesson 2's table, with $n_0$ majority rows, $n_1$ minority rows and $n_1 + m = n_0$,
    the variance terms are

    $$\text{weights: } \frac c4\Bigl[\frac1{n_1} + \frac1{n_0}\Bigr],$$

    $$\text{copies: } \frac c4\Bigl[\frac1{n_1} + \frac1{n_0} + \frac{m}{n_0^2}\Bigl(1 - \frac1{n_1}\Bigr)\Bigr].$$

    With $n_0 = k n_1$, as counts grow,

    $$\frac{\text{copies}}{\text{weights}} \to 1 + \frac{(k-1)/k^2}{1 + 1/k} = 1 + \frac{k-1}{k(k+1)} .$$

    Your friend forgot the majority's $1/n_0$ in the denominator. Write down what you assumed: Gaussian mirror-image classes, fixed
    counts, a minimiser in every sample, logistic loss, no ridge. **A statement without its assumptions cannot be
    refuted, only misunderstood.**

    ## Step 3: evidence that could refute it

    A limit is not a number you can simulate. So measure the ratio at two sizes and carry it to infinite size, by a
    line in 1/size (a **ladder**). The library's `lab.measure` simulates a sweep; `quotient` makes the table of evidence. Open the
    file and find: the formula, the evidence, the wrong twin, the assumptions.
    """)
    return


@app.cell(hide_code=True)
def _():
    _code = mo.md("```python\n" + FILE.read_text("utf-8") + "```").text
    mo.Html(
        f"<details><summary>The whole claim file, <code>{FILE.name}</code></summary>{_code}</details>"
    )
    return


@app.cell
def _():
    # What `synthlaw verify --module paper_notes/lessons/own_claim.py` does, tables included.
    claims = read_claims(FILE)
    lab = Lab(PRESETS["quick"])
    verdicts, evidence = run(lab, claims, module=FILE)
    # The same simulations against the friend's formula.
    twin = own_claim.measured_price(lab, own_claim.hasty_price)
    entries = {each["id"]: each for each in verdicts["claims"]}
    return entries, evidence, twin


@app.cell(hide_code=True)
def _(evidence, twin):
    _table = evidence["own-price-of-copies"]
    _figures, (_axes,) = axes()
    _axes.axhspan(1 - MARGIN, 1 + MARGIN, color="#d9e6f2")
    for _at, (_name, _part) in enumerate(_table.groupby("series", sort=False)):
        _x, _y, _se = (_part[c].to_numpy(float) for c in ("inverse_size", "ratio", "ratio_se"))
        _line = ladder(_x, _y, _se)
        _ends = np.array([0.0, _x.max()])
        _axes.plot(
            _ends, _line.intercept + _line.slope * _ends, color=PALETTE[_at], label=str(_name)
        )
        _axes.errorbar(_x, _y, 2 * _se, fmt="os"[_at], color=PALETTE[_at])
        _wrong = twin[twin["series"] == _name]
        _axes.plot(
            _wrong["inverse_size"],
            _wrong["ratio"],
            "os"[_at],
            color=PALETTE[_at],
            markerfacecolor="none",
        )
    _axes.axhline(1, color=INK, linewidth=0.8)
    _axes.set(xlabel="1 / size", ylabel="simulated / predicted")
    _axes.legend(loc="lower left")
    picture(
        _figures,
        "Simulated over predicted price of copies at two sizes and two imbalances, with lines carried to infinite size: both end at 1, inside the band; against the friend's formula they lie below it.",
        f"Filled: our formula; open: your friend's, out of the band (±{MARGIN:.0%}). {int(_table['replicates'].sum()):,} replicates in all, {int(_table['failures'].sum())} failures; ±2 standard errors.",
    )
    return


@app.cell(hide_code=True)
def _(entries):
    mo.vstack(
        [
            mo.md("## Step 4: the verdicts"),
            table(
                ["claim", "outcome", "ratio", "resolution", "wrong twin, its outcome"],
                [
                    [
                        e["statement"],
                        f"**{e['outcome']}**",
                        f"{e['ratio']:.4f} ± {e['ratio_se']:.4f}",
                        f"{e['resolution']:.1%}" if e["resolution"] else "–",
                        f"{e['twin']['statement']} **{e['twin']['outcome']}**",
                    ]
                    for e in entries.values()
                ],
                "The wrong twins are your friend's formula, and a rounder bound.",
            ),
            mo.md(r"""
            The second claim is an *inequality*: $\frac{k-1}{k(k+1)}$ is largest at $k = 1 + \sqrt2$, where it is $3 - 2\sqrt2$.
            Its evidence is exact (no simulation), so a violation by any amount would contradict it.

            **Why a twin?** A test that passes for the right formula and would have passed for a wrong one says nothing. The
            twin is judged by the same machine on the same data and *must* come out contradicted.

            ## Step 5: your turn

            ```sh
            synthlaw init --kind claim > my_claims.py     # two claims that run as they are
            synthlaw verify --module my_claims.py --out results/mine
            ```

            Then change a formula and see it fall. If it does not, your evidence is too weak, not your formula right.
            """),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    _at = equivalence(1.0, 0.005, MARGIN)
    _peak: Any = minimize_scalar(
        lambda k: -own_claim.price(k), bounds=(1.0, 20.0), method="bounded"
    )
    _worst = float(_peak.x)
    _twin = (1 + own_claim.price(5)) / (1 + own_claim.hasty_price(5))
    _lucky = equivalence(_twin, 0.003, MARGIN).outcome
    exercises = (
        Exercise(
            "Your estimate has a relative standard error of 0.5 %. What is the resolution at a margin of 2 %?",
            float(_at.resolution or 0),
            r"$m + (z_\alpha + z_{.99})\,\mathrm{se}$: two per cent of tolerance and six standard errors.",
            mistakes=(
                Mistake(
                    0.03,
                    "That is the margin and *two* standard errors: too careless for one in ten thousand.",
                ),
            ),
            hint="Second slider to 0.005, read the caption (rounded).",
            percent=True,
        ),
        Exercise(
            "At which imbalance $k$ are copies worst, compared with weights?",
            _worst,
            r"$1 + \sqrt2$: with little to copy there is little noise, with much to copy the minority's own variance hides it.",
            mistakes=(Mistake(2.0, "Close: compare $k = 2$ and $k = 2.5$."),),
            hint=r"Maximise $(k-1)/(k(k+1))$.",
        ),
        Exercise(
            "By how many percent are copies dearer than weights there?",
            float(own_claim.price(_worst)),
            r"$3 - 2\sqrt2$. At balance, in this world, copies are never more than a fifth worse, and never better: use weights.",
            hint="Put your last answer into the formula.",
            percent=True,
        ),
        Exercise(
            "At $k = 5$ alone your friend's formula is wrong by little. With a relative standard error of 0.3 %, what would the twin's verdict be (if the estimate falls on the truth)?",
            _lucky,
            f"The twin's ratio is {_twin:.4f}, only just outside the band. That is why the claim also looks at $k = 2$: choose evidence where the alternatives differ.",
            options=("supported", "contradicted", "unresolved"),
            hint=r"The ratio is $(1 + \frac4{30})/(1 + \frac4{25})$. Is its interval clear of the band?",
        ),
        Exercise(
            "Your claim comes out supported, and its twin *unresolved*. What have you shown?",
            "Nothing yet",
            "The evidence cannot tell your formula from a wrong one. More replicates, or another place to look.",
            options=(
                "The claim, a little more weakly",
                "Nothing yet",
                "That the twin might be true as well as the claim",
            ),
            hint="What would you say of an exam that everybody passes?",
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

    - A claim is a record: statement, formula, assumptions with checks, source, evidence, wrong twin.
    - Judge limits by ladders, constants by an interval against a band, bounds by one-sided limits.
    - *Unresolved* is an honest outcome. Margins are never widened to make a claim pass.

    **Further reading.** [verdicts.md](../verdicts.md): the levels, and section 8 on claims of your own;
    [imbalance.md](../imbalance.md), section 5, for what we started from. The project's own claims:
    `synthlaw claims`. You have finished: go and contradict something.
    """)
    return


if __name__ == "__main__":
    app.run()
