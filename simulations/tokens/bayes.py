"""The Bayes posterior predictive of the next token, under the true prior of the latent.

    Q(j) = sum_s w_s P_{eta_s}(j),   w_s ~ prior(eta_s) exp(n [<eta_s, ubar> - A(eta_s)])

over nodes of a quadrature (r <= 2) or draws of an importance sampler (any r, with a standard error).
Priors by name: ``sphere``, uniform on the sphere of radius B; ``gaussian``, ``N(0, (B^2/r) I)``.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.scipy.special import gammaln

from simulations import linear
from simulations.problems import InputError
from simulations.tokens.references import maximum_likelihood
from simulations.tokens.world import divergence, moments

PRIORS = ("sphere", "gaussian")
# Nodes on a circle, and on a line; standard deviations that both reach from the mode.
CIRCLE, LINE, REACH = 128, 49, 9.0
# Half steps of projected ascent to the mode on the sphere: its error falls by 0.8 or better each.
ASCENT = 120
# Variance of the importance proposal over that of the Laplace approximation.
WIDER = 1.3


class Predictive(NamedTuple):
    """``log_law (d,)``; the posterior as ``latents (S, r)`` with ``weights (S,)`` that sum to 1;
    ``effective``: 1 / sum of squared weights, of use where nodes are draws."""

    log_law: Array
    latents: Array
    weights: Array
    effective: Array


class Mode(NamedTuple):
    """``latent (r,)`` of largest posterior density, and the ``precision`` there: ``(r, r)``, or
    ``(r-1, r-1)`` in ``tangent (r, r-1)`` directions of the sphere, per unit of angle."""

    latent: Array
    precision: Array
    tangent: Array


def sphere_mode(table: Array, target: Array, n: float | Array, norm: float) -> Mode:
    """Mode on the sphere of radius B: ``eta <- B dir(eta + (ubar - E_{P_eta} u)/2)``, repeated.

    The precision per angle is ``n B^2 [T'CT + <ubar - E u, eta>/B^2] + 1``; the 1 keeps it positive where
    the seeds say little (it is a proposal's width, not a result).
    """

    def up(_: int, eta: Array) -> Array:
        moved = eta + 0.5 * (target - moments(table, jax.nn.softmax(table @ eta)).mean)
        return norm * moved / jnp.linalg.norm(moved)

    start = norm * target / jnp.linalg.norm(target)
    eta = lax.fori_loop(0, ASCENT, up, start)
    at = moments(table, jax.nn.softmax(table @ eta))
    size = len(eta)
    # The reflection that swaps eta's direction and the first axis: its other columns are tangent.
    axis = eta / norm - jnp.eye(size)[0]
    far = jnp.maximum(axis @ axis, 1e-30)
    mirror = jnp.eye(size) - 2.0 * axis[:, None] * axis[None, :] / far
    tangent = mirror[:, 1:]
    pull = (target - at.mean) @ eta
    inner = norm**2 * (tangent.T @ at.covariance @ tangent) + pull * jnp.eye(size - 1)
    values, vectors = jnp.linalg.eigh(inner)
    positive = (vectors * jnp.maximum(values, 0.0)[None]) @ vectors.T
    return Mode(eta, n * positive + jnp.eye(size - 1), tangent)


def gaussian_mode(table: Array, target: Array, n: float | Array, norm: float) -> Mode:
    """Mode under the Gaussian prior and its precision ``n C + (r/B^2) I``."""
    size = table.shape[1]
    prior = size / norm**2
    eta = maximum_likelihood(table, target, target, prior / n).h
    spread = moments(table, jax.nn.softmax(table @ eta)).covariance
    return Mode(eta, n * spread + prior * jnp.eye(size), jnp.eye(size))


def _weighed(
    table: Array, target: Array, n: float | Array, nodes: Array, log_w: Array
) -> Predictive:
    """The predictive of nodes whose weights before the likelihood have the logarithms ``log_w (S,)``."""
    logits = nodes @ table.T
    normal = jax.scipy.special.logsumexp(logits, axis=1)
    log_weights = jax.nn.log_softmax(log_w + n * (nodes @ target - normal))
    log_law = jax.scipy.special.logsumexp(logits - normal[:, None] + log_weights[:, None], axis=0)
    weights = jnp.exp(log_weights)
    return Predictive(jax.nn.log_softmax(log_law), nodes, weights, 1.0 / (weights**2).sum())


def quadrature(
    table: Array, target: Array, n: float | Array, norm: float, prior: str = "sphere"
) -> Predictive:
    """The predictive by the trapezoid rule around the mode, for r = 1 and 2.

    Args:
        table: ``U``, ``(d, r)``, r at most 2.
        target: mean seed embedding, ``(r,)``, not 0.
        n: number of seeds, > 0.
        norm: B > 0.
        prior: ``sphere`` (for r = 1 the two points ``+-B``) or ``gaussian``.

    Returns:
        `Predictive`, to rounding where the posterior has one mode that a normal law describes within
        some standard deviations, as it has for B of order 1.

    Raises:
        InputError: r above 2.

    Source: paper_notes/transformers.md, section 6.

    >>> tokens = jnp.array([[1.0], [-1.0]])
    >>> found = quadrature(tokens, jnp.array([0.5]), 2.0, 1.0)
    >>> weight = 1.0 / (1.0 + jnp.exp(-2.0))  # e^(2 * 0.5 * 1) against e^(-2 * 0.5 * 1)
    >>> bool(abs(found.weights[0] - weight) < 1e-12)
    True
    """
    size = table.shape[1]
    if size > 2:
        raise InputError(
            f"embedding_dim is {size}: quadrature over latents takes 1 or 2; use importance sampling."
        )
    if prior == "sphere" and size == 1:
        nodes = jnp.array([[norm], [-norm]])
    elif prior == "sphere":
        mode = sphere_mode(table, target, n, norm)
        reach = jnp.minimum(jnp.pi, REACH / jnp.sqrt(mode.precision[0, 0]))
        angle = reach * (2.0 * jnp.arange(CIRCLE) / CIRCLE - 1.0)
        ahead, aside = mode.latent, norm * mode.tangent[:, 0]
        nodes = jnp.cos(angle)[:, None] * ahead[None] + jnp.sin(angle)[:, None] * aside[None]
    else:
        mode = gaussian_mode(table, target, n, norm)
        line = jnp.linspace(-REACH, REACH, LINE)
        grid = jnp.stack(jnp.meshgrid(*[line] * size, indexing="ij"), -1).reshape(-1, size)
        root = jnp.linalg.cholesky(linear.inverse(mode.precision))
        nodes = mode.latent[None] + grid @ root.T
    flat = jnp.zeros(len(nodes))
    log_w = flat if prior == "sphere" else -0.5 * size / norm**2 * (nodes**2).sum(axis=1)
    return _weighed(table, target, n, nodes, log_w)


def importance(
    table: Array,
    target: Array,
    n: float | Array,
    norm: float,
    key: Array,
    draws: int = 2048,
    prior: str = "sphere",
) -> Predictive:
    """The predictive by importance sampling, any r >= 2.

    Half of the draws come from the prior, half from a normal law at the mode (on the sphere: in the
    tangent plane, projected centrally); weights divide by the mean of the two densities and so are
    bounded. The law is a ratio of means: biased by O(1/effective), see `divergence_error`.

    Args:
        table, target, n, norm, prior: as in `quadrature`, for r of at least 2.
        key: a JAX key.
        draws: S, even.

    Source: paper_notes/transformers.md, section 6.

    >>> tokens = jax.random.normal(jax.random.key(0), (32, 2))
    >>> exact = quadrature(tokens, jnp.array([0.7, 0.2]), 20.0, 1.0)
    >>> sampled = importance(tokens, jnp.array([0.7, 0.2]), 20.0, 1.0, jax.random.key(1))
    >>> bool(divergence(exact.log_law, sampled.log_law) < 1e-3)
    True
    """
    size, half = table.shape[1], draws // 2
    first, second = jax.random.split(key)
    spread = jax.random.normal(first, (half, size))
    if prior == "sphere":
        mode = sphere_mode(table, target, n, norm)
        width = mode.precision / WIDER
        z = jax.random.normal(second, (half, size - 1))
        t = lax.linalg.triangular_solve(jnp.linalg.cholesky(width), z, left_side=False, lower=True)
        ahead = mode.latent[None] / norm + t @ mode.tangent.T
        either = jnp.concatenate([spread, ahead])
        nodes = norm * either / jnp.linalg.norm(either, axis=1, keepdims=True)
        cosine = nodes @ mode.latent / norm**2
        t = (nodes / norm) @ mode.tangent / jnp.where(cosine > 0.0, cosine, 1.0)[:, None]
        # Density of the projected normal law against the uniform one: the plane's area per share.
        area = jnp.log(2.0) + 0.5 * size * jnp.log(jnp.pi) - gammaln(0.5 * size)
        log_near = _log_normal(t, width) + area - size * jnp.log(jnp.maximum(cosine, 1e-300))
        log_near = jnp.where(cosine > 0.0, log_near, -jnp.inf)
        log_w = -jnp.logaddexp(0.0, log_near)
    else:
        mode = gaussian_mode(table, target, n, norm)
        width = mode.precision / WIDER
        z = jax.random.normal(second, (half, size))
        root = jnp.linalg.cholesky(width)
        near = mode.latent[None] + lax.linalg.triangular_solve(root, z, left_side=False, lower=True)
        nodes = jnp.concatenate([norm / size**0.5 * spread, near])
        log_prior = _log_normal(nodes, size / norm**2 * jnp.eye(size))
        log_w = log_prior - jnp.logaddexp(log_prior, _log_normal(nodes - mode.latent[None], width))
    return _weighed(table, target, n, nodes, log_w)


def _log_normal(x: Array, precision: Array) -> Array:
    """Log density ``(S,)`` of ``N(0, precision^-1)`` at ``x (S, k)``."""
    root = jnp.linalg.cholesky(precision)
    half = jnp.log(jnp.diagonal(root)).sum() - 0.5 * x.shape[1] * jnp.log(2.0 * jnp.pi)
    return half - 0.5 * ((x @ root) ** 2).sum(axis=1)


def divergence_error(log_p: Array, table: Array, found: Predictive) -> tuple[Array, Array]:
    """``KL(P || Q)`` of a sampled predictive and its standard error from the draws of latents.

    A draw s moves the divergence by ``-w_s (sum_j p_j P_s(j)/q_j - 1)``, the derivative of the ratio of
    means; the error is the root of the sum of squares. Trust it for an effective number above 100.

    Returns:
        Two numbers.

    >>> tokens = jax.random.normal(jax.random.key(0), (32, 3))
    >>> found = importance(tokens, jnp.array([0.7, 0.2, 0.1]), 20.0, 1.0, jax.random.key(1))
    >>> value, error = divergence_error(found.log_law, tokens, found)
    >>> bool(value < 1e-12), bool(0.0 <= error < 1e-6)
    (True, True)
    """
    logs = jax.nn.log_softmax(found.latents @ table.T, axis=1)
    ratio = jnp.exp((log_p - found.log_law)[None] + logs).sum(axis=1)
    error = jnp.sqrt(((found.weights * (ratio - 1.0)) ** 2).sum())
    return divergence(log_p, found.log_law), error
