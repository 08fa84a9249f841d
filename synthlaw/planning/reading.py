"""Anybody's table of rows: columns of numbers or of text, from a CSV file, a data frame or a dictionary."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from simulations.problems import InputError, nearest, one_sentence, show
from synthlaw.fitting.reading import EMPTY, SEPARATORS, check_header

# What says that a cell is empty, in any case of letters.
BLANK = (*EMPTY, "nan", "?")
_BLANKS = sorted(
    {f(word) for word in BLANK for f in (str.lower, str.upper, str.capitalize)} | {"NaN"}
)
# A column of text in which so many cells are numbers is a column of numbers with faults in it.
MOSTLY = 0.5


class Frame(NamedTuple):
    """``numbers[name] (n,)`` with NaN, or ``texts[name] (n,)`` with "", for every column; ``names`` in the
    order of the file; ``source``: what was read."""

    source: str
    names: tuple[str, ...]
    numbers: Mapping[str, np.ndarray]
    texts: Mapping[str, np.ndarray]
    rows: int


def read_frame(table: Any, what: str = "the table") -> Frame:
    """The columns of a CSV file's path, a data frame, or a dictionary of sequences.

    Args:
        table: what was handed over.
        what: its name in a sentence on a fault.

    Raises:
        ValueError: one sentence: no such file, no CSV, no rows, or a cell that is no number in a
            column of numbers.
    """
    if isinstance(table, str | Path):
        return _of_file(Path(table))
    if hasattr(table, "columns") and hasattr(table, "index"):
        found = {str(name): table[name] for name in table.columns}
    elif isinstance(table, Mapping):
        found = {str(name): values for name, values in table.items()}
    else:
        raise InputError(
            f"{what} is a {type(table).__name__}; give the path of a CSV file, a data frame, or a"
            " dictionary of columns."
        )
    lengths = {name: len(values) for name, values in found.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"the columns of {what} differ in length; give one cell for each row.")
    if not lengths or not next(iter(lengths.values())):
        raise InputError(f"{what} has no rows; give one row for each example.")
    return _frame(what, {name: _column(what, name, values) for name, values in found.items()})


def _frame(source: str, columns: Mapping[str, np.ndarray]) -> Frame:
    numbers = {name: values for name, values in columns.items() if values.dtype.kind == "f"}
    texts = {name: values for name, values in columns.items() if values.dtype.kind != "f"}
    for name, values in numbers.items():
        wrong = np.flatnonzero(np.isinf(values))
        if len(wrong):
            raise InputError(
                f"{source}: row {wrong[0] + 1}, column {name!r}: infinity is no value to learn from;"
                " leave the cell empty."
            )
    return Frame(source, tuple(columns), numbers, texts, len(next(iter(columns.values()))))


def _column(source: str, name: str, values: Any) -> np.ndarray:
    """Floats where all cells are numbers or empty, else text."""
    found = np.asarray(values)
    if found.dtype.kind in "biuf":
        return found.astype(float)
    texts = np.array(["" if _is_blank(each) else str(each).strip() for each in values], object)
    return _of_texts(source, name, texts)


def _is_blank(cell: Any) -> bool:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return True
    # pandas' own mark of a missing cell is not equal to itself, and has no truth.
    return type(cell).__name__ in ("NAType", "NaTType") or str(cell).strip().lower() in BLANK


def _number(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def _of_texts(source: str, name: str, texts: np.ndarray) -> np.ndarray:
    """Text as numbers where all of it is; as it is where little of it is."""
    levels, place = np.unique(texts.astype(str), return_inverse=True)
    values = [math.nan if level == "" else _number(level) for level in levels]
    known = np.array([value is not None for value in values])
    if known.all():
        return np.array(values, float)[place]
    filled = texts != ""
    if known[place][filled].mean() < MOSTLY:
        return texts
    row = int(np.flatnonzero(~known[place])[0])
    raise InputError(
        one_sentence(
            f"{source}: row {row + 1}, column {name!r}: {show(str(texts[row]))} is no number, as the"
            " column's others are; mend that cell or leave it empty"
        )
    )


def _of_file(path: Path) -> Frame:
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a CSV file, such as {path / 'data.csv'}.")
    try:
        with path.open("rb") as file:
            head = file.read(1 << 20)
    except FileNotFoundError:
        raise InputError(
            f"{path}: there is no such file; name a CSV file with a header line."
        ) from None
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); name a CSV file you may read."
        ) from None
    return _of_csv(path, *_header(path, head))


def _header(path: Path, head: bytes) -> tuple[str, list[str]]:
    """Separator and names of the columns."""
    if b"\0" in head:
        raise InputError(f"{path} is no text file; save the table as a CSV file.")
    line = next((line for line in head.splitlines() if line.strip()), b"")
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is no text in UTF-8; save the table as a CSV file.") from None
    if not text:
        raise InputError(f"{path} is empty; give a header line and a line for each example.")
    separator = next((each for each in SEPARATORS if each in text), ",")
    (row,) = csv.reader([text], delimiter=separator, skipinitialspace=True)
    names = [name.strip() for name in row]
    check_header(str(path), names)
    return separator, names


def _of_csv(path: Path, separator: str, names: Sequence[str]) -> Frame:
    import pyarrow as arrow
    from pyarrow import csv as reader

    # In one block the type of a column is told by all of its cells, not by the first ones.
    block = min(max(path.stat().st_size + 1, 1 << 20), 2**31 - 1)
    try:
        found = reader.read_csv(
            path,
            read_options=reader.ReadOptions(block_size=block, column_names=list(names), skip_rows=1),
            parse_options=reader.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=reader.ConvertOptions(
                null_values=_BLANKS, strings_can_be_null=True, true_values=[], false_values=[],
                timestamp_parsers=[],
            ),
        )  # fmt: skip
    except arrow.ArrowInvalid as error:
        raise InputError(one_sentence(f"{path}: {_fault(str(error))}")) from None
    if found.num_rows == 0:
        raise InputError(f"{path} has a header but no rows; give a line for each example.")
    columns = {}
    for name in names:
        # One column at a time: numbers need no copy of the whole table beside them.
        columns[name] = _of_arrow(str(path), name, found.column(name))
        found = found.drop_columns([name])
    return _frame(str(path), columns)


def _fault(text: str) -> str:
    """What pyarrow refused, in our words."""
    if "Expected" in text and "columns" in text:
        told = text.split(":", 1)[-1].split(":")[0].strip()
        return f"the lines differ in length ({told[0].lower() + told[1:]}); mend the line"
    if "UTF8" in text:
        return "is no text in UTF-8; save the table as a CSV file"
    if "Empty" in text:
        return "has a header but no rows; give a line for each example"
    return f"is no CSV ({text.splitlines()[0].rstrip('.')}); save the table as CSV again"


def _of_arrow(source: str, name: str, column: Any) -> np.ndarray:
    import pyarrow as arrow

    kind = column.type
    if arrow.types.is_integer(kind) or arrow.types.is_floating(kind):
        return np.ascontiguousarray(column.cast(arrow.float64()).to_numpy(), float)
    if arrow.types.is_null(kind):
        return np.full(len(column), np.nan)
    # Anything else, dates included, is text.
    texts = column.cast(arrow.string()).to_numpy(zero_copy_only=False)
    cells = ["" if each is None else str(each).strip() for each in texts]
    return _of_texts(source, name, np.array(cells, object))


def named(frame: Frame, name: str, option: str) -> np.ndarray:
    """A column; ``InputError`` where there is none, naming the nearest."""
    if name not in frame.names:
        remedy = nearest(name, frame.names, "columns")
        raise InputError(
            one_sentence(f"{frame.source} has no column {name!r} ({option}); {remedy}")
        )
    return frame.numbers[name] if name in frame.numbers else frame.texts[name]


def as_texts(values: np.ndarray) -> np.ndarray:
    """Cells as they would be written, "" where empty.

    >>> as_texts(np.array([1.0, 0.5, np.nan])).tolist()
    ['1', '0.5', '']
    """
    if values.dtype.kind != "f":
        return values
    levels, place = np.unique(values, return_inverse=True)
    words = np.array(["" if np.isnan(each) else f"{each:.12g}" for each in levels], object)
    return words[place]
