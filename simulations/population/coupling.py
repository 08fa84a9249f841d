"""What couples a sample with fitted Gaussian rows to one whose rows are all independent.

Draw a fitted row as ``mean^ + L^ z`` and, with the same normals, its twin ``mean + L z`` of the right law
(L L' the covariance, hats what the n raw rows of the group give). The mean score of the fitted rows differs
from that of the twins through the fit alone, to first order by

    J (xbar - mean) + est ((1/2) kappa slope'D slope + c D slope),  D = (1/n) sum (x - mean)(x - mean)' - S,

with ``J`` the derivative of the mean score in the mean, ``kappa = E[f'' x]`` and ``c = E f'``; ``est`` is 1
where the covariance is estimated. So

    d = -A (sum over raw rows and twins of weight * score + sum_g e_g [that of group g])

has mean exactly 0 and covariance exactly A V A (paper_notes/generators.md).
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from simulations.arrays import AnyArray
from simulations.linear import inner, times


class Coupling(NamedTuple):
    """Of C cells and K groups, at the minimiser of each cell's training mixture, p parameters and d
    features (p = d, or d + 1 with an intercept).

    ``weight (C, K)``: e, the total weight of the rows made by the fitted generator (0 where it does not
    act); ``jacobian (C, K, p, d)``: J; ``bend (C, K, p)``: kappa; ``curvature (C, K)``: c;
    ``slope (C, d)``: theta without the intercept; ``estimated (C,)``: 1 where the covariance is
    estimated, else 0.
    """

    weight: AnyArray
    jacobian: AnyArray
    bend: AnyArray
    curvature: AnyArray
    slope: AnyArray
    estimated: AnyArray


def coupled(at: Coupling, means: Array, products: Array) -> Array:
    """``sum_g e_g [J (xbar - mean) + est ((1/2) kappa slope'D slope + c D slope)]``, shape ``(p,)``.

    Args:
        at: the coupling of one cell (no axis C).
        means: ``xbar_g - mean_g`` of the raw rows of every group, ``(K, d)``.
        products: ``D_g = (1/n_g) sum (x - mean_g)(x - mean_g)' - S_g``, ``(K, d, d)``: around the *true*
            mean, with divisor n.

    Returns:
        What joins the score of the raw rows and the twins, of order ``n^-1/2``; its mean is exactly 0.

    Do not trust it for generators other than ``gaussian``, or for rows whose law is not Gaussian.

    Source: paper_notes/generators.md.

    >>> import numpy as np
    >>> one = Coupling(np.ones(1), np.eye(2)[None], np.zeros((1, 2)), np.ones(1), np.ones(2), np.ones(()))
    >>> coupled(one, np.array([[0.25, 0.5]]), np.zeros((1, 2, 2))).tolist()
    [0.25, 0.5]
    """
    slope = jnp.broadcast_to(at.slope, means.shape)
    turned = times(products, slope)
    lifted = jnp.pad(turned, ((0, 0), (0, at.bend.shape[-1] - turned.shape[-1])))
    squares = inner(turned, slope)
    bent = 0.5 * squares[:, None] * at.bend + at.curvature[:, None] * lifted
    moved = times(at.jacobian, means)
    return times((moved + at.estimated * bent).T, at.weight)
