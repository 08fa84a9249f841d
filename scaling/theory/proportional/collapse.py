"""When the hinge loss is least at slope 0, whatever the ridge.

At slope 0 and intercept y, the heavier label, all rows of that label sit at the kink and all others
pull with their whole weight. The loss then grows in every direction iff its slope along the best one of
unit norm outside the span is not negative. That slope is the problem of the fixed point again, with
the kink at 0 and a linear loss for the lighter label (paper_notes/proportional.md, section 3):

    0 = sum p pull y m + sum p D S s,    0 = sum p pull y,    t^2 sum p v pull2 = delta,

and it is not negative iff ``t sum p v D >= delta``.
"""

from functools import cache

import numpy as np
from scipy.optimize import root
from scipy.special import ndtri

from scaling.theory.proportional.clusters import Clusters
from scaling.theory.proportional.losses import hinge_moments
from simulations.compilation import Quick, quick_jit

TOLERANCE = 1e-8


@cache
def _moments() -> Quick:
    return quick_jit(lambda w, t, m, q: hinge_moments(w, t, m, q)[:3])


# Numbers out of reach are no proof.
@np.errstate(all="ignore")
def collapsed(clusters: Clusters, aspect: float) -> bool:
    """Whether it is shown that one problem's hinge loss is least at slope 0 (intercept fitted).

    >>> from scaling.theory.proportional.clusters import isotropic
    >>> rows = isotropic([0.01, 0.99], [1, -1], [[0.5], [-0.5]])
    >>> collapsed(rows, 0.02), collapsed(rows, 0.05)
    (True, False)
    """
    used = clusters.share > 0.0
    given = Clusters(*(np.asarray(each)[used] for each in clusters))
    mass = given.share * given.weight
    heavy = 1.0 if given.sign @ mass > 0.0 else -1.0
    kinked = given.sign == heavy
    light = float(mass[~kinked].sum() / mass[kinked].sum())
    if not 0.0 < light < 1.0:
        return False
    span = given.mean.shape[-1]

    def parts(point: np.ndarray) -> tuple[np.ndarray, float]:
        s, b, t = point[:span], point[span], np.exp(point[span + 1])
        turned = given.covariance @ s
        q = np.sqrt(turned @ s + given.variance)
        margin = 1.0 + heavy * (given.mean @ s + b)
        found = _moments()(given.weight, given.variance * t, margin, q)
        pull, square, bend = (np.asarray(each) for each in found)
        pull = given.share * np.where(kinked, pull, -given.weight)
        square = given.share * given.variance * np.where(kinked, square, given.weight**2)
        bend = given.share * np.where(kinked, bend, 0.0)
        inside = (pull * given.sign) @ given.mean + bend @ turned
        level = pull @ given.sign
        room = np.log(t**2 * square.sum() / aspect)
        size = mass[~kinked].sum()
        return np.concatenate([inside / size, [level / size, room]]), float(
            t * bend @ given.variance
        )

    start = np.zeros(span + 2)
    start[span] = -heavy * ndtri(light)
    start[span + 1] = 0.5 * np.log(
        aspect / (mass * given.weight * np.where(kinked, light, 1.0)).sum()
    )
    found = root(lambda point: parts(point)[0], start, method="hybr", options={"xtol": 1e-13})
    defects, held = parts(found.x)
    return bool(np.abs(defects).max() < TOLERANCE and held >= aspect)
