"""What a user would write instead: one replicate of a ratio curve, fitted in NumPy or scikit-learn.

All start at the population minimiser where they can start anywhere, and are granted the exact
risks for free: only drawing (``draw``) and fitting (a design) is timed. Every design is one that a
good programmer might choose; the benchmark times them all and keeps the fastest. The loss of a
cell is ``sum_i w_i (log(1 + exp(x_i'theta)) - y_i x_i'theta)``.
"""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import numpy as np

from benchmarks import loops, matrix_form
from benchmarks.problem import Problem
from benchmarks.rows import Sample, cells_of, draw, generator

Design = Callable[[Sample], np.ndarray]
# Beyond this many features the table of products x_i x_j costs more than it saves.
MOST_PRODUCTS = 40
# The gradient at which scikit-learn stops: with 1e-7 its rules differ from the others by 2e-6.
PRECISE = 3e-8


def scikit_learn(sample: Sample, warm: bool = False) -> np.ndarray:
    """scikit-learn's unpenalised logistic regression by its fastest solver here.

    With ``warm`` a fit starts where NumPy's does and its arguments are not checked.
    """
    import sklearn  # pyright: ignore[reportMissingImports]
    from sklearn.linear_model import LogisticRegression  # pyright: ignore[reportMissingImports]

    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=PRECISE, warm_start=warm)
    found = np.empty_like(sample.starts)
    with sklearn.config_context(assume_finite=warm, skip_parameter_validation=warm):
        for c, cell in enumerate(cells_of(sample)):
            if warm:
                start = sample.starts[c] + (found[c - 1] - sample.starts[c - 1] if c else 0.0)
                model.coef_, model.intercept_ = start[None, :-1], start[-1:]
            model.fit(cell.rows[:, :-1], cell.labels, sample_weight=cell.weights)
            found[c] = np.append(np.asarray(model.coef_).ravel(), model.intercept_)
    return found


def scikit_learn_repeated(sample: Sample) -> np.ndarray:
    """The same with duplicates as rows of their own."""
    parts = []
    for cell in cells_of(sample):
        times = np.asarray(cell.weights).astype(int)
        rows, labels = np.repeat(cell.rows, times, axis=0), np.repeat(cell.labels, times)
        whole = Sample(rows, labels, np.array([len(rows)]), None, sample.starts[:1])
        parts.append(scikit_learn(whole))
    return np.concatenate(parts)


LOOPS: dict[str, Design] = {
    "from the population, (wX)'X": partial(loops.one_by_one, neighbour=False),
    "from the neighbour, (wX)'X": loops.one_by_one,
    "from the neighbour, B'B": partial(loops.one_by_one, hessian=loops.root_rows),
    "from the neighbour, one Hessian": partial(loops.one_by_one, kept=True),
    "from the neighbour, one Hessian, float32": loops.kept_single,
}
MATRICES: dict[str, Design] = {
    "from the neighbour, products": loops.products,
    "all together": matrix_form.together,
    "all together, float32": partial(matrix_form.together, single=True),
    "6 together": partial(matrix_form.together, at_once=6),
    "6 together, float32": partial(matrix_form.together, at_once=6, single=True),
    "3 together, float32": partial(matrix_form.together, at_once=3, single=True),
    "6 together, one Hessian": partial(matrix_form.together, at_once=6, kept=True),
    "6 together, one Hessian, float32": partial(
        matrix_form.together, at_once=6, single=True, kept=True
    ),
    "3 together, one Hessian, float32": partial(
        matrix_form.together, at_once=3, single=True, kept=True
    ),
}
SCIKIT_LEARN: dict[str, Design] = {
    "plain": scikit_learn,
    "warm start": partial(scikit_learn, warm=True),
}
FAMILIES = ("numpy", "scikit_learn")


def have_scikit_learn() -> bool:
    """Whether scikit-learn is installed (extra ``bench``)."""
    return find_spec("sklearn") is not None


def designs(family: str, problem: Problem) -> dict[str, Design]:
    """The designs of a family (``numpy`` or ``scikit_learn``) worth trying on a problem."""
    if family == "scikit_learn":
        repeated = {"repeated rows": scikit_learn_repeated} if problem.duplicate else {}
        return SCIKIT_LEARN | repeated
    return LOOPS | (MATRICES if problem.dim < MOST_PRODUCTS else {})


__all__ = ["FAMILIES", "Design", "Sample", "designs", "draw", "generator", "have_scikit_learn"]
