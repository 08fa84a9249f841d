"""Dotted keys, such as ``counts.minority`` or ``synthetic.generators.0.factor``, into plain data.

A list is entered by position. Group names may hold dots, so that everything after ``counts.``
is one name.
"""

import copy
import math
from collections.abc import Iterator
from typing import Any, TypeGuard


def reach(data: Any, key: str) -> Any:
    """The value under a dotted key; LookupError where there is none.

    >>> reach({"counts": {"a.b": 3}}, "counts.a.b"), reach({"x": [{"y": 1}, {"y": 2}]}, "x.1.y")
    (3, 2)
    """
    for part in _parts(key):
        data = data[_step(data, part)]
    return data


def replaced(data: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """A deep copy of ``data`` with another value under a dotted key that exists.

    >>> replaced({"x": [{"y": 1}, {"y": 2}]}, "x.1.y", 5)
    {'x': [{'y': 1}, {'y': 5}]}
    """
    changed = copy.deepcopy(data)
    inner: Any = changed
    *path, last = _parts(key)
    for part in path:
        inner = inner[_step(inner, part)]
    inner[_step(inner, last)] = value
    return changed


def numeric_keys(data: Any, prefix: str = "") -> Iterator[str]:
    """Every dotted key under which a number stands.

    >>> list(numeric_keys({"a": 1, "b": [True, 2.0], "c": "text"}))
    ['a', 'b.1']
    """
    if is_number(data):
        yield prefix
    elif isinstance(data, list | dict):
        for part, value in enumerate(data) if isinstance(data, list) else data.items():
            yield from numeric_keys(value, f"{prefix}.{part}" if prefix else str(part))


def is_number(value: object) -> TypeGuard[float | int]:
    """Whether a value is an integer or a float; true and false are neither."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_finite(value: object) -> bool:
    """Whether a value is a number that a float can hold."""
    try:
        return is_number(value) and math.isfinite(value)
    except OverflowError:
        return False


def _parts(key: str) -> list[str]:
    section, _, rest = key.partition(".")
    return [section, rest] if section == "counts" else key.split(".")


def _step(data: Any, part: str) -> str | int:
    """The dictionary key or list position meant by one part of a dotted key."""
    if isinstance(data, dict) and part in data:
        return part
    if isinstance(data, list) and part.isdecimal() and int(part) < len(data):
        return int(part)
    raise LookupError(part)
