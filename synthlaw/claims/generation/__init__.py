"""Generation: rows made from the raw ones."""

from synthlaw.claims.generation import (
    coupled,
    efron,
    fitted,
    limits,
    ranking,
    smote,
    token_chain,
    token_risk,
    token_seeds,
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
        token_risk,
        token_chain,
        token_seeds,
    )
    for claim in topic.CLAIMS
)
