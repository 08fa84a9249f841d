"""Generation token by token from seeds in context."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations.problems import InputError
from simulations.transformers.architecture import OUTPUT, SEED, Weights, next_token
from simulations.transformers.counts import reads_inputs_only
from simulations.transformers.prompts import prompt


def check_outputs_known(weights: Weights) -> None:
    """Raise ``InputError`` for weights that have not met output positions."""
    if not reads_inputs_only(weights):
        raise InputError(
            "fed_back: is false, but these weights know no output positions; generate with fed_back true."
        )


def generated(
    weights: Weights,
    seeds: np.ndarray,
    rows: int,
    key: Array,
    *,
    lists: bool,
    fed_back: bool = False,
) -> Array:
    """``rows`` tokens ``(m,)``, each drawn from the law read at the position before it, then appended.

    Args:
        weights: constructed or trained.
        seeds: ``(n,)`` tokens, n >= 0.
        rows: m >= 1.
        key: of ``jax.random``; draw i uses ``fold_in(key, i)``.
        lists: whether the prompt begins with the vocabulary (constructed weights).
        fed_back: generated tokens are appended as seeds, which later draws average with the rest; else
            as outputs, which no head of constructed weights looks at: every draw is then from the same
            law Q, and the rows are independent given the seeds. Trained weights have not met outputs,
            so for them it must be true (their own training: one stream of tokens).

    Every draw runs the whole prompt again: meant for teaching sizes; many rows from constructed weights
    are a multinomial draw from ``next_token_from_counts``.

    Raises:
        InputError: outputs asked of weights that have not met them.

    Source: paper_notes/transformers_built.md, section 5.

    >>> from simulations.transformers.constructed import constructed
    >>> weights = constructed(np.array([[9.0], [-9.0]]), layers=1)
    >>> generated(weights, np.array([0, 0]), 3, jax.random.key(0), lists=True).tolist()
    [0, 0, 0]
    """
    if not fed_back:
        check_outputs_known(weights)
    d = weights.readout.shape[0]
    tokens, segments = prompt(seeds, d, lists=lists, outputs=rows)
    if fed_back:
        segments = np.where(segments == OUTPUT, SEED, segments)
    at = jnp.asarray(segments)
    begin = len(tokens) - rows

    def draw(line: Array, i: Array) -> tuple[Array, Array]:
        # What stands at a place not yet filled is not seen from the places before it.
        log_law = next_token(weights, line, at)[begin + i - 1]
        token = jax.random.categorical(jax.random.fold_in(key, i), log_law).astype(line.dtype)
        return line.at[begin + i].set(token), token

    _, drawn = lax.scan(draw, jnp.asarray(tokens), jnp.arange(rows))
    return drawn
