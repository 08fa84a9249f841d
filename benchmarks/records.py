"""What benchmarks share: how long a call takes, and the file their result is left in."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def seconds(function: Callable[[], Any]) -> tuple[float, float]:
    """How long one call takes by the clock, and on the processor, all threads together."""
    start, spent = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - start, time.process_time() - spent


def leave(result: dict[str, Any], path: Path) -> str:
    """Write a result as JSON, whole or not at all; its text."""
    from simulations.runs.store import write_atomically

    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=1) + "\n"
    write_atomically(path, text.encode())
    return text
