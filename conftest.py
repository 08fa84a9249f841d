"""What holds for the tests and for the examples in the packages alike."""

import gc
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

_MAPS = Path("/proc/self/maps")
# A process may hold 65,530 pieces of memory (Linux, by default); every compiled program holds several, and
# XLA crashes when there are no more.
_MOST_MAPS = 25_000


def _crowded() -> bool:
    return _MAPS.exists() and _MAPS.read_bytes().count(b"\n") > _MOST_MAPS


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: Any, nextitem: Any) -> Generator[None, Any, Any]:
    """After the last test of a file let its programs go, if there are too many by now."""
    outcome = yield
    last = nextitem is None or nextitem.path != item.path
    if last and "jax" in sys.modules and _crowded():
        sys.modules["jax"].clear_caches()
        gc.collect()
    return outcome
