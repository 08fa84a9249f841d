"""``verify``: run claims, judge them and their planted errors, and leave verdicts and tables."""

import gc
import json
import shlex
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd

from scaling.verdict.equivalence import ALPHA
from simulations import cores
from simulations.problems import InputError, nearest
from simulations.runs.store import write_atomically
from simulations.threads import one_thread
from synthlaw.checks import write_json
from synthlaw.claims import registry
from synthlaw.claims.evidence import flagged
from synthlaw.claims.judges import Judgement, check_evidence, judge
from synthlaw.claims.lab import PRESETS, Lab
from synthlaw.claims.own import read_claims
from synthlaw.claims.record import Claim
from synthlaw.resultfolder import about
from synthlaw.simulating.simulation import side_by_side
from synthlaw.verifying.published import PREFIX, Published
from synthlaw.verifying.published import read as read_published
from synthlaw.versions import versions

SCHEMA = 1
VERDICTS = "verdicts.json"
Progress = Callable[[int, int, str], None]
# New objects between two looks for cycles: tracing and drawing make millions, of which few are in one.
OBJECTS = 50_000


def chosen_claims(
    claims: Sequence[str] = (), families: Sequence[str] = (), module: str | Path | None = None
) -> list[Claim]:
    """The claims with these ids or of these families; all of them when neither is given. Those of the
    registry, or of a file of one's own."""
    known = {claim.id: claim for claim in (registry() if module is None else read_claims(module))}
    for name in claims:
        if name not in known:
            hint = nearest(name, list(known), "claims")
            listed = "synthlaw claims lists them" if module is None else f"of {module}"
            raise InputError(f"--claim {name}: is no claim; {hint} ({listed}).")
    present = list(dict.fromkeys(claim.family for claim in known.values()))
    for name in families:
        if name not in present:
            raise InputError(
                f"--family {name}: is no family; {nearest(name, present, 'families')}."
            )
    if not claims and not families:
        return list(known.values())
    return [c for c in known.values() if c.id in claims or c.family in families]


def _number(value: float | None) -> float | None:
    """JSON has no NaN: a number that is none becomes null."""
    return None if value is None or not np.isfinite(value) else float(value)


def _outcome(claim: Claim, own: Judgement, twin: Judgement) -> str:
    """A control is about its planted error: it stands only if that was caught."""
    caught = twin.verdict.outcome == "contradicted"
    if claim.family == "control" and own.verdict.outcome == "supported" and not caught:
        return "contradicted" if twin.verdict.outcome == "supported" else "unresolved"
    return own.verdict.outcome


def run_claim(
    claim: Claim, lab: Lab, module: str | Path | None = None
) -> tuple[dict[str, Any], pd.DataFrame]:
    """One claim's entry in verdicts.json, and its evidence; ``module``: the file it is from, if its own."""
    started = time.perf_counter()
    margin = claim.margin if claim.margin is not None else lab.preset.margin
    evidence, wrong = claim.evidence(lab), claim.twin.evidence(lab)
    check_evidence(claim.kind, evidence, claim.id)
    check_evidence(claim.kind, wrong, f"twin of {claim.id}")
    evidence = flagged(evidence)
    own, twin = judge(claim.kind, evidence, margin), judge(claim.kind, wrong, margin)
    verdict = own.verdict
    entry = {
        "id": claim.id,
        "family": claim.family,
        "kind": claim.kind,
        "title": claim.title,
        "statement": claim.statement,
        "formula": claim.formula,
        "source": claim.source,
        "note": f"paper_notes/{claim.note}" if module is None else claim.note,
        "remark": own.remark,
        "assumptions": [
            {"text": item.text, "holds": bool(item.check(evidence))} for item in claim.assumptions
        ],
        "outcome": _outcome(claim, own, twin),
        "prediction": _number(own.prediction),
        "estimate": _number(own.estimate),
        "se": _number(own.se),
        "ratio": _number(verdict.ratio),
        "ratio_se": _number(verdict.ratio_se),
        "margin": margin,
        "alpha": ALPHA,
        "level": own.level,
        "resolution": _number(verdict.resolution),
        "twin": {"statement": claim.twin.statement, "outcome": twin.verdict.outcome},
        "seconds": round(time.perf_counter() - started, 3),
        "replicates": int(evidence["replicates"].to_numpy().sum()),
        "failures": int(evidence["failures"].to_numpy().sum()),
        "flagged_rows": len(evidence) - list(evidence["flag"]).count(""),
        "figure": f"figures/{claim.id}.png",
        "reproduce": f"synthlaw verify --preset {lab.preset.name} --seed {lab.seed}"
        + (f" --module {shlex.quote(str(module))}" if module is not None else "")
        + f" --claim {claim.id}",
    }
    return entry, own.evidence


def starting_order(claims: Sequence[Claim]) -> list[int]:
    """Positions of the claims as they are started: one of each family in turn, because neighbours
    in a family often wait for the same simulation."""
    seen: Counter[str] = Counter()
    turns = []
    for position, claim in enumerate(claims):
        turns.append((seen[claim.family], position))
        seen[claim.family] += 1
    return [position for _, position in sorted(turns)]


def run(
    lab: Lab,
    claims: Sequence[Claim],
    progress: Progress | None = None,
    module: str | Path | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Judge claims in one laboratory, some at a time.

    Args:
        lab: the laboratory, with its preset and seed.
        claims: to be judged.
        progress: called with (claims done, claims in all, id of one that is under way).
        module: the file that ``claims`` come from, if not from the project.

    Returns:
        The content of verdicts.json, in the claims' order, and every claim's evidence by id.
    """
    done, under_way, lock = 0, [], Lock()

    def tell() -> None:
        if progress is not None:
            progress(done, len(claims), under_way[0] if under_way else "")

    def job(claim: Claim) -> Callable[[], tuple[dict[str, Any], pd.DataFrame]]:
        def judged() -> tuple[dict[str, Any], pd.DataFrame]:
            nonlocal done
            with lock:
                under_way.append(claim.id)
                tell()
            result = run_claim(claim, lab, module)
            with lock:
                under_way.remove(claim.id)
                done += 1
                tell()
            return result

        return judged

    order = starting_order(claims)
    # Nothing is on the disk yet: an interruption need not wait for a compiler.
    jobs = [job(claims[position]) for position in order]
    # Several claims are judged at a time: the threads of one matrix product would wait for each other.
    with one_thread():
        found = side_by_side(jobs, lab.stopped, patient=False)
    results = dict(zip(order, found, strict=True))
    verdicts = {
        "schema": SCHEMA,
        "preset": lab.preset.name,
        "seed": lab.seed,
        "versions": versions(),
        "claims": [results[position][0] for position in range(len(claims))],
    }
    return verdicts, {claim.id: results[position][1] for position, claim in enumerate(claims)}


@contextmanager
def _rare_collections() -> Generator[None]:
    """Look for cycles rarely: each time XLA looks through what it holds as well."""
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def laboratory(preset: str, seed: int) -> Lab:
    """A fresh laboratory of a preset; ``InputError`` for an unknown one."""
    if preset not in PRESETS:
        raise InputError(f"--preset {preset}: is unknown; {nearest(preset, PRESETS, 'presets')}.")
    return Lab(PRESETS[preset], seed)


def verify(
    preset: str = "quick",
    claims: Sequence[str] = (),
    families: Sequence[str] = (),
    out: str | Path | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    published: str | Path | None = None,
    module: str | Path | None = None,
) -> dict[str, Any]:
    """Check claims against simulation and say how wrong the theory could have been and still passed.

    Args:
        preset: "quick" (margin 2 %, a planted error of 10 % must be caught) or "full" (1 %, 5 %).
        claims: ids of the claims to run; default all (``synthlaw claims`` lists them).
        families: families to run, beside the claims named.
        out: folder for verdicts.json, report.html, tables/ and figures/; None leaves nothing.
        seed: root of all random numbers, 0 <= seed < 2^32.
        progress: called with (claims done, claims in all, id of one that is under way).
        published: folder with the published curves (not part of the project); the report then has a
            page on them, and ``tables/`` the tables ``published_*.csv``.
        module: a Python file with a tuple ``CLAIMS``: run those in place of the project's own
            (``synthlaw init --kind claim`` prints one to start from).

    Returns:
        The content of verdicts.json.

    Raises:
        ValueError: one sentence, for an unknown preset, claim or family, a folder without the
            published curves, or a fault of the module.

    Source: paper_notes/verdicts.md.

    >>> verdicts = verify(claims=["imbalance-log-odds"])
    >>> verdicts["claims"][0]["outcome"]
    'supported'
    """
    lab, wanted = laboratory(preset, seed), chosen_claims(claims, families, module)
    curves = None if published is None else read_published(published)
    with _rare_collections():
        verdicts, tables = run(lab, wanted, progress, module)
    if out is not None:
        asked = {
            "preset": preset,
            "seed": seed,
            "claims": list(claims),
            "families": list(families),
            "published": None if published is None else str(published),
            "module": None if module is None else str(module),
        }
        with _rare_collections():
            _leave(verdicts, {**lab.pictured(), **tables, **_refitted(curves)}, asked, Path(out))
    return verdicts


def _refitted(curves: Published | None) -> dict[str, pd.DataFrame]:
    """The tables of the paper page, by their names in the run's folder."""
    if curves is None:
        return {}
    from synthlaw.verifying.published_tables import tables

    return {f"{PREFIX}{name}": table for name, table in tables(curves).items()}


def _leave(
    verdicts: dict[str, Any],
    tables: dict[str, pd.DataFrame],
    asked: dict[str, Any],
    directory: Path,
) -> None:
    """Write tables, what was asked, verdicts, figures and the report."""
    # Drawing libraries load slowly; a run without a folder does without them.
    from figures import render
    from synthlaw.verifying.report import write_report

    (directory / "tables").mkdir(parents=True, exist_ok=True)
    # A page of an earlier run with published curves is not this run's.
    for old in [*directory.glob(f"tables/{PREFIX}*"), *directory.glob(f"figures/{PREFIX}*")]:
        old.unlink()
    for name, table in tables.items():
        content = table.to_csv(index=False).encode()
        write_atomically(directory / "tables" / f"{name}.csv", content)
    write_json({"verify": asked, "versions": versions()}, directory / about("verify"))
    write_atomically(directory / VERDICTS, json.dumps(verdicts, indent=1).encode())
    render("all", directory, cores())
    write_report(verdicts, directory)
