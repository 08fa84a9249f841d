"""A setting of tokens as arrays: what can be a row, and how probable each row is in every group.

A row has one position, a core token, or two: a core and an attribute token, independent given the group.
Rows are listed, the first position slowest; everything about them is then a finite sum.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from simulations.setup.settings import Tokens
from simulations.tokens.groups import SPURIOUS, listed
from simulations.tokens.world import World, embeddings, latents


class TokenWorld(NamedTuple):
    """``tables``: embeddings ``(d_t, r)`` of each of T positions; ``latents``: of each position ``(K, r)``;
    ``points (D, p)``: the D rows that can be, embeddings side by side and a 1 last, ``p = r T + 1``;
    ``log_laws (K, D)``, ``labels (K,)``, and ``best (p,)``, the minimiser of the balanced risk."""

    tables: tuple[np.ndarray, ...]
    latents: tuple[np.ndarray, ...]
    points: np.ndarray
    log_laws: np.ndarray
    labels: np.ndarray
    best: np.ndarray

    @property
    def laws(self) -> np.ndarray:
        """Probabilities ``(K, D)``."""
        return np.exp(self.log_laws)


def _position(setting: Any, core: bool) -> World:
    """The position's world, angles in radians. In one dimension a latent has two directions only."""
    if core:
        size, norm, angle = setting.vocabulary, setting.latent_norm, setting.latent_angle
    else:
        size, norm = setting.attribute_vocabulary, setting.attribute_norm
        angle = setting.attribute_angle
    return World(size, setting.embedding_dim, norm, float(np.deg2rad(angle)))


def token_world(setting: Tokens) -> TokenWorld:
    """The arrays of a setting.

    The embeddings depend on ``setting.world`` and the sizes alone, not on the seed of a run: so that a
    prediction is exact given the setting. Core and attribute have draws of their own.

    The balanced log-odds are those of the core token: with balanced groups the attribute says nothing
    about the label, whatever it says in the raw counts.

    Source: paper_notes/transformers_sweeps.md.

    >>> here = token_world(Tokens(kind="tokens", vocabulary=8, embedding_dim=2))
    >>> here.points.shape, bool(np.allclose(here.laws.sum(axis=1), 1.0))
    ((8, 3), True)
    """
    return _made(setting.model_dump_json())


@lru_cache(maxsize=4)
def _made(text: str) -> TokenWorld:
    setting = Tokens.model_validate_json(text)
    core = _position(setting, True)
    tables, chosen = [embeddings(core, 0, setting.world)], [latents(core)]
    labels = np.array([0, 1])
    if setting.attribute_vocabulary is not None:
        other = _position(setting, False)
        tables.append(embeddings(other, 1, setting.world))
        labels, attribute = SPURIOUS.T
        chosen = [chosen[0][labels], latents(other)[attribute]]
    points, log_laws, _, best = listed(tables, chosen, labels)
    return TokenWorld(tuple(tables), tuple(chosen), points, log_laws, labels, best)
