"""Generation, the Bayes predictive of a Gaussian prior: its law holds at every number of seeds."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax import Array
from scipy.special import ndtri

from simulations.compilation import quick_jit
from simulations.series.keys import generator
from simulations.tokens import bayes
from simulations.tokens.world import divergence, log_law
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import Twin, always

NOTE = "transformers.md"
# Fewer tokens have too short tails for the largest latents: a bias of some 0.3 % at 2048.
VOCABULARIES = {"quick": 2048, "full": 8192}
SEEDS, NORM, REPLICATES = (1, 4, 16), 0.5, 96
# Replicates of one call: each takes 1.2 MB of nodes times tokens, ten times that in the preset full.
BLOCK = 16


def law(n: np.ndarray) -> np.ndarray:
    """``log(1 + v)/2``, ``v = 1/(n + 1/B^2)``: the mean divergence at r = 1 and endless tokens.

    >>> law(np.array([0.0])).round(6).tolist()
    [0.111572]
    """
    return 0.5 * np.log1p(1.0 / (n + NORM**-2))


def _divergences(table: Array, eta: Array, targets: Array, sizes: Array) -> Array:
    """Divergences ``(S,)`` of one latent."""
    truth = log_law(table, eta)

    def of(target: Array, n: Array) -> Array:
        return divergence(truth, bayes.quadrature(table, target, n, NORM, "gaussian").log_law)

    return jax.vmap(of)(targets, sizes)


def _values(lab: Lab) -> np.ndarray:
    """Divergences ``(R, S)`` less a control variate of mean 0, that of endless tokens.

    There KL is a function of ``(eta - n v ubar)^2``; its mean given the latent is exact for any tokens, and
    that over the latent is the prior's.
    """
    count, vocabulary = REPLICATES * lab.preset.effort, VOCABULARIES[lab.preset.name]
    table = ndtri((np.arange(vocabulary) + 0.5) / vocabulary)
    random = generator(lab.seed, ["posterior", vocabulary])
    eta = NORM * random.standard_normal(count)
    score = np.exp(eta[:, None] * table[None])
    share = score / score.sum(axis=1, keepdims=True)
    mean = share @ table
    variance = share @ table**2 - mean**2
    sizes = np.array(SEEDS, float)
    counts = np.stack([random.multinomial(n, share) for n in SEEDS], axis=1)
    target = counts @ table / sizes
    # A target of exactly 0 has no direction for the quadrature to begin in.
    target = np.where(target == 0.0, 1e-12, target)
    program = quick_jit(jax.vmap(_divergences, in_axes=(None, 0, 0, None)))
    parts = [
        program(
            jnp.asarray(table)[:, None],
            jnp.asarray(eta[start : start + BLOCK])[:, None],
            jnp.asarray(target[start : start + BLOCK])[..., None],
            sizes,
        )
        for start in range(0, count, BLOCK)
    ]
    found = np.concatenate([np.asarray(part) for part in parts])
    v = 1.0 / (sizes + NORM**-2)
    square = (eta[:, None] - sizes * v * target) ** 2
    given = (eta[:, None] - sizes * v * mean[:, None]) ** 2 + sizes * v**2 * variance[:, None]
    prior = (1.0 - sizes * v) ** 2 * (eta[:, None] ** 2 - NORM**2)
    return found - (square - given + prior) / (2.0 * (1.0 + v))


def _over(lab: Lab, predicted: np.ndarray) -> pd.DataFrame:
    """Simulated mean divergences over a prediction, a series for each number of seeds."""
    values = lab.recall("divergences of a Gaussian prior's predictive", lambda: _values(lab))
    estimate, se = values.mean(axis=0), values.std(axis=0, ddof=1) / len(values) ** 0.5
    return pd.DataFrame(
        {
            "series": [f"n = {n}" for n in SEEDS],
            "size": VOCABULARIES[lab.preset.name],
            "inverse_size": 0.0,
            "prediction": predicted,
            "estimate": estimate,
            "se": se,
            "ratio": estimate / predicted,
            "ratio_se": se / predicted,
            "replicates": len(values),
            "failures": 0,
        }
    )


def exactly(lab: Lab) -> pd.DataFrame:
    """Simulated mean divergences over the law."""
    return _over(lab, law(np.array(SEEDS, float)))


def first_order(lab: Lab) -> pd.DataFrame:
    """Over ``r/(2n)``."""
    return _over(lab, 0.5 / np.array(SEEDS, float))


CLAIMS = (
    constant_claim(
        "generation-bayes-law",
        "What the Bayes predictive costs, at every number of seeds",
        "The Bayes predictive under a Gaussian prior has the mean divergence (r/2) log(1 + v), with the"
        " posterior variance v = 1/(n + r/B^2), at 1, 4 and 16 seeds (r = 1, B = 1/2, evenly spread normal"
        " tokens, 2048 in quick and 8192 in full; divergences of coordinates of a grid of them add up).",
        r"E\,\mathrm{KL} = \tfrac r2\log(1+v),\quad v = \frac1{n + r/B^2}",
        exactly,
        note=NOTE,
        source="derived here; closed form",
        assumptions=(
            always(
                "Tokens are evenly spread quantiles of the normal law; the prior is the true one."
            ),
        ),
        twin=Twin("It costs r/(2n), as maximum likelihood does.", first_order),
    ),
)
