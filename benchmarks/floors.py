"""The least a replicate can cost: drawing its normal numbers, and the products of Newton's method
at the speed of a large matrix product, both on all cores."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from benchmarks.accounting import CORES
from benchmarks.problem import Problem

# Newton steps of a fit that starts at the population minimiser.
STEPS = 3
_ORDER, _NUMBERS = 1536, 4_000_000


def normals(problems: list[Problem]) -> int:
    """Normal numbers of one replicate when generators share the raw rows and each has its pool."""
    first = problems[0]
    pools = sum(int(each.sizes.max()) for each in problems if not each.duplicate)
    return first.dim * (sum(first.counts) + pools)


def flops(problems: list[Problem]) -> float:
    """Additions and multiplications of all Newton steps: scores, gradients and half a Hessian, for
    every row that a cell uses once (a duplicate is a weight)."""
    total = 0.0
    for each in problems:
        size = each.dim + 1
        used = np.zeros_like(each.sizes) if each.duplicate else each.sizes
        rows = float((sum(each.counts) + used).sum())
        total += rows * STEPS * (4 * size + size * (size + 1))
    return total


def _seconds(function: Any, repeats: int) -> float:
    found = []
    for _ in range(max(repeats, 3)):
        start = time.perf_counter()
        function()
        found.append(time.perf_counter() - start)
    return min(found)


def _numpy_normals(repeats: int) -> float:
    """Seconds per normal number of NumPy in single precision, a generator on every core."""
    rngs = [np.random.Generator(np.random.SFC64(seed)) for seed in range(CORES)]
    buffers = [np.empty(_NUMBERS // CORES, np.float32) for _ in rngs]

    def fill() -> None:
        with ThreadPoolExecutor(CORES) as pool:
            list(
                pool.map(
                    lambda rng, out: rng.standard_normal(dtype=np.float32, out=out), rngs, buffers
                )
            )

    return _seconds(fill, repeats) / _NUMBERS


def _jax_normals(repeats: int) -> float:
    """The same of JAX's default generator (threefry)."""
    import jax
    import jax.numpy as jnp

    keys = jax.random.split(jax.random.key(0), CORES)
    draw = jax.jit(partial(jax.random.normal, shape=(_NUMBERS // CORES,), dtype=jnp.float32))
    draw(keys[0]).block_until_ready()

    def fill() -> None:
        with ThreadPoolExecutor(CORES) as pool:
            list(pool.map(lambda key: draw(key).block_until_ready(), keys))

    return _seconds(fill, repeats) / _NUMBERS


def _peak(kind: Any, repeats: int) -> float:
    """Operations per second of a large matrix product on all cores."""
    matrix = np.ones((_ORDER, _ORDER), kind)
    out = np.empty_like(matrix)
    return 2.0 * _ORDER**3 / _seconds(lambda: np.matmul(matrix, matrix, out=out), repeats)


def floor(problems: list[Problem], repeats: int) -> dict[str, Any]:
    """Milliseconds that the draws and the products of one replicate of a sweep cost at least."""
    numbers, work = normals(problems), flops(problems)
    found: dict[str, Any] = {"normals": numbers, "flops": work, "newton_steps": STEPS}
    for name, kind in (("float32", np.float32), ("float64", np.float64)):
        peak = _peak(kind, repeats)
        found[f"gemm_{name}_gflops"] = 1e-9 * peak
        found[f"products_{name}_ms"] = 1e3 * work / peak
    found["numpy_normals_ms"] = 1e3 * numbers * _numpy_normals(repeats)
    found["jax_normals_ms"] = 1e3 * numbers * _jax_normals(repeats)
    return found
