"""Nonparametric: infinitely many features of falling weight."""

from synthlaw.claims.nonparametric import (
    imbalance,
    pinsker,
    sequence,
    series,
)

CLAIMS = tuple(
    claim
    for topic in (
        sequence,
        pinsker,
        series,
        imbalance,
    )
    for claim in topic.CLAIMS
)
