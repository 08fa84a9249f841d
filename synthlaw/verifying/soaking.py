"""``verify --soak``: the claims under fresh seeds, and how often what should almost never happen does."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scipy.stats import binom

from scaling.verdict.equivalence import ALPHA
from synthlaw.verifying.verification import SCHEMA, Progress, chosen_claims, laboratory, run

# A planted error is missed with at most this probability when the claim's resolution is met.
ESCAPE = 0.01


def soak(
    count: int,
    preset: str = "quick",
    claims: Sequence[str] = (),
    families: Sequence[str] = (),
    seed: int = 0,
    progress: Progress | None = None,
    module: str | Path | None = None,
) -> dict[str, Any]:
    """Run the claims under ``count`` fresh seeds and count what should almost never happen.

    Args:
        count: seeds, at least 1.
        preset: ``quick`` or ``full``.
        claims: ids; with no family all.
        families: whole families beside these claims.
        seed: the fresh seeds are those after it.
        progress: called with (seeds done, seeds in all, the seed).
        module: a file of claims in place of ours.

    Returns:
        ``runs``; ``claims_judged`` (those that rest on random numbers), how many of them came out
        ``contradicted`` or ``unresolved``, and how many twins ``escaped`` (were not contradicted);
        the probability ``_p`` of as many or more at the declared rates (alpha per claim, 1 % per
        twin); the ``cases``.
    """
    cases: list[dict[str, Any]] = []
    judged = contradicted = unresolved = escaped = 0
    wanted = chosen_claims(claims, families, module)
    for index in range(count):
        lab = laboratory(preset, (seed + 1 + index) % 2**32)
        verdicts, _ = run(lab, wanted)
        for entry in verdicts["claims"]:
            # A claim without noise comes out the same under every seed: it is no trial.
            if entry["se"] == 0.0:
                continue
            judged += 1
            contradicted += entry["outcome"] == "contradicted"
            unresolved += entry["outcome"] == "unresolved"
            missed = entry["twin"]["outcome"] != "contradicted"
            escaped += missed
            if missed or entry["outcome"] != "supported":
                keys = ("id", "outcome", "ratio", "ratio_se", "remark", "twin")
                cases.append({"seed": lab.seed, **{key: entry[key] for key in keys}})
        if progress is not None:
            progress(index + 1, count, f"seed {lab.seed}")
    return {
        "schema": SCHEMA,
        "runs": count,
        "preset": preset,
        "claims_judged": judged,
        "contradicted": contradicted,
        "contradicted_p": float(binom.sf(contradicted - 1, judged, ALPHA)),
        "unresolved": unresolved,
        "escaped": escaped,
        "escaped_p": float(binom.sf(escaped - 1, judged, ESCAPE)),
        "cases": cases,
    }
