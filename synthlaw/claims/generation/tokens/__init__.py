"""Tokens: what generators cost in a finite world where every divergence and every risk is an exact sum."""

from synthlaw.claims.generation.tokens import (
    breaks,
    built,
    chain,
    histograms,
    layers,
    published,
    references,
    risk,
    seeds,
    trained,
)

CLAIMS = tuple(
    claim
    for topic in (
        layers,
        references,
        histograms,
        published,
        breaks,
        built,
        trained,
        risk,
        chain,
        seeds,
    )
    for claim in topic.CLAIMS
)
