"""Generation: rows made from the raw ones."""

from synthlaw.claims.generation import (
    coupled,
    efron,
    fitted,
    limits,
    ranking,
    smote,
)

CLAIMS = tuple(
    claim
    for topic in (
        fitted,
        coupled,
        limits,
        efron,
        ranking,
        smote,
    )
    for claim in topic.CLAIMS
)
