"""The rule that many rows with many features converge to, for any loss, clusters and ridge.

``fixed_point(loss, clusters, aspect, ridge)``: what the minimiser of ``(1/n) sum_i w_i l(y_i u_i) +
(ridge/2)|slope|^2`` tends to as n distinct rows and d features grow with ``d/n = aspect`` fixed. All
leading axes are a batch, solved by one compiled program. Each solve says whether it is solved, and if
not gives no number.
"""

from functools import cache
from typing import NamedTuple

import jax
import numpy as np

from scaling.theory.proportional import existence, iteration
from scaling.theory.proportional.batches import (
    Batch,
    flattened,
    infeasible,
    make_batch,
    pieces,
    widened,
)
from scaling.theory.proportional.clusters import Clusters, Solution
from scaling.theory.proportional.collapse import collapsed
from scaling.theory.proportional.iteration import Iterate, Problem
from scaling.theory.proportional.losses import LOSSES, MarginLoss
from scaling.theory.proportional.squared import squared_points
from scaling.theory.proportional.status import (
    COLLAPSED,
    FREE,
    INFEASIBLE,
    NO_ESTIMATOR,
    REASONS,
    SOLVED,
    UNCONVERGED,
    UNRESOLVED,
)
from simulations.arrays import AnyArray
from simulations.compilation import Quick, quick_jit
from simulations.problems import InputError, nearest

# How often damped iterations go on where Newton's method fails.
ROUNDS = 12
# The least eigenvalue of a correlation matrix that rounding alone leaves.
FLATNESS = 1e-12
# A smaller share of rows on the kink does not fix an intercept; rounding hides it at a larger aspect.
ON_KINK, LARGEST_ASPECT = 1e-6, 1e6


class Record(NamedTuple):
    """One iterate: its number, ``projection (k,)``, ``norm``, ``intercept``, ``step``, the largest
    relative defect of the equations, and whether that counts as solved."""

    iteration: int
    projection: np.ndarray
    norm: float
    intercept: float
    step: float
    residual: float
    converged: bool


def known(loss: str) -> MarginLoss:
    """The loss of this name, or what to write instead."""
    if loss not in LOSSES:
        raise InputError(f"loss is {loss!r}; {nearest(loss, LOSSES, 'losses')}.")
    return LOSSES[loss]


@cache
def _program(name: str, rung: int, once: bool) -> Quick:
    def solve(problem: Problem, start: AnyArray) -> Iterate:
        return iteration.solve(LOSSES[name].rules[rung], problem, start)

    return quick_jit(jax.vmap(solve), once=once)


@cache
def _single(name: str, rung: int) -> Quick:
    """The program for one iterate more."""
    rule = LOSSES[name].rules[rung]
    return quick_jit(lambda problem, at: iteration.advance(rule, problem, at))


@cache
def _damped(name: str, rung: int) -> Quick:
    def settle(problem: Problem, start: AnyArray) -> AnyArray:
        return iteration.settle(LOSSES[name].rules[rung], problem, start)

    return quick_jit(jax.vmap(settle))


def _settled(name: str, rung: int, batch: Batch) -> np.ndarray:
    """Where damped iterations lead from the starts of a flat batch."""
    found = []
    for rows, real in pieces(len(batch.start)):
        part = batch.rows(rows)
        found.append(np.asarray(_damped(name, rung)(part.problem, part.start))[:real])
    return np.concatenate(found)


def _run(name: str, rung: int, batch: Batch) -> Iterate:
    """The last iterates of a flat batch."""
    found = []
    for rows, real in pieces(len(batch.start)):
        part = batch.rows(rows)
        # A single problem takes a millisecond, however little its program is optimised.
        program = _program(name, rung, once=len(part.start) == 1)
        last = jax.device_get(program(part.problem, part.start))
        found.append([np.asarray(each)[:real] for each in last])
    return Iterate(*(np.concatenate(each) for each in zip(*found, strict=True)))


def _solved(name: str, rung: int, batch: Batch) -> Iterate:
    """The last iterates; where Newton's method fails it starts anew from damped iterations."""
    last = _run(name, rung, batch)
    start = batch.start.copy()
    failed = np.flatnonzero(~(last.residual <= iteration.TOLERANCE))
    for _ in range(ROUNDS):
        if not len(failed):
            break
        part = batch.rows(failed)._replace(start=start[failed])
        start[failed] = _settled(name, rung, part)
        again = _run(name, rung, part._replace(start=start[failed]))
        for kept, new in zip(last, again, strict=True):
            kept[failed] = new
        failed = failed[~(again.residual <= iteration.TOLERANCE)]
    return last


def _flat(own: Clusters, intercept: bool) -> bool:
    """Whether the rows of a problem do not vary along some direction of the span."""
    middle = own.share @ own.mean if intercept else 0.0
    away = own.mean - middle
    spread = np.einsum("c,cij->ij", own.share, own.covariance + away[:, :, None] * away[:, None, :])
    # Directions of other units are as good.
    size = np.sqrt(np.diag(spread))
    if not (size > 0.0).all() or not np.isfinite(spread).all():
        return bool(np.isfinite(spread).all())
    return bool(np.linalg.eigvalsh(spread / np.outer(size, size))[0] <= FLATNESS)


def _without_estimator(loss: MarginLoss, batch: Batch, intercept: bool) -> np.ndarray:
    """Which problems have no ridge and no unique minimiser, ``(B,)``."""
    given = batch.problem
    none = np.zeros(len(batch.start), bool)
    for i in np.flatnonzero(given.ridge == 0.0):
        own = Clusters(*(each[i] for each in given.clusters))
        if _flat(own, intercept):
            none[i] = True
            continue
        most: AnyArray = 1.0
        if loss.monotone:
            offset = float(batch.start[i, -3])
            most = existence.threshold(own, intercept=intercept, offset=offset).kappa
        none[i] = not given.aspect[i] < most
    return none


def fixed_point(
    loss: str,
    clusters: Clusters,
    aspect: AnyArray,
    ridge: AnyArray,
    *,
    intercept: bool = True,
    offset: float = 0.0,
) -> Solution:
    """Order parameters (s, r, b) of a regularised rule when d and n grow together.

    Solves, with ``q_c^2 = s'S_c s + v_c r^2``, margins ``a ~ N(y_c (m_c.s + b), q_c^2)``,
    ``u = prox(a)`` at ``t_c = v_c t``, and ``D_c = E[w l''(u)/(1 + t_c w l''(u))]``,

        (sum p_c D_c S_c + ridge) s = -sum p_c E[w l'(u)] y_c m_c,      t = aspect/(D + ridge),
        r^2 (D + ridge)^2 = aspect sum p_c v_c E[(w l'(u))^2],          D = sum p_c v_c D_c,
        sum p_c E[w l'(u)] y_c = 0.

    Args:
        loss: a key of `losses.LOSSES`: "logistic", "squared" ``(1 - y u)^2`` or "hinge".
        clusters: the rows; leading axes are a batch.
        aspect: delta = d/n > 0, the dimension over the number of *distinct* rows, broadcast with the
            batch; which d serves finite samples: paper_notes/proportional.md, section 7.
        ridge: lambda >= 0 of ``(ridge/2)|slope|^2``, beside the mean over the n rows; broadcast.
        intercept: False for a rule whose score has the constant ``offset`` instead of a fitted one.
        offset: that constant, 0 as a rule (`conventions.from_engine` says when not).

    Returns:
        A `Solution`; NaN wherever ``status`` is not 0, and `status.REASONS` says why and what to do.

    Raises:
        InputError: an unknown loss, or shapes that do not fit together.

    When not to trust it: fewer than about 50 features, rows that are not nearly Gaussian outside the
    span, or fewer minority rows than a few tens. Source: paper_notes/proportional.md, sections 2, 3.

    >>> from scaling.theory.proportional.clusters import isotropic
    >>> rows = isotropic([0.5, 0.5], [1, -1], [[1.0], [-1.0]])
    >>> found = fixed_point("squared", rows, 0.5, 0.1)
    >>> int(found.status), found.projection.shape
    (0, (1,))
    """
    chosen = known(loss)
    lead, flat, aspects, ridges = flattened(clusters, aspect, ridge)
    batch = make_batch(widened(flat), aspects, ridges, intercept, offset)
    status = np.where(infeasible(flat, aspects, ridges, intercept), INFEASIBLE, SOLVED)
    todo = np.flatnonzero(status == SOLVED)
    status[todo[_without_estimator(chosen, batch.rows(todo), intercept)]] = NO_ESTIMATOR
    todo = np.flatnonzero(status == SOLVED)
    point = batch.start
    point[todo] = squared_points(batch.rows(todo).problem, point[todo, -3])
    residual = np.full(len(point), np.inf)
    iterations = np.zeros(len(point), int)
    todo = np.flatnonzero(status == SOLVED)
    for rung in range(len(chosen.rules)):
        if not len(todo):
            break
        last = _solved(loss, rung, batch.rows(todo))
        residual[todo] = last.residual
        iterations[todo] += last.iteration
        converged = last.residual <= iteration.TOLERANCE
        coarse = ~(last.coarse <= 1.0)
        # A finer quadrature goes on from here.
        usable = np.isfinite(last.point).all(axis=-1)
        point[todo[usable]] = last.point[usable]
        status[todo] = np.where(coarse, UNRESOLVED, np.where(converged, SOLVED, UNCONVERGED))
        todo = todo[coarse]

    if chosen.kinked and intercept:
        for i in np.flatnonzero(status == UNCONVERGED):
            if collapsed(Clusters(*(each[i] for each in flat)), float(aspects[i])):
                status[i] = COLLAPSED
        # A row on the kink adds 1 to n sum p v t D, which is n (aspect - ridge t).
        held = aspects - ridges * np.exp(point[:, -1])
        free = (status == SOLVED) & (held < ON_KINK) & (aspects < LARGEST_ASPECT)
        status[free] = FREE

    bad = status != SOLVED
    point = np.where(bad[:, None], np.nan, point)
    span = flat.mean.shape[-1]
    return Solution(
        point[:, :span].reshape(*lead, span),
        np.exp(point[:, -2]).reshape(lead),
        point[:, -3].reshape(lead),
        np.exp(point[:, -1]).reshape(lead),
        residual.reshape(lead),
        iterations.reshape(lead),
        status.reshape(lead),
    )


def history(
    loss: str,
    clusters: Clusters,
    aspect: float,
    ridge: float,
    *,
    intercept: bool = True,
    offset: float = 0.0,
    rung: int = 0,
) -> list[Record]:
    """Every iterate of one direct solve, the start included. ``rung``: which of the loss's quadratures;
    ``loss, clusters, aspect, ridge, intercept, offset`` as in `fixed_point`, without leading axes.

    Raises:
        InputError: an unknown loss, a batch, or input that describes no sample.

    >>> from scaling.theory.proportional.clusters import isotropic
    >>> rows = isotropic([0.5, 0.5], [1, -1], [[1.0], [-1.0]])
    >>> [record.converged for record in history("hinge", rows, 0.5, 0.1)][::6]
    [False, True]
    """
    known(loss)
    lead, flat, aspects, ridges = flattened(clusters, aspect, ridge)
    if lead:
        raise InputError(f"history takes one problem, not a batch of {lead}; pick one of them.")
    if infeasible(flat, aspects, ridges, intercept).any():
        raise InputError(f"history: {REASONS[INFEASIBLE]}.")
    batch = make_batch(widened(flat), aspects, ridges, intercept, offset)
    problem = jax.tree.map(lambda each: each[0], batch.problem)
    start = squared_points(batch.problem, batch.start[:, -3])[0]
    more, at = _single(loss, rung), jax.device_get(iteration.begin(start))
    iterates = []
    while not iterates or iteration.unfinished(at):
        at = jax.device_get(more(problem, at))
        iterates.append(at)
    span = flat.mean.shape[-1]
    return [
        Record(
            int(at.iteration),
            at.point[:span],
            float(np.exp(at.point[-2])),
            float(at.point[-3]),
            float(np.exp(at.point[-1])),
            float(at.residual),
            bool(at.residual <= iteration.TOLERANCE),
        )
        for at in iterates
    ]
