"""The recorded reference numbers under tests/reference/, and comparison with printed digits."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "reference"


def reference(name: str) -> dict[str, Any]:
    """The content of one file of reference numbers."""
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def agrees_with_digits(value: float, printed: str) -> bool:
    """Whether ``value`` rounds to the printed number: half a unit of its last digit.

    >>> agrees_with_digits(0.29515149, "2.95151e-1"), agrees_with_digits(0.2951516, "2.95151e-1")
    (True, False)
    """
    unit = 10.0 ** int(Decimal(printed).as_tuple().exponent)
    return abs(value - float(printed)) <= 0.5 * unit * (1.0 + 1e-6)
