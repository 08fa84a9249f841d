"""Outlines in fewer letters: coordinates to a hundredth of a point, each relative to the last."""

import re

_NUMBER = re.compile(r"-?\d*\.\d+(?:e[-+]?\d+)?|-?\d+e[-+]?\d+")
_PATH = re.compile(r"[MmLlHhVvCcSsQqTtAaZz0-9eE+\-., \n]*")
_WORD = re.compile(r"[A-Za-z]|[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?")
# Coordinate pairs of each command that is written relative.
_PAIRS = {"M": 1, "L": 1, "Q": 2, "C": 3}


def _digits(hundredths: int) -> str:
    whole, part = divmod(abs(hundredths), 100)
    sign = "-" if hundredths < 0 else ""
    if not part:
        return f"{sign}{whole}"
    tail = f"{part:02d}".rstrip("0")
    return f"{sign}{whole or ''}.{tail}"


def rounded(text: str) -> str:
    """A text with its decimal numbers to five figures at most, and to a hundredth above 1.

    >>> rounded("translate(205.145977 9.8) scale(0.015625)"), rounded("-0.000001"), rounded("12.0")
    ('translate(205.15 9.8) scale(0.015625)', '-1e-06', '12')
    """
    return _NUMBER.sub(_shorter, text)


def _shorter(match: re.Match[str]) -> str:
    value = float(match[0])
    return f"{round(value, 2):.12g}" if abs(value) >= 1.0 else f"{value:.5g}"


def compact(path: str) -> str:
    """The ``d`` of a path, shorter; "" where it is none.

    >>> compact("M 10.004 20 L 15.5 20.25 L 15.5 20.25 z"), compact("M 1 2 h 3.14159"), compact("<")
    ('M10 20l5.5 .25 0 0z', 'M 1 2 h 3.14', '')
    """
    if not _PATH.fullmatch(path):
        return ""
    short = _relative(_WORD.findall(path))
    return rounded(path) if short is None else short


def _relative(words: list[str]) -> str | None:
    """With absolute moves, lines and curves only: the same outline, relative; None for any other.

    Differences are of rounded coordinates, so nothing adds up along a curve.
    """
    out: list[str] = []
    x = y = start_x = start_y = 0
    last, at, end = "", 0, len(words)
    while at < end:
        command = words[at]
        at += 1
        if command in "zZ":
            out.append("z")
            x, y, last = start_x, start_y, "z"
            continue
        pairs = _PAIRS.get(command)
        if pairs is None or at + 2 * pairs > end:
            return None
        try:
            numbers = [round(100.0 * float(word)) for word in words[at : at + 2 * pairs]]
        except ValueError:
            return None
        at += 2 * pairs
        if command == "M":
            x, y = start_x, start_y = numbers
            out.append("M" + _joined(numbers, ""))
        else:
            moved = [each - (y if odd % 2 else x) for odd, each in enumerate(numbers)]
            letter = command.lower()
            out.append(_joined(moved, letter if last != command else " "))
            x, y = numbers[-2:]
        last = command
    return "".join(out)


def _joined(numbers: list[int], head: str) -> str:
    """Numbers behind one another; a minus sign parts them as well as a space."""
    text = " ".join(map(_digits, numbers)).replace(" -", "-")
    return text if head == " " and text.startswith("-") else head + text
