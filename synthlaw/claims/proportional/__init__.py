"""Proportional: features and rows grow together."""

from synthlaw.claims.proportional import (
    errors,
    existence,
    means,
    resampling,
    ridge,
    spurious,
)

CLAIMS = tuple(
    claim
    for topic in (
        errors,
        resampling,
        means,
        ridge,
        existence,
        spurious,
    )
    for claim in topic.CLAIMS
)
