"""Faults in the files of a run: full disks, damaged and foreign files, folders that go away.

Every test runs the installed command. A run that cannot go on says so in one sentence with the
place and the remedy, leaves with status 2 and loses nothing that it held; once mended, it becomes
the run that nobody disturbed, to the bit. Nothing here is random, so no false-fail rate is spent.

Long because every fault disturbs the same run, which is computed once.
"""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from disturbed import (
    TIMEOUT,
    Bench,
    assert_kept,
    assert_part,
    assert_whole,
    ended,
    left,
    make_bench,
    mounted,
    names,
    strays,
)

from simulations.runs.store import NAME

REPLICATES = 1_000
# Asked of a run that is stopped on its way.
MANY = 50_000


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A folder with the sweep, and a cache of compiled programs that all tests share."""
    made = make_bench(tmp_path_factory)
    made.sweep("sweep.toml", REPLICATES)
    made.sweep("other.toml", REPLICATES, seed=1)
    return made


@pytest.fixture(autouse=True)
def _no_process_outlives_its_test(bench: Bench) -> Iterator[None]:
    yield
    bench.stop()


@pytest.fixture(scope="module")
def runs(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two undisturbed runs, ``sweep`` and ``other``, which differ in their seed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    for name in ("sweep", "other"):
        done = bench.run("--quiet", "simulate", f"{name}.toml", "--out", folder / name)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


@pytest.fixture
def out(runs: Path, tmp_path: Path) -> Path:
    """A copy of the undisturbed run, to be spoilt."""
    return shutil.copytree(runs / "sweep", tmp_path / "above" / "run")


def simulate(bench: Bench, out: Path, *more: object, **limits: int) -> Any:
    return bench.run("--quiet", "simulate", "sweep.toml", "--out", out, *more, **limits)


def assert_refused(done: Any, *words: object) -> None:
    """Status 2 and one sentence with these words."""
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.endswith(".\n"), done.stderr
    for word in words:
        assert str(word) in done.stderr


def assert_completes(bench: Bench, out: Path, runs: Path) -> None:
    """Simulating once more must end well, without a word, in the undisturbed run."""
    done = simulate(bench, out)
    assert (done.returncode, done.stderr) == (0, "")
    assert_whole(left(out), left(runs / "sweep"))


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() if p.is_file() else b"" for p in sorted(folder.rglob("*"))}


def fill(disk: Path) -> Path:
    """Fill a disk to its last byte; the file that does it."""
    with (disk / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    return disk / "filler"


def test_a_full_disk_is_named_and_nothing_is_lost(bench: Bench, runs: Path, tmp_path: Path) -> None:
    """On a disk that fills up half-way through the shards: one sentence that names the folder and
    asks for room, twice over, no half-written file, and with more room the same command completes.
    So it does where only the table is due."""
    whole = left(runs / "sweep")
    size = sum(len(shard.content) for shard in whole.shards.values()) // 2
    point = tmp_path / "disk"
    with mounted(point, "tmpfs", f"size={size}") as mount:
        if mount is None:
            pytest.skip("this system lets nobody mount a small disk")
        enter, seen = mount
        inside = bench._replace(before=tuple(enter))
        for _ in range(2):
            done = simulate(inside, point / "run")
            assert_refused(done, point / "run", "No space left", "make room")
            assert strays(seen / "run") == []
            assert_part(left(seen / "run"), whole)
        held = left(seen / "run")
        assert 0 < len(held.shards) < len(whole.shards) and held.table is None
        room = ["mount", "-o", f"remount,size={10 * size}", str(point)]
        subprocess.run([*enter, *room], check=True)
        assert simulate(inside, point / "run").returncode == 0
        assert_whole(left(seen / "run"), whole)
        assert_kept(held, left(seen / "run"))
        (seen / "run" / "table.csv").unlink()
        held, filler = left(seen / "run"), fill(seen)
        done = simulate(inside, point / "run")
        assert_refused(done, point / "run", "No space left", "make room")
        assert left(seen / "run") == held and strays(seen / "run") == []
        filler.unlink()
        assert simulate(inside, point / "run").returncode == 0
        assert_whole(left(seen / "run"), whole)


def test_a_limit_on_the_size_of_files_is_named(bench: Bench, runs: Path, tmp_path: Path) -> None:
    """Where a shard can be written in part only, no part of it stays."""
    largest = max(len(content) for content in left(runs / "sweep").contents.values())
    done = simulate(bench, tmp_path / "run", largest_file=largest // 2)
    assert_refused(done, tmp_path / "run", "File too large", "make room")
    assert strays(tmp_path / "run") == [] and left(tmp_path / "run").shards == {}
    assert_completes(bench, tmp_path / "run", runs)


def counterpart(runs: Path, name: str) -> Path:
    """A shard of the run with the other seed that holds the same replicates as one of the first."""
    wanted = pq.read_table(runs / "sweep" / "shards" / name, columns=["replicate"])
    paths = sorted((runs / "other" / "shards").iterdir())
    return next(p for p in paths if pq.read_table(p, columns=["replicate"]).equals(wanted))


def test_damaged_and_foreign_shards_are_named_and_computed_again(
    bench: Bench, runs: Path, out: Path
) -> None:
    """A shard cut short, one that is empty and one copied from another run or another place: each
    is named, counted as missing, set aside as it was, and computed again; no other is touched."""
    held = left(out)
    first, second, third, fourth, *rest = sorted(held.shards)
    spoilt = {
        first: held.shards[first].content[:-100],
        second: b"",
        third: counterpart(runs, third).read_bytes(),
        fourth: held.shards[rest[0]].content,
    }
    for name, content in spoilt.items():
        (out / "shards" / name).write_bytes(content)
    assert bench.run("status", out, "--json").stdout.count('"missing": 0') < 6
    done = simulate(bench, out)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == len(spoilt)
    for name, content in spoilt.items():
        assert sum(str(out / "shards" / name) in line for line in lines) == 1
        assert (out / "shards" / name).with_suffix(".damaged").read_bytes() == content
    assert all("set aside as" in line and line.endswith("computed again.") for line in lines)
    assert_whole(left(out), left(runs / "sweep"))
    untouched = held._replace(shards={name: held.shards[name] for name in rest})
    assert_kept(untouched, left(out))
    assert_completes(bench, out, runs)


def test_a_forged_shard_would_change_the_table(bench: Bench, runs: Path, out: Path) -> None:
    """The wrong twin: without the name that a shard carries, results of another seed would pass."""
    name, forged = sorted(left(runs / "sweep").shards)[0], out.parent / "forged.parquet"
    table = pq.read_table(counterpart(runs, name))
    table = table.replace_schema_metadata({NAME: name.removesuffix(".parquet")})
    pq.write_table(table, forged)
    shutil.copy(forged, out / "shards" / name)
    done = simulate(bench, out)
    assert (done.returncode, "set aside" in done.stderr) == (0, False), done.stderr
    with pytest.raises(AssertionError, match="the table differs"):
        assert_whole(left(out), left(runs / "sweep"))


@contextlib.contextmanager
def read_only(folder: Path) -> Generator[tuple[str, ...]]:
    """A folder nobody may write to; yields what to put before a command that shall see it so."""
    with mounted(folder, "bind", "ro") as mount:
        if mount is not None:
            yield tuple(mount[0])
            return
    if os.geteuid() == 0:
        pytest.skip("this system lets nobody mount, and its root may write everywhere")
    folder.chmod(0o555)
    yield ()
    folder.chmod(0o755)


def test_a_read_only_folder_is_refused_before_anything_is_computed(bench: Bench, out: Path) -> None:
    """One sentence, nothing left behind, for the folder and one in it; and it can still be read."""
    with read_only(out) as before:
        inside, found = bench._replace(before=before), tree(out)
        for place in (out, out / "deeper" / "run"):
            assert_refused(simulate(inside, place), place, "cannot write there", "another --out")
        assert tree(out) == found
        assert inside.run("--quiet", "status", out).returncode == 0


@pytest.mark.parametrize("name", ["manifest.json", "table.csv", "shards"])
def test_a_folder_for_a_file_or_a_file_for_a_folder_is_refused_at_once(
    bench: Bench, runs: Path, out: Path, name: str
) -> None:
    """The sentence names what is in the way; nothing is changed; moved away, the run completes."""
    aside = out.parent / name
    shutil.move(out / name, aside)
    (out / name).write_text("") if name == "shards" else (out / name / "inner").mkdir(parents=True)
    found = tree(out.parent)
    assert_refused(simulate(bench, out), out / name, "folder", "move it away")
    assert tree(out.parent) == found
    (out / name).unlink() if name == "shards" else shutil.rmtree(out / name)
    shutil.move(aside, out / name)
    assert_completes(bench, out, runs)


@pytest.mark.parametrize("where", ["file", "file/run", "/proc/run", "/sys/kernel/run"])
def test_a_place_where_no_folder_can_be_made_is_refused_at_once(
    bench: Bench, tmp_path: Path, where: str
) -> None:
    """A file, a folder in it, and folders of the kernel, which refuse the superuser too."""
    (tmp_path / "file").write_text("mine")
    assert_refused(simulate(bench, tmp_path / where), where, "cannot write there", "another --out")
    assert tree(tmp_path) == {str(tmp_path / "file"): b"mine"}


MANIFESTS = [b"", b"{", b"\xff\xfe", b"[]", b'{"schema": 1}', b'{"schema": 1, "sweep": {}}']


def test_a_damaged_manifest_is_named_and_written_anew(bench: Bench, runs: Path, out: Path) -> None:
    """``status`` cannot do without it; ``simulate`` writes it again and keeps all shards."""
    held = left(out)
    for content in MANIFESTS:
        (out / "manifest.json").write_bytes(content)
        assert_refused(bench.run("status", out), out / "manifest.json")
    assert_completes(bench, out, runs)
    assert_kept(held, left(out))


def await_results(out: Path) -> None:
    """Wait until a run has written its first shard."""
    until = time.monotonic() + TIMEOUT
    while not names(out) and time.monotonic() < until:
        time.sleep(0.005)


def _parent_moves(out: Path) -> Path:
    return (out.parent.rename(out.parent.with_name("elsewhere"))) / out.name


def _shards_become_a_file(out: Path) -> Path:
    kept = out.with_name("kept")
    kept.mkdir()
    (out / "shards").rename(kept / "shards")
    (out / "shards").write_text("")
    return kept


@pytest.mark.parametrize("fault", [_parent_moves, _shards_become_a_file])
def test_a_folder_that_goes_away_while_it_is_written_ends_the_run(
    bench: Bench, runs: Path, tmp_path: Path, fault: Any
) -> None:
    """One sentence that names the place, soon; what was held is whole where it went, and from
    there the run completes."""
    out = tmp_path / "above" / "run"
    process = bench.start("--quiet", "simulate", "sweep.toml", "--out", out, "--replicates", MANY)
    await_results(out)
    kept = fault(out)
    assert_refused(ended(process, within=60), out, "choose another --out")
    held = left(kept)
    assert held.shards and held.table is None and not (out / "table.csv").exists()
    assert out.exists() == (fault is _shards_become_a_file)
    assert simulate(bench, kept).returncode == 0
    assert left(kept).table == left(runs / "sweep").table
    assert_kept(held, left(kept))


def test_a_folder_in_the_tables_place_while_a_run_computes(
    bench: Bench, runs: Path, tmp_path: Path
) -> None:
    """The run ends in one sentence that names it; every shard is held, so that the next is quick."""
    out = tmp_path / "run"
    process = bench.start("--quiet", "simulate", "sweep.toml", "--out", out)
    await_results(out)
    (out / "table.csv").mkdir()
    assert_refused(ended(process), out / "table.csv", "choose another --out")
    held = left(out)
    assert held.contents == left(runs / "sweep").contents and strays(out) == []
    (out / "table.csv").rmdir()
    assert_completes(bench, out, runs)
    assert_kept(held, left(out))
