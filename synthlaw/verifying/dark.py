"""Colours of a figure on a dark page: light becomes dark, colours keep their hue and can be seen.

Lightness, chroma and hue are those of OKLab (Ottosson 2020), in which equal steps look equal.
"""

from typing import NamedTuple

# The page's grounds (report.css): white in a figure becomes the dark one.
PAPER, DARK_PAPER = "ffffff", "1b1e24"
# Lightness of ink on the dark ground, in OKLab.
_INK = 0.93
# Up to this chroma a colour counts as grey and turns over, beyond twice this it keeps its lightness.
_GREY = 0.03
# The least lightness that a hue keeps: contrast 4.5 or more with the dark ground.
_LEAST = 0.66


class Lab(NamedTuple):
    """Lightness in [0, 1] and the two opponent axes of OKLab."""

    light: float
    a: float
    b: float


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _encoded(part: float) -> float:
    part = min(max(part, 0.0), 1.0)
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1.0 / 2.4) - 0.055


def _parts(digits: str) -> tuple[float, float, float]:
    red, green, blue = (_linear(int(digits[at : at + 2], 16) / 255.0) for at in (0, 2, 4))
    return red, green, blue


def luminance(digits: str) -> float:
    """Relative luminance of a colour of six hexadecimal digits, in [0, 1] (WCAG 2.2)."""
    red, green, blue = _parts(digits)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, in [1, 21] (WCAG 2.2).

    >>> round(contrast("000000", "ffffff"), 6), round(contrast("777777", "777777"), 6)
    (21.0, 1.0)
    """
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _lab(digits: str) -> Lab:
    red, green, blue = _parts(digits)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return Lab(
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _digits(lab: Lab) -> str:
    long = (lab.light + 0.3963377774 * lab.a + 0.2158037573 * lab.b) ** 3
    middle = (lab.light - 0.1055613458 * lab.a - 0.0638541728 * lab.b) ** 3
    short = (lab.light - 0.0894841775 * lab.a - 1.2914855480 * lab.b) ** 3
    parts = (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
    return "".join(f"{round(255 * _encoded(part)):02x}" for part in parts)


def darkened(digits: str) -> str:
    """The twin of a colour (six hexadecimal digits) on the dark ground.

    Greys turn over: white becomes the ground, black the ink, anything between stands out from the dark
    ground as much as it does from white. A hue keeps its lightness where that can be seen, and is
    raised where it is too dark.

    >>> darkened("ffffff"), darkened("000000"), darkened("6b6b6b")
    ('1b1e24', 'e8e8e8', '919191')
    >>> round(contrast("6b6b6b", PAPER), 1), round(contrast("919191", DARK_PAPER), 1)
    (5.3, 5.3)
    >>> darkened("0173b2"), darkened("de8f05")
    ('3e9adb', 'de8f05')
    """
    if digits == PAPER:
        return DARK_PAPER
    lab = _lab(digits)
    chroma = (lab.a**2 + lab.b**2) ** 0.5
    hued = min(max(chroma / _GREY - 1.0, 0.0), 1.0)
    # Lightness of a grey is the cube root of its luminance.
    turned = (contrast(digits, PAPER) * (luminance(DARK_PAPER) + 0.05) - 0.05) ** (1 / 3)
    light = hued * max(lab.light, _LEAST) + (1.0 - hued) * min(turned, _INK)
    return _digits(Lab(light, lab.a, lab.b))
