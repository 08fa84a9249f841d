"""Sharp laws of the divergence of generators in the token world, as d and n grow.

    averaging                  E KL = a/(2d) + r/(2n) + c/d^2 + x/(2nd) + ..,   a = e^(B^2) (r + B^2)
    l further gradient steps   E KL = (1-step)^(2l) a/(2d) + r/(2n) + O(1/d^2),   step not 1
    one further step of 1      E KL = k/(2d^2) + r/(2n) + ..
    maximum likelihood         2 n KL -> chi2_r
    Bayes, d = infinity        E KL = (r/2) log(1 + 1/(n + r/B^2))            (Gaussian prior)

The expectation is over embeddings and seeds. Source: paper_notes/transformers.md, sections 3 to 6.
"""

from math import exp, inf, log, pi
from typing import Any, NamedTuple

from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import chi2

from simulations.problems import InputError
from simulations.tokens.control import pairings


class OneLayer(NamedTuple):
    """Terms of the averaging layer's mean divergence: ``embedding`` a/(2d), ``sampling`` r/(2n), and the
    next order, ``embedding_second`` c/d^2 and ``mixed`` x/(2nd)."""

    embedding: float
    sampling: float
    embedding_second: float
    mixed: float

    @property
    def leading(self) -> float:
        """The sharp law, ``a/(2d) + r/(2n)``."""
        return self.embedding + self.sampling

    @property
    def second(self) -> float:
        """The law with the next order."""
        return sum(self)


def _check(dim: int, norm: float, vocabulary: float = 2.0, n: float = 1.0) -> None:
    if dim < 1 or not 0.0 <= norm < inf:
        raise InputError(
            f"embedding_dim {dim} and latent_norm {norm:g} must be at least 1 and at least 0."
        )
    if not (vocabulary > 0.0 and n > 0.0):
        raise InputError(f"vocabulary {vocabulary:g} and seeds {n:g} must be positive.")


def one_layer(dim: int, norm: float, vocabulary: float, n: float = inf) -> OneLayer:
    """Mean divergence of one averaging layer, leading and next order.

        a = e^s (r + s),  s = B^2
        c = a - e^(3s) (r + 4s) + (3/2) [a (e^s - 1) + 2 s e^(2s)]
            + (1/2) e^(3s) [(r+4s)^2 + r + 12s] - (3/2) s e^(2s) (2r + 3 + 3s)
            - (1/2) e^(2s) [(r+s)^2 + 2r + 4s + 2s^2]
            + (1/2) s (1+s) (r+2+s) e^(2s)
        x = e^s [(r+s)(r+2s) - r]

    Args:
        dim: r >= 1.
        norm: B >= 0.
        vocabulary: d, may be ``inf``.
        n: seeds, may be ``inf``.

    Returns:
        `OneLayer`.

    Raises:
        InputError: numbers out of range.

    When not to trust it: `correction` is not small. Means are then ruled by rare draws of embeddings, and
    no order of the expansion helps; compare medians, or larger d.

    >>> law = one_layer(4, 1.0, 4096)
    >>> round(1e3 * law.leading, 4), round(law.embedding_second / law.leading, 3)
    (1.6591, 0.017)
    """
    _check(dim, norm, vocabulary, n)
    r, s = float(dim), norm**2
    one, two, three = exp(s), exp(2.0 * s), exp(3.0 * s)
    a = one * (r + s)
    c = a - three * (r + 4.0 * s) + 1.5 * (a * (one - 1.0) + 2.0 * s * two)
    c += 0.5 * three * ((r + 4.0 * s) ** 2 + r + 12.0 * s)
    c -= 1.5 * s * two * (2.0 * r + 3.0 + 3.0 * s)
    c -= 0.5 * two * ((r + s) ** 2 + 2.0 * r + 4.0 * s + 2.0 * s**2)
    c += 0.5 * s * (1.0 + s) * (r + 2.0 + s) * two
    x = one * ((r + s) * (r + 2.0 * s) - r)
    d = vocabulary
    return OneLayer(a / (2.0 * d), r / (2.0 * n), c / d**2, x / (2.0 * n * d))


def normal_quantile(dim: int, norm: float, vocabulary: float, probability: float) -> float:
    """Quantile of the averaging layer's divergence over embeddings, at endless seeds, as d grows.

    ``|g|^2/2`` with ``g ~ N(0, e^s (I + eta eta')/d)``: ``2 d KL/e^s`` has the law of ``chi2_(r-1) + (1+s)
    chi2_1``, whose mean is that of `one_layer`. Finite d come to it only once `correction` is small.

    Args:
        dim: r, of the embeddings.
        norm: B, of the latent.
        vocabulary: d.
        probability: of lying below.

    >>> round(200 * normal_quantile(2, 0.0, 100, 0.5), 6)  # the median of chi2_2
    1.386294
    """
    _check(dim, norm, vocabulary)
    s = norm**2

    def short(x: float) -> float:
        if dim == 1:
            return float(chi2.cdf(x / (1.0 + s), 1)) - probability
        top = (x / (1.0 + s)) ** 0.5

        def inner(z: float) -> float:
            return float(chi2.cdf(x - (1.0 + s) * z**2, dim - 1)) * exp(-0.5 * z**2)

        return quad(inner, 0.0, top)[0] * (2.0 / pi) ** 0.5 - probability

    largest = (1.0 + s) * float(chi2.ppf(probability, dim))
    root: Any = brentq(short, 1e-12, largest * (1.0 + 1e-9), xtol=1e-10)
    return exp(s) * float(root) / (2.0 * vocabulary)


def correction(norm: float, vocabulary: float) -> float:
    """``e^(4 B^2)/d``: how heavy the tails are, the squared relative scatter of the law's own scale.

    >>> round(correction(1.0, 4096), 4), round(correction(1.5, 4096), 2)
    (0.0133, 1.98)
    """
    return exp(4.0 * norm**2) / vocabulary


def deeper(
    dim: int, norm: float, vocabulary: float, further: int, step: float, n: float = inf
) -> float:
    """Mean divergence after averaging and ``further`` gradient steps, to leading order.

    ``(1-step)^(2 further) a/(2d) + r/(2n)``; at step 1, where the first term vanishes, one further step
    leaves `second_layer` ``/d^2``, and more leave O(d^-(1 + further)), here 0.

    Args:
        dim, norm, vocabulary, n: as in `one_layer`.
        further: steps after averaging, >= 0.
        step: in (0, 2): elsewhere the error grows.

    Raises:
        InputError: a step outside (0, 2), or numbers out of range.

    >>> deeper(4, 0.0, 100, 2, 0.5) == 0.5**4 * 4 / 200
    True
    """
    _check(dim, norm, vocabulary, n)
    if not 0.0 < step < 2.0 or further < 0:
        raise InputError(
            f"step is {step:g}, further {further}; give a step in (0, 2), further >= 0."
        )
    one = one_layer(dim, norm, vocabulary, n)
    second = second_layer(dim, norm) / vocabulary**2 if step == 1.0 and further == 1 else 0.0
    return (1.0 - step) ** (2 * further) * one.embedding + second + one.sampling


def second_layer(dim: int, norm: float) -> float:
    """``k/2``: the mean divergence of averaging and one further step of 1 is ``k/(2 d^2)`` at n = infinity.

        k = e^(2s) { (r+s)(r+2s+s^2) + (r+s) + 2s(1+s) + s(r+s+1)^2 + s^3 + 4s^2 + (r+3)s },   s = B^2

    The error is ``-(Cov_P u - I) g`` with ``g = E_P u - eta``: a product of two means of d terms.

    Args:
        dim: r, of the embeddings.
        norm: B, of the latent.

    >>> second_layer(4, 0.0)
    10.0
    """
    _check(dim, norm)
    return 0.5 * pairings(dim, norm)


def likeliest(dim: int, n: float) -> float:
    """Mean divergence of maximum likelihood, ``r/(2n)``, given that a maximum exists.

    The next order is O(1/(n d)) and O(1/(n^2 d)): with endless tokens the family is normal of known
    covariance, and ``2 n KL`` is chi-square at every n.

    Args:
        dim: r, of the embeddings, at least 1.
        n: seeds, above 0.

    >>> likeliest(4, 100)
    0.02
    """
    _check(dim, 0.0, n=n)
    return dim / (2.0 * n)


def bayes(dim: int, norm: float, n: float) -> float:
    """Mean divergence of the posterior predictive under the Gaussian prior with endless tokens.

    ``E KL = (r/2) log(1 + v)``, ``v = 1/(n + r/B^2)`` the posterior variance: exactly, at every n >= 0. For
    the uniform prior on the sphere one dimension is known and the tail is ``(r-1)/(2n)``.

    Args:
        dim: r, of the embeddings, at least 1.
        norm: B, of the latent, at least 0.
        n: seeds, at least 0.

    >>> round(bayes(4, 1.0, 0), 6), round(100 * bayes(4, 1.0, 96), 6)
    (0.446287, 1.990066)
    """
    _check(dim, norm)
    if norm == 0.0:
        return 0.0
    return 0.5 * dim * log(1.0 + 1.0 / (n + dim / norm**2))
