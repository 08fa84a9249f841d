"""Generators: the law that each synthetic row follows, or the raw rows that it repeats.

A generator of *known law* writes independent rows whose law is a mixture of Gaussian atoms;
``LAWS`` maps its kind to a function ``(spec, world, counts, group) -> [Atom, ...]``. The kind
``duplicate`` repeats raw rows drawn uniformly with replacement, and ``reweight`` writes no
rows at all but gives every row of group g the weight ``1/(K n_g)``. The kinds ``FITTED`` are made
from the very raw rows that are trained on: their rows are not independent of these, nor, given
the setting alone, of each other.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from simulations.setup.worlds import World


class Atom(NamedTuple):
    """One Gaussian piece of the law of ``(x, y)``: ``mean (d,)``, ``covariance (d, d)``, label 0/1."""

    probability: float
    mean: np.ndarray
    covariance: np.ndarray
    label: int


Law = Callable[[Any, World, np.ndarray, int], list[Atom]]


def right_law(world: World, group: int, probability: float = 1.0) -> Atom:
    """The law of a group itself."""
    return Atom(probability, world.means[group], world.covariances[group], int(world.labels[group]))


def oracle(spec: Any, world: World, counts: np.ndarray, group: int) -> list[Atom]:
    """The right law."""
    return [right_law(world, group)]


def shift(spec: Any, world: World, counts: np.ndarray, group: int) -> list[Atom]:
    """The right law moved by ``shift (d,)``."""
    law = right_law(world, group)
    return [law._replace(mean=law.mean + np.asarray(spec.shift, dtype=float))]


def scale(spec: Any, world: World, counts: np.ndarray, group: int) -> list[Atom]:
    """The right mean with the covariance multiplied by ``factor``."""
    law = right_law(world, group)
    return [law._replace(covariance=spec.factor * law.covariance)]


def label_noise(spec: Any, world: World, counts: np.ndarray, group: int) -> list[Atom]:
    """The right law of x; the label is flipped, row by row, with probability ``rate``."""
    law = right_law(world, group, 1.0 - spec.rate)
    return [law, law._replace(probability=spec.rate, label=1 - law.label)]


def leak(spec: Any, world: World, counts: np.ndarray, group: int) -> list[Atom]:
    """With probability ``strength`` a row follows the raw mixture of the groups of its label.

    In the spurious setting this redraws the attribute from its raw law given the label:
    the generator learnt from raw data and carries the correlation over.

    Args:
        spec: the generator, with its ``strength``.
        world: groups as arrays.
        counts: raw rows ``(K,)``.
        group: for which rows are made.
    """
    same_label = np.flatnonzero(world.labels == world.labels[group])
    raw_share = counts[same_label] / counts[same_label].sum()
    probability = spec.strength * raw_share + (1.0 - spec.strength) * (same_label == group)
    return [
        right_law(world, int(g), float(p)) for g, p in zip(same_label, probability, strict=True)
    ]


def smoothed(spec: Any, world: World, counts: np.ndarray, group: int) -> list[Atom]:
    """``N(mu, S + h^2 S)``: the law of one row of the smoothed bootstrap, exact at every n."""
    law = right_law(world, group)
    return [law._replace(covariance=(1.0 + spec.bandwidth**2) * law.covariance)]


LAWS: dict[str, Law] = {
    "oracle": oracle,
    "shift": shift,
    "scale": scale,
    "label_noise": label_noise,
    "leak": leak,
    # To the order that matters a row of these follows the group's law (smote: as n grows, neighbours
    # fixed; its law at finite n is not known).
    "gaussian": oracle,
    "smoothed": smoothed,
    "smote": oracle,
}
FITTED = frozenset({"gaussian", "smoothed", "smote"})
RESAMPLERS = frozenset({"duplicate"})
REWEIGHT = "reweight"
KINDS = (REWEIGHT, *LAWS, *sorted(RESAMPLERS))


def padded(laws: list[list[Atom]], size: int) -> list[list[Atom]]:
    """The laws with atoms of probability 0 added, so that each has at least ``size`` atoms."""
    return [law + [law[-1]._replace(probability=0.0)] * (size - len(law)) for law in laws]


def acts_on(spec: Any, world: World, group: int) -> bool:
    """Whether the generator writes the synthetic rows of this group (else the right law does)."""
    return spec.groups is None or world.names[group] in spec.groups


def resamples(spec: Any, world: World, group: int) -> bool:
    """Whether synthetic rows of this group repeat raw rows."""
    return spec.kind in RESAMPLERS and acts_on(spec, world, group)


def fits(spec: Any, world: World, group: int) -> bool:
    """Whether synthetic rows of this group are made by a generator fitted to its raw rows."""
    return spec.kind in FITTED and acts_on(spec, world, group)


def independent_law(spec: Any, world: World, counts: np.ndarray, group: int) -> list[Atom]:
    """The law of this group's synthetic rows, each by itself.

    Where there are none (reweighting, repeated rows) it is the right law, with no weight.

    Args:
        spec: the generator.
        world: groups as arrays.
        counts: raw rows ``(K,)``.
        group: for which rows are made.
    """
    if spec.kind == REWEIGHT or resamples(spec, world, group):
        return oracle(spec, world, counts, group)
    return synthetic_law(spec, world, counts, group)


def synthetic_law(spec: Any, world: World, counts: np.ndarray, group: int) -> list[Atom]:
    """The law of an independent synthetic row of this group."""
    if not acts_on(spec, world, group):
        return oracle(spec, world, counts, group)
    return LAWS[spec.kind](spec, world, counts, group)
