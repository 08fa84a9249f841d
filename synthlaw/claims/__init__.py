"""The registry of claims: what this project believes, each with the evidence that would refute it.

One small file per topic holds a tuple ``CLAIMS``; ``registry()`` is their concatenation.
"""

from functools import cache

from synthlaw.claims import (
    control,
    generation_coupled,
    generation_efron,
    generation_fitted,
    generation_limits,
    generation_ranking,
    generation_smote,
    imbalance_curves,
    imbalance_floors,
    imbalance_variance,
    nonparametric_imbalance,
    nonparametric_pinsker,
    nonparametric_sequence,
    nonparametric_series,
    proportional_errors,
    proportional_existence,
    proportional_means,
    proportional_resampling,
    proportional_ridge,
    proportional_spurious,
    scaling_lesson,
    scaling_mixed,
    scaling_mixture,
    scaling_row_weight,
    scaling_share,
    scaling_synthetic,
    scaling_two_term,
    size_cases,
    size_golden,
    size_majority,
    size_metric,
    size_validation,
    size_wald,
    spurious,
)
from synthlaw.claims.record import Claim

MODULES = (
    imbalance_floors,
    imbalance_variance,
    imbalance_curves,
    spurious,
    scaling_synthetic,
    scaling_two_term,
    scaling_row_weight,
    scaling_share,
    scaling_mixture,
    scaling_mixed,
    scaling_lesson,
    proportional_errors,
    proportional_resampling,
    proportional_means,
    proportional_ridge,
    proportional_existence,
    proportional_spurious,
    nonparametric_sequence,
    nonparametric_pinsker,
    nonparametric_series,
    nonparametric_imbalance,
    size_golden,
    size_metric,
    size_cases,
    size_majority,
    size_validation,
    size_wald,
    generation_fitted,
    generation_coupled,
    generation_limits,
    generation_efron,
    generation_ranking,
    generation_smote,
    control,
)


@cache
def registry() -> tuple[Claim, ...]:
    """All claims, in the order in which they are reported."""
    return tuple(claim for module in MODULES for claim in module.CLAIMS)
