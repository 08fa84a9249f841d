"""Scaling: risks as a function of the numbers of raw and of synthetic rows."""

from synthlaw.claims.scaling import (
    lesson,
    mixture,
    row_weight,
    share,
    synthetic,
    two_sources,
    two_term,
)

CLAIMS = tuple(
    claim
    for topic in (
        synthetic,
        two_term,
        row_weight,
        share,
        mixture,
        two_sources,
        lesson,
    )
    for claim in topic.CLAIMS
)
