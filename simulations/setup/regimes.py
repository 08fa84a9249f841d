"""What a regime asks of the other sections of a sweep.

In the regime ``proportional`` the rows of a group are Gaussian with one variance in every direction, and a
generator writes rows of such laws, repeats raw rows, or fits a Gaussian to them.
"""

from collections.abc import Mapping
from typing import Any, Literal, get_args

from simulations.problems import problem, show
from simulations.setup.generator_specs import KINDS, check_kind
from simulations.setup.settings import Craft, Groups, Tokens

PROPORTIONAL = "proportional"
BACK = 'or set theory.regime = "fixed_dim"'
EstimatorKind = Literal["logistic", "squared", "hinge", "lda", "mean_difference"]
# Rows of these are no mixtures of such Gaussians, given the raw rows.
NO_ROWS = ("smoothed", "smote")


def is_proportional(sweep: Any) -> bool:
    """Whether a sweep is of the proportional regime."""
    return sweep.theory.regime == PROPORTIONAL


def is_tokens(sweep: Any) -> bool:
    """Whether the rows of a sweep are tokens."""
    return isinstance(sweep.setting, Tokens)


def check_kinds(data: Mapping[str, Any]) -> None:
    """Raise a problem where the kinds in a sweep's raw sections do not go with tokens, or with none.

    Before the sections themselves are read: who is told what a part lacks, adds it, and only then hears
    that its kind does not belong here, is told twice. Kinds that nobody knows are left to those who read.

    Args:
        data: the sections as they were read, not yet validated.
    """
    setting = _kind(data.get("setting"))
    synthetic, estimator = data.get("synthetic"), _kind(data.get("estimator"))
    given = synthetic.get("generators") if isinstance(synthetic, Mapping) else None
    for position, spec in enumerate(given if isinstance(given, list | tuple) else ()):
        if setting is not None and _kind(spec) in KINDS:
            check_kind(_kind(spec), f"synthetic.generators.{position}", setting == "tokens")
    if setting == "tokens" and estimator in get_args(EstimatorKind) and estimator != "logistic":
        raise problem(
            "estimator.kind",
            f'is "{estimator}" but setting.kind is "tokens"; set it to "logistic"',
        )


def _kind(section: Any) -> Any:
    return section.get("kind") if isinstance(section, Mapping) else getattr(section, "kind", None)


def _check_tokens(sweep: Any) -> None:
    """What rows of tokens ask of the other sections, beside `check_kinds`."""
    if not sweep.estimator.intercept:
        raise problem(
            "estimator.intercept", 'is false but setting.kind is "tokens"; set it to true'
        )
    if is_proportional(sweep):
        raise problem(
            "theory.regime",
            'is "proportional" but setting.kind is "tokens", whose rows are not Gaussian; set it to'
            ' "fixed_dim"',
        )


def check_regime(sweep: Any) -> None:
    """Raise a problem where a sweep's regime and its other sections do not go together."""
    kind = sweep.estimator.kind
    if is_tokens(sweep):
        _check_tokens(sweep)
        return
    if not is_proportional(sweep):
        if kind == "hinge":
            raise problem(
                "estimator.kind",
                'is "hinge", which has no theory where the dimension is fixed; set theory.regime ='
                ' "proportional", or choose "logistic" or "squared"',
            )
        return
    if isinstance(sweep.setting, Craft):
        raise problem(
            "setting.kind",
            'is "craft", whose rows are not Gaussian, but theory.regime is "proportional"; choose'
            f" another setting, {BACK}",
        )
    if kind == "lda":
        raise problem(
            "estimator.kind",
            'is "lda", which needs many rows per feature, but theory.regime is "proportional"; choose'
            f' "mean_difference", {BACK}',
        )
    if isinstance(sweep.setting, Groups):
        for position, group in enumerate(sweep.setting.groups):
            if not isinstance(group.covariance, float):
                raise problem(
                    f"setting.groups.{position}.covariance",
                    f'is {show(group.covariance, 30)}, but theory.regime is "proportional"; give one'
                    f" number, the variance in every direction, {BACK}",
                )
    # Rows of a fitted Gaussian have a limit for this estimator only.
    fitted = ', "duplicate" or "gaussian"' if kind == "mean_difference" else ' or "duplicate"'
    for position, spec in enumerate(sweep.synthetic.generators):
        if spec.kind in NO_ROWS:
            raise problem(
                f"synthetic.generators.{position}.kind",
                f'is "{spec.kind}", whose rows are not Gaussian given the raw ones, but theory.regime is'
                f' "proportional"; choose "oracle"{fitted}, {BACK}',
            )
