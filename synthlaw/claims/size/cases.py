"""Size, exact statements: aligned, orthogonal, symmetric cases; no symmetry with an intercept; quality."""

import numpy as np
import pandas as pd

from scaling.theory.size.curve import balanced_point, size_curve
from scaling.theory.size.directions import Directions, alignment, directions
from scaling.theory.size.optimum import optimal_size
from scaling.theory.size.problem import SizeProblem, problem_of_laws
from scaling.theory.size.quality import quality_score
from scaling.theory.size.sizes import quadratic_size, size
from simulations.population.losses import LOGISTIC, SQUARED, Loss
from simulations.population.quadrature import gaussian_grid
from simulations.setup.generators import Atom
from synthlaw.claims.evidence import exact_rows
from synthlaw.claims.kinds import exact_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import GAUSSIAN, Twin, always
from synthlaw.claims.size.golden import INDEPENDENT, NOTE, SWEEP, problem_of

COUNTS = (2000.0, 200.0)
SMALL = 0.05
SEPARATIONS = (1.0, 2.0, 3.0)
# Shifts of the golden case's synthetic rows that the picture shows.
PICTURED = {"aligned": (-0.5, 0.0), "orthogonal": (0.0, 0.35), "oblique": (-0.5, 0.7)}


def mirrored_classes(
    dim: int,
    separation: float,
    shift: np.ndarray,
    majority_shift: np.ndarray | None = None,
    *,
    scale: float = 1.0,
    loss: Loss = LOGISTIC,
    intercept: bool = True,
    counts: tuple[float, float] = COUNTS,
) -> SizeProblem:
    """Classes ``N(-+separation/2 e_1, I)``; synthetic rows moved by ``shift`` (class 1) and
    ``majority_shift`` (class 0; not moved unless given), their covariance ``scale`` times I."""
    mean = 0.5 * separation * np.eye(dim)[0]
    moved = np.zeros(dim) if majority_shift is None else majority_shift
    unit = np.eye(dim)
    laws = (
        [Atom(1.0, -mean, unit, 0)],
        [Atom(1.0, mean, unit, 1)],
        [Atom(1.0, mean + shift, scale * unit, 1)],
        [Atom(1.0, -mean + moved, scale * unit, 0)],
    )
    return problem_of_laws(laws, counts, loss, intercept)


def _solved(problem: SizeProblem) -> tuple[Directions, float, float]:
    """Directions; the floor at full balancing and the least floor."""
    balanced = balanced_point(problem)
    full = float(size_curve(problem, [problem.missing], balanced).floor[0])
    return directions(problem, balanced), full, optimal_size(problem, "floor", balanced).value


def _cases(lab: Lab, across: np.ndarray) -> pd.DataFrame:
    """Three cases; ``across (2,)`` is the shift that is to be orthogonal."""
    rows = []
    found, full, least = _solved(problem_of(lab))
    rows += [
        ("aligned: cosine", alignment(found).inverse_hessian, 1.0, 1e-9),
        ("aligned: least floor / that at balancing", least / full, 0.0, 1e-9),
    ]
    problem = mirrored_classes(2, 2.0, across)
    found, full, least = _solved(problem)
    rows += [
        ("orthogonal: cosine", alignment(found).inverse_hessian, 0.0, 1e-9),
        ("orthogonal: m*_H / missing", size(problem, found).rows / problem.missing, 1.0, 1e-9),
        ("orthogonal: least floor / that at balancing", least / full, 1.0, 0.05),
    ]
    right = mirrored_classes(2, 2.0, np.zeros(2), intercept=False)
    wrong = mirrored_classes(2, 2.0, np.array([0.0, SMALL]), intercept=False)
    balanced = balanced_point(right)
    some = np.array([0.0, 0.5, 1.0]) * right.missing
    rows.append(
        ("symmetric: largest floor, right law", *_largest(size_curve(right, some, balanced).floor))
    )
    rows.append(("symmetric: raw floor", float(size_curve(wrong, [0.0]).floor[0]), 0.0, 1e-12))
    best = optimal_size(wrong, "floor", balanced_point(wrong))
    rows.append(("symmetric: size of least floor, wrong law", best.rows, 0.0, 1e-9))
    names, measured, expected, tolerance = (list(part) for part in zip(*rows, strict=True))
    return exact_rows(names, measured, expected, 1.0).assign(tolerance=tolerance)


def _largest(values: np.ndarray) -> tuple[float, float, float]:
    return float(np.abs(values).max()), 0.0, 1e-12


def _paths(lab: Lab) -> pd.DataFrame:
    """Paths of the training gradient, in the metric of the inverse Hessian, for the picture."""
    parts = []
    for name, shift in PICTURED.items():
        generator = {"kind": "shift", "shift": list(shift), "groups": ["minority"]}
        sweep = {**SWEEP, "synthetic": {"generators": [generator], "ratios": [0]}}
        problem = problem_of(lab, sweep=sweep)
        found = directions(problem)
        raw, missing = sum(problem.counts), problem.missing
        best = quadratic_size(problem, found).rows
        rows = np.concatenate([np.linspace(0.0, 8.0, 161) * missing, [0.0, missing, best]])
        gradient = 0.5 * (missing - rows)[:, None] * found.imbalance + rows[:, None] * found.bias
        gradient = gradient / (raw + rows)[:, None]
        length = found.product(found.imbalance, found.imbalance, "inverse_hessian") ** 0.5
        along = gradient @ found.inverse @ found.imbalance / length
        rest = gradient - along[:, None] * found.imbalance / length
        across = np.sqrt(np.maximum(np.einsum("ri,ij,rj->r", rest, found.inverse, rest), 0.0))
        what = ["path"] * 161 + ["raw", "balanced", "best"]
        parts.append(pd.DataFrame({"case": name, "what": what, "along": along, "across": across}))
    return pd.concat(parts, ignore_index=True)


def cases(lab: Lab) -> pd.DataFrame:
    """An aligned, an orthogonal and a symmetric case."""
    lab.drawn["alignment"] = _paths(lab)
    return _cases(lab, np.array([0.0, SMALL]))


def oblique_case(lab: Lab) -> pd.DataFrame:
    """The same with a shift along and across the classes in the place of the orthogonal one."""
    return _cases(lab, np.array([SMALL, SMALL]))


def _intercept_part(expected_zero: bool) -> pd.DataFrame:
    """The intercept's entry of g_phi and its closed form."""
    grid = gaussian_grid(4.0)
    cells, measured, expected = [], [], []
    for distance in SEPARATIONS:
        found = directions(mirrored_classes(2, distance, np.zeros(2)))
        form = np.exp(-(distance**2) / 8) * (
            grid.weights @ (1 / np.cosh(distance * grid.nodes / 2))
        )
        cells.append(f"logistic, distance {distance:g}")
        measured.append(float(found.imbalance[-1]))
        expected.append(0.0 if expected_zero else float(form))
        problem = mirrored_classes(2, distance, np.zeros(2), loss=SQUARED)
        found = directions(problem)
        means = problem.atoms.means[:2] @ found.theta
        cells.append(f"squared, distance {distance:g}")
        measured.append(float(found.imbalance[-1]))
        expected.append(0.0 if expected_zero else 2.0 * (1.0 - float(means[1] - means[0])))
    return exact_rows(cells, measured, expected, tolerance=1e-9)


def no_symmetry(lab: Lab) -> pd.DataFrame:
    """The intercept's part of g_phi."""
    return _intercept_part(False)


def symmetry_with_intercept(lab: Lab) -> pd.DataFrame:
    """The same, taken for zero."""
    return _intercept_part(True)


def _quality(euclidean: bool) -> pd.DataFrame:
    """Exact floor over exact variance at full balancing, over the score, as the bias shrinks."""
    cells, measured = [], []
    along = np.array([1.0, 1.0, 0.0]) / np.sqrt(2.0)
    for name, shift in (("along and across", along), ("across", np.eye(3)[1])):
        problem = mirrored_classes(3, 2.0, 1e-3 * shift)
        balanced = balanced_point(problem)
        found = directions(problem, balanced)
        if euclidean:
            found = found._replace(inverse=np.eye(len(found.theta)))
        terms = size_curve(problem, [problem.missing], balanced)
        cells.append(f"shift of .001 {name}")
        measured.append(float(terms.floor[0] / terms.variance[0]) / quality_score(problem, found))
    return exact_rows(cells, measured, [1.0] * len(cells), tolerance=5e-3)


def quality(lab: Lab) -> pd.DataFrame:
    """The score against floor over variance."""
    return _quality(False)


def euclidean_quality(lab: Lab) -> pd.DataFrame:
    """The score in the Euclidean metric."""
    return _quality(True)


KNOWN = (GAUSSIAN, INDEPENDENT)

CLAIMS = (
    exact_claim(
        "size-cases",
        "Aligned, orthogonal and symmetric bias",
        (
            "A bias along g_phi is cancelled by a size; of a small bias orthogonal to it in the"
            " metric of the inverse Hessian no size removes a twentieth of the floor, and m*_H is"
            " full balancing; under local symmetry raw imbalance leaves no floor and every wrong row"
            " adds some."
        ),
        (
            r"G(m) \propto \tfrac12(n_0-n_1-m)\, g_\phi + m\, g_\psi,\quad"
            r" floor \approx \tfrac12 G^\top H^{-1} G"
        ),
        cases,
        Twin("A shift along and across the classes is orthogonal, too.", oblique_case),
        note=NOTE,
        assumptions=KNOWN,
    ),
    exact_claim(
        "size-no-symmetry",
        "With an intercept local symmetry is impossible",
        (
            "The intercept's entry of g_phi is positive: a_0 = 4 E p(1-p) for a well-specified"
            " logistic rule, 2[1 - (E_1 u - E_0 u)] for the squared loss."
        ),
        r"(g_\phi)_{int} = E_0 f - E_1 f = e^{-D^2/8}\, E\,\mathrm{sech}(DZ/2) > 0",
        no_symmetry,
        Twin("It is zero.", symmetry_with_intercept),
        note=NOTE,
        assumptions=(GAUSSIAN, always("Classes share one covariance.")),
    ),
    exact_claim(
        "size-quality",
        "The quality score is floor over variance",
        (
            "At full balancing, for a small bias, the generator-quality score is the exact floor over"
            " the variance term."
        ),
        (
            r"Q = \frac{m_b^2}{2n_0}\,\frac{\delta^\top H^{-1}\delta}{\mathrm{tr}(H^{-1}S_{aug})}"
            r" \to \frac{floor}{variance}"
        ),
        quality,
        Twin("The bias may be measured in the Euclidean metric.", euclidean_quality),
        note=NOTE,
        assumptions=KNOWN,
    ),
)
