"""Verdicts in plain words, the same in the terminal and in the report."""

import math
from collections.abc import Callable
from typing import Any

from simulations.runs.flags import MEANING

GLYPHS = {"supported": "✔", "unresolved": "?", "contradicted": "✘"}
_ABSENT = "–"


def number(value: float | None, digits: int = 4) -> str:
    """A number to ``digits`` figures; a dash where there is none.

    >>> number(0.00069382), number(None), number(200), number(1234567.0)
    ('0.0006938', '–', '200', '1.235e+06')
    """
    if value is None or not math.isfinite(value):
        return _ABSENT
    return f"{value:d}" if isinstance(value, int) else f"{value:.{digits}g}"


def measured(value: float | None, error: float | None) -> str:
    """A number with its standard error, both to the decimals the error deserves.

    >>> measured(1.00321, 0.00412), measured(6.9382e-4, 1.84e-6), measured(0.5, None)
    ('1.003 ± 0.004', '0.0006938 ± 0.0000018', '0.5')
    >>> measured(2.9e-7, 1.5e-9)
    '2.900e-07 ± 1.5e-09'
    """
    if value is None or not math.isfinite(value):
        return _ABSENT
    if error is None or not math.isfinite(error) or error <= 0:
        return number(value)
    leading = math.floor(math.log10(error))
    # One figure of the error, two where it starts with 1: half a unit must not be a third of it.
    places = -leading + (error < 1.95 * 10.0**leading)
    if places > 8:
        return f"{value:.3e} ± {error:.1e}"
    return f"{value:.{max(places, 0)}f} ± {error:.{max(places, 0)}f}"


def percent(share: float) -> str:
    """A share in percent.

    >>> percent(0.0423), percent(0.02)
    ('4.2 %', '2 %')
    """
    return f"{100 * share:.2g} %" if abs(share) < 1 else f"{100 * share:.0f} %"


def verdict_sentence(claim: dict[str, Any]) -> str:
    """What became of a claim of ``verdicts.json``, in one sentence.

    >>> verdict_sentence({"kind": "constant", "outcome": "supported", "ratio": 1.003,
    ...                   "ratio_se": 0.0042, "margin": 0.02, "resolution": 0.042})
    'supported: estimate/prediction = 1.003 ± 0.004; an error above 4.2 % of the prediction would have been caught'
    """  # noqa: E501
    return f"{claim['outcome']}: {_SENTENCES[claim['kind']](claim)}"


def short_verdict(claim: dict[str, Any]) -> str:
    """The number a verdict rests on, for a narrow column."""
    return _SENTENCES[claim["kind"]](claim).split(";")[0]


def twin_sentence(twin: dict[str, Any] | None) -> str:
    """What became of the planted error of a claim."""
    if not twin:
        return "no planted error is declared"
    return {
        "contradicted": "caught, as it must be",
        "unresolved": "not caught: the data cannot tell it from the claim",
        "supported": "not caught: it passed as true",
    }[twin["outcome"]]


def warning_line(code: str, text: str) -> str:
    """A warning of a fit or a plan as it is printed: its code, its page in the notes, what it says.

    >>> warning_line("flat", "A constant fits the curve as well.")
    'flat (paper_notes/warnings/flat.md): A constant fits the curve as well.'
    """
    return f"{code} (paper_notes/warnings/{code}.md): {text}"


def flag_sentence(claim: dict[str, Any]) -> str:
    """What a reader must know of a claim some of whose cells are flagged; "" where none is.

    >>> flag_sentence({"flagged_rows": 1})[:57]
    'in 1 row of the evidence more than 1 % of fits failed: it'
    >>> flag_sentence({"flagged_rows": 0})
    ''
    """
    count = int(claim.get("flagged_rows") or 0)
    if not count:
        return ""
    rows, it, speaks = ("row", "it", "speaks") if count == 1 else ("rows", "they", "speak")
    return (
        f"in {count} {rows} of the evidence {MEANING}: {it} {speaks} only of samples whose "
        "minimiser exists"
    )


def _constant(claim: dict[str, Any]) -> str:
    ratio = f"estimate/prediction = {measured(claim.get('ratio'), claim.get('ratio_se'))}"
    return f"{ratio}; {_power(claim, 'of the prediction', percent)}"


def _exponent(claim: dict[str, Any]) -> str:
    # What the verdict rests on: the ladder's end, where there is a ladder.
    predicted, ratio = claim.get("prediction"), claim.get("ratio")
    found = measured(claim.get("estimate"), claim.get("se"))
    if predicted is not None and ratio is not None:
        found = measured(ratio * predicted, (claim.get("ratio_se") or 0.0) * abs(predicted))
    head = f"exponent {found} where {number(claim.get('prediction'))} is predicted"
    return f"{head}; {_power(claim, 'in the exponent', number)}"


def _power(claim: dict[str, Any], of_what: str, show: Callable[[float], str]) -> str:
    """How much the outcome is worth."""
    margin = claim.get("margin")
    band = "the margin" if margin is None else f"the margin of {show(margin)}"
    if claim["outcome"] == "contradicted":
        return f"its whole interval lies outside {band}"
    if claim["outcome"] == "unresolved":
        return f"its interval crosses {band}, so more replicates are needed"
    if claim.get("resolution") is None:
        return f"its whole interval lies inside {band}"
    return f"an error above {show(claim['resolution'])} {of_what} would have been caught"


def _inequality(claim: dict[str, Any]) -> str:
    ratio = claim.get("ratio")
    head = f"largest measured/bound = {measured(ratio, claim.get('ratio_se'))}"
    if claim["outcome"] == "contradicted":
        return f"{head}; the bound is broken"
    if claim["outcome"] == "unresolved":
        return f"{head}; too close to the bound to tell, more replicates are needed"
    if ratio is None or ratio >= 1:
        return f"{head}; the bound holds"
    return f"{head}; the bound holds with {percent(1.0 - ratio)} to spare"


def _distribution(claim: dict[str, Any]) -> str:
    """``estimate`` is a distance between laws and ``se`` the radius of its confidence interval."""
    found = f"{number(claim.get('estimate'), 3)} ± {number(claim.get('se'), 2)}"
    tail = {
        "supported": "within the margin of",
        "unresolved": "too wide to tell from the margin of",
        "contradicted": "outside the margin of",
    }
    head = f"distance to the predicted law {found} (confidence radius)"
    return f"{head}; {tail[claim['outcome']]} {number(claim.get('margin'))}"


def _agreement(claim: dict[str, Any]) -> str:
    estimate, error = claim.get("estimate"), claim.get("se")
    found = measured(estimate, error) if error else number(estimate, 6)
    head = f"measured {found}, expected {number(claim.get('prediction'), 6)}"
    tail = {
        "supported": "they agree",
        "unresolved": "too few replicates to tell",
        "contradicted": "they disagree by more than chance or rounding allows",
    }
    return f"{head}; {tail[claim['outcome']]}"


_SENTENCES = {
    "constant": _constant,
    "exponent": _exponent,
    "inequality": _inequality,
    "distribution": _distribution,
    "exact": _agreement,
}
