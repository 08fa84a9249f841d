"""Simulated divergences that claims on tokens share, each once in a laboratory.

Few shapes serve all: up to 1,024 tokens four numbers of seeds and four layers, beyond that endless seeds
and three layers, embeddings filled up to eight coordinates. So each vocabulary compiles one program.
"""

from typing import Any

import numpy as np
import pandas as pd

from scaling.theory.tokens import sharp
from simulations.controlled import controlled
from simulations.tokens.divergences import ENDLESS, Divergences, Tables, divergences
from simulations.tokens.world import World, embeddings
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import Assumption, always

NOTE = "transformers.md"
SOURCE = "derived here; expansion in sums over Gaussian tokens"
WIDTH, FOLDS = 8, 8
SEEDS, LAYERS = (100, 10**4, 10**6, ENDLESS), 4
FAR_SEEDS, FAR_LAYERS = (ENDLESS,), 3
NEAR = (64, 256, 1024)
FAR = 4096
# Replicates of the preset quick, and where more are needed.
REPLICATES = 128
MORE = {
    World(256, 8, 0.5): 1024,
    World(1024, 8, 0.5): 384,
    World(FAR, 8, 0.5): 832,
    World(FAR, 4, 1.0): 192,
    World(FAR, 8, 1.0): 96,
    World(FAR, 4, 0.5): 96,
    World(FAR, 2, 0.5): 64,
    World(FAR, 2, 1.0): 64,
    World(64, 8, 1.5): 256,
    World(256, 8, 1.5): 256,
    World(1024, 8, 1.5): 320,
}
PICTURE = "token_kl"
WORLD: tuple[Assumption, ...] = (
    always("Embeddings are independent N(0, I_r); a latent has the norm B."),
    always(
        "Seeds are independent tokens of the group's law; divergences are exact sums over tokens."
    ),
)


def simulated(
    lab: Lab, world: World, step: float = 1.0, *, tables: Tables = embeddings, name: str = ""
) -> Divergences:
    """All layers of a world at steps of this length, at `SEEDS` or `FAR_SEEDS`.

    ``tables`` draws other embeddings than the world's; ``name`` is then theirs.

    Args:
        lab: the laboratory.
        world: of the tokens.
        step: length of a gradient step.
        tables: draws the embeddings.
        name: of these.
    """
    near = world.vocabulary <= max(NEAR)
    sizes, depth = (SEEDS, LAYERS) if near else (FAR_SEEDS, FAR_LAYERS)
    count = MORE.get(world, REPLICATES) * lab.preset.effort

    def run() -> Divergences:
        return divergences(
            world,
            list(sizes),
            depth,
            step,
            count,
            lab.seed,
            width=WIDTH,
            tables=tables,
            once=world.vocabulary == min(NEAR),
        )

    return lab.recall(f"tokens {world} {step} {name}", run)


def mean_se(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard error of values ``(R,)``."""
    return float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5)


def averaged(found: Divergences, size: int) -> np.ndarray:
    """The averaging layer's divergences ``(R,)`` less the second control variate and plus its mean."""
    return found.layers[:, size, 0] - found.controls[:, size, 1]


def fitted(found: Divergences, layer: int) -> np.ndarray:
    """Divergences of a layer (0: averaging) at endless seeds less what all control variates explain."""
    return controlled(found.layers[:, -1, layer], found.controls[:, -1], FOLDS)


def leave(lab: Lab, panel: str, rows: list[dict[str, Any]], picture: str = PICTURE) -> None:
    """Add a panel's rows to a picture, once."""
    part = f"{panel} {rows[0].get('series', '')}"
    lab.draw(picture, part, pd.DataFrame(rows).assign(panel=panel))


def point(series: str, x: float, found: tuple[float, float]) -> dict[str, Any]:
    """A row of a picture: a mean with its standard error."""
    return {"series": series, "x": x, "estimate": found[0], "se": found[1]}


def line(series: str, x: np.ndarray, predicted: list[float]) -> list[dict[str, Any]]:
    """Rows of a picture: a law along x."""
    return [
        {"series": series, "x": at, "predicted": value}
        for at, value in zip(x, predicted, strict=True)
    ]


def law(world: World, n: float = np.inf) -> sharp.OneLayer:
    """The law of averaging in a world."""
    return sharp.one_layer(world.dim, world.norm, world.vocabulary, n)
