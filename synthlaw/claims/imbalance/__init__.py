"""Imbalance: a rare class, and what synthetic rows of it are worth."""

from synthlaw.claims.imbalance import (
    curves,
    floors,
    variance,
)

CLAIMS = tuple(
    claim
    for topic in (
        floors,
        variance,
        curves,
    )
    for claim in topic.CLAIMS
)
