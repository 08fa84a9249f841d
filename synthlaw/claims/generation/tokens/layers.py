"""Generation, tokens: the sharp law of one averaging layer, and what further layers leave of it."""

from typing import Any

import numpy as np
import pandas as pd

from scaling.theory.tokens import sharp
from simulations.tokens.world import World
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.exponents import exponent_claim, fitted_row
from synthlaw.claims.generation.tokens.runs import (
    FAR,
    NEAR,
    NOTE,
    SEEDS,
    SOURCE,
    WORLD,
    averaged,
    fitted,
    law,
    leave,
    line,
    mean_se,
    point,
    simulated,
)
from synthlaw.claims.lab import Lab

DIMS, NORMS = (2, 4, 8), (0.5, 1.0)
# The preset full climbs further: the error of means falls faster by d than by replicates.
FARTHER = 16384
FEW, SEEDED = 0, World(NEAR[-1], 8, 0.5)
DEEP = World(FAR, 4, 0.5)
HALF = 0.5
SECOND = World(FAR, 8, 0.5)
LOW, HIGH = 1, 2


def one_layer(lab: Lab) -> pd.DataFrame:
    """Means over the law with its next order; what is left is of relative order 1/d^2."""
    rows = []
    sizes = (FAR, FARTHER) if lab.preset.effort > 1 else (FAR,)
    for dim in DIMS:
        for norm in NORMS:
            for d in sizes:
                world = World(d, dim, norm)
                values = averaged(simulated(lab, world), -1)
                expected, name = law(world).second, f"r = {dim}, B = {norm:g}, endless seeds"
                row = fitted_row(name, d, expected, mean_se(values), len(values), 0)
                rows.append({**row, "inverse_size": 1.0 / d**2})
    values, expected = averaged(simulated(lab, SEEDED), FEW), law(SEEDED, SEEDS[FEW]).second
    name = f"r = {SEEDED.dim}, B = {SEEDED.norm:g}, {SEEDS[FEW]} seeds"
    row = fitted_row(name, SEEDED.vocabulary, expected, mean_se(values), len(values), 0)
    rows.append({**row, "inverse_size": 1.0 / SEEDED.vocabulary**2})
    _draw_vocabulary(lab)
    return pd.DataFrame(rows).assign(size_name="d")


def depth(lab: Lab) -> pd.DataFrame:
    """Steps of 1/2: means over (1 - step)^(2l) a/(2d), on a ladder in 1/d."""
    rows, drawn = [], []
    for d in (NEAR[-1], FAR):
        world = DEEP._replace(vocabulary=d)
        found = simulated(lab, world, HALF)
        for further in (1, 2):
            expected = sharp.deeper(world.dim, world.norm, d, further, HALF)
            name, values = f"{further} further", fitted(found, further)
            rows.append(fitted_row(name, d, expected, mean_se(values), len(values), 0))
        if d == NEAR[-1]:
            drawn = [(k + 1.0, mean_se(fitted(found, k))) for k in range(found.layers.shape[2])]
    name = f"step 1/2, d = {NEAR[-1]}, r = 4, B = 0.5"
    steps = np.arange(1.0, 5.0)
    laws = [sharp.deeper(4, 0.5, NEAR[-1], int(k) - 1, HALF) for k in steps]
    leave(lab, "layers", [point(name, *each) for each in drawn] + line(name, steps, laws))
    return pd.DataFrame(rows).assign(size_name="d")


def second_layer(lab: Lab) -> pd.DataFrame:
    """One step of 1: means over k/(2 d^2), on a ladder in 1/d."""
    rows = []
    for d in (*NEAR[1:], FAR):
        world = SECOND._replace(vocabulary=d)
        expected, values = sharp.deeper(world.dim, world.norm, d, 1, 1.0), _squared(lab, world)
        rows.append(fitted_row("", d, expected, mean_se(values), len(values), 0))
    world = SECOND._replace(vocabulary=NEAR[-1])
    name = f"step 1, d = {NEAR[-1]}, r = 8, B = 0.5"
    found = simulated(lab, world)
    drawn = [point(name, k + 1.0, mean_se(fitted(found, k))) for k in range(found.layers.shape[2])]
    laws = [sharp.deeper(8, 0.5, NEAR[-1], k, 1.0) for k in (0, 1)]
    leave(lab, "layers", drawn + line(name, np.array([1.0, 2.0]), laws))
    return pd.DataFrame(rows).assign(size_name="d")


def _squared(lab: Lab, world: World) -> np.ndarray:
    """Divergences of the second layer less their control variate, plus its exact mean."""
    found = simulated(lab, world)
    return found.layers[:, -1, 1] - found.controls[:, -1, 3]


def slopes(lab: Lab) -> pd.DataFrame:
    """Slopes of log KL in log d, and of what seeds add in log n."""
    rows = []
    for dim in (2, 8):
        worlds = [World(d, dim, 0.5) for d in (NEAR[-1], FAR)]
        found = [mean_se(averaged(simulated(lab, world), -1)) for world in worlds]
        less = [law(world).embedding_second for world in worlds]
        at = [(mean - gone, se) for (mean, se), gone in zip(found, less, strict=True)]
        rows.append(_slope(lab, f"in d, r = {dim}", (NEAR[-1], FAR), at, worlds[1]))
        runs, world = simulated(lab, worlds[0]), worlds[0]
        added = [averaged(runs, k) - averaged(runs, -1) for k in (LOW, HIGH)]
        at = [mean_se(each) for each in added]
        rows.append(_slope(lab, f"in n, r = {dim}", (SEEDS[LOW], SEEDS[HIGH]), at, world))
    return pd.DataFrame(rows)


def _slope(
    lab: Lab, series: str, x: tuple[int, int], at: list[tuple[float, float]], world: World
) -> dict[str, Any]:
    """The exponent between two independent means, each with its standard error."""
    (first, first_se), (last, last_se) = at
    span = float(np.log(x[1] / x[0]))
    slope = (
        float(np.log(first / last)) / span,
        float(np.hypot(first_se / first, last_se / last)) / span,
    )
    count = len(simulated(lab, world).layers)
    return {**fitted_row(series, x[1], 1.0, slope, count, 0), "inverse_size": 0.0}


def _draw_vocabulary(lab: Lab) -> None:
    """Divergences at endless seeds against d: one and two layers."""
    along = np.geomspace(NEAR[0], FAR, 25)
    for layer, name in ((0, "one layer, r = 8, B = 0.5"), (1, "two layers, r = 8, B = 0.5")):
        rows = []
        for d in (*NEAR, FAR):
            found = simulated(lab, World(d, 8, 0.5))
            values = found.layers[:, -1, layer] - found.controls[:, -1, (1, 3)[layer]]
            rows.append(point(name, d, mean_se(values)))
        one = [sharp.one_layer(8, 0.5, d).second for d in along]
        two = [sharp.second_layer(8, 0.5) / d**2 for d in along]
        leave(lab, "vocabulary", rows + line(name, along, two if layer else one))


CLAIMS = (
    constant_claim(
        "generation-tokens-one-layer",
        "One averaging layer: the constant of its divergence",
        "A generator that averages the embeddings of n seeds has the mean divergence a/(2d) + r/(2n),"
        " a = e^(B^2)(r + B^2), and a next order of .03 to 3 % of it here (4,096 tokens, endless seeds;"
        " r = 2, 4, 8 and B = 1/2, 1; 1,024 tokens and 100 seeds for r = 8, B = 1/2).",
        r"E\,\mathrm{KL} = \frac{e^{B^2}(r+B^2)}{2d} + \frac{r}{2n} + \frac{c}{d^2} + \frac{x}{2nd}",
        one_layer,
        source=SOURCE,
        note=NOTE,
        assumptions=WORLD,
    ),
    constant_claim(
        "generation-tokens-depth",
        "A gradient step in context takes the factor (1 - step)^2",
        "Further layers that take gradient steps of 1/2 leave of the divergence of averaging a quarter"
        " each, at endless seeds (r = 4, B = 1/2, one and two further layers, as d grows).",
        r"E\,\mathrm{KL} = (1-\tau)^{2l}\,\frac{e^{B^2}(r+B^2)}{2d} + O(d^{-2})",
        depth,
        source=SOURCE,
        note=NOTE,
        assumptions=WORLD,
    ),
    constant_claim(
        "generation-tokens-second-layer",
        "A step of 1 leaves the square of the error: its constant",
        "A second layer that takes a step of 1 leaves k/(2 d^2) at endless seeds: another power of d, with"
        " a constant of its own (r = 8, B = 1/2, as d grows).",
        r"E\,\mathrm{KL} = \frac{k}{2d^2}(1 + O(1/d)),\quad k = d^2\,E\,g_0' D^2 g_0",
        second_layer,
        source=SOURCE,
        note=NOTE,
        assumptions=WORLD,
    ),
    exponent_claim(
        "generation-tokens-slopes",
        "The slopes in d and in n are -1, not the published rate's -1/2",
        "The divergence of an averaging layer at endless seeds, less its second order, falls like 1/d"
        " (1,024 to 4,096 tokens), and what seeds add to it like 1/n (10^4 to 10^6): the published rate is"
        " an upper bound, and its exponents 1/2 are not those of a fitted line.",
        r"E\,\mathrm{KL}_\infty - c/d^2 \propto d^{-1},\quad E\,\mathrm{KL}_n - E\,\mathrm{KL}_\infty"
        r" \propto n^{-1}",
        slopes,
        source=SOURCE,
        note=NOTE,
        assumptions=WORLD,
    ),
)
