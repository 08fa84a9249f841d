"""Generation, tokens: what free histograms of the seeds cost, and when they cost endlessly much."""

from functools import cache, partial

import jax
import numpy as np
import pandas as pd

from scaling.theory.tokens import histogram
from simulations.compilation import Quick, quick_jit
from simulations.tokens.references import log_histogram
from simulations.tokens.world import World, divergence, embeddings, latents, seed_counts
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import exact_rows
from synthlaw.claims.exponents import fitted_row
from synthlaw.claims.generation.tokens.runs import NOTE, SOURCE, leave, line, mean_se, point
from synthlaw.claims.kinds import exact_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import Twin, always

WORLD, SMOOTHING = World(16, 2, 0.5), 0.5
# The first two leave tokens without seeds; at the others n times the least probability is large.
SIZES, LARGE, REPLICATES, TOLERANCE = (60, 120, 2000, 8000), 2, 2560, 0.05
COUNTED = (
    always("Seeds are independent tokens of one law of 16 tokens (r = 2, B = 1/2)."),
    always("n times the least probability is 25 or more where a series in 1/n is claimed."),
)


def _law(seed: int) -> np.ndarray:
    weights = np.exp(embeddings(WORLD, seed) @ latents(WORLD)[0])
    return weights / weights.sum()


@cache
def _program() -> Quick:
    def three(log_p: jax.Array, counts: jax.Array) -> tuple[jax.Array, ...]:
        plain, raised = log_histogram(counts), log_histogram(counts, SMOOTHING)
        return divergence(plain, log_p), divergence(log_p, raised), divergence(log_p, plain)

    return quick_jit(three, once=True)


def simulated(lab: Lab) -> tuple[np.ndarray, ...]:
    """The law; counts ``(R, N, d)``; reverse, smoothed and forward divergences ``(R, N)``."""

    def run() -> tuple[np.ndarray, ...]:
        law, count = _law(lab.seed), REPLICATES * lab.preset.effort
        drawn = [seed_counts(law, list(SIZES), lab.seed, ["histogram", r]) for r in range(count)]
        counts = np.stack(drawn).astype(float)
        # In the order of `three`; one shape whatever the effort.
        parts = [
            _program()(np.log(law)[None, None], each)
            for each in np.split(counts, lab.preset.effort)
        ]
        return law, counts, *(np.concatenate(each) for each in zip(*parts, strict=True))

    return lab.recall("tokens histogram", run)


def means(lab: Lab) -> pd.DataFrame:
    """Means over (d-1)/(2n) and its next order; Pearson's statistic over 2n takes off the noise."""
    law, counts, reverse, smoothed, _ = simulated(lab)
    rows = []
    for k, n in list(enumerate(SIZES))[LARGE:]:
        pearson = ((counts[:, k] - n * law) ** 2 / (n * law)).sum(axis=1) / (2.0 * n)
        control = pearson - (len(law) - 1) / (2.0 * n)
        for name, values, theory in (
            ("plain, reverse", reverse, histogram.plain(law, n)),
            ("add 1/2, forward", smoothed, histogram.smoothed(law, n, SMOOTHING)),
        ):
            found = mean_se(values[:, k] - control)
            row = fitted_row(name, n, theory.total, found, len(counts), 0)
            rows.append({**row, "inverse_size": 1.0 / n**2})
    name, along = "histogram (16 tokens)", np.geomspace(200.0, 1e6, 20)
    points = [point(name, row["size"], (row["estimate"], row["se"])) for row in rows[::2]]
    leave(lab, "seeds", points + line(name, along, [(len(law) - 1) / (2.0 * n) for n in along]))
    return pd.DataFrame(rows).assign(size_name="n")


def endless(lab: Lab, even: bool) -> pd.DataFrame:
    """How often the forward divergence is infinite, and the probability that a token has no seed."""
    law, counts, _, _, forward = simulated(lab)
    cells, measured, expected, se = [], [], [], []
    for k, n in list(enumerate(SIZES))[:LARGE]:
        theory = np.full(len(law), 1.0 / len(law)) if even else law
        share = float(np.isinf(forward[:, k]).mean())
        cells.append(f"{n} seeds")
        measured.append(share)
        expected.append(histogram.unseen(theory, n))
        se.append((share * (1.0 - share) / len(counts)) ** 0.5)
    return exact_rows(cells, measured, expected, TOLERANCE, se, replicates=len(counts))


CLAIMS = (
    constant_claim(
        "generation-tokens-histogram",
        "A free histogram costs its tokens: (d-1)/(2n)",
        "The reverse divergence of the plain histogram of n seeds, and the divergence from the one that"
        " adds 1/2 to every count, have the mean (d-1)/(2n) with their terms of order 1/n^2.",
        (
            r"E\,\mathrm{KL}(\hat P\|P) = \frac{d-1}{2n} + \frac{\sum 1/p - 1}{12n^2},\quad"
            r" E\,\mathrm{KL}(P\|\hat P_{1/2}) = \frac{d-1}{2n} + O(n^{-2})"
        ),
        means,
        source=SOURCE,
        note=NOTE,
        assumptions=COUNTED,
    ),
    exact_claim(
        "generation-tokens-histogram-infinite",
        "The forward divergence of a plain histogram has no mean",
        (
            "The divergence of the law from the plain histogram of n seeds is infinite with the probability"
            " that some token has no seed, which is positive at every n: it has no mean."
        ),
        r"P(\mathrm{KL}(P\|\hat P) = \infty) = \sum_{S \ne \emptyset} (-1)^{|S|+1} (1 - p_S)^n",
        partial(endless, even=False),
        Twin("It is that of 16 equally likely tokens.", partial(endless, even=True)),
        note=NOTE,
        source=SOURCE,
        assumptions=COUNTED[:1],
    ),
)
