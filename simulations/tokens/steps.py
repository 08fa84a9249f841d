"""What layers do to a latent estimate: one average of the seeds' embeddings, then gradient steps.

    h_0     = sum_j (c_j/n) u_j                                  averaging attention
    h_{l+1} = h_l + step (h_0 - sum_j P_{h_l}(j) u_j)            ascent of the seeds' mean log-likelihood
    P_h(j)  = exp<h, u_j> / sum_k exp<h, u_k>                    readout

Plain functions of one case; `jax.vmap` takes them over replicates.
"""

import jax
from jax import Array


def law(embeddings: Array, h: Array) -> Array:
    """The law of the next token at the latent h: ``P_h(j) = exp<h, u_j> / Z(h)``.

    Args:
        embeddings: ``U``, ``(d, r)``, a row per token.
        h: the latent, ``(r,)``.

    Returns:
        Probabilities ``(d,)``, by a shifted exponential: no overflow at any finite h.

    Source: paper_notes/transformers.md, section 1.

    >>> import jax.numpy as jnp
    >>> law(jnp.eye(2), jnp.array([0.0, jnp.log(3.0)])).round(3).tolist()
    [0.25, 0.75]
    """
    return jax.nn.softmax(embeddings @ h)


def averaged(embeddings: Array, counts: Array) -> Array:
    """The mean seed embedding ``sum_j (c_j/n) u_j``: what one averaging attention head gives.

    Args:
        embeddings: ``U``, ``(d, r)``.
        counts: seeds per token, ``(d,)``, not all 0; probabilities stand for endless seeds.

    Returns:
        ``h_0``, ``(r,)``.

    Source: paper_notes/transformers.md, section 3.

    >>> import jax.numpy as jnp
    >>> averaged(jnp.eye(2), jnp.array([1.0, 3.0])).tolist()
    [0.25, 0.75]
    """
    return counts @ embeddings / counts.sum()


def improved(embeddings: Array, target: Array, h: Array, step: float | Array) -> Array:
    """One in-context gradient step, ``h + step (target - E_{P_h} u)``.

    Args:
        embeddings: ``U``, ``(d, r)``.
        target: mean seed embedding, ``(r,)``.
        h: the latent before the step, ``(r,)``.
        step: > 0. Converges to the maximum of likelihood from near it if
            ``step < 2 / lambda_max(Cov_P u)`` there; from everywhere if below ``2 / (D/2)^2``,
            D the diameter of the embeddings.

    Returns:
        The latent after the step, ``(r,)``.

    Source: paper_notes/transformers.md, section 4.

    >>> import jax.numpy as jnp
    >>> tokens, h = jnp.array([[1.0], [-1.0]]), jnp.array([0.0])
    >>> improved(tokens, jnp.array([0.5]), h, 1.0).tolist()
    [0.5]
    """
    return h + step * (target - law(embeddings, h) @ embeddings)
