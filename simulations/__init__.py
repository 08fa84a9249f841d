"""The worlds: settings, generators, estimators, exact population quantities, Monte Carlo.

Importing this package switches JAX to 64-bit floats: excess risks go down to 1e-7, which
single precision cannot hold. It also keeps compiled programs in ``$SYNTHLAW_CACHE`` (default: the
user's cache folder), so that a second run need not compile them again.
"""

import os
from pathlib import Path

import jax


def cache_folder() -> Path:
    """Where compiled programs are kept."""
    named = os.environ.get("SYNTHLAW_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "synthlaw"


def _keep_compiled_programs() -> None:
    folder = None
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        usable = os.access(folder, os.W_OK)
    except (OSError, RuntimeError):
        usable = False
    # Without a folder to write to, programs are compiled anew in every process, and that is all.
    if folder is not None and usable:
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _make_room_for_threads() -> None:
    """Let XLA's pool have more threads than programs can run at a time.

    A running program holds one of the pool's threads and waits there for the parts of its large
    matrix products, which need others: with as many programs as threads all wait for ever. The
    pool takes its size from ``NPROC`` when JAX is first used.
    """
    # Two pieces a core, two programs for each of three units that are being made ready, and room.
    needed = 3 * cores() + 6
    given = os.environ.get("NPROC", "")
    if not (given.isdecimal() and int(given) >= needed):
        os.environ["NPROC"] = str(needed)


_make_room_for_threads()
jax.config.update("jax_enable_x64", True)
_keep_compiled_programs()
