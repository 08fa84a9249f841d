"""Wrong input, said in one sentence: where it is, what is wrong, what to do about it.

The command line prints an `InputError` and exits 2. Validators inside the settings raise
`problem(field, text)`; `from_pydantic` turns whatever a validation found into one `InputError`.
"""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

# Errors are reported one at a time; these kinds come first, because they explain the others
# (a misspelt key is also a missing one).
_FIRST = ("unknown", "union_tag_invalid")


class InputError(ValueError):
    """Input that cannot be used; its text is one sentence naming place, fault and remedy."""


def problem(
    field: str, text: str, code: Literal["problem", "unknown"] = "problem"
) -> PydanticCustomError:
    """What a validator raises: ``field`` is dotted and relative to the record validated.

    Braces in ``text`` are safe: it travels as a value, not as a template.

    Args:
        field: where the fault is.
        text: what is wrong, and what to do.
        code: ``unknown`` for a name that does not exist.
    """
    return PydanticCustomError(code, "{text}", {"field": field, "text": text})


def nearest(word: str, choices: Iterable[str], noun: str) -> str:
    """The remedy for a word that is not among ``choices``.

    >>> nearest("rato", ["ratios", "augment"], "keys")
    "did you mean 'ratios'?"
    >>> nearest("zzz", ["ratios", "augment"], "keys")
    "the keys here are 'ratios', 'augment'"
    """
    listed = list(choices)
    close = difflib.get_close_matches(word, listed, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"the {noun} here are {', '.join(map(repr, listed[:20]))}"


def check_keys(given: Mapping[Any, Any], known: Iterable[str]) -> None:
    """Raise a problem for the first key of ``given`` that is not ``known``."""
    names = list(known)
    for key in given:
        if key not in names:
            text = f"is an unknown key; {nearest(str(key), names, 'keys')}"
            raise problem(str(key), text, "unknown")


def show(value: object, limit: int = 60) -> str:
    """A value as it would stand in the file, on one line, cut at ``limit`` characters.

    >>> show(float("nan")), show("two\\nlines"), show(True)
    ('nan', '"two\\\\nlines"', 'true')
    """
    if isinstance(value, float) and not -float("inf") < value < float("inf"):
        return str(value)
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def one_sentence(text: str) -> str:
    """``text`` on one line with one final stop."""
    line = " ".join(text.split())
    return line if line.endswith((".", "?", "!")) else line + "."


def from_pydantic(error: ValidationError, source: str) -> InputError:
    """The first fault of a failed validation as one sentence about ``source``."""
    found = error.errors(include_url=False)
    first = min(found, key=lambda each: each["type"] not in _FIRST)
    field, text = _explain(first)
    return InputError(one_sentence(f"{source}: {field} {text}" if field else f"{source} {text}"))


def _explain(found: ErrorDetails) -> tuple[str, str]:
    """Dotted field and what to say about it."""
    context: dict[str, Any] = found.get("ctx", {})
    location = _dotted(found["loc"])
    if "field" in context:
        return ".".join(part for part in (location, context["field"]) if part), context["text"]
    if found["type"].startswith("union_tag"):
        location = f"{location}.kind" if location else "kind"
    explain = _TEXTS.get(found["type"], lambda value, _: f"is {show(value)}: {found['msg']}")
    return location, explain(found["input"], context)


def _dotted(location: tuple[int | str, ...]) -> str:
    """The location without the kind pydantic adds after a record chosen by its kind."""
    parts = [str(part) for part in location]
    if parts[:1] == ["setting"]:
        del parts[1:2]
    elif parts[:2] == ["synthetic", "generators"]:
        del parts[3:4]
    return ".".join(parts)


def _bound(words: str, key: str) -> Callable[[object, Mapping[str, Any]], str]:
    return lambda value, context: f"is {show(value)}; give a number {words} {_short(context[key])}"


def _short(number: float) -> str:
    return str(int(number)) if number == int(number) else repr(number)


def _choice(value: object, expected: str) -> str:
    kinds = re.findall(r"'([^']*)'", expected)
    close = difflib.get_close_matches(str(value), kinds, n=1)
    if close:
        return f"is {show(value)}; did you mean {close[0]!r}?"
    return f"is {show(value)}; choose {' or '.join(map(repr, kinds))}"


_TEXTS: dict[str, Callable[[Any, Mapping[str, Any]], str]] = {
    "missing": lambda _, __: "is missing; add it",
    "union_tag_not_found": lambda _, __: "is missing; add it",
    "union_tag_invalid": lambda _, context: _choice(context["tag"], context["expected_tags"]),
    "literal_error": lambda value, context: _choice(value, context["expected"]),
    "greater_than": _bound("above", "gt"),
    "greater_than_equal": _bound("of at least", "ge"),
    "less_than": _bound("below", "lt"),
    "less_than_equal": _bound("of at most", "le"),
    "finite_number": lambda value, _: f"is {show(value)}; give a finite number",
    "int_type": lambda value, _: f"is {show(value)}; give a whole number",
    "int_from_float": lambda value, _: f"is {show(value)}; give a whole number",
    "float_type": lambda value, _: f"is {show(value)}; give a number",
    "bool_type": lambda value, _: f"is {show(value)}; write true or false",
    "string_type": lambda value, _: f"is {show(value)}; give a text in quotes",
    "string_too_short": lambda _, __: "is an empty text; give it a name",
    "tuple_type": lambda value, _: f"is {show(value)}; give a list in square brackets",
    "dict_type": lambda value, _: f"is {show(value)}; give a table of keys and values",
    "model_attributes_type": lambda value, _: f"is {show(value)}; give a table of keys and values",
    "model_type": lambda value, _: f"is {show(value)}; give a table of keys and values",
    "too_short": lambda _, __: "is an empty list; give at least one entry",
}
