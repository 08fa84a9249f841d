"""Faults in time: runs killed, interrupted, run beside each other, extended. Nothing is lost.

Every test runs the installed command. "Whole" means: table, shards and manifest have the bits of
a run that nobody disturbed. Moments are random with fixed seeds; what must hold holds at every
moment, so no false-fail rate is spent.
"""

import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from disturbed import (
    REPLICATES,
    Bench,
    Left,
    Moment,
    assert_kept,
    assert_part,
    assert_whole,
    ended,
    left,
    make_bench,
    strays,
    strike,
)

KILLS, FRESH_KILLS = 20, 4


class Undisturbed(NamedTuple):
    """What a run leaves that nobody disturbed, and the seconds it took with a warm cache."""

    left: Left
    seconds: float


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A folder with the sweep, and a cache of compiled programs that all tests share."""
    made = make_bench(tmp_path_factory)
    made.sweep("sweep.toml")
    return made


@pytest.fixture(autouse=True)
def _no_process_outlives_its_test(bench: Bench) -> Iterator[None]:
    yield
    bench.stop()


@pytest.fixture(scope="module")
def undisturbed(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """Run twice: programs compiled in the process and programs from the cache give the same."""
    out = tmp_path_factory.mktemp("undisturbed")
    whole, seconds = [], 0.0
    for name in ("cold", "warm"):
        begun = time.monotonic()
        done = bench.run("simulate", "sweep.toml", "--out", out / name)
        seconds = time.monotonic() - begun
        assert (done.returncode, "table:" in done.stdout) == (0, True), done.stderr
        whole.append(left(out / name))
        assert strays(out / name) == []
    assert_whole(whole[1], whole[0])
    assert whole[0].table is not None and len(whole[0].shards) >= 12
    return Undisturbed(whole[0], seconds)


def _moments(rng: np.random.Generator, start_up: float, shards: int) -> list[Moment]:
    """Moments over the life of a run that is resumed after each: while it starts, while it
    computes and writes, and when nearly all is there."""
    starting = [Moment(0, start_up * rng.uniform(0.1, 1.0)) for _ in range(KILLS // 4)]
    step = max(1, shards // KILLS)
    within = [Moment(int(rng.integers(1, step + 1)), rng.uniform(0, 0.05)) for _ in range(KILLS)]
    first = [*starting, *within[len(starting) :]]
    return [first[k] for k in rng.permutation(KILLS)] + within


def _held(bench: Bench, out: Path) -> int:
    """Replicates of all cells that ``status`` counts as held."""
    done = bench.run("status", out, "--json")
    assert done.returncode == 0, done.stderr
    return sum(row["held"] for row in json.loads(done.stdout)["rows"])


def test_twenty_kills_of_one_run_lose_nothing(
    bench: Bench, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    """However often a run and its resumptions are killed, whatever stands under a final name is
    whole, is never computed again, and the end is the undisturbed run. What a kill leaves behind
    under a temporary name counts as nothing."""
    out, whole = tmp_path / "run", undisturbed.left
    rng = np.random.default_rng(20)
    held, kills, counted, unfinished = left(out), 0, False, 0
    for moment in _moments(rng, undisturbed.seconds / 2, len(whole.shards)):
        if moment.shards > len(whole.shards) - len(held.shards):
            # Nearly all is there: strike while the rest is read, or the table written.
            moment = Moment(0, undisturbed.seconds * rng.uniform(0.3, 0.8))
        process = bench.start("simulate", "sweep.toml", "--out", out)
        kills += strike(process, out, moment, signal.SIGKILL)
        done = ended(process)
        assert done.returncode in (-signal.SIGKILL, 0), done.stderr
        found = left(out)
        assert_part(found, whole)
        assert_kept(held, found)
        held = found
        unfinished += found.table is None
        if not counted and len(found.shards) > len(whole.shards) // 2:
            assert _held(bench, out) == sum(shard.rows for shard in found.shards.values())
            counted = True
        if kills == KILLS:
            break
    assert kills == KILLS and counted and unfinished >= KILLS // 2
    assert sum(shard.rows for shard in whole.shards.values()) == 6 * REPLICATES
    assert bench.run("simulate", "sweep.toml", "--out", out).returncode == 0
    assert_whole(left(out), whole)
    assert_kept(held, left(out))


def _killed_and_resumed(bench: Bench, out: Path, seconds: float, cache: Path) -> tuple[bool, Left]:
    own = bench._replace(cache=cache)
    process = own.start("simulate", "sweep.toml", "--out", out)
    struck = strike(process, out, Moment(0, seconds), signal.SIGKILL)
    ended(process)
    between = left(out)
    done = own.run("simulate", "sweep.toml", "--out", out)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert_kept(between, left(out))
    return struck, between


def test_a_kill_at_any_moment_of_a_fresh_run_loses_nothing(
    bench: Bench, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    """One kill at a moment spread evenly over the life of a run, its start-up included, and once
    with an empty cache of compiled programs, then one resumption: the undisturbed run."""
    rng = np.random.default_rng(21)
    shares = (np.arange(FRESH_KILLS) + rng.uniform(size=FRESH_KILLS)) / FRESH_KILLS
    moments = [*(shares * undisturbed.seconds), 0.8 * undisturbed.seconds]
    caches = [*[bench.cache] * FRESH_KILLS, tmp_path / "fresh_cache"]
    with ThreadPoolExecutor(2) as pool:
        outs = [tmp_path / f"run_{k}" for k in range(len(moments))]
        rounds = list(pool.map(_killed_and_resumed, [bench] * len(outs), outs, moments, caches))
    assert sum(struck for struck, _ in rounds) >= FRESH_KILLS - 1
    for out, (_, between) in zip(outs, rounds, strict=True):
        assert_part(between, undisturbed.left)
        assert_whole(left(out), undisturbed.left)


def test_the_checks_see_another_seed_and_a_shard_written_again(
    bench: Bench, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    """The wrong twins: a run with another seed is neither whole nor part of the undisturbed one,
    and a shard that was deleted and computed again has been written again."""
    first, second = bench.sweep("seed_0.toml", 200), bench.sweep("seed_1.toml", 200, seed=1)
    for name in (first, second):
        assert bench.run("simulate", name, "--out", tmp_path / name).returncode == 0
    mine, other = left(tmp_path / first), left(tmp_path / second)
    assert_part(mine, mine)
    for check in (assert_whole, assert_part):
        with pytest.raises(AssertionError):
            check(other._replace(manifest=mine.manifest), mine)
    lost = sorted(mine.shards)[0]
    (tmp_path / first / "shards" / lost).unlink()
    assert bench.run("simulate", first, "--out", tmp_path / first).returncode == 0
    assert_whole(left(tmp_path / first), mine)
    with pytest.raises(AssertionError, match=lost):
        assert_kept(mine, left(tmp_path / first))


def test_ctrl_c_and_terminate_leave_a_run_that_resumes(
    bench: Bench, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    """Ctrl-C while a run starts, computes or writes, once or twice in a row, ends it within ten
    seconds with status 130 and one sentence; a SIGTERM ends it too; and then it resumes. On a
    machine so busy that a whole run takes more than four seconds, they may take longer in
    proportion."""
    out, whole = tmp_path / "run", undisturbed.left
    step = max(1, len(whole.shards) // 8)
    start_up = undisturbed.seconds / 2
    within = 10 * max(1.0, undisturbed.seconds / 4)
    for moment, again in (
        (Moment(0, 0.6 * start_up), False),
        (Moment(1, 0.0), False),
        (Moment(step, 0.01), True),
    ):
        process = bench.start("simulate", "sweep.toml", "--out", out)
        assert strike(process, out, moment, signal.SIGINT)
        if again:
            time.sleep(0.05)
            process.send_signal(signal.SIGINT)
        done = ended(process, within)
        sentence = done.stderr.splitlines()[-1]
        assert (done.returncode, done.stdout) == (130, ""), done.stderr
        assert sentence == "Interrupted; run the same command again."
        # A second Ctrl-C ends it at once; only then may a file be left under a temporary name.
        assert "Traceback" not in done.stderr and (again or strays(out) == [])
        assert_part(left(out), whole)
    held = left(out)
    process = bench.start("simulate", "sweep.toml", "--out", out)
    assert strike(process, out, Moment(step, 0.01), signal.SIGTERM)
    assert ended(process, within).returncode != 0
    assert_part(left(out), whole)
    assert bench.run("simulate", "sweep.toml", "--out", out).returncode == 0
    assert_whole(left(out), whole)
    assert_kept(held, left(out))


def test_two_processes_may_run_one_sweep_in_one_folder(
    bench: Bench, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    """Two processes that do the same in one folder both end well and leave the undisturbed run."""
    both = [bench.start("simulate", "sweep.toml", "--out", tmp_path / "run") for _ in range(2)]
    for process in both:
        done = ended(process)
        assert done.returncode == 0, done.stderr
    assert_whole(left(tmp_path / "run"), undisturbed.left)
    assert strays(tmp_path / "run") == []


def _assert_pair(out: Path, results: dict[str, Any]) -> None:
    """The table in a folder must be that of the sweep its manifest names, if it is there."""
    before, found = left(out).manifest, left(out)
    if found.manifest is not None and before == found.manifest == left(out).manifest:
        run = found.manifest["sweep"]["run"]
        key = f"{run['replicates']} {run['seed']}"
        assert found.table in (None, results[key].table), f"the table is not that of {key}"


@pytest.mark.parametrize(
    ("other", "pause"),
    [((350, 0), 0), ((350, 1), 1)],
    ids=["replicates, begun together", "seed, begun later"],
)
def test_different_runs_at_once_leave_one_of_them_whole(
    bench: Bench, undisturbed: Undisturbed, tmp_path: Path, other: tuple[int, int], pause: int
) -> None:
    """Two different runs in one folder both end well. At no moment does the table belong to
    another sweep than the manifest names, and both are there at the end: as if one run had
    followed the other. The shards of both are there, so that either can be had without computing."""
    short = bench.sweep("short.toml", *other)
    assert bench.run("simulate", short, "--out", tmp_path / "short").returncode == 0
    results = {
        f"{REPLICATES} 0": undisturbed.left,
        f"{other[0]} {other[1]}": left(tmp_path / "short"),
    }
    out = tmp_path / "run"
    long = bench.start("simulate", "sweep.toml", "--out", out)
    until = time.monotonic() + 60
    while len(left(out).shards) < pause and time.monotonic() < until:
        time.sleep(0.01)
    brief = bench.start("simulate", short, "--out", out)
    while long.poll() is None or brief.poll() is None:
        _assert_pair(out, results)
        time.sleep(0.02)
    for process in (long, brief):
        done = ended(process)
        assert done.returncode == 0, done.stderr
    _assert_pair(out, results)
    assert left(out).table is not None and strays(out) == []
    held = left(out)
    for each in results.values():
        for name, shard in each.shards.items():
            assert held.shards[name].rows >= shard.rows
    assert bench.run("simulate", "sweep.toml", "--out", out).returncode == 0
    assert left(out).table == undisturbed.left.table
    assert_kept(held, left(out))
    for name, shard in held.shards.items():
        assert left(out).shards[name] == shard
    # The wrong twin: one's manifest with the other's table.
    (out / "table.csv").write_bytes(results[f"{other[0]} {other[1]}"].table or b"")
    with pytest.raises(AssertionError, match="not that of"):
        _assert_pair(out, results)


def test_an_extension_computes_only_the_new_replicates(bench: Bench, tmp_path: Path) -> None:
    """1,000 replicates extended to 10,000: the old shards are not touched, exactly the new ones
    come in, and everything has the bits of a fresh run of 10,000."""
    few, many = bench.sweep("few.toml", 1_000), bench.sweep("many.toml", 10_000)
    out = tmp_path / "extended"
    assert bench.run("simulate", few, "--out", out).returncode == 0
    before = left(out)
    assert bench.run("simulate", few, "--out", out, "--replicates", 10_000).returncode == 0
    assert bench.run("simulate", many, "--out", tmp_path / "fresh").returncode == 0
    assert_whole(left(out), left(tmp_path / "fresh"))
    assert_kept(before, left(out))
    assert len(left(out).shards) == 10 * len(before.shards)
    # The wrong twin: a run that began anew would have written the old ones again.
    with pytest.raises(AssertionError, match="written again"):
        assert_kept(before, left(tmp_path / "fresh"))
