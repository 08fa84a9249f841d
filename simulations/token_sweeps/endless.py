"""A generator's laws at endless raw rows, and how the rows move them: what theory and controls need.

The laws are those of `simulations.tokens.generators`. Of rows of several tokens they are made

    position by position, of the mean h0 = sum_j (c_j/n) u_j   transformer, likeliest
    of whole rows, linearly, Q = (1 - a) base + a c/n          duplicate (a = 1), histogram (a = n/(n + sD))

and of nothing by the oracle. Source: paper_notes/transformers_sweeps.md.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations import linear
from simulations.arrays import AnyArray
from simulations.compilation import quick_jit
from simulations.token_sweeps.world import TokenWorld
from simulations.tokens.generators import BY_MEAN, Knobs, deepened
from simulations.tokens.rows import product
from simulations.tokens.world import divergence, log_law, moments


def knobs_of(spec: Any) -> Knobs:
    """The settings of a generator's record as `Knobs`; those it has not are the defaults.

    >>> from simulations.setup.generator_specs import Histogram
    >>> float(knobs_of(Histogram(kind="histogram", smoothing=0.5)).smoothing)
    0.5
    """
    usual = Knobs()
    return Knobs(
        np.int32(getattr(spec, "layers", usual.layers)),
        float(getattr(spec, "step", usual.step)),
        float(getattr(spec, "smoothing", usual.smoothing)),
    )


class Pieces(NamedTuple):
    """Of every group, with its n raw rows and X the embeddings of a row (``R`` numbers):

    ``law (K, D)``: Q at endless rows (for a histogram: its exact mean at n); ``slope (K, R, D)``:
    derivative of Q in the rows' mean; ``bend (K, D)``: half its second derivative in the mean's covariance
    ``Cov(X)/n``; ``part (K,)``: the share a of Q that is linear in the rows; ``mean (K, R)`` of X.

    Of the divergence KL(P||Q): its value ``kl (K,)`` there, derivatives in the mean ``kl_slope (K, R)``,
    ``kl_bend (K, R, R)`` and in the shares of tokens, ``kl_each (K, D)``, ``kl_square (K, D)``; ``spread
    (K, R, R)`` is the mean's covariance. NaN where the divergence is infinite (duplicate)."""

    law: AnyArray
    slope: AnyArray
    bend: AnyArray
    part: AnyArray
    mean: AnyArray
    kl: AnyArray
    kl_slope: AnyArray
    kl_bend: AnyArray
    kl_each: AnyArray
    kl_square: AnyArray
    spread: AnyArray


def own_means(tables: tuple[Array, ...], target: Array) -> list[Array]:
    """The mean embeddings ``(r,)`` of the positions, from those of whole rows, ``(R,)``."""
    return jnp.split(target, len(tables))


def smooth_log_law(
    kind: str, tables: tuple[Array, ...], etas: tuple[Array, ...], knobs: Knobs, target: Array
) -> Array:
    """``log Q`` of a law in `BY_MEAN` as a smooth function of the rows' mean embedding.

    ``likeliest`` is given by two Newton steps from the group's own latent, where the maximum is at
    endless rows: first and second derivatives there are exact, values elsewhere are not.

    Args:
        kind: ``transformer`` or ``likeliest``.
        tables: embeddings of the T positions, each ``(d_t, r)``.
        etas: the group's latents, each ``(r,)``; only likeliest reads them.
        knobs: layers and step of the transformer.
        target: mean embedding of the rows, ``(R,)``, ``R = r T``.

    Returns:
        ``(D,)``, rows in the order of `rows.product`.
    """
    found = []
    for table, eta, own in zip(tables, etas, own_means(tables, target), strict=True):
        if kind == "likeliest":
            h = eta
            for _ in range(2):
                at = moments(table, jnp.exp(log_law(table, h)))
                h = h + linear.solve(at.covariance, own - at.mean)
        else:
            h = deepened(table, own, knobs.layers, knobs.step)
        found.append(log_law(table, h))
    return product(found)


@partial(quick_jit, once=True, static_argnames="kind")
def _by_mean(
    tables: tuple[Array, ...],
    etas: tuple[Array, ...],
    mean: Array,
    spread: Array,
    law: Array,
    knobs: Knobs,
    *,
    kind: str,
) -> tuple[Array, ...]:
    """One group's log-law, slope, bend and the divergence's derivatives, at the mean of endless rows."""

    def log_q(h: Array) -> Array:
        return smooth_log_law(kind, tables, etas, knobs, h)

    def probability(h: Array) -> Array:
        return jnp.exp(log_q(h))

    def cross(h: Array) -> Array:
        return -(law @ log_q(h))

    def along(function: Any, v: Array) -> Any:
        return lambda h: jax.jvp(function, (h,), (v,))[1]

    axes, root = jnp.eye(len(mean)), jnp.linalg.cholesky(spread).T
    slope = lax.map(lambda v: along(probability, v)(mean), axes)

    def add(k: Array, total: Array) -> Array:
        return total + 0.5 * along(along(probability, root[k]), root[k])(mean)

    bend = lax.fori_loop(0, len(mean), add, jnp.zeros_like(law))
    first = lax.map(lambda v: along(cross, v)(mean), axes)
    second = lax.map(lambda v: lax.map(lambda w: along(along(cross, v), w)(mean), axes), axes)
    return log_q(mean), slope, bend, first, second


def pieces(spec: Any, world: TokenWorld, acts: np.ndarray, counts: np.ndarray) -> Pieces:
    """What theory needs of a generator's laws at endless rows.

    Args:
        spec: the generator's record (`simulations.setup.generator_specs`), one of `OF_TOKENS`.
        world: the setting's arrays, K groups over D rows.
        acts: the groups it acts on, ``(K,)`` booleans; elsewhere synthetic rows follow the group's law.
        counts: raw rows n_g, ``(K,)``, >= 1.

    Returns:
        `Pieces`, NumPy arrays.

    When not to trust it: layers whose steps diverge at endless rows (``law`` is then not finite).

    Source: paper_notes/transformers_sweeps.md.
    """
    laws, features = world.laws, world.points[:, :-1]
    (groups, size), dim = laws.shape, features.shape[1]
    known = [moments(features, law) for law in laws]
    mean, spread = (np.stack(each) for each in zip(*known, strict=True))
    found = Pieces(
        laws.copy(),
        np.zeros((groups, dim, size)),
        np.zeros((groups, size)),
        np.zeros(groups),
        mean,
        np.zeros(groups),
        np.zeros((groups, dim)),
        np.zeros((groups, dim, dim)),
        np.zeros((groups, size)),
        np.zeros((groups, size)),
        spread / counts[:, None, None],
    )
    for g in np.flatnonzero(acts):
        _fill(found, spec, world, int(g), float(counts[g]))
    if spec.kind in ("reweight", "duplicate"):
        # Of no rows there is no law; rows that repeat raw ones miss tokens.
        known = np.logical_not(acts) & (spec.kind != "reweight")
        found.kl[~known] = np.nan
    return found


def _fill(found: Pieces, spec: Any, world: TokenWorld, g: int, n: float) -> None:
    laws, size = world.laws, found.law.shape[1]
    if spec.kind == "duplicate":
        found.part[g] = 1.0
    elif spec.kind == "histogram":
        total = n + spec.smoothing * size
        found.law[g] = (n * laws[g] + spec.smoothing) / total
        found.part[g] = n / total
        found.kl[g] = _divergence(world.log_laws[g], np.log(found.law[g]))
        found.kl_each[g] = -found.part[g] * laws[g] / found.law[g]
        found.kl_square[g] = found.part[g] ** 2 * laws[g] / found.law[g] ** 2
    elif spec.kind in BY_MEAN:
        log_q, slope, bend, first, second = _by_mean(
            tuple(map(jnp.asarray, world.tables)),
            tuple(jnp.asarray(each[g]) for each in world.latents),
            found.mean[g],
            found.spread[g],
            laws[g],
            knobs_of(spec),
            kind=spec.kind,
        )
        found.law[g], found.slope[g], found.bend[g] = np.exp(log_q), slope, bend
        found.kl[g] = _divergence(world.log_laws[g], np.asarray(log_q))
        found.kl_slope[g], found.kl_bend[g] = first, second


def _divergence(log_p: np.ndarray, log_q: np.ndarray) -> float:
    return float(divergence(jnp.asarray(log_p), jnp.asarray(log_q)))
