"""How many synthetic rows for a table: the function behind ``synthlaw plan``."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from scaling.planning.paths import LARGEST, deficits
from scaling.planning.planned import plan_table
from scaling.planning.pools import Source, from_generator, from_rows
from scaling.planning.strength import sample
from scaling.planning.table import Table, canonical_order, make_table
from simulations.problems import InputError
from simulations.tables.generators import GENERATORS, duplicate
from simulations.threads import one_thread
from synthlaw import resultfolder
from synthlaw.output import finite
from synthlaw.planning.encoding import (
    Feature,
    Groups,
    Warned,
    encode,
    features_of,
    groups_of,
    matched,
)
from synthlaw.planning.entries import Told, entries
from synthlaw.planning.reading import Frame, read_frame
from synthlaw.planning.request import REWEIGHT, SUPPLIED, Request, checked_request

Advance = Callable[[float, float, str], None]
STAGES = ("memorisation", "curve", "done")
# Of larger tables a sample is trained on: what more rows would tell of a floor lies below any margin.
# Rare groups keep some rows where that does not make the sample much larger.
MOST_ROWS, FEWEST, LARGEST_SAMPLE = 100_000, 2_000, 200_000


def plan(
    table: Any,
    *,
    label: str,
    group: str | None = None,
    generator: Any = None,
    synthetic: Any = None,
    heldout: Any = None,
    out: str | Path | None = None,
    seed: int = 0,
    advance: Advance | None = None,
) -> dict[str, Any]:
    """Does synthetic oversampling help on this table, and how many rows?

    Args:
        table: path of a CSV file with a header line, a data frame, or a dictionary of columns.
        label: the column of labels; it holds two values, of any kind.
        group: a column of an attribute: the pairs of label and attribute are balanced instead of the
            labels, and the attribute is no feature.
        generator: ``duplicate``, ``gaussian``, ``smoothed``, ``smote`` (the default) or ``reweight``; or a
            sampler with ``fit_resample`` that adds rows, such as imbalanced-learn's.
        synthetic: rows with the same columns to be judged instead, like ``table``.
        heldout: real rows with the same columns that ``synthetic`` must not hold.
        out: a folder for plan.json, its table and figure; None: write nothing.
        seed: of folds, draws and intervals.
        advance: called with stages done, stages in all, and what is being done.

    Returns:
        The content of plan.json.

    Raises:
        ValueError: one sentence: the file, column or option, and the remedy.

    Do not trust a number beside a warning without its page in paper_notes/warnings/; a loss predicted
    from a dozen rows of a class is rough, which its interval shows.

    >>> random = np.random.default_rng(0)
    >>> y = np.repeat(["no", "yes"], [400, 40])
    >>> x = random.standard_normal((440, 2)) + np.where(y == "yes", 1.0, -1.0)[:, None]
    >>> found = plan({"a": x[:, 0], "b": x[:, 1], "y": y}, label="y", generator="duplicate")
    >>> found["minority"], found["classes"]["minority"], found["recommendation"]["best_rows"] > 100
    (40, 'yes', True)
    """
    request = checked_request(
        label=label,
        group=group,
        generator=generator,
        synthetic=synthetic,
        heldout=heldout,
        seed=seed,
    )
    return run(prepared(table, request, synthetic, heldout, out), request, out, advance)


class Prepared(NamedTuple):
    """Everything read and checked; rows of ``table`` in canonical order, ``order (n,)`` their rows in
    ``frame``; ``rows`` and ``groups`` of what was supplied."""

    frame: Frame
    groups: Groups
    features: list[Feature]
    table: Table
    order: np.ndarray
    rows: Frame | None
    written: np.ndarray
    heldout: Frame | None
    warned: list[Warned]


def prepared(
    given: Any, request: Request, synthetic: Any, heldout: Any, out: str | Path | None
) -> Prepared:
    """Everything that can be wrong with the tables or the folder, checked before anything is fitted."""
    frame = read_frame(given)
    groups, warned = groups_of(frame, request)
    features, more = features_of(frame, request, groups.kept)
    rows = others = None
    written = np.empty(0, int)
    if synthetic is not None:
        rows = read_frame(synthetic, "the synthetic rows")
        names = matched(rows, frame, features, request, "--synthetic")
        written = _written(rows, names, groups)
    if heldout is not None:
        others = read_frame(heldout, "the held-out rows")
        matched(others, frame, features, request, "--heldout")
    if out is not None:
        resultfolder.check(Path(out), "plan")
    values = encode(frame, features, groups.kept)
    order = canonical_order(values, groups.group)
    table = make_table(values[order], groups.group[order], groups.labels)
    return Prepared(
        frame,
        groups,
        features,
        table,
        groups.kept[order],
        rows,
        written,
        others,
        [*warned, *more],
    )


def _written(rows: Frame, names: np.ndarray, groups: Groups) -> np.ndarray:
    """Groups ``(m,)`` of the supplied rows; ``InputError`` where one is of no group of the table."""
    known = {name: k for k, name in enumerate(groups.names)}
    found = np.array([known.get(str(name), -1) for name in names])
    if (found < 0).any():
        row = int(np.argmin(found))
        told = ", ".join(map(repr, groups.names[:6]))
        raise InputError(
            f"{rows.source} (--synthetic): row {row + 1} is of the class or group {str(names[row])!r},"
            f" which the table does not have; its own are {told}."
        )
    real = np.bincount(groups.group)
    lacks = real.max() - real
    given = np.bincount(found, minlength=len(real))
    without = np.flatnonzero((lacks > 0) & (given == 0))
    if len(without):
        few = int(without[np.argmax(lacks[without])])
        raise InputError(
            f"{rows.source} (--synthetic) has no row of {groups.names[few]!r}, which lacks {lacks[few]}"
            " rows; give rows of every class or group that lacks some."
        )
    return found


def run(
    what: Prepared, request: Request, out: str | Path | None, advance: Advance | None = None
) -> dict[str, Any]:
    """Make the plan, and write what is to be written."""
    tell = advance or _silent
    told: dict[str, Any] | None = None
    warned = list(what.warned)
    tell(0, len(STAGES) - 1, STAGES[0])
    copied = np.empty(0, int)
    if what.rows is not None:
        from synthlaw.planning.memorisation import memorisation

        told, copied, more = memorisation(what, what.rows, request)
        warned += more
    tell(1, len(STAGES) - 1, STAGES[1])
    n = len(what.table.group)
    about = Told(request, what.groups, what.table.counts, what.table.values.shape[1])
    if n > sample_size(about.counts):
        what, copied = _sampled(what, copied, request.seed)
        seen = len(what.table.group)
        text = (
            f"Rules were trained on a random {seen} of the {n} rows; the predictions are for all of"
            " them, their variances taken down in proportion."
        )
        warned.append(("sampled_rows", text))
    source, largest, more = _source(what, request, copied, about.counts)
    # The products here are many and small: threads would wait for each other.
    with one_thread():
        found = plan_table(what.table, source, request.seed, largest, len(what.table.group) / n)
    found = found._replace(total=int(deficits(about.counts).sum()))
    payload = finite(entries(found, about, told, [*warned, *more]))
    tell(2, len(STAGES) - 1, STAGES[2])
    if out is not None:
        asked = {"table": what.frame.source, **request.resolved()}
        resultfolder.leave(Path(out), "plan", payload, asked, partial(_write_curve, payload))
    return payload


def _silent(done: float, total: float, stage: str) -> None:
    """Nobody is told."""


def sample_size(counts: np.ndarray) -> int:
    """Rows to train on, of groups of ``counts (K,)`` rows.

    >>> sample_size(np.array([900, 100])), sample_size(np.array([950_000, 50_000]))
    (1000, 100000)
    >>> sample_size(np.array([988_000, 12_000])), sample_size(np.array([999_900, 100]))
    (166666, 200000)
    """
    n = int(counts.sum())
    rare = int(n * FEWEST / counts.min())
    return min(n, max(MOST_ROWS, min(rare, LARGEST_SAMPLE)))


def _sampled(what: Prepared, copied: np.ndarray, seed: int) -> tuple[Prepared, np.ndarray]:
    """A sample of the table's rows with the groups' shares; copies of rows outside it are nobody's."""
    kept = sample(what.table.group, sample_size(what.table.counts), seed)
    place = np.full(len(what.table.group) + 1, -1)
    place[kept] = np.arange(len(kept))
    table = make_table(what.table.values[kept], what.table.group[kept], what.table.labels)
    return what._replace(table=table, order=what.order[kept]), place[copied]


def _source(
    what: Prepared, request: Request, copied: np.ndarray, real: np.ndarray
) -> tuple[Source, float, list[Warned]]:
    """Where synthetic rows come from, and the largest ratio there are rows for beside the ``real (K,)``."""
    if request.sampler is not None:
        from synthlaw.interop import sampler_source

        return sampler_source(request.sampler, what.groups.labels), LARGEST, []
    if request.generator == REWEIGHT:
        return from_generator(duplicate, "duplicate")._replace(weights=True), LARGEST, []
    if request.generator != SUPPLIED or what.rows is None:
        kind = request.generator
        text = any(each.levels is not None for each in what.features) or len(what.table.missing)
        warned = (
            [
                (
                    "columns_as_numbers",
                    f"{kind} treats levels of text and empty cells as numbers: its rows lie between"
                    " them.",
                )
            ]
            if text and kind != "duplicate"
            else []
        )
        return from_generator(GENERATORS[kind], kind), LARGEST, warned
    values = encode(what.rows, what.features, np.arange(what.rows.rows))
    lacks = deficits(real)
    counts = np.bincount(what.written, minlength=len(lacks))
    needy = lacks > 0
    warned = list[Warned]()
    if counts[~needy].sum():
        text = (
            f"{counts[~needy].sum()} supplied rows are of groups that lack none and are not used."
        )
        warned.append(("unused_rows", text))
    largest = min(LARGEST, float((counts[needy] / lacks[needy]).min()))
    return from_rows(values, what.written, copied), largest, warned


def _write_curve(payload: dict[str, Any], folder: Path) -> None:
    import pandas as pd

    pd.DataFrame(payload["curve"]).to_csv(folder / "plan_curve.csv", index=False)
