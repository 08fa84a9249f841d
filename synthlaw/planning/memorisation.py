"""What supplied rows repeat and break: copies of the table's rows, of held-out ones, and relations."""

from typing import Any

import numpy as np

from scaling.planning import copies
from scaling.planning.relations import broken
from scaling.planning.table import apply, learn
from simulations.tables.neighbours import TREE_COLUMNS
from synthlaw.planning.encoding import Warned, encode
from synthlaw.planning.plan import Prepared
from synthlaw.planning.reading import Frame, as_texts
from synthlaw.planning.request import Request

# Counts beyond what chance gives real rows of the same law are worth a warning from this tail on.
TAIL = 1e-3
SHOWN = 20
MARGIN = 1e3
# Rows that tell how often two agree in a column.
ENOUGH = 5_000


def memorisation(
    what: Prepared, rows: Frame, request: Request
) -> tuple[dict[str, Any], np.ndarray, list[Warned]]:
    """The entry of plan.json; for each supplied row the place in the table of the row that it repeats or
    nearly repeats, -1 for none; and warnings."""
    used = np.sort(what.order)
    names = [*(each.name for each in what.features), request.label]
    names += [request.group] if request.group else []
    codes = {name: _codes(what.frame, used, rows, what.heldout, name) for name in names}
    scales = [_scale(what.frame, used, name) for name in names]
    real, written, others = (
        copies.marks([codes[name][k] for name in names], scales) for k in range(3)
    )
    same = copies.equal_rows(written, real)
    seen = _looked_at(len(used), len(what.features), request.seed)
    scaler, x = learn(encode(what.frame, what.features, used[seen]), what.table.missing)
    made = apply(scaler, encode(rows, what.features, np.arange(rows.rows)))
    near = copies.nearest(x[:, :-1], made[:, :-1], request.seed)
    only = near.near & (same < 0)
    relations = _relations(what, used[seen], rows)
    entry = {
        "rows": rows.rows,
        "exact_train": int((same >= 0).sum()),
        "near_train": int(only.sum()),
        "exact_heldout": (
            None if what.heldout is None else int((copies.equal_rows(written, others) >= 0).sum())
        ),
        "duplicates": copies.repeated(written),
        "broken_relations": relations[:SHOWN],
        "near_threshold": near.threshold,
        "exact_by_chance": _by_chance(codes, scales, copies.repeated(real)),
        "near_by_chance": near.chance,
        "searched": {"rows": near.searched[1], "table_rows": near.searched[0]},
    }
    place = np.where(same >= 0, same, np.where(only, seen[near.place], -1))
    # Places in the canonical order, in which folds are made.
    back = np.empty(len(used), int)
    back[np.searchsorted(used, what.order)] = np.arange(len(used))
    copied = np.where(place >= 0, back[place], -1)
    return entry, copied, _warnings(entry, what, rows)


def _looked_at(n: int, columns: int, seed: int) -> np.ndarray:
    """Places of the real rows that near copies and relations are looked for among."""
    most = copies.MOST_TREE if columns <= TREE_COLUMNS else copies.MOST_EACH
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng([seed, 4]).choice(n, most, replace=False))


def _codes(
    frame: Frame, used: np.ndarray, rows: Frame, heldout: Frame | None, name: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One column of table, supplied and held-out rows: numbers, or levels as numbers."""
    frames = [frame, rows, *([heldout] if heldout is not None else [])]
    if all(name in each.numbers for each in frames):
        found = [each.numbers[name] for each in frames]
    else:
        texts = [
            as_texts(each.texts[name] if name in each.texts else each.numbers[name]).astype(str)
            for each in frames
        ]
        _, place = np.unique(np.concatenate(texts), return_inverse=True)
        found = np.split(place, np.cumsum([len(each) for each in texts])[:-1])
    last = found[2] if heldout is not None else found[0][:0]
    return found[0][used], found[1], last


def _scale(frame: Frame, used: np.ndarray, name: str) -> float:
    """Standard deviation of a column of numbers, 1 where it is constant, 0 for text."""
    if name not in frame.numbers:
        return 0.0
    known = frame.numbers[name][used]
    spread = float(np.nanstd(known))
    return spread if spread > 0.0 else 1.0


def _by_chance(
    codes: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]], scales: list[float], repeated: int
) -> float:
    """Share of real rows, at most, that would equal one of the table's: those that do, or where none does,
    n times the chance that all columns agree if they were independent, with a thousandfold margin; 1/n at
    most."""
    n, agree = len(next(iter(codes.values()))[0]), 1.0
    if repeated:
        share = repeated / n
        return min(share + 3.0 * (share / n) ** 0.5, 1.0)
    for (real, _, _), scale in zip(codes.values(), scales, strict=True):
        few = real[:: max(n // ENOUGH, 1)]
        cells = np.round(few / (copies.TOLERANCE * scale)) if scale > 0.0 else few
        counts = np.unique(cells, return_counts=True)[1]
        agree *= float((counts * (counts - 1.0)).sum() + 1.0) / (len(few) * (len(few) - 1.0))
    return min(MARGIN * n * agree, 1.0 / n)


def _relations(what: Prepared, used: np.ndarray, rows: Frame) -> list[dict[str, Any]]:
    """Broken relations among all columns that both tables have, those left out of the rule included."""
    shared = [name for name in what.frame.names if name in rows.names]
    numbers = [name for name in shared if name in what.frame.numbers and name in rows.numbers]
    real = np.array([what.frame.numbers[name][used] for name in numbers]).T.reshape(len(used), -1)
    made = np.array([rows.numbers[name] for name in numbers]).T.reshape(rows.rows, -1)
    usable = np.array([not np.isnan(column).all() for column in real.T], bool)
    codes = {}
    for name in shared:
        if name in what.frame.texts:
            levels, own = np.unique(what.frame.texts[name][used].astype(str), return_inverse=True)
            texts = as_texts(rows.texts[name] if name in rows.texts else rows.numbers[name]).astype(
                str
            )
            at = np.minimum(np.searchsorted(levels, texts), len(levels) - 1)
            if len(levels) <= 50:
                codes[name] = own, np.where(levels[at] == texts, at, -1)
    kept = [name for name, good in zip(numbers, usable, strict=True) if good]
    return [
        {"relation": each.relation, "rows": int(each.rows.sum()), "p": each.p}
        for each in broken(kept, real[:, usable], made[:, usable], codes)
    ]


def _warnings(entry: dict[str, Any], what: Prepared, rows: Frame) -> list[Warned]:
    from scipy.stats import binom

    found, m = [], rows.rows
    chance = entry["exact_by_chance"]
    if binom.sf(entry["exact_train"] - 1, m, chance) < TAIL:
        found.append(
            (
                "copies",
                f"{entry['exact_train']} of {m} supplied rows equal a row of the table; they are no new"
                " rows, and a rule is tested without those whose original is held out.",
            )
        )
    if entry["exact_heldout"] and binom.sf(entry["exact_heldout"] - 1, m, chance) < TAIL:
        found.append(
            (
                "heldout_copies",
                f"{entry['exact_heldout']} of {m} supplied rows equal a held-out row: no loss on"
                " these rows can be trusted.",
            )
        )
    searched = max(entry["searched"]["rows"], 1)
    chance = entry["near_by_chance"] + 3.0 / min(
        entry["searched"]["table_rows"], copies.MOST_QUERIES
    )
    if binom.sf(entry["near_train"] - 1, searched, min(chance, 1.0)) < TAIL:
        found.append(
            (
                "near_copies",
                f"{entry['near_train']} of {searched} supplied rows lie closer to a row of the table than"
                " its rows lie to each other.",
            )
        )
    if entry["broken_relations"]:
        first = entry["broken_relations"][0]
        found.append(
            (
                "broken_relations",
                f"{len(entry['broken_relations'])} relation(s) that hold in every row of the table are"
                f" broken, {first['relation']} by {first['rows']} of {m} rows.",
            )
        )
    if (entry["searched"]["rows"], entry["searched"]["table_rows"]) != (m, len(what.order)):
        found.append(
            (
                "sampled",
                f"Near copies and relations were looked for among {entry['searched']['rows']} of the {m}"
                " supplied and"
                f" {entry['searched']['table_rows']} of the {len(what.order)} rows of the table.",
            )
        )
    return found
