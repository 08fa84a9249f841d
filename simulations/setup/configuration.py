"""The configuration of a sweep: SWEEP.toml as one frozen record, and the points of its grid.

>>> sweep = read_sweep({"setting": {"kind": "imbalance", "dim": 2},
...                     "counts": {"majority": 200, "minority": 20},
...                     "sweep": {"counts.minority": [10, 20]}})
>>> [point.swept for point in points(sweep)]
[{'counts.minority': 10}, {'counts.minority': 20}]
"""

import itertools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from simulations.problems import InputError, from_pydantic, nearest, problem, show
from simulations.setup.dotted import is_finite, is_number, numeric_keys, reach, replaced
from simulations.setup.files import plain, toml_file
from simulations.setup.generator_specs import (
    GeneratorSpec,
    Oracle,
    acted_groups,
    check_generator,
    check_rows,
)
from simulations.setup.records import (
    Count,
    Flag,
    NonNegative,
    Positive,
    Ratio,
    Real,
    Record,
    RowNumber,
    Whole,
    unique,
)
from simulations.setup.regimes import EstimatorKind, check_kinds, check_regime
from simulations.setup.settings import Setting
from simulations.setup.worlds import world

MOST_REPLICATES = 10_000_000
# Rules in closed form from class means (`simulations.population.plugins`).
PLUGINS = ("lda", "mean_difference")
DEFAULT_REPLICATES = 1000
DEFAULT_MOST = 1_000_000
# Replicates after which a run with a target precision may stop first: enough for a standard error.
FIRST_LOOK = 200
UNSWEPT = ("run.replicates", "run.target_relative_se", "run.max_replicates")


class Synthetic(Record):
    """Which synthetic rows join the raw ones, and how they are weighed."""

    generators: Annotated[tuple[GeneratorSpec, ...], Field(min_length=1)] = (Oracle(kind="oracle"),)
    ratios: Annotated[tuple[Ratio, ...], Field(min_length=1)] = (0.0, 0.25, 0.5, 1.0, 2.0)
    augment: Annotated[tuple[RowNumber, ...], Field(min_length=1)] = (0,)
    augment_share: Annotated[Real, Field(ge=0.0, lt=1.0)] = 0.0
    augment_row_weight: Positive | None = None

    @model_validator(mode="after")
    def _weights_agree(self) -> "Synthetic":
        unique("ratios", self.ratios)
        unique("augment", self.augment)
        if self.augment_share > 0.0 and self.augment_row_weight is not None:
            raise problem(
                "augment_row_weight",
                "is given beside a positive augment_share; keep one of the two",
            )
        if max(self.augment) > 0 and self.augment_share == 0.0 and self.augment_row_weight is None:
            raise problem(
                "augment",
                f"asks for {max(self.augment)} extra rows that would weigh nothing; "
                "give an augment_share in (0, 1) or an augment_row_weight above 0",
            )
        return self


class Estimator(Record):
    """The loss that is minimised, with or without an intercept, plus ``ridge/2 |slope|^2``, or a
    plug-in rule (``lda``, ``mean_difference``), which has an intercept and no ridge. The rule of
    ``hinge`` is unique with a ridge only."""

    kind: EstimatorKind = "logistic"
    intercept: Flag = True
    ridge: NonNegative = 0.0

    @model_validator(mode="after")
    def _plugins_are_plain(self) -> "Estimator":
        if self.kind in PLUGINS and not self.intercept:
            raise problem("intercept", f'is false but kind is "{self.kind}"; set it to true')
        if self.kind in PLUGINS and self.ridge > 0.0:
            raise problem("ridge", f'is {show(self.ridge)} but kind is "{self.kind}"; set it to 0')
        if self.kind == "hinge" and self.ridge == 0.0:
            raise problem(
                "ridge", 'is 0 but kind is "hinge", whose rule is not unique then; set it above 0'
            )
        return self


class Theory(Record):
    """The limit the prediction is taken in: all counts grow, and the dimension does not
    (``fixed_dim``) or does in proportion (``proportional``, which simulates by other means too)."""

    regime: Literal["fixed_dim", "proportional"] = "fixed_dim"


class Run(Record):
    """How many independent replicates are simulated, and the seed of all their random numbers.

    Either ``replicates``, or as many as make the standard error of the balanced excess risk
    ``target_relative_se`` of its size, cell by cell, ``max_replicates`` at most.
    """

    replicates: Annotated[Whole, Field(ge=2, le=MOST_REPLICATES)] | None = None
    target_relative_se: Annotated[Real, Field(gt=0.0, lt=1.0)] | None = None
    max_replicates: Annotated[Whole, Field(ge=FIRST_LOOK, le=MOST_REPLICATES)] | None = None
    seed: Annotated[Whole, Field(ge=0, lt=2**32)] = 0

    @model_validator(mode="after")
    def _one_way_to_end(self) -> "Run":
        if self.target_relative_se is not None:
            if self.replicates is not None:
                raise problem(
                    "target_relative_se", "is given beside replicates; keep one of the two"
                )
            # A frozen record is still being made here.
            object.__setattr__(self, "max_replicates", self.max_replicates or DEFAULT_MOST)
        elif self.max_replicates is not None:
            raise problem(
                "max_replicates", "bounds a target that is not set; give target_relative_se too"
            )
        elif self.replicates is None:
            object.__setattr__(self, "replicates", DEFAULT_REPLICATES)
        return self

    @property
    def most(self) -> int:
        """The largest number of replicates a cell may get."""
        return self.replicates or self.max_replicates or DEFAULT_REPLICATES


def _number(value: Any) -> float | int:
    if not is_number(value):
        raise problem("", f"is {show(value)}; a sweep runs over numbers, name the key of one")
    if not is_finite(value):
        raise problem("", f"is {show(value)}; give a finite number")
    return value


Swept = Annotated[tuple[Annotated[float | int, BeforeValidator(_number)], ...], Field(min_length=1)]


class Sweep(Record):
    """A whole SWEEP.toml. ``counts`` is in the order of the world's groups."""

    setting: Setting
    counts: dict[str, Count]
    synthetic: Synthetic = Synthetic()
    estimator: Estimator = Estimator()
    theory: Theory = Theory()
    run: Run = Run()
    sweep: dict[str, Swept] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _kinds_agree(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            check_kinds(data)
        return data

    @model_validator(mode="after")
    def _parts_agree(self) -> "Sweep":
        here = world(self.setting)
        if here.law is not None and self.estimator.kind in PLUGINS:
            raise problem(
                "estimator.kind",
                f'is "{self.estimator.kind}", which needs Gaussian groups, but setting.kind is'
                f' "{here.law.kind}"; choose "logistic" or "squared"',
            )
        self._check_counts(here.names)
        effects: list[tuple[Any, ...]] = []
        for position, spec in enumerate(self.synthetic.generators):
            field = f"synthetic.generators.{position}"
            check_generator(spec, field, here)
            check_rows(spec, field, here, self.counts)
            effect = (spec.model_dump(exclude={"groups"}), acted_groups(spec, here.names))
            if effect in effects:
                raise problem(field, "repeats an earlier generator; name each generator once")
            effects.append(effect)
        check_regime(self)
        self._check_sweep()
        return self

    def _check_counts(self, names: tuple[str, ...]) -> None:
        for name in self.counts:
            if name not in names:
                text = f"names no group of the setting; {nearest(name, names, 'groups')}"
                raise problem(f"counts.{name}", text)
        for name in names:
            if name not in self.counts:
                raise problem(f"counts.{name}", "is missing; give the group's number of raw rows")
        # A frozen record is still being made here: put the groups in the world's order.
        ordered = {name: self.counts[name] for name in names}
        object.__setattr__(self, "counts", ordered)

    def _check_sweep(self) -> None:
        data = self.model_dump(mode="json", exclude={"sweep"})
        for key, values in self.sweep.items():
            if key in UNSWEPT:
                raise problem(f"sweep.{key}", "is not swept; all points of a grid share one number")
            unique(f"sweep.{key}", values)
            try:
                value = reach(data, key)
            except LookupError:
                text = f"is no key of this file; {nearest(key, numeric_keys(data), 'numbers')}"
                raise problem(f"sweep.{key}", text) from None
            # An optional number that is not set (None) may be swept; a text or a list may not.
            if value is not None and not is_number(value):
                raise problem(f"sweep.{key}", f"holds {show(value)}, no number; sweep numbers only")

    def resolved(self) -> dict[str, Any]:
        """Every value, defaults included, as JSON would hold it; `read_sweep` reads it back."""
        data = self.model_dump(mode="json", exclude_none=True)
        if not data["sweep"]:
            del data["sweep"]
        return data


class Point(NamedTuple):
    """One point of the grid: the swept values, and the sweep with those values filled in."""

    swept: dict[str, float | int]
    sweep: Sweep


def read_sweep(source: str | os.PathLike[str] | Mapping[str, Any] | Sweep) -> Sweep:
    """A validated sweep.

    Args:
        source: path of a SWEEP.toml, a dictionary of the same shape, or a sweep.

    Raises:
        InputError: one sentence, for anything that cannot be used.
    """
    if isinstance(source, Sweep):
        return source
    if isinstance(source, Mapping):
        data, where = plain(source), "configuration"
    elif isinstance(source, str | os.PathLike):
        data, where = toml_file(Path(source)), str(source)
    else:
        raise InputError(
            f"a sweep cannot be a {type(source).__name__}; give a path or a dictionary."
        )
    sweep = _validated(data, where)
    _grid(sweep, where)
    return sweep


def points(sweep: Sweep) -> list[Point]:
    """The grid of ``[sweep]``, the last key changing fastest; one point without a ``[sweep]``."""
    return _grid(sweep, "configuration")


def _grid(sweep: Sweep, source: str) -> list[Point]:
    base = sweep.model_dump(mode="json", exclude={"sweep"})
    grid: list[Point] = []
    for values in itertools.product(*sweep.sweep.values()):
        data, chosen = base, dict(zip(sweep.sweep, values, strict=True))
        for key, value in chosen.items():
            data = replaced(data, key, value)
        told = ", ".join(f"{key} = {show(value)}" for key, value in chosen.items())
        point = _validated(data, f"{source}, [sweep] at {told}" if told else source)
        # Taken back from the validated point, so that a swept 1 of a real number becomes 1.0.
        final = point.model_dump(mode="json")
        grid.append(Point({key: reach(final, key) for key in chosen}, point))
    return grid


def _validated(data: Any, source: str) -> Sweep:
    try:
        return Sweep.model_validate(data)
    except ValidationError as error:
        raise from_pydantic(error, source) from None
