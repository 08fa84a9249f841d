"""Reading what a run left, and what a picture of it is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from figures import tidy
from figures.faults import FigureError


class Picture(NamedTuple):
    """One picture: file name without suffix, the figure it is an instance of, how to draw it."""

    name: str
    figure: str
    draw: Callable[[], Figure]


def read_json(path: Path, field: str, kind: type, what: str, command: str) -> dict[str, Any]:
    """The object in a file that ``command`` left, with a ``field`` of this kind."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FigureError(f"{path} cannot be read ({error}); run {command} again.") from None
    if not isinstance(found, dict) or not isinstance(found.get(field), kind):
        raise FigureError(f"{path} lists no {what}; run {command} again.")
    return found


def read_table_file(path: Path) -> pd.DataFrame:
    """A table that has rows."""
    try:
        table = tidy.read_table(path)
    except (OSError, ValueError) as error:
        raise FigureError(f"{path} cannot be read ({error}); make the table again.") from None
    if table.empty:
        raise FigureError(f"{path} has no rows; make the table again.")
    return table
