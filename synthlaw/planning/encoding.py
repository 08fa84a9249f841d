"""Columns as numbers: which are used, and how other rows with the same columns are written the same way.

Nothing here is learnt from the rows but which columns vary and which levels of text there are; means,
scales and what fills empty cells are learnt from training rows alone (`scaling.planning.table`).
"""

from typing import NamedTuple

import numpy as np

from simulations.problems import InputError, nearest, one_sentence
from synthlaw.planning.reading import Frame, as_texts, named
from synthlaw.planning.request import Request

# Fewer rows of a group cannot be shared out among folds; more groups or levels are none.
FEWEST, MOST_GROUPS, MOST_LEVELS = 5, 20, 50
# A column of text with a level for every other row names rows, not kinds of rows.
NAMES_ROWS = 0.5

Warned = tuple[str, str]


class Feature(NamedTuple):
    """A column and, if it is text, the levels that get a 0/1 column each; None for numbers."""

    name: str
    levels: tuple[str, ...] | None


class Groups(NamedTuple):
    """``names (K,)`` in order, ``labels (K,)`` 0 or 1 (1: the rarer label), the two label values, and
    the rows used ``kept (n,)`` with their ``group (n,)``."""

    names: tuple[str, ...]
    labels: np.ndarray
    values: tuple[str, str]
    kept: np.ndarray
    group: np.ndarray


def groups_of(frame: Frame, request: Request) -> tuple[Groups, list[Warned]]:
    """The groups to balance: the two labels, or the pairs of label and group that occur."""
    label = as_texts(named(frame, request.label, "--label"))
    group = as_texts(named(frame, request.group, "--group")) if request.group else None
    kept = label != ""
    if group is not None:
        kept &= group != ""
    warned: list[Warned] = []
    if not kept.any():
        raise InputError(
            f"{frame.source}: column {request.label!r} (--label) is empty; name the column of labels."
        )
    if not kept.all():
        lost = f"{int((~kept).sum())} of {len(kept)} rows have no label or group and are left out."
        warned.append(("missing_labels", lost))
    values, counts = np.unique(label[kept].astype(str), return_counts=True)
    if len(values) == 1:
        raise InputError(
            f"{frame.source}: column {request.label!r} (--label) holds {str(values[0])!r} in every row; a"
            " plan needs rows of two classes."
        )
    if len(values) > 2:
        told = ", ".join(map(repr, values[:4].tolist()))
        raise InputError(
            f"{frame.source}: column {request.label!r} (--label) holds {len(values)} values ({told},"
            " ..); name a column with two, or write one class against the rest."
        )
    rare = values[int(np.argmin(counts))]
    key = (
        label
        if group is None
        else np.array([f"{a}, {b}" for a, b in zip(label, group, strict=True)])
    )
    names, place, counts = np.unique(key[kept].astype(str), return_inverse=True, return_counts=True)
    labels = np.array([int(label[kept][place == k][0] == rare) for k in range(len(names))])
    _check_groups(frame, request, names, counts)
    two = (str(values[values != rare][0]), str(rare))
    # By label and size, not by name: what the labels are called must not matter.
    order = np.array(sorted(range(len(names)), key=lambda k: (labels[k], -counts[k], names[k])))
    place = np.argsort(order)[place]
    found = Groups(tuple(names[order].tolist()), labels[order], two, np.flatnonzero(kept), place)
    return found, warned


def _check_groups(frame: Frame, request: Request, names: np.ndarray, counts: np.ndarray) -> None:
    what = "class" if request.group is None else "group"
    if len(names) > MOST_GROUPS:
        raise InputError(
            f"{frame.source}: labels and column {request.group!r} (--group) make {len(names)} groups,"
            f" more than {MOST_GROUPS}; name a column with few values."
        )
    small = int(np.argmin(counts))
    if counts[small] < FEWEST:
        raise InputError(
            f"{frame.source}: {what} {str(names[small])!r} has {counts[small]} row(s), and a plan needs"
            f" {FEWEST}; collect more rows of it."
        )
    if counts.max() == counts.min():
        raise InputError(
            f"{frame.source}: every {what} has {counts[0]} rows, so there is nothing to balance; name"
            " another --label or --group."
        )


def features_of(
    frame: Frame, request: Request, kept: np.ndarray
) -> tuple[list[Feature], list[Warned]]:
    """The columns a rule may use, by name; those of no use are left out with a warning."""
    found, warned = list[Feature](), list[Warned]()
    for name in sorted(set(frame.names) - {request.label, request.group}):
        if name in frame.numbers:
            feature, why = _number_feature(name, frame.numbers[name][kept])
        else:
            feature, why = _text_feature(name, frame.texts[name][kept])
        warned += [] if why is None else [why]
        found += [] if feature is None else [feature]
    if not found:
        raise InputError(
            f"{frame.source} has no column to learn from beside the label; add columns that vary."
        )
    return found, warned


def _number_feature(name: str, values: np.ndarray) -> tuple[Feature | None, Warned | None]:
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return None, ("empty_column", f"Column {name!r} is empty and is left out.")
    if len(known) == len(values) and (known == known[0]).all():
        text = f"Column {name!r} holds {known[0]:g} in every row and is left out."
        return None, ("constant_column", text)
    if (known == known[0]).all():
        # Whether the cell is empty is all that varies; the indicator keeps that.
        return Feature(name, None), None
    low, high = known.min(), known.max()
    numbered = len(known) == len(values) > MOST_LEVELS and high - low == len(values) - 1
    if numbered and (known == np.round(known)).all() and len(np.unique(known)) == len(values):
        text = f"Column {name!r} numbers the rows and is left out."
        return None, ("index_column", text)
    return Feature(name, None), None


def _text_feature(name: str, texts: np.ndarray) -> tuple[Feature | None, Warned | None]:
    levels, counts = np.unique(texts.astype(str), return_counts=True)
    if len(levels) == 1:
        text = f"Column {name!r} holds {str(levels[0])!r} in every row and is left out."
        return None, ("constant_column", text)
    if len(levels) > MOST_LEVELS and len(levels) > NAMES_ROWS * len(texts):
        text = f"Column {name!r} is text that differs from row to row and is left out."
        return None, ("text_column", text)
    if len(levels) == 2:
        return Feature(name, (str(levels[1]),)), None
    order = sorted(range(len(levels)), key=lambda k: (-counts[k], levels[k]))[:MOST_LEVELS]
    chosen = tuple(sorted(str(levels[k]) for k in order))
    if len(levels) > MOST_LEVELS:
        text = (
            f"Column {name!r} has {len(levels)} levels; the {MOST_LEVELS} most frequent get a column each,"
            " the others count as one."
        )
        return Feature(name, chosen), ("many_levels", text)
    return Feature(name, chosen), None


def encode(frame: Frame, features: list[Feature], kept: np.ndarray) -> np.ndarray:
    """Numbers ``(n, d)``: NaN for an empty cell, a 0/1 column for each level; a level that is not known
    has 0 in all of them."""
    width = sum(1 if each.levels is None else len(each.levels) for each in features)
    values, place = np.empty((len(kept), width)), 0
    for name, levels in features:
        if levels is None:
            values[:, place] = frame.numbers[name][kept]
            place += 1
            continue
        texts = as_texts(frame.texts[name] if name in frame.texts else frame.numbers[name])[kept]
        for level in levels:
            values[:, place] = texts == level
            place += 1
    return values


def matched(
    rows: Frame, frame: Frame, features: list[Feature], request: Request, option: str
) -> np.ndarray:
    """Groups' names ``(m,)`` of other rows with the same columns; ``InputError`` where they differ."""
    for name in rows.names:
        if name not in frame.names:
            remedy = nearest(name, frame.names, f"columns of {frame.source}")
            text = f"{rows.source} ({option}) has a column {name!r} that {frame.source} has not; {remedy}"
            raise InputError(one_sentence(text))
    needed = [request.label, *([request.group] if request.group else [])]
    for name in [*needed, *(each.name for each in features)]:
        if name not in rows.names:
            raise InputError(
                f"{rows.source} ({option}) has no column {name!r}, which {frame.source} has; give rows"
                " with the same columns."
            )
    for name, levels in features:
        if levels is None and name in rows.texts:
            wrong = next(iter(rows.texts[name][rows.texts[name] != ""]), "")
            raise InputError(
                f"{rows.source} ({option}): column {name!r} holds {wrong!r} where {frame.source} holds"
                " numbers; give rows with the same columns."
            )
    label = as_texts(named(rows, request.label, "--label"))
    if request.group is None:
        return label
    group = as_texts(named(rows, request.group, "--group"))
    return np.array([f"{a}, {b}" for a, b in zip(label, group, strict=True)], object)
