"""A setting as arrays: names, labels, means and covariances of its groups.

>>> from simulations.setup.settings import Spurious
>>> here = world(Spurious(kind="spurious", dim=3))
>>> here.names
('1,1', '1,-1', '-1,1', '-1,-1')
>>> here.means[1].tolist()
[1.0, -1.5, 0.0]
"""

from typing import NamedTuple

import numpy as np

from simulations.setup.settings import Craft, Groups, GroupSpec, Imbalance, Spurious, Tokens

CRAFT_DIM = 9
# Label and attribute of the groups of `Spurious`, and of tokens with an attribute.
SIGNS = np.array([(1, 1), (1, -1), (-1, 1), (-1, -1)])


class World(NamedTuple):
    """``K`` Gaussian groups in ``d`` dimensions, in the order of ``names``.

    Where ``law`` is given the groups are not Gaussian but follow it: ``means`` are then what a
    generator adds to its rows, 0 for the groups themselves, and ``covariances`` have no meaning (0).
    Where ``tokens`` is given both say nothing but how many features there are.
    """

    names: tuple[str, ...]
    labels: np.ndarray  # (K,) int, 0 or 1
    means: np.ndarray  # (K, d) float64
    covariances: np.ndarray  # (K, d, d) float64
    law: Craft | None = None
    tokens: Tokens | None = None


def world(setting: Imbalance | Spurious | Groups | Craft | Tokens) -> World:
    """The groups of a setting.

    imbalance: means ``-+separation/2 e_1``; spurious: ``(y core/2, s spurious/2, 0, ..)`` for the
    groups ``y,s`` in the order (1,1), (1,-1), (-1,1), (-1,-1); groups: as listed; craft: the rows of
    label 0 (majority) and of label 1 (minority) of its table; tokens: likewise, or with an attribute the
    groups of spurious.
    """
    match setting:
        case Imbalance():
            return _imbalance(setting)
        case Spurious():
            return _spurious(setting)
        case Groups():
            return _groups(setting)
        case Craft():
            return _craft(setting)
        case Tokens():
            return _tokens(setting)


def _imbalance(setting: Imbalance) -> World:
    means = np.zeros((2, setting.dim))
    means[:, 0] = [-setting.separation / 2.0, setting.separation / 2.0]
    labels = np.array([0, 1])
    return World(("majority", "minority"), labels, means, _identities(2, setting.dim))


def _spurious(setting: Spurious) -> World:
    means = np.zeros((4, setting.dim))
    means[:, 0] = SIGNS[:, 0] * setting.core / 2.0
    means[:, 1] = SIGNS[:, 1] * setting.spurious / 2.0
    return World(_signed_names(), _signed_labels(), means, _identities(4, setting.dim))


def _signed_names() -> tuple[str, ...]:
    return tuple(f"{y},{s}" for y, s in SIGNS.tolist())


def _signed_labels() -> np.ndarray:
    return (SIGNS[:, 0] > 0).astype(int)


def _groups(setting: Groups) -> World:
    return World(
        tuple(group.name for group in setting.groups),
        np.array([group.label for group in setting.groups]),
        np.array([group.mean for group in setting.groups], dtype=float),
        np.stack([_covariance_matrix(group) for group in setting.groups]),
    )


def _craft(setting: Craft) -> World:
    zero = np.zeros((2, CRAFT_DIM))
    square = np.zeros((2, CRAFT_DIM, CRAFT_DIM))
    return World(("majority", "minority"), np.array([0, 1]), zero, square, setting)


def _tokens(setting: Tokens) -> World:
    names, labels, size = ("majority", "minority"), np.array([0, 1]), setting.embedding_dim
    if setting.attribute_vocabulary is not None:
        names, labels, size = _signed_names(), _signed_labels(), 2 * size
    groups = len(names)
    zero = np.broadcast_to(np.zeros(()), (groups, size, size))
    return World(names, labels, np.zeros((groups, size)), zero, tokens=setting)


def _covariance_matrix(group: GroupSpec) -> np.ndarray:
    if isinstance(group.covariance, float):
        return group.covariance * np.eye(len(group.mean))
    matrix = np.array(group.covariance, dtype=float)
    # The file may be symmetric to rounding only; the population formulas need it exactly.
    return (matrix + matrix.T) / 2.0


def _identities(groups: int, dim: int) -> np.ndarray:
    # One matrix seen as many: of two thousand features each would take 32 MB.
    return np.broadcast_to(np.eye(dim), (groups, dim, dim))
