"""The laboratory with several claims at work: everything once, in any order, and an end when told."""

from concurrent.futures import CancelledError, ThreadPoolExecutor
from threading import Barrier, Event

import numpy as np
import pytest

from synthlaw.claims import registry
from synthlaw.claims.control.planted import BATCH, GROUP, LEVEL, covered
from synthlaw.claims.lab import PRESETS, Experiment, Lab
from synthlaw.simulating.simulation import UNDER_WAY, side_by_side
from synthlaw.verifying.verification import run, starting_order
from tests.stochastic import Disagreement, assert_mean, sample_mean

SWEEP = {
    "setting": {"kind": "imbalance", "dim": 2, "separation": 2.0},
    "counts": {"majority": 100, "minority": 50},
    "synthetic": {"ratios": [1]},
}


def test_who_needs_what_another_computes_waits_for_it() -> None:
    lab, calls, together = Lab(PRESETS["quick"]), [], Barrier(UNDER_WAY)

    def compute() -> float:
        calls.append(1)
        return lab.recall("inner", lambda: 2.0) + 1.0

    def ask(_: int) -> float:
        together.wait()
        return lab.recall("outer", compute)

    with ThreadPoolExecutor(UNDER_WAY) as pool:
        assert list(pool.map(ask, range(UNDER_WAY))) == [3.0] * UNDER_WAY
    assert len(calls) == 1


def test_an_experiment_is_simulated_once() -> None:
    lab = Lab(PRESETS["quick"])
    experiment = Experiment("one", SWEEP, (1,), (4,))
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lab.measure, [experiment, experiment])
    assert first is second


def test_a_stopped_laboratory_computes_no_more() -> None:
    lab = Lab(PRESETS["quick"])
    lab.recall("known", lambda: 1)
    lab.stopped.set()
    with pytest.raises(CancelledError):
        lab.recall("new", lambda: 2)
    with pytest.raises(CancelledError):
        lab.measure(Experiment("new", SWEEP, (1,), (4,)))
    assert lab.recall("known", lambda: 4) == 1


def test_claims_start_by_turns_and_are_told_in_their_own_order() -> None:
    claims = registry()
    order = starting_order(claims)
    assert sorted(order) == list(range(len(claims)))
    families = {claim.family for claim in claims}
    assert {claims[position].family for position in order[: len(families)]} == families

    names = ["size-quality", "size-no-symmetry", "imbalance-log-odds"]
    chosen = [claim for claim in claims if claim.id in names]
    told: list[tuple[int, int, str]] = []
    verdicts, tables = run(Lab(PRESETS["quick"]), chosen, lambda *each: told.append(each))
    assert [entry["id"] for entry in verdicts["claims"]] == [claim.id for claim in chosen]
    assert list(tables) == [claim.id for claim in chosen]
    assert told[-1] == (3, 3, "") and [done for done, *_ in told] == sorted(t[0] for t in told)


def test_a_fault_in_a_claim_ends_the_run() -> None:
    def broken(lab: Lab) -> None:
        raise ValueError("this claim is broken")

    claims = [claim for claim in registry() if claim.id == "size-quality"]
    lab = Lab(PRESETS["quick"])
    with pytest.raises(ValueError, match="broken"):
        run(lab, [*claims, claims[0]._replace(id="size-broken", evidence=broken)])
    assert lab.stopped.is_set()


def test_an_impatient_end_does_not_wait_for_what_is_under_way() -> None:
    stopped, released = Event(), Event()

    def busy() -> None:
        # As a compiler: nothing ends it before its time.
        released.wait(20.0)

    def broken() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        side_by_side([busy, broken], stopped, patient=False)
    assert stopped.is_set() and not released.is_set()
    released.set()


def test_the_spread_of_groups_is_the_error_of_a_coverage() -> None:
    """Normal replicates, whose intervals cover in 95 %, over many runs: the mean is the level, and
    the standard error that of a run. Detects an error of the share of .003; the twin's standard
    errors are a tenth too small."""
    rng = np.random.default_rng(20)
    runs = 120

    def shares(shrink: float) -> np.ndarray:
        values = rng.standard_normal((runs, 40 * GROUP))
        return np.array([covered(each, shrink, seed) for seed, each in enumerate(values)])

    right = shares(1.0)
    assert_mean(*sample_mean(right[:, 0]), LEVEL, detects=0.003)
    with pytest.raises(Disagreement):
        assert_mean(*sample_mean(shares(0.9)[:, 0]), LEVEL, detects=0.003)
    # The spread over the runs against what each run says of itself, and against disjoint batches.
    spread = right[:, 0].std(ddof=1)
    assert 0.75 < spread / right[:, 1].mean() < 1.3
    disjoint = np.sqrt(LEVEL * (1.0 - LEVEL) / (40 * GROUP / BATCH))
    assert spread < 0.5 * disjoint
