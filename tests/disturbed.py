"""The installed command under disturbance: runs that can be struck down, and what they leave."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest

COMMAND = Path(sys.executable).parent / "synthlaw"
TIMEOUT = 120
# Small counts: a replicate costs little, and some samples are separable, so failures are kept too.
SWEEP = """
[setting]
kind = "imbalance"
dim = 2
[counts]
majority = 60
minority = 20
[synthetic]
generators = [{{kind = "oracle"}}, {{kind = "duplicate"}}]
ratios = [0, 0.5, 1]
[run]
replicates = {replicates}
seed = {seed}
"""
REPLICATES, SEED = 5_000, 0
# A background shell hands on an ignored Ctrl-C, another view of the mounts has no current folder,
# and a limit must bind the command alone.
_PRELUDE = """
import os, resource, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.chdir(sys.argv[1])
if int(sys.argv[2]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
os.execv(sys.argv[3], sys.argv[3:])
"""


class Shard(NamedTuple):
    """One file of results: what it holds, and by which it is known not to have been rewritten."""

    content: bytes
    inode: int
    written: int

    def begins(self, whole: bytes) -> bool:
        """Whether it holds the first replicates of a whole shard, and nothing else; raises where
        it is torn."""
        if self.content == whole:
            return True
        mine, all_of_it = (pq.read_table(io.BytesIO(each)) for each in (self.content, whole))
        return mine.equals(all_of_it.slice(0, len(mine)), check_metadata=True)

    @property
    def rows(self) -> int:
        """Replicates held."""
        return pq.read_metadata(io.BytesIO(self.content)).num_rows


class Left(NamedTuple):
    """What a run folder holds under final names; ``table`` is None where there is none."""

    shards: dict[str, Shard]
    table: bytes | None
    manifest: Any

    @property
    def contents(self) -> dict[str, bytes]:
        return {name: shard.content for name, shard in self.shards.items()}


class Bench(NamedTuple):
    """Where the sweeps lie, the cache of compiled programs, what stands before the command, and
    the processes started, so that none outlives its test."""

    folder: Path
    cache: Path
    before: tuple[str, ...] = ()
    started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: object, largest_file: int = 0) -> subprocess.Popen[str]:
        """Start the command; ``largest_file`` bounds the bytes of any file it writes."""
        prelude = [sys.executable, "-S", "-c", _PRELUDE, str(self.folder), str(largest_file)]
        process = subprocess.Popen(
            [*self.before, *prelude, str(COMMAND), *map(str, arguments)],
            env={**os.environ, "SYNTHLAW_CACHE": str(self.cache)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def stop(self) -> None:
        """End the processes that still run."""
        while self.started:
            process = self.started.pop()
            process.kill()
            process.communicate()

    def run(self, *arguments: object, largest_file: int = 0) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        process = self.start(*arguments, largest_file=largest_file)
        return ended(process)

    def sweep(self, name: str, replicates: int = REPLICATES, seed: int = SEED) -> str:
        """Write a sweep of 2 generators by 3 ratios; its file name."""
        (self.folder / name).write_text(SWEEP.format(replicates=replicates, seed=seed))
        return name


def make_bench(factory: pytest.TempPathFactory) -> Bench:
    """A folder for the sweeps of a file of tests, and the cache that all files share."""
    return Bench(factory.mktemp("sweeps"), factory.getbasetemp() / "compiled")


def ended(process: subprocess.Popen[str], within: float = TIMEOUT) -> Any:
    """Wait for a command; killed where it takes longer than ``within`` seconds."""
    try:
        out, err = process.communicate(timeout=within)
    except subprocess.TimeoutExpired as error:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"still running after {within} seconds: {out} {err}") from error
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def names(out: Path) -> list[str]:
    """Final names of the shards in a run folder."""
    try:
        return [name for name in os.listdir(out / "shards") if name.endswith(".parquet")]
    except FileNotFoundError:
        return []


def strays(out: Path) -> list[str]:
    """Files of a run folder that carry no final name."""
    known = {"manifest.json", "table.csv", *names(out)}
    return sorted(p.name for p in out.rglob("*") if p.is_file() and p.name not in known)


def left(out: Path) -> Left:
    """What stands in a run folder now; a name that starts with a dot is temporary."""
    shards = {}
    for name in names(out):
        if not name.startswith("."):
            path = out / "shards" / name
            state = path.stat()
            shards[name] = Shard(path.read_bytes(), state.st_ino, state.st_mtime_ns)
    table, manifest = out / "table.csv", out / "manifest.json"
    return Left(
        shards,
        table.read_bytes() if table.is_file() else None,
        json.loads(manifest.read_bytes()) if manifest.is_file() else None,
    )


def assert_whole(found: Left, undisturbed: Left) -> None:
    """Table and shards must be those of the undisturbed run, to the bit."""
    assert found.table == undisturbed.table, "the table differs"
    assert found.contents == undisturbed.contents, "the shards differ"
    assert found.manifest == undisturbed.manifest, "the manifest differs"


def assert_part(found: Left, undisturbed: Left) -> None:
    """What stands under a final name must be right: the first replicates of its shard, or all of
    them; and no table before all shards are whole."""
    for name, shard in found.shards.items():
        assert name in undisturbed.shards, f"{name} is foreign"
        assert shard.begins(undisturbed.shards[name].content), f"{name} is not as it should be"
    if found.table is not None:
        assert found.table == undisturbed.table, "a table that is not the result"
        assert found.contents == undisturbed.contents, "a table without its shards"


def assert_kept(before: Left, after: Left) -> None:
    """No shard may have been lost or written again, unless to add replicates to it."""
    for name, shard in before.shards.items():
        assert name in after.shards, f"{name} was lost"
        if after.shards[name] != shard:
            assert after.shards[name].rows > shard.rows, f"{name} was written again"


class Moment(NamedTuple):
    """When to strike: once ``shards`` more are held than at the start, and ``seconds`` later."""

    shards: int
    seconds: float


def strike(process: subprocess.Popen[str], out: Path, moment: Moment, signal: int) -> bool:
    """Send a signal at a moment; False where the run had ended by then."""
    goal = len(names(out)) + moment.shards
    until = time.monotonic() + TIMEOUT
    while len(names(out)) < goal and process.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(moment.seconds)
    if process.poll() is not None:
        return False
    process.send_signal(signal)
    return True


@contextmanager
def mounted(point: Path, kind: str, options: str) -> Generator[tuple[Sequence[str], Path] | None]:
    """A mount seen only by the commands run behind it, which needs no rights on most systems.

    Yields what to put before a command, and where we see the mounted folder; None where the
    system does not let us mount.
    """
    script = 'mount -t "$1" -o "$2" none "$3" && echo mounted && exec sleep 600'
    if kind == "bind":
        script = 'mount --bind "$3" "$3" && mount -o "remount,bind,$2" "$3" && echo mounted'
        script += " && exec sleep 600"
    point.mkdir(exist_ok=True)
    try:
        holder = subprocess.Popen(
            ["unshare", "-rm", "sh", "-c", script, "sh", kind, options, str(point)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    except FileNotFoundError:
        yield None
        return
    with holder:
        try:
            assert holder.stdout is not None
            if holder.stdout.readline().strip() == "mounted":
                enter = ["nsenter", "-t", str(holder.pid), "-U", "-m", "--preserve-credentials"]
                yield enter, Path(f"/proc/{holder.pid}/root{point}")
            else:
                yield None
        finally:
            holder.kill()
