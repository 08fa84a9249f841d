"""A curve: measured errors at some numbers of rows, checked once."""

from typing import Any, NamedTuple

import numpy as np

from simulations.problems import InputError, one_sentence


class Curve(NamedTuple):
    """Abscissae ``x (n, V)``, values ``y (n,)`` and their standard errors ``se (n,)`` (None: unknown)."""

    x: np.ndarray
    y: np.ndarray
    se: np.ndarray | None = None


def curve(x: Any, y: Any, se: Any = None) -> Curve:
    """A checked curve.

    Args:
        x: numbers of rows (or any size), ``(n,)`` or ``(n, V)``, finite; those of a number of rows > 0.
        y: what was measured there, ``(n,)``, finite.
        se: its standard errors, ``(n,)``, > 0; None where they are not known.

    Raises:
        ValueError: one sentence on the first fault.

    >>> curve([10, 100], [0.5, 0.2]).x.shape
    (2, 1)
    """
    abscissae, values = _numbers("x", x), _numbers("y", y)
    if abscissae.ndim == 1:
        abscissae = abscissae[:, None]
    if abscissae.ndim != 2 or values.shape != abscissae.shape[:1]:
        raise InputError("x and y differ in length; give one value of y for each point.")
    errors = None
    if se is not None:
        errors = _numbers("se", se)
        if errors.shape != values.shape:
            raise InputError("se and y differ in length; give one standard error for each point.")
        _refuse("se", errors, errors > 0.0, "give positive standard errors, or none at all")
    return Curve(abscissae, values, errors)


def _numbers(name: str, given: Any) -> np.ndarray:
    try:
        found = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{name} holds something that is no number; give numbers only.") from None
    _refuse(name, found, np.isfinite(found), "give finite numbers, or leave the point out")
    return found


def _refuse(name: str, values: np.ndarray, good: np.ndarray, remedy: str) -> None:
    if not good.all():
        place = int(np.argmin(good.reshape(len(good), -1).all(axis=1)))
        worst = values[place] if values.ndim == 1 else values[place][np.argmin(good[place])]
        raise InputError(one_sentence(f"{name} is {worst:g} at point {place + 1}; {remedy}"))


def check_abscissae(variables: tuple[str, ...], x: np.ndarray) -> None:
    """Raise ``InputError`` unless ``x (n, V)`` can be the law's variables."""
    if x.shape[1] != len(variables):
        names = ", ".join(variables)
        raise InputError(
            f"the law is one in {names}, but x has {x.shape[1]} column(s); give {len(variables)}."
        )
    for column, name in enumerate(variables):
        here = x[:, column]
        if name == "alpha":
            _refuse("alpha", here, (here >= 0.0) & (here <= 1.0), "give shares from 0 to 1")
        else:
            remedy = "give positive sizes, or shift them by a base"
            _refuse(name, here, here > 0.0, remedy)


def effective(x: np.ndarray, base: float, weight: float) -> np.ndarray:
    """The effective count ``base + weight x`` of base rows and synthetic rows of a weight.

    >>> effective(np.array([0.0, 400.0]), 1800.0, 0.5).tolist()
    [1800.0, 2000.0]
    """
    return base + weight * x
