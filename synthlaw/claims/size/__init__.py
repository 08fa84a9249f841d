"""Size: how many synthetic rows."""

from synthlaw.claims.size import (
    cases,
    golden,
    majority,
    metric,
    validation,
    wald,
)

CLAIMS = tuple(
    claim
    for topic in (
        golden,
        metric,
        cases,
        majority,
        validation,
        wald,
    )
    for claim in topic.CLAIMS
)
