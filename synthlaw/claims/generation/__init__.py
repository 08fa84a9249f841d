"""Generation: rows made from the raw ones, and laws that transformers read off seeds."""

from synthlaw.claims.generation import (
    built,
    coupled,
    efron,
    fitted,
    limits,
    posterior,
    ranking,
    smote,
    trained,
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
        built,
        posterior,
        trained,
    )
    for claim in topic.CLAIMS
)
