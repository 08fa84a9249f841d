"""The registry of claims: what this project believes, each with the evidence that would refute it.

One room per family; a small file per topic holds a tuple ``CLAIMS``, which the room concatenates, and
``registry()`` concatenates the rooms'. Beside the rooms stands what claims are made of: their `record`, the
`lab` that runs simulations for them, tables of `evidence`, their usual forms (`constants`, `exponents`),
and the `judges`.
"""

from functools import cache

from synthlaw.claims import (
    control,
    generation,
    imbalance,
    nonparametric,
    proportional,
    scaling,
    size,
    spurious,
)
from synthlaw.claims.record import Claim

ROOMS = (
    imbalance,
    spurious,
    scaling,
    proportional,
    nonparametric,
    size,
    generation,
    control,
)


@cache
def registry() -> tuple[Claim, ...]:
    """All claims, in the order in which they are reported."""
    return tuple(claim for room in ROOMS for claim in room.CLAIMS)
