"""The chain from divergence to floor, link by link, each with its slack.

    |b| <= 2 pi_syn radius TV <= 2 pi_syn radius sqrt(KL/2)            b: gradient bias at theta_bal
    floor ~ (1/2) b'H^-1 b <= |b|^2/(2 lambda_min(H)) <= pi_syn^2 radius^2 KL / lambda_min(H)

``radius`` is ``min_c sup |score - c|``: a constant in the score moves no difference of two laws;
``sup |score|`` is its first bound. TV and KL are means over the groups that get synthetic rows, weighted
by these rows' shares, pi_syn the sum of the shares. The first ``~`` is exact to leading order only;
`certified` is a bound without a rest.
Source: paper_notes/transformers.md, sections 10 and 11.
"""

from math import expm1, inf, log1p
from typing import NamedTuple

import numpy as np

from scaling.theory.tokens.composition import Counts, GroupCounts, Prediction
from simulations.population.losses import LOGISTIC
from simulations.problems import InputError

# Steps of the search for the centre; the radius is an upper bound after any number of them.
CENTRING = 4000


class Link(NamedTuple):
    """One inequality: ``value <= bound``; ``slack``, bound over value (``inf`` where the value is 0)."""

    name: str
    value: float
    bound: float

    @property
    def slack(self) -> float:
        """Bound over value, infinite where the value is 0."""
        return self.bound / self.value if self.value else inf

    @property
    def holds(self) -> bool:
        """To rounding."""
        return self.value <= self.bound * (1.0 + 1e-9) + 1e-15


class Certified(NamedTuple):
    """Proven bounds at the training mixture's minimiser: of the ``floor`` and of the ``length`` of
    ``theta_mix - theta_bal`` in the norm of ``H_t``, infinite where the bias is too large for them;
    ``inverse (p, p)`` of ``H_t``."""

    floor: float
    length: float
    inverse: np.ndarray

    def coefficients(self, which: slice) -> float:
        """A bound of the length of some coefficients' shift: ``rho sqrt(lambda_max)`` of their block of
        ``H_t^-1``."""
        block = self.inverse[which, which]
        return self.length * float(np.sqrt(np.linalg.eigvalsh(block)[-1]))


class Chain(NamedTuple):
    """All numbers of one case, and its inequalities (``links``).

    ``bias`` |b|; ``quadratic`` (1/2) b'H^-1 b; ``floor`` exact; ``leading`` floor over quadratic, which
    tends to 1 with the bias; ``certified``: proven bounds of the floor and of the coefficients' shift.
    """

    divergence: float
    variation: float
    supremum: float
    radius: float
    bias: float
    quadratic: float
    floor: float
    leading: float
    certified: Certified
    links: tuple[Link, ...]


def smallest_ball(points: np.ndarray) -> tuple[np.ndarray, float]:
    """A centre c and ``max_j |x_j - c|``, near the smallest there is: c steps to the farthest point by
    ``1/(k+1)`` (Badoiu and Clarkson; within a share of ``1/sqrt k`` of the least after k steps).

    >>> centre, radius = smallest_ball(np.array([[0.0], [4.0], [1.0]]))
    >>> round(float(centre[0]), 2), round(radius, 2)
    (2.0, 2.0)
    """
    centre = points.mean(axis=0)
    best, least = centre, inf
    for k in range(1, CENTRING + 1):
        distance = ((points - centre[None]) ** 2).sum(axis=1)
        far = int(np.argmax(distance))
        if distance[far] < least:
            best, least = centre, distance[far]
        centre = centre + (points[far] - centre) / (k + 1.0)
    return best, float(np.sqrt(least))


def certified(
    points: np.ndarray, bias: np.ndarray, training: np.ndarray, balanced: np.ndarray
) -> Certified:
    """Upper bounds without a neglected rest.

    With ``beta = |b|`` and ``reach = max_j |x~_j|`` in the norm of ``H_t^-1`` (the training mixture's
    Hessian at theta_bal): a logistic risk's second derivative along a segment changes at most by the
    factor ``e^(+-m)``, m the largest change of a score, so that ``1 - e^(-reach rho) <= reach beta`` for
    the length ``rho`` of ``theta_mix - theta_bal`` in the norm of ``H_t``, and
    ``floor <= lambda_max(H_t^-1 H_bal) rho^2 (e^m - 1 - m)/m^2`` at ``m = reach rho``.

    Args:
        points: ``x~``, ``(N, p)``.
        bias: b, ``(p,)``.
        training, balanced: the two Hessians at theta_bal, ``(p, p)``.

    Returns:
        `Certified`, infinite where ``reach beta >= 1``.

    >>> one = np.eye(1)
    >>> round(certified(one, np.array([1e-4]), one, one).floor / 0.5e-8, 3)
    1.0
    """
    inverse = np.linalg.inv(training)
    beta = float(np.sqrt(bias @ inverse @ bias))
    reach = float(np.sqrt(np.einsum("di,ij,dj->d", points, inverse, points).max()))
    if reach * beta >= 1.0:
        return Certified(inf, inf, inverse)
    rho = -log1p(-reach * beta) / reach
    m = reach * rho
    curve = 0.5 + m / 6.0 if m < 1e-4 else (expm1(m) - m) / m**2
    root = np.linalg.inv(np.linalg.cholesky(training))
    largest = float(np.linalg.eigvalsh(root @ balanced @ root.T)[-1])
    # The series of curve stops early where m is tiny: the rest is below m^2.
    floor = largest * rho**2 * (curve + m**2 if m < 1e-4 else curve)
    return Certified(floor, rho, inverse)


def radii(points: np.ndarray, best: np.ndarray) -> np.ndarray:
    """Of the scores of rows with label 0 and with label 1 at ``best``: the suprema ``sup |score|`` and the
    radii ``min_c sup |score - c|``, ``(2, 2)``.

    >>> radii(np.array([[1.0], [-1.0]]), np.zeros(1)).round(6).tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    u, found = points @ best, list[tuple[float, float]]()
    for label in (0.0, 1.0):
        scores = np.asarray(LOGISTIC.first(u, label * np.ones(())))[:, None] * points  # pyright: ignore[reportArgumentType]
        largest = float(np.sqrt((scores**2).sum(axis=1).max()))
        found.append((largest, min(largest, smallest_ball(scores)[1])))
    return np.array(found).T


def chain(
    points: np.ndarray,
    laws: np.ndarray,
    generator: np.ndarray,
    counts: Counts | GroupCounts,
    found: Prediction,
    known: np.ndarray | None = None,
) -> Chain:
    """Every link for one generator law, at full balance (all groups have n_g + m_g alike).

    Args:
        points: ``x~``, ``(N, p)``.
        laws: of the groups, ``(K, N)``.
        generator: of their synthetic rows, ``(K, N)``, or the minority's, ``(N,)``; positive wherever the
            group's law is.
        counts: rows; balanced, since otherwise b holds the imbalance as well.
        found: `composition.prediction` of the same.
        known: `radii` of the same points, where they are at hand.

    Raises:
        InputError: unbalanced counts, or no synthetic rows.

    >>> from scaling.theory.tokens.composition import prediction
    >>> table = np.array([[1.0, 1.0], [-1.0, 1.0], [0.0, 1.0]])
    >>> laws, counts = np.array([[0.3, 0.3, 0.4], [0.5, 0.2, 0.3]]), Counts(100, 20, 80)
    >>> law = np.array([0.45, 0.25, 0.3])
    >>> best = prediction(table, laws, laws[1], np.zeros(2), counts).theta
    >>> case = chain(table, laws, law, counts, prediction(table, laws, law, best, counts))
    >>> all(link.holds for link in case.links), case.floor < case.certified.floor
    (True, True)
    """
    given = counts.groups if isinstance(counts, Counts) else counts
    if np.ptp(given.raw + given.synthetic) != 0:
        raise InputError("chain: counts must balance, raw + synthetic rows alike in all groups.")
    if given.synthetic.sum() == 0:
        raise InputError("chain: no synthetic rows, hence no bias; give at least one.")
    made = np.stack([laws[0], generator]) if np.ndim(generator) == 1 else generator
    filled = np.flatnonzero(given.synthetic)
    shares = given.shares[filled]
    share = float(shares.sum())
    p, q = laws[filled], made[filled]
    weights = shares / share
    divergence = float(weights @ (q - p - p * np.log(q / p)).sum(axis=1))
    variation = 0.5 * float(weights @ np.abs(q - p).sum(axis=1))
    suprema, least_radii = radii(points, found.best) if known is None else known
    sides = given.labels[filled].astype(int)
    supremum, radius = float(suprema[sides].max()), float(least_radii[sides].max())
    bias = float(np.linalg.norm(found.bias))
    least = float(np.linalg.eigvalsh(found.hessian)[0])
    quadratic = 0.5 * float(found.bias @ np.linalg.solve(found.hessian, found.bias))
    floor = float(found.floor[-1])
    curvature = np.asarray(LOGISTIC.second(points @ found.best, np.ones(())))  # pyright: ignore[reportArgumentType]
    mixed = (given.raw @ laws + given.synthetic @ made) / given.total
    training = points.T @ (points * (mixed * curvature)[:, None])
    proven = certified(points, found.bias, training, found.hessian)
    pinsker = (divergence / 2.0) ** 0.5
    links = (
        Link("variation by divergence (Pinsker)", variation, pinsker),
        Link("bias by variation", bias, 2.0 * share * radius * variation),
        Link("bias by divergence", bias, 2.0 * share * radius * pinsker),
        Link("bias by divergence, sup of the score", bias, 2.0 * share * supremum * pinsker),
        Link("quadratic form by bias", quadratic, bias**2 / (2.0 * least)),
        Link(
            "quadratic form by divergence",
            quadratic,
            (share * radius) ** 2 * divergence / least,
        ),
        Link("floor, certified", floor, proven.floor),
    )
    leading = floor / quadratic if quadratic else 1.0
    return Chain(
        divergence,
        variation,
        supremum,
        radius,
        bias,
        quadratic,
        floor,
        leading,
        proven,
        links,
    )
