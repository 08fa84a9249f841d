"""Flags of cells whose estimate must not be read without a caveat.

A sample without a finite minimiser (separable rows, say) has no fitted rule: it is counted and left
out, so an estimate is the mean over the samples that have one. Where that leaves out more than a
hundredth of the replicates, the difference can exceed what a standard error tells, and the cell
is flagged.
"""

import numpy as np

# The largest share of failed fits a cell may have without a flag.
FAILURE_LIMIT = 0.01
FAILURES = "failures"
MEANING = f"more than {100 * FAILURE_LIMIT:g} % of fits failed"


def flags(failures: np.ndarray, replicates: np.ndarray) -> np.ndarray:
    """``"failures"`` where ``failures / replicates > FAILURE_LIMIT``, else ``""``.

    Args:
        failures: replicates without an estimator, any shape, >= 0.
        replicates: replicates in all, the same shape; 0 (nothing was simulated) has no flag.

    A quotient that equals the limit rounds to the limit itself, so exactly 1 % is not flagged.

    >>> flags(np.array([10, 11, 0]), np.array([1000, 1000, 0])).tolist()
    ['', 'failures', '']
    """
    failed, total = np.asarray(failures, dtype=float), np.asarray(replicates, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((failed / total > FAILURE_LIMIT) & (total > 0), FAILURES, "")


def either(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The flags of rows that rest on two cells: a flag of one is a flag of both.

    >>> either(np.array(["", "failures"]), np.array(["", ""])).tolist()
    ['', 'failures']
    """
    return np.where(np.asarray(first) == "", second, first)
