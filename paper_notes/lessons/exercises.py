"""Exercises: a question whose answer the library computes, and what is said to a student's answer.

Pure functions; how an exercise looks on a page is in `page`.

>>> exercise = Exercise("What is $1/8$?", 0.125, "One divided by eight.",
...                     mistakes=(Mistake(8.0, "That is the inverse."),))
>>> [check(exercise, given).state for given in ("0.125", "12.5 %", "1/8", "8", "x", "")]
['right', 'right', 'right', 'wrong', 'unreadable', 'open']
>>> check(exercise, "8").text
'That is the inverse.'
"""

import math
import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

State = Literal["open", "unreadable", "wrong", "right"]
CLOSE = 0.02
# An answer that is off by a power of ten, or has the wrong sign, is told so.
_DECADES = 4
# Signs that are typed or copied in place of plain ones.
_PLAIN = str.maketrans("\N{MINUS SIGN}⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789")
# Digits in groups of three; a nought in front means a decimal comma.
_GROUPED = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(,\d{3})+(?![\d,])")
_POWER = re.compile(r"[·×x*]10\^?(?=-?\d+$)")


class Mistake(NamedTuple):
    """A wrong answer that is worth a word of its own: its ``value`` (or option), and the word."""

    value: float | str
    text: str


class Exercise(NamedTuple):
    """``question`` and ``why`` (what is said to the right answer) in Markdown; ``answer``, a number the
    library computed or one of the ``options``; ``tolerance`` relative, so that rounding does no harm
    (absolute where the answer is 0); ``hint`` for wrong answers that are no known ``mistakes``;
    ``percent``: the question asks for percents, so that a bare number may mean them."""

    question: str
    answer: float | str
    why: str
    options: tuple[str, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    hint: str = ""
    tolerance: float = CLOSE
    percent: bool = False

    @property
    def solution(self) -> str:
        """The answer as people write it.

        >>> Exercise("", 0.0814, "", percent=True).solution, Exercise("", -2.9957, "").solution
        ('8.14 %', '−2.996')
        """
        if isinstance(self.answer, str):
            return self.answer
        plain = f"{100 * self.answer:.3g} %" if self.percent else f"{self.answer:.4g}"
        return plain.replace("-", "\N{MINUS SIGN}")


class Reply(NamedTuple):
    """``state`` of an exercise, and the ``text`` that is shown, Markdown."""

    state: State
    text: str


def number(text: str) -> float | None:
    """The number that a person wrote: ``0.29``, ``29 %``, ``2.9e-1``, ``1/4``, ``1,800``; else None.

    A comma groups digits by threes, else it is a decimal comma.

    >>> [number(text) for text in ("0.29", "29%", "2.9e-1", "1/4", "1,800", "-3", "many", "1/0")]
    [0.29, 0.29, 0.29, 0.25, 1800.0, -3.0, None, None]
    >>> number("0,29"), number("1,800.5"), number("2,5e3"), number("1,2,3")
    (0.29, 1800.5, 2500.0, None)
    >>> number("6.94·10⁻⁴"), number("7 x 10^-4")
    (0.000694, 0.0007)
    """
    plain = re.sub(r"\s", "", text).translate(_PLAIN)
    plain = _POWER.sub("e", plain)
    plain = _GROUPED.sub(lambda found: found.group().replace(",", ""), plain)
    plain = plain.replace(",", ".")
    scale = 0.01 if plain.endswith("%") else 1.0
    above, slash, below = plain.rstrip("%").partition("/")
    try:
        found = scale * float(above) / (float(below) if slash else 1.0)
    except (ValueError, ZeroDivisionError):
        return None
    return round(found, 15) if math.isfinite(found) else None


def nearest(options: Mapping[float, str], value: float, ratios: bool = False) -> str:
    """The option whose number is nearest to a computed one; ``ratios`` compares by factors.

    >>> nearest({1.0: "the same", 6.0: "six times"}, 5.95, ratios=True)
    'six times'
    """
    scale = math.log if ratios else float
    return options[min(options, key=lambda each: abs(scale(each) - scale(value)))]


def close(given: float, answer: float, tolerance: float) -> bool:
    """Whether a number is the answer up to rounding.

    >>> close(0.29, 0.2904, 0.02), close(0.31, 0.2904, 0.02), close(0.01, 0.0, 0.02)
    (True, False, True)
    """
    return abs(given - answer) <= tolerance * (abs(answer) or 1.0)


def check(exercise: Exercise, given: str | float | None) -> Reply:
    """What is said to an answer.

    Args:
        exercise: the question.
        given: an option, a number, or a number as a person writes it; None or "" for no answer yet.

    Returns:
        `Reply`: ``open`` (no answer), ``unreadable`` (no number), ``wrong`` or ``right``.
    """
    if given is None or given == "":
        return Reply("open", "Your answer?")
    if isinstance(exercise.answer, str):
        right = given == exercise.answer
        return Reply("right", exercise.why) if right else _wrong(exercise, given)
    values = _readings(given, exercise.percent)
    if not values:
        return Reply("unreadable", "Write one number, such as `0.29`, `29 %`, `2.9e-1` or `1/4`.")
    if any(close(value, exercise.answer, exercise.tolerance) for value in values):
        return Reply("right", exercise.why)
    return _wrong(exercise, *values)


def _readings(given: str | float, percent: bool) -> list[float]:
    """What a number may mean: a comma may be a decimal one, a bare number a number of percents."""
    if not isinstance(given, str):
        return [float(given)]
    found = [number(given), number(given.replace(",", "."))]
    values = [each for each in dict.fromkeys(found) if each is not None]
    return [*values, *(each / 100 for each in values if percent and "%" not in given)]


def _wrong(exercise: Exercise, *given: str | float) -> Reply:
    for mistake in exercise.mistakes:
        for each in given:
            same = (
                each == mistake.value
                if isinstance(each, str) or isinstance(mistake.value, str)
                else close(each, mistake.value, exercise.tolerance)
            )
            if same:
                return Reply("wrong", mistake.text)
    text = exercise.hint or "Look again at the picture above, and at the units."
    if isinstance(given[0], float) and isinstance(exercise.answer, float):
        text = _slip(given[0], exercise) or text
    return Reply("wrong", text)


def _slip(given: float, exercise: Exercise) -> str:
    """A sentence on a wrong sign or a misplaced decimal point, or ""."""
    answer = float(exercise.answer)
    if close(-given, answer, exercise.tolerance):
        return "The size is right; the sign is not."
    for decade in range(1, _DECADES + 1):
        if any(close(given * 10.0**k, answer, exercise.tolerance) for k in (decade, -decade)):
            return "The digits are right; the decimal point is not."
    return ""
