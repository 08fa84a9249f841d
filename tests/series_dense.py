"""Penalised logistic series with matrices: what the matrix-free code does, written out."""

import numpy as np
from scipy.special import expit

from simulations.series import cosines
from simulations.series.population import Population
from simulations.series.training import Cell, masses


def basis(grid: int) -> np.ndarray:
    """``phi_k(x_j)``, ``(K, G)`` with K = G."""
    x = cosines.midpoints(grid)
    phi = np.sqrt(2.0) * np.cos(np.pi * np.outer(np.arange(grid), x))
    phi[0] = 1.0
    return phi


def newton(ones: np.ndarray, zeros: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """Values of the minimiser by full Newton steps, halved while they do not descend."""
    phi, grid = basis(len(ones)), len(ones)
    theta = np.zeros(grid)

    def objective(theta: np.ndarray) -> float:
        u = theta @ phi
        loss = ones * np.logaddexp(0.0, -u) + zeros * np.logaddexp(0.0, u)
        return float(loss.mean() + 0.5 * (penalty * theta**2).sum())

    for _ in range(60):
        share = expit(theta @ phi)
        gradient = phi @ ((ones + zeros) * share - ones) / grid + penalty * theta
        hessian = (phi * ((ones + zeros) * share * (1 - share))) @ phi.T / grid + np.diag(penalty)
        step = np.linalg.solve(hessian, -gradient)
        length = 1.0
        while objective(theta + length * step) > objective(theta) and length > 1e-6:
            length *= 0.5
        theta = theta + length * step
        if -(gradient @ step) < 1e-26:
            break
    return theta @ phi


def inverse(cell: Cell, found: Population) -> np.ndarray:
    """``(W + lambda D)^-1`` in coefficients."""
    phi, grid = basis(len(found.score)), len(found.score)
    penalty = cell.ridge * cosines.penalty(grid, cell.power)
    return np.linalg.inv((phi * found.curvature) @ phi.T / grid + np.diag(penalty))


def variance(cell: Cell, found: Population) -> float:
    """``(1/2) tr(H_bal A V A)``, fixed numbers of rows included."""
    phi, grid = basis(len(found.score)), len(found.score)
    a = inverse(cell, found)
    share = expit(found.score)
    noise = (phi * found.noise) @ phi.T / grid
    for part in cell.parts:
        mean = phi @ (part.density * (share - part.label)) / grid
        noise -= part.weight**2 / part.rows * np.outer(mean, mean)
    judged = (phi * found.balanced) @ phi.T / grid
    return 0.5 * float(np.trace(judged @ a @ noise @ a))


def training_score(cell: Cell) -> np.ndarray:
    """The penalised minimiser of a cell's law."""
    ones, zeros = masses(cell.parts)
    return newton(ones, zeros, cell.ridge * cosines.penalty(len(ones), cell.power))
