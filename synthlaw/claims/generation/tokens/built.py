"""Generation, the constructed transformer: layer by layer it averages and takes gradient steps."""

import numpy as np
import pandas as pd

from simulations.compilation import quick_jit
from simulations.transformers.architecture import Weights, log_laws, streams
from simulations.transformers.comparison import LAYERS, STEP
from simulations.transformers.constructed import constructed, slots
from simulations.transformers.latents import fresh_sequences, token_table
from simulations.transformers.plans import TEACHING
from simulations.transformers.prompts import prompt, reading
from synthlaw.claims.evidence import exact_rows
from synthlaw.claims.kinds import exact_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import Twin, always

NOTE = "transformers_built.md"
SEEDS = 24
# Scores beside 1024 are rounded to 1.1e-13: four layers with embeddings of length 4 add up to less.
TOLERANCE = 1e-10


def stated(embeddings: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """h after every layer and number of seeds, ``(L, N, r)``: the formulas, written out."""
    means = np.cumsum(embeddings[seeds], axis=0) / np.arange(1, len(seeds) + 1)[:, None]
    found = [means]
    for _ in range(LAYERS - 1):
        scores = found[-1] @ embeddings.T
        law = np.exp(scores - scores.max(axis=1, keepdims=True))
        law /= law.sum(axis=1, keepdims=True)
        found.append(found[-1] + STEP * (means - law @ embeddings))
    return np.stack(found)


def _layers(lab: Lab, change: float) -> pd.DataFrame:
    """Largest differences between streams and formulas; the second layer's writing times ``change``."""
    embeddings = token_table(TEACHING)
    seeds = np.asarray(fresh_sequences(embeddings, 1.0, 1, SEEDS, lab.seed).tokens[0])
    weights = constructed(embeddings, LAYERS, STEP)
    output = weights.layers.output.copy()
    output[1] *= change
    weights = weights._replace(layers=weights.layers._replace(output=output))
    tokens, segments = prompt(seeds, len(embeddings), lists=True)
    run = lab.recall("streams of the constructed transformer", lambda: quick_jit(_read, once=True))
    stream, log_q = (np.asarray(each) for each in run(weights, tokens, segments))
    first = reading(len(embeddings), lists=True) + 1
    expected = stated(embeddings, seeds)
    found = stream[1:, first:, slots(embeddings.shape[1]).latent]
    gaps = np.abs(found - expected).max(axis=(1, 2)).tolist()
    scores = expected[-1] @ embeddings.T
    law = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    gaps.append(float(np.abs(log_q[first:] - law).max()))
    cells = [f"h after layer {layer}" for layer in range(1, LAYERS + 1)] + ["log law emitted"]
    return exact_rows(cells, gaps, [0.0] * len(cells), TOLERANCE)


def _read(weights: Weights, tokens: np.ndarray, segments: np.ndarray):  # noqa: ANN202
    stream = streams(weights, tokens, segments)  # pyright: ignore[reportArgumentType]
    return stream, log_laws(weights, stream[-1])


def layers(lab: Lab) -> pd.DataFrame:
    """The weights as constructed."""
    return _layers(lab, 1.0)


def descending(lab: Lab) -> pd.DataFrame:
    """The second layer steps the other way."""
    return _layers(lab, -1.0)


CLAIMS = (
    exact_claim(
        "generation-tokens-constructed",
        "Attention averages and takes gradient steps",
        (
            "A decoder-only transformer with weights written down has in its stream, after each of its"
            f" {LAYERS} layers and at each of {SEEDS} seed positions, the mean seed embedding"
            f" and its gradient steps of {STEP:g} on the log-likelihood, and emits their law (largest"
            " difference)."
        ),
        r"h_1 = \bar u,\quad h_{l+1} = h_l + \tau\,(\bar u - E_{P_{h_l}} u)",
        layers,
        Twin("So do the same weights with the second layer's sign turned.", descending),
        note=NOTE,
        source="derived here; proof layer by layer",
        assumptions=(
            always(
                "The prompt lists the vocabulary once; scores outside a head's view lie 1024 lower."
            ),
        ),
    ),
)
