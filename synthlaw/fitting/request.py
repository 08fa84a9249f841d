"""What is asked of a fit, checked before the table is read."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from scaling.fitting.laws import CURVES, LAWS
from scaling.fitting.polish import Measure
from simulations.problems import InputError, nearest, one_sentence
from synthlaw.checks import checked_choice, checked_integer

AUTO = "auto"
LOSSES, SCALES = ("squared", "huber"), ("value", "log")


class Request(NamedTuple):
    """``x``: one column per variable of the law; ``at``: places of the forecasts, one number per
    column; ``floor``: one known from theory, which is held; ``x`` counts as ``base + weight x``."""

    x: tuple[str, ...]
    y: str
    se: str | None
    by: tuple[str, ...]
    law: str
    base: float
    weight: float
    theory: float | None
    at: tuple[tuple[float, ...], ...]
    floor: float | None
    loss: str
    scale: str
    growing: bool
    seed: int

    @property
    def held(self) -> dict[str, float]:
        """The parameters that are known."""
        return {} if self.floor is None else {"floor": self.floor}

    @property
    def measure(self) -> Measure:
        """What is minimised."""
        return Measure(loss=self.loss, scale=self.scale)  # type: ignore[arg-type]

    def resolved(self) -> dict[str, Any]:
        """All of it, as it is written beside the result."""
        return {**self._asdict(), "at": [_plain(place) for place in self.at]}


def _plain(place: tuple[float, ...]) -> Any:
    return place[0] if len(place) == 1 else list(place)


def checked_request(
    *,
    x: str | Iterable[str],
    y: str,
    se: str | None,
    by: str | Iterable[str],
    law: str,
    base: float,
    weight: float,
    theory: float | None,
    at: Any,
    floor: float | None,
    loss: str,
    scale: str,
    growing: bool,
    seed: int,
) -> Request:
    """The request, or ``InputError`` on the first option that cannot be meant."""
    checked_integer("--seed", seed, 0, 2**32 - 1)
    columns, groups = names("--x", x), names("--by", by)
    if not columns:
        raise InputError("--x names no column; name the column of the numbers of rows.")
    _check_distinct(columns, y, se, groups)
    _check_law(law, columns)
    checked_choice("--loss", loss, LOSSES, "choices")
    checked_choice("--scale", scale, SCALES, "choices")
    for option, value in (("--base", base), ("--weight", weight)):
        _finite(option, value)
    if base < 0.0:
        raise InputError(f"--base is {base:g}; give a number of rows of at least 0.")
    if not weight > 0.0:
        raise InputError(
            f"--weight is {weight:g}; give the weight of one row, a number above 0 (1 leaves x as"
            " it is)."
        )
    if len(columns) > 1 and (base, weight) != (0.0, 1.0):
        raise InputError(
            "--base and --weight count the rows of one column of x; leave them out with several."
        )
    if theory is not None:
        _finite("--theory", theory)
        if theory == 0.0 or (theory < 0.0 and not growing):
            raise InputError(
                f"--theory is {theory:g}; give the exponent a > 0 of x^-a, or allow --growing."
            )
    if floor is not None:
        _finite("--floor", floor)
        _check_floor(law, floor)
    if law == AUTO and (loss, scale) != ("squared", "value"):
        raise InputError(
            "--law auto compares laws by squared loss of the value; name a law for --loss huber or"
            " --scale log."
        )
    return Request(
        x=columns,
        y=y,
        se=se,
        by=groups,
        law=law,
        base=base,
        weight=weight,
        theory=theory,
        at=places(at, len(columns), base, weight),
        floor=floor,
        loss=loss,
        scale=scale,
        growing=growing,
        seed=seed,
    )


def names(option: str, given: str | Iterable[str]) -> tuple[str, ...]:
    """Column names from ``"a,b"`` or a sequence.

    >>> names("--x", "n, N"), names("--by", ())
    (('n', 'N'), ())
    """
    listed = given.split(",") if isinstance(given, str) else [str(each) for each in given]
    found = tuple(name.strip() for name in listed)
    if "" in found:
        raise InputError(f"{option} names a column without a name; separate names by one comma.")
    return found


def _check_distinct(x: Sequence[str], y: str, se: str | None, by: Sequence[str]) -> None:
    used: dict[str, str] = {}
    for option, listed in (("--x", x), ("--y", [y]), ("--se", [se] if se else []), ("--by", by)):
        for name in listed:
            if name in used:
                what = (
                    f"column {name!r} stands for {used[name]} and {option}"
                    if used[name] != option
                    else f"{option} names column {name!r} twice"
                )
                raise InputError(f"{what}; name each column once.")
            used[name] = option


def _check_law(law: str, columns: Sequence[str]) -> None:
    if law != AUTO and law not in LAWS:
        remedy = nearest(law, [AUTO, *LAWS], "laws")
        raise InputError(one_sentence(f"--law {law!r} does not exist; {remedy}"))
    variables = ("x",) if law == AUTO else LAWS[law].variables
    if len(columns) == len(variables):
        return
    fitting = [
        f"{each.name} ({','.join(each.variables)})"
        for each in LAWS.values()
        if len(each.variables) == len(columns)
    ]
    told = f"--law {law} is one in {len(variables)} column(s) of x ({','.join(variables)})"
    other = f", or choose {' or '.join(fitting[:3])}" if fitting and len(columns) > 1 else ""
    raise InputError(
        f"{told}, but --x names {len(columns)}; name {len(variables)}, in this order{other}."
    )


def _check_floor(law: str, floor: float) -> None:
    if floor < 0.0:
        raise InputError(f"--floor is {floor:g}; give a floor of at least 0.")
    if law != AUTO and "floor" not in LAWS[law].linear:
        having = [name for name in CURVES if "floor" in LAWS[name].linear]
        raise InputError(f"--law {law} has no floor to hold; choose {' or '.join(having)}.")


def _finite(option: str, value: Any) -> None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not good:
        raise InputError(f"{option} is {value!r}; give a finite number.")


def places(at: Any, columns: int, base: float, weight: float) -> tuple[tuple[float, ...], ...]:
    """Where to forecast: ``"1000,5000"``, or for two columns ``"1000:200,5000:200"``, or numbers.

    >>> places("1e4, 2e4", 1, 0.0, 1.0), places([10], 1, 0.0, 1.0), places("8:9", 2, 0.0, 1.0)
    (((10000.0,), (20000.0,)), ((10.0,),), ((8.0, 9.0),))
    """
    listed = [each for each in at.split(",") if each.strip()] if isinstance(at, str) else at
    if isinstance(listed, int | float) or not hasattr(listed, "__iter__"):
        listed = [listed]
    return tuple(_place(each, columns, base, weight) for each in listed)


def _place(given: Any, columns: int, base: float, weight: float) -> tuple[float, ...]:
    parts: list[Any] = [given]
    if isinstance(given, str):
        parts = given.split(":")
    elif hasattr(given, "__iter__"):
        parts = list(given)
    try:
        found = tuple(float(part) for part in parts)
    except (TypeError, ValueError):
        raise InputError(
            f"--at has {given!r}, which is no number; give places of x such as 1e4,2e4."
        ) from None
    if len(found) != columns:
        many = "one number a place" if columns == 1 else f"{columns} numbers a place, such as 9:9"
        raise InputError(f"--at has {given!r}, but --x names {columns} column(s); give {many}.")
    for value in found:
        if not (math.isfinite(value) and base + weight * value > 0.0):
            raise InputError(f"--at has {value:g}; give places of x above 0.")
    return found
