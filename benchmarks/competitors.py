"""What a user would write instead: one replicate of a ratio curve, fitted ratio by ratio.

Both competitors draw the same kind of rows as the engine (raw rows, then a pool of which every
ratio takes a prefix), start without knowledge of the answer except where noted, and are granted
the exact risks for free: only drawing and fitting is timed.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

Fit = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def draw(
    rng: Generator, dim: int, separation: float, counts: tuple[int, int], pool: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (majority, minority, pool) with a constant feature, and their labels."""
    majority, minority = counts
    labels = np.concatenate([np.zeros(majority), np.ones(minority + pool)])
    rows = rng.standard_normal((len(labels), dim + 1))
    rows[:, 0] += separation * (labels - 0.5)
    rows[:, -1] = 1.0
    return rows, labels


def newton(rows: np.ndarray, labels: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The plainest fast NumPy fit: Newton steps from the population minimiser until 1e-8."""
    theta = start.copy()
    for _ in range(30):
        p = 1.0 / (1.0 + np.exp(-(rows @ theta)))
        gradient = rows.T @ (p - labels)
        hessian = (rows * (p * (1.0 - p))[:, None]).T @ rows
        step = np.linalg.solve(hessian, gradient)
        theta -= step
        if np.abs(step).max() < 1e-8:
            break
    return theta


def scikit_learn(rows: np.ndarray, labels: np.ndarray, start: np.ndarray) -> np.ndarray:
    """scikit-learn's unpenalised logistic regression by its fastest solver here."""
    from sklearn.linear_model import LogisticRegression  # pyright: ignore[reportMissingImports]

    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-8)
    model.fit(rows[:, :-1], labels)
    return np.append(np.asarray(model.coef_).ravel(), model.intercept_)


def curve(
    fit: Fit,
    rng: Generator,
    dim: int,
    separation: float,
    counts: tuple[int, int],
    sizes: np.ndarray,
    starts: np.ndarray,
) -> np.ndarray:
    """Fitted rules of one replicate at every number of synthetic rows in ``sizes``: ``(C, p)``."""
    rows, labels = draw(rng, dim, separation, counts, int(sizes.max()))
    raw = sum(counts)
    return np.array(
        [
            fit(rows[: raw + m], labels[: raw + m], start)
            for m, start in zip(sizes, starts, strict=True)
        ]
    )
