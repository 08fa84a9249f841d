"""A sample made ready to be fitted to: rows of a fitted generator remade, and the coupled score."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from simulations.population.coupling import coupled
from simulations.sampling.controls import Control
from simulations.sampling.newton import derivatives
from simulations.sampling.remake import raw_moments, remake
from simulations.sampling.sample import Sample, view
from simulations.sampling.segments import Segments


class Prepared(NamedTuple):
    """A sample ready to be fitted to, and of every cell the score ``(T, TILE, p)`` that the control
    variates take: ``None`` where it is the sample's own."""

    sample: Sample
    scores: Array | None


def prepared(
    segments: Segments, control: Control, sample: Sample, penalty: Array, static: Any
) -> Prepared:
    """The sample with the rows of a fitted generator remade, if there is one.

    The control variates of a fitted Gaussian see the rows that its normals would have made under the
    group's own law, and the generator's own errors to first order beside them.

    Args:
        segments: where rows of each kind stand.
        control: what the control variates need.
        sample: the rows drawn.
        penalty: of the rule.
        static: what the program was compiled for.
    """
    fitting = segments.fitting
    if fitting is None or sample.rows is None:
        return Prepared(sample, None)
    found = raw_moments(segments, fitting, sample.rows)
    remade = remake(segments, sample, found, static.room)
    if control.coupling is None:
        return Prepared(remade, None)
    beyond = found.products - fitting.root @ fitting.root.transpose(0, 2, 1)

    def tile(number: Array, scores: Array) -> Array:
        own = jax.tree.map(lambda part: part[number], control)
        theta = own.expansions.minimiser.theta
        seen = view(segments, sample, number, intercept=static.intercept, room=static.room.raw)
        score, _ = derivatives(static.loss, seen, penalty, theta, jnp.asarray(False))
        moved = jax.vmap(lambda each: coupled(each, found.means, beyond))(own.coupling)
        return scores.at[number].set(score + moved)

    zeros = jnp.zeros_like(control.expansions.minimiser.theta)
    return Prepared(remade, lax.fori_loop(0, segments.tiles_used, tile, zeros))
