"""Slopes of a fitted law in its parameters, and what follows from them: the delta method."""

import numpy as np

from scaling.fitting.fits import Fit, weights
from scaling.fitting.laws import reported, value

STEP = 1e-5


def slopes(fit: Fit, x: np.ndarray) -> np.ndarray:
    """Derivatives ``(m, P)`` of the law at ``x (m, V)`` in the internal parameters, by central
    differences (relative error about 1e-9); zero in those that are held."""
    columns: list[np.ndarray] = []
    for place, name in enumerate(fit.law.parameters):
        here = fit.estimate[place]
        step = STEP * max(abs(here), 1e-3 if place < len(fit.law.searched) else 1e-300)
        if name in fit.held or step == 0.0:
            columns.append(np.zeros(len(x)))
            continue
        if place >= len(fit.law.searched):
            # The law is linear in it: a step of any size is exact.
            step = 1.0
        ends: list[np.ndarray] = []
        for sign in (1.0, -1.0):
            moved = fit.estimate.copy()
            moved[place] += sign * step
            ends.append(value(fit.law, reported(fit.law, moved), x))
        columns.append((ends[0] - ends[1]) / (2.0 * step))
    return np.stack(columns, axis=-1)


def weighted_slopes(fit: Fit) -> np.ndarray:
    """Derivatives ``(n, P)`` of the weighted residuals."""
    data = fit.curve
    w = weights(fit.measure, data.y, data.se)
    if fit.measure.scale == "log":
        w = w / value(fit.law, reported(fit.law, fit.estimate), data.x)
    return w[:, None] * slopes(fit, data.x)


def _moving(fit: Fit) -> np.ndarray:
    """Parameters that are neither held nor zero on their bound, ``(P,)``."""
    q = len(fit.law.searched)
    free = np.array([name not in fit.held for name in fit.law.parameters])
    bound = np.array([name not in fit.law.signed for name in fit.law.linear])
    at_zero = np.concatenate([np.zeros(q, bool), bound & (fit.estimate[q:] == 0.0)])
    return free & ~at_zero


def condition(fit: Fit) -> float:
    """Condition number of the normal equations, each parameter on its own scale."""
    matrix = weighted_slopes(fit)[:, _moving(fit)]
    lengths = np.linalg.norm(matrix, axis=0)
    if matrix.shape[1] == 0:
        return 1.0
    if not (lengths > 0.0).all():
        return np.inf
    return float(np.linalg.cond(matrix / lengths) ** 2)


def covariance(fit: Fit) -> np.ndarray:
    """Covariance ``(P, P)`` of the internal parameters by the delta method, ``s^2 (J'J)^-1``; zero
    for those that are held or on a bound. Do not trust it near a bound or where the law is strongly
    curved in its parameters; the profile (`scaling.fitting.intervals`) is made for that."""
    matrix, moving = weighted_slopes(fit), _moving(fit)
    result = np.zeros((len(moving), len(moving)))
    if moving.any():
        lengths = np.linalg.norm(matrix[:, moving], axis=0)
        # A parameter that moves nothing (the exponent of no amplitude) has no variance to speak of.
        lengths = np.where(lengths > 0.0, lengths, np.inf)
        scaled = matrix[:, moving] / lengths
        inverse = np.linalg.pinv(scaled.T @ scaled, hermitian=True)
        result[np.ix_(moving, moving)] = fit.variance * inverse / np.outer(lengths, lengths)
    return result
