"""Generation: rows made from the raw ones, and laws that transformers read off seeds."""

from synthlaw.claims.generation import (
    coupled,
    efron,
    fitted,
    limits,
    ranking,
    smote,
    tokens,
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
        tokens,
    )
    for claim in topic.CLAIMS
)
