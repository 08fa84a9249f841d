"""Generators by name: from a minority's seeds, as counts, to the law of its synthetic tokens.

The table `GENERATORS` maps a name to ``law(table, counts, eta, depth, step) -> (log law (d,), found)``;
``found`` is false where the law does not exist (maximum likelihood of seeds on the hull's edge).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array, lax

from simulations.tokens import steps
from simulations.tokens.references import log_histogram, maximum_likelihood
from simulations.tokens.world import log_law

Law = Callable[[Array, Array, Array, int, Array], tuple[Array, Array]]


def transformer(
    table: Array, counts: Array, eta: Array, depth: int, step: Array
) -> tuple[Array, Array]:
    """The law of `steps`: one averaging layer and ``depth - 1`` gradient steps.

    >>> seeds = jnp.array([3.0, 1.0])
    >>> law, _ = transformer(jnp.array([[1.0], [-1.0]]), seeds, jnp.zeros(1), 1, jnp.ones(()))
    >>> bool(abs(law[0] - law[1] - 1.0) < 1e-12)  # logits +-(3 - 1)/4
    True
    """
    target = steps.averaged(table, counts)
    # As a loop: one program serves all depths.
    h = lax.fori_loop(1, depth, lambda _, h: steps.improved(table, target, h, step), target)
    found = log_law(table, h)
    return found, jnp.isfinite(found).all()


def likeliest(
    table: Array, counts: Array, eta: Array, depth: int, step: Array
) -> tuple[Array, Array]:
    """The law of largest likelihood."""
    found = maximum_likelihood(table, steps.averaged(table, counts))
    return log_law(table, found.h), found.converged


def _histogram(smoothing: float) -> Law:
    def law(
        table: Array, counts: Array, eta: Array, depth: int, step: Array
    ) -> tuple[Array, Array]:
        return log_histogram(counts, smoothing), jnp.asarray(True)

    return law


def oracle(table: Array, counts: Array, eta: Array, depth: int, step: Array) -> tuple[Array, Array]:
    """The group's own law, whatever the seeds."""
    return log_law(table, eta), jnp.asarray(True)


GENERATORS: dict[str, Law] = {
    "transformer": transformer,
    "likeliest": likeliest,
    "histogram": _histogram(0.0),
    "add_half": _histogram(0.5),
    "add_one": _histogram(1.0),
    "oracle": oracle,
}


def laws(
    name: str, table: Array, counts: Array, eta: Array, depth: int = 1, step: float = 1.0
) -> tuple[Array, Array]:
    """Log-laws ``(R, d)`` of a batch of seeds ``counts (R, d)`` and whether each exists, ``(R,)``.

    Args:
        name: a key of ``GENERATORS``.
        table: embeddings U ``(d, r)``.
        counts: seeds of each token, one row a sample.
        eta: the true latent ``(r,)``, for generators that know it.
        depth: averaging layer and gradient steps of the transformer together, at least 1.
        step: length of these gradient steps.

    >>> found, good = laws("add_one", jnp.eye(2), jnp.array([[2.0, 0.0]]), jnp.zeros(2))
    >>> jnp.exp(found).round(4).tolist(), good.tolist()
    ([[0.75, 0.25]], [True])
    """
    one = GENERATORS[name]
    return jax.vmap(lambda each: one(table, each, eta, depth, jnp.asarray(step)))(counts)
