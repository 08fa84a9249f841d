"""What a SWEEP.toml may say about a generator; `simulations.setup.generators` says what each does.

Every kind but ``reweight`` takes ``groups``, the names of the groups it acts on; in the other
groups synthetic rows follow the right law. Left out, it acts on every group.
"""

from typing import Annotated, Literal, get_args

import numpy as np
from pydantic import Field, field_validator

from simulations.problems import nearest, problem, show
from simulations.setup.records import Name, Real, Record, Whole, unique
from simulations.setup.worlds import World


class Reweight(Record):
    """No synthetic rows; group g weighs ``1/(K n_g)`` a row: the null model."""

    kind: Literal["reweight"]


class _Acting(Record):
    """What every generator that makes rows has in common."""

    groups: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None

    @field_validator("groups")
    @classmethod
    def _named_once(cls, groups: tuple[str, ...] | None) -> tuple[str, ...] | None:
        unique("", groups or ())
        return groups


class Oracle(_Acting):
    """Rows from the group's own law."""

    kind: Literal["oracle"]


class Shift(_Acting):
    """The group's law with its mean moved by ``shift`` ``(d,)``."""

    kind: Literal["shift"]
    shift: Annotated[tuple[Real, ...], Field(min_length=1)]


class Scale(_Acting):
    """The group's law with its covariance multiplied by ``factor``."""

    kind: Literal["scale"]
    factor: Annotated[Real, Field(gt=0.0, le=1e4)]


class LabelNoise(_Acting):
    """The group's law, each row's label flipped with probability ``rate``."""

    kind: Literal["label_noise"]
    rate: Annotated[Real, Field(ge=0.0, lt=1.0)]


class Leak(_Acting):
    """A share ``strength`` of the rows is drawn with the raw attribute law of the group's label."""

    kind: Literal["leak"]
    strength: Annotated[Real, Field(ge=0.0, le=1.0)]


class Duplicate(_Acting):
    """Raw rows of the group drawn again, with replacement."""

    kind: Literal["duplicate"]


class Gaussian(_Acting):
    """Rows from the Gaussian fitted to the group's raw rows: their mean, and the group's covariance
    where it is ``known`` or else theirs (divisor n - 1)."""

    kind: Literal["gaussian"]
    covariance: Literal["known", "estimated"] = "estimated"


class Smoothed(_Acting):
    """Raw rows of the group drawn with replacement, each with Gaussian noise of ``bandwidth`` times
    the group's standard deviation added: the smoothed bootstrap, sampling from a kernel density."""

    kind: Literal["smoothed"]
    bandwidth: Annotated[Real, Field(gt=0.0, le=100.0)]


class Smote(_Acting):
    """Points on the way from a raw row to one of its ``neighbours`` nearest others of the group."""

    kind: Literal["smote"]
    neighbours: Annotated[Whole, Field(ge=1, le=10**6)] = 5


class Transformer(_Acting):
    """Tokens from the law that a transformer's ``layers`` make of the group's raw rows: one averages their
    embeddings, each further one takes a gradient step of length ``step`` on their log-likelihood."""

    kind: Literal["transformer"]
    layers: Annotated[Whole, Field(ge=1, le=1000)] = 1
    step: Annotated[Real, Field(gt=0.0, le=100.0)] = 1.0


class Likeliest(_Acting):
    """Tokens from the law ``P_h`` of largest likelihood given the group's raw rows."""

    kind: Literal["likeliest"]


class Histogram(_Acting):
    """Tokens from the shares of the group's raw rows, ``smoothing`` added to every token's count."""

    kind: Literal["histogram"]
    smoothing: Annotated[Real, Field(gt=0.0, le=1e6)] = 1.0


AnyGenerator = (
    Reweight
    | Oracle
    | Shift
    | Scale
    | LabelNoise
    | Leak
    | Duplicate
    | Gaussian
    | Smoothed
    | Smote
    | Transformer
    | Likeliest
    | Histogram
)
GeneratorSpec = Annotated[AnyGenerator, Field(discriminator="kind")]


# Their laws, or what they are fitted to, are those of Gaussian groups.
NEEDS_GAUSSIAN = ("scale", "leak", "gaussian", "smoothed", "smote")
NEEDS_TOKENS = ("transformer", "likeliest", "histogram")
# All that a setting of tokens knows.
OF_TOKENS = ("oracle", "duplicate", "reweight", *NEEDS_TOKENS)
KINDS = tuple(get_args(one.model_fields["kind"].annotation)[0] for one in get_args(AnyGenerator))


def acted_groups(spec: AnyGenerator, names: tuple[str, ...]) -> tuple[str, ...]:
    """The groups a generator acts on, in the order of ``names`` (none for ``reweight``)."""
    if isinstance(spec, Reweight):
        return ()
    return names if spec.groups is None else tuple(n for n in names if n in spec.groups)


def generator_label(spec: AnyGenerator, all_specs: tuple[AnyGenerator, ...]) -> str:
    """The ``generator`` column: the kind, and its parameters where two specs share a kind.

    >>> one, two = Shift(kind="shift", shift=(0.3, 0.0)), Shift(kind="shift", shift=(0.5, 0.0))
    >>> generator_label(one, (one,)), generator_label(one, (one, two))
    ('shift', 'shift[0.3,0]')
    """
    if sum(other.kind == spec.kind for other in all_specs) < 2:
        return spec.kind
    parameters = spec.model_dump(exclude={"kind", "groups"}).values()
    parts = [_parameter(value) for value in parameters]
    groups = getattr(spec, "groups", None)
    if groups is not None:
        parts.append("groups=" + "|".join(groups))
    return f"{spec.kind}[{';'.join(parts)}]" if parts else spec.kind


def _parameter(value: float | str | tuple[float, ...]) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return ",".join(_parameter(entry) for entry in value)
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def check_generator(spec: AnyGenerator, field: str, world: World) -> None:
    """Raise a problem at ``field`` where a generator does not fit the world it is to act in."""
    for name in getattr(spec, "groups", None) or ():
        if name not in world.names:
            text = f"names {show(name)}; {nearest(name, world.names, 'groups')}"
            raise problem(f"{field}.groups", text)
    if world.law is not None and spec.kind in NEEDS_GAUSSIAN:
        raise problem(
            f"{field}.kind",
            f'is "{spec.kind}", which needs Gaussian groups, but setting.kind is "{world.law.kind}";'
            ' choose "oracle", "shift", "label_noise", "duplicate" or "reweight"',
        )
    dim = world.means.shape[1]
    if isinstance(spec, Shift) and len(spec.shift) != dim:
        text = f"has length {len(spec.shift)} but the dimension is {dim}; give {dim} numbers"
        raise problem(f"{field}.shift", text)
    if isinstance(spec, Leak) and np.bincount(world.labels).max() < 2:
        raise problem(
            f"{field}.kind",
            'is "leak" but no label has two groups, so that there is no attribute to leak; '
            'choose another generator or the setting "spurious"',
        )


def check_kind(kind: str, field: str, tokens: bool) -> None:
    """Raise a problem at ``field`` where a generator of this kind writes tokens and the setting's rows
    are none, or the other way round."""
    if tokens and kind not in OF_TOKENS:
        raise problem(
            f"{field}.kind",
            f'is "{kind}", which writes no tokens, but setting.kind is "tokens";'
            f" {nearest(kind, OF_TOKENS, 'generators')}",
        )
    if not tokens and kind in NEEDS_TOKENS:
        raise problem(
            f"{field}.kind",
            f'is "{kind}", which writes tokens; set setting.kind = "tokens" or choose another'
            ' generator, such as "oracle" or "gaussian"',
        )


def check_rows(spec: AnyGenerator, field: str, world: World, counts: dict[str, int]) -> None:
    """Raise a problem at ``field`` where a group has too few raw rows to fit a generator to."""
    dim = world.means.shape[1]
    for name in acted_groups(spec, world.names):
        rows = counts[name]
        if isinstance(spec, Gaussian) and spec.covariance == "estimated" and rows <= dim:
            raise problem(
                f"{field}.covariance",
                f'is "estimated", but group {name!r} has {rows} raw rows in {dim} dimensions; give it'
                f' {dim + 1} rows or more, or set covariance = "known"',
            )
        if isinstance(spec, Smote) and rows <= spec.neighbours:
            raise problem(
                f"{field}.neighbours",
                f"is {spec.neighbours}, but a row of group {name!r} has {rows - 1} others; give it more"
                " rows, fewer neighbours, or other groups to the generator",
            )
