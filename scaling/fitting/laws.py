"""The laws: how an error falls with the number of rows, each a sum of positive terms.

    value(x) = sum_j  beta_j exp(L_j(phi, x)),        beta = linear parameters, phi = searched ones

A law says what its terms are (``log_terms``: their logarithms, so that nothing over- or underflows)
and which parameters are searched; the linear ones are solved for (`scaling.fitting.projection`).

>>> sorted(LAWS)
['broken', 'mixture', 'power', 'power_correction', 'power_floor', 'reciprocal_floor', \
'two_exponent', 'two_term']
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

# Exponents are searched between these; a growing law, where asked for, may have negative ones.
LOWEST, HIGHEST, GROWING = 0.01, 4.0, -4.0
# How many decades of x the two halves of a broken law take to pass into each other, about.
SHARPNESS = 0.25
LARGEST_ODDS = 1e4


class Searched(NamedTuple):
    """A parameter that a law is not linear in: an ``exponent``; a ``break``, an abscissa within the
    data; or ``odds``, a positive ratio. The last two are searched on a logarithmic scale."""

    name: str
    kind: Literal["exponent", "break", "odds"] = "exponent"


class Law(NamedTuple):
    """``variables``: names of the columns of ``x``; ``searched`` parameters ``phi (q,)``; ``linear``
    ones ``beta (L,)``; ``log_terms(xp, phi (.., q), x (n, V)) -> (.., n, L)`` with the functions of
    ``xp``, NumPy or its twin in JAX; ``signed``: linear parameters that may be negative."""

    name: str
    variables: tuple[str, ...]
    searched: tuple[Searched, ...]
    linear: tuple[str, ...]
    log_terms: Callable[[Any, Any, Any], Any]
    formula: str
    signed: tuple[str, ...] = ()

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of all parameters, the searched ones first."""
        return (*(each.name for each in self.searched), *self.linear)


def _stack(xp: Any, *columns: Any) -> Any:
    return xp.stack(xp.broadcast_arrays(*columns), axis=-1)


def _power(xp: Any, phi: Any, x: Any) -> Any:
    return _stack(xp, -phi[..., 0, None] * xp.log(x[:, 0]))


def _power_floor(xp: Any, phi: Any, x: Any) -> Any:
    return _stack(xp, -phi[..., 0, None] * xp.log(x[:, 0]), xp.zeros(len(x)))


def _reciprocal_floor(xp: Any, phi: Any, x: Any) -> Any:
    return _stack(xp, -xp.log(x[:, 0]) + 0.0 * phi.sum(axis=-1)[..., None], xp.zeros(len(x)))


def _power_correction(xp: Any, phi: Any, x: Any) -> Any:
    log, a, w = xp.log(x[:, 0]), phi[..., 0, None], phi[..., 1, None]
    return _stack(xp, -a * log, -(a + w) * log)


def _broken(xp: Any, phi: Any, x: Any) -> Any:
    log, a, b = xp.log(x[:, 0]), phi[..., 0, None], phi[..., 1, None]
    past = SHARPNESS * xp.logaddexp(0.0, (log - phi[..., 2, None]) / SHARPNESS)
    return _stack(xp, -a * log - (b - a) * past, xp.zeros(len(x)))


def _two_term(xp: Any, phi: Any, x: Any) -> Any:
    a = phi[..., 0, None]
    return _stack(xp, -a * xp.log(x[:, 0]), -a * xp.log(x[:, 1]), xp.zeros(len(x)))


def _two_exponent(xp: Any, phi: Any, x: Any) -> Any:
    a, b = phi[..., 0, None], phi[..., 1, None]
    return _stack(xp, -a * xp.log(x[:, 0]), -b * xp.log(x[:, 1]), xp.zeros(len(x)))


def _mixture(xp: Any, phi: Any, x: Any) -> Any:
    n, synthetic, share = x[:, 0], x[:, 1], x[:, 2]
    both = (1.0 - share) ** 2 / n + xp.exp(phi[..., 1, None]) * share**2 / synthetic
    # A share of 0 has no bias: the logarithm is then that of nothing.
    bias = xp.where(share > 0.0, 2.0 * xp.log(xp.where(share > 0.0, share, 1.0)), -xp.inf)
    return _stack(xp, phi[..., 0, None] * xp.log(both), bias, xp.zeros(len(x)))


EXPONENT = Searched("exponent")
_ALL = (
    Law("power", ("x",), (EXPONENT,), ("amplitude",), _power, r"A x^{-a}"),
    Law(
        "power_floor",
        ("x",),
        (EXPONENT,),
        ("amplitude", "floor"),
        _power_floor,
        r"E + A x^{-a}",
    ),
    Law(
        "reciprocal_floor",
        ("x",),
        (),
        ("amplitude", "floor"),
        _reciprocal_floor,
        r"E + A / x",
    ),
    Law(
        "power_correction",
        ("x",),
        (EXPONENT, Searched("correction_exponent")),
        ("amplitude", "correction"),
        _power_correction,
        r"A x^{-a} + C x^{-a-w}",
        signed=("correction",),
    ),
    Law(
        "broken",
        ("x",),
        (EXPONENT, Searched("second_exponent"), Searched("break", "break")),
        ("amplitude", "floor"),
        _broken,
        r"E + A x^{-a} (1 + (x/x_0)^{1/s})^{-(b-a)s},\ s = 1/4",
    ),
    Law(
        "two_term",
        ("n", "N"),
        (EXPONENT,),
        ("amplitude", "amplitude_synthetic", "floor"),
        _two_term,
        r"E + A n^{-a} + B N^{-a}",
    ),
    Law(
        "two_exponent",
        ("n", "N"),
        (EXPONENT, Searched("exponent_synthetic")),
        ("amplitude", "amplitude_synthetic", "floor"),
        _two_exponent,
        r"E + A n^{-a} + B N^{-b}",
    ),
    Law(
        "mixture",
        ("n", "N", "alpha"),
        (EXPONENT, Searched("odds", "odds")),
        ("amplitude", "bias", "floor"),
        _mixture,
        r"E + F \alpha^2 + A [(1-\alpha)^2/n + k \alpha^2/N]^{a}",
    ),
)
LAWS: dict[str, Law] = {law.name: law for law in _ALL}
# Those in one abscissa, among which `scaling.forecasting.choice` chooses.
CURVES = tuple(law.name for law in _ALL if law.variables == ("x",))


def limits(law: Law, x: np.ndarray, growing: bool | float = False) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest value of the searched parameters ``(q,)`` for abscissae ``x (n, V)``, on the
    scale they are searched on; ``growing``: True, or the lowest exponent allowed."""
    lowest = GROWING if growing is True else growing or LOWEST
    low: list[float] = []
    high: list[float] = []
    for each in law.searched:
        if each.kind == "exponent":
            low.append(lowest)
            high.append(HIGHEST)
        elif each.kind == "break":
            low.append(float(np.log(x[:, 0].min())))
            high.append(float(np.log(x[:, 0].max())))
        else:
            low.append(-float(np.log(LARGEST_ODDS)))
            high.append(float(np.log(LARGEST_ODDS)))
    return np.array(low), np.array(high)


def reported(law: Law, parameters: np.ndarray) -> np.ndarray:
    """Parameters ``(.., P)`` with logarithmic ones turned into what they are the logarithm of."""
    logarithmic = [each.kind != "exponent" for each in law.searched] + [False] * len(law.linear)
    return np.where(logarithmic, np.exp(np.where(logarithmic, parameters, 0.0)), parameters)


def internal(law: Law, parameters: np.ndarray) -> np.ndarray:
    """The inverse of `reported`."""
    logarithmic = [each.kind != "exponent" for each in law.searched] + [False] * len(law.linear)
    return np.where(logarithmic, np.log(np.where(logarithmic, parameters, 1.0)), parameters)


def value(law: Law, parameters: Any, x: Any) -> np.ndarray:
    """The law at abscissae ``x (n, V)`` with reported parameters ``(P,)`` or ``(.., P)``.

    >>> value(LAWS["power_floor"], [0.5, 2.0, 0.1], np.array([[4.0], [100.0]])).round(9).tolist()
    [1.1, 0.3]
    """
    inner = internal(law, np.asarray(parameters, dtype=float))
    q = len(law.searched)
    terms = law.log_terms(np, inner[..., :q], np.asarray(x, dtype=float))
    return np.einsum("...nl,...l->...n", np.exp(terms), inner[..., q:])
