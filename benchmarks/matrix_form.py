"""Newton's method in NumPy for several ratios at once, as products of matrices.

With X the rows and P the products ``x_i x_j``, i <= j, of every row: scores ``Theta X'``, gradients
``(W (q - y)) X``, Hessians ``(W q (1 - q)) P``. A product over a block of rows is computed for the
ratios that use these rows and for no other.
"""

import numpy as np

from benchmarks.loops import MOST_STEPS, NEAR, NEAR_KEPT, NEAR_SINGLE
from benchmarks.rows import Sample, in_single, sigmoid

# Rows times ratios per block: what a step reads and writes stays in the cache.
BLOCK = 24_000
# Groups of fewer ratios than this spend less on multiplying by masks than on more blocks.
FEW = 12


def together(
    sample: Sample, at_once: int = 21, single: bool = False, kept: bool = False
) -> np.ndarray:
    """All ratios, ``at_once`` of them together.

    Args:
        sample: rows and cells.
        at_once: ratios per group; a group starts where the last ratio of the one before it ended,
            moved by what lies between their population minimisers.
        single: single precision until the last steps, whose gradients are in double precision.
        kept: the Hessians of a group's first step serve all its steps.
    """
    rough = in_single(sample) if single else sample
    i, j = np.triu_indices(sample.rows.shape[1])
    products = rough.rows[:, i] * rough.rows[:, j]
    found = np.empty_like(sample.starts)
    for low in range(0, len(found), at_once):
        group = slice(low, low + at_once)
        theta = sample.starts[group] + (found[low - 1] - sample.starts[low - 1] if low else 0.0)
        near = NEAR_SINGLE if single and kept else NEAR_KEPT if kept else NEAR
        theta, hessians = _steps(_part(rough, group), theta, products, None, kept, near)
        if single:
            # Hessians of the last step lie close to the solution: one more step is exact enough.
            near = NEAR_KEPT if kept else NEAR
            theta, _ = _steps(_part(sample, group), theta, products, hessians, True, near)
        found[group] = theta
    return found


def _part(sample: Sample, group: slice) -> Sample:
    weights = None if sample.weights is None else sample.weights[group]
    return sample._replace(ends=sample.ends[group], weights=weights, starts=sample.starts[group])


Block = tuple[slice, int, np.ndarray | None]


def _blocks(sample: Sample) -> list[Block]:
    """Blocks of rows, the first ratio that uses them, and which do ``(C, rows)`` (None: all after it).

    Few ratios share masked blocks behind the rows that all of them use; many ratios get a block
    between every two of their ends, and no mask.
    """
    ends, kind = sample.ends, sample.rows.dtype
    size = BLOCK // len(ends)
    last, few = int(ends[-1]), len(ends) < FEW
    edges = sorted({*range(0, last, size), last, *(ends[:1] if few else ends).tolist()})
    blocks: list[Block] = []
    for low, high in zip(edges, edges[1:], strict=False):
        first = 0 if few else int(np.searchsorted(ends, low, side="right"))
        masked = high > ends[first]
        mask = (np.arange(low, high) < ends[:, None]).astype(kind) if masked else None
        blocks.append((slice(low, high), first, mask))
    return blocks


def _steps(
    sample: Sample,
    theta: np.ndarray,
    products: np.ndarray,
    hessians: np.ndarray | None,
    kept: bool,
    near: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Steps until all are below ``near``, from the given Hessians or fresh ones."""
    blocks, kind = _blocks(sample), sample.rows.dtype
    for _ in range(MOST_STEPS):
        fresh = hessians is None or not kept
        gradients = np.zeros(theta.shape)
        packed = np.zeros((len(theta), products.shape[1] if fresh else 0))
        here = theta.astype(kind, copy=False)
        for part, first, mask in blocks:
            rows = sample.rows[part]
            weights = mask if sample.weights is None else sample.weights[first:, part]
            q = sigmoid(here[first:] @ rows.T)
            if fresh:
                curvature = q * (1 - q)
                if weights is not None:
                    curvature *= weights
                packed[first:] += curvature @ products[part]
            q -= sample.labels[part]
            if weights is not None:
                q *= weights
            gradients[first:] += q @ rows
        if fresh:
            hessians = _symmetric(packed, theta.shape[1])
        assert hessians is not None
        step = np.linalg.solve(hessians, gradients[:, :, None])[:, :, 0]
        theta = theta - step
        if np.abs(step).max() < near:
            break
    assert hessians is not None
    return theta, hessians


def _symmetric(packed: np.ndarray, size: int) -> np.ndarray:
    """Matrices ``(..., p, p)`` from their upper triangles ``(..., p (p + 1) / 2)``."""
    i, j = np.triu_indices(size)
    full = np.empty((*packed.shape[:-1], size, size))
    full[..., i, j] = packed
    full[..., j, i] = packed
    return full
