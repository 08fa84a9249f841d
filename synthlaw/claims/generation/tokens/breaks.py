"""Generation, tokens: what breaks the laws of averaging, and what does not break."""

from functools import cache, partial

import numpy as np
import pandas as pd

from scaling.theory.tokens import coherent, sharp
from scaling.theory.tokens.depth import step_size
from simulations.compilation import Quick, quick_jit
from simulations.controlled import controlled
from simulations.problems import InputError
from simulations.tokens.world import World, divergence, embeddings, latents, log_law
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import bounded_row, exact_rows
from synthlaw.claims.exponents import fitted_row
from synthlaw.claims.generation.tokens.runs import (
    FAR,
    FOLDS,
    NEAR,
    NOTE,
    SOURCE,
    WORLD,
    leave,
    line,
    mean_se,
    point,
    simulated,
)
from synthlaw.claims.kinds import exact_claim, inequality_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import Twin, always

# A latent so long that e^(4 B^2)/d is 8 at 1,024 tokens; the limit's median, and a share of it.
LONG, USUAL, SHARE, LONG_DIM = 1.5, 0.5, 0.8, 8
# Embeddings N(m, Sigma), and a step that converges.
SIGMA, SHIFT, STEP = np.array([[1.4, 0.4], [0.4, 0.8]]), np.array([0.4, 0.2]), 0.8
COHERENT = World(FAR, 2, 0.6)
# A world whose embeddings lie in three of four dimensions, and how far the latent moves in the fourth.
DIM, AWAY, TOLERANCE, TILT = 4, 3.0, 1e-9, 0.3
FLAT = World(64, DIM, 1.0)


def median_se(values: np.ndarray) -> tuple[float, float]:
    """The median and its standard error, from the order statistics one binomial deviation away."""
    ordered, count = np.sort(values), len(values)
    reach = int(np.ceil(0.5 * count**0.5))
    low, high = ordered[count // 2 - reach], ordered[count // 2 + reach]
    return float(np.median(values)), float(high - low) / 2.0


def medians(lab: Lab, norm: float, vocabularies: tuple[int, ...]) -> pd.DataFrame:
    """Medians of averaging at endless seeds against a share of the median of the normal limit; of several
    vocabularies the last serves to show that the shortfall shrinks."""
    rows, short, median = [], [], sharp.normal_quantile(LONG_DIM, norm, 1.0, 0.5)
    for d in vocabularies:
        values = simulated(lab, World(d, LONG_DIM, norm)).layers[:, -1, 0]
        (found, se), limit = median_se(values), median / d
        short.append((1.0 - found / limit, se / limit))
        if d != vocabularies[-1] or d == vocabularies[0]:
            cell, bound = f"B = {norm:g}, d = {d}", (SHARE * limit, 0.0)
            rows.append(bounded_row(cell, (found, se), bound, len(values)))
    if len(short) > 1:
        cell = (
            f"B = {norm:g}, shortfall at {vocabularies[-1]} over that at {vocabularies[0]} tokens"
        )
        rows.append(bounded_row(cell, short[-1], short[0], rows[-1]["replicates"]))
    return pd.DataFrame(rows)


def long_latent(lab: Lab) -> pd.DataFrame:
    """The ladder in d at B = 3/2, and its picture."""
    table = medians(lab, LONG, NEAR)
    along, rows = np.geomspace(NEAR[0], FAR, 25), []
    name = f"median, r = {LONG_DIM}, B = {LONG:g} (line: its normal limit)"
    for d in (*NEAR, FAR):
        values = simulated(lab, World(d, LONG_DIM, LONG)).layers[:, -1, 0]
        rows.append(point(name, d, median_se(values)))
    median = sharp.normal_quantile(LONG_DIM, LONG, 1.0, 0.5)
    laws = [median / d for d in along]
    leave(lab, "vocabulary", rows + line(name, along, laws))
    return table


def _coherent(world: World, seed: int, replicate: int) -> np.ndarray:
    return SHIFT[None] + embeddings(world, seed, replicate) @ np.linalg.cholesky(SIGMA).T


def _sums(world: World, seed: int, replicate: int) -> np.ndarray:
    """Means over tokens of ``w - 1, w v, w(vv' - Sigma)``, ``v = u - m - Sigma eta``: all of mean 0."""
    eta = latents(world)[0]
    u = _coherent(world, seed, replicate)
    w = np.exp(u @ eta - eta @ SHIFT - 0.5 * eta @ SIGMA @ eta)
    v = u - (SHIFT + SIGMA @ eta)[None]
    squares = v.T @ (v * w[:, None]) / len(w) - SIGMA * w.mean()
    return np.concatenate([[w.mean() - 1.0], w @ v / len(w), squares[np.triu_indices(len(eta))]])


def kept(lab: Lab) -> pd.DataFrame:
    """What averaging keeps at endless seeds, on a ladder in 1/d."""
    rows = []
    for d in (NEAR[-1], FAR):
        world = COHERENT._replace(vocabulary=d)
        found = simulated(lab, world, STEP, tables=_coherent, name="coherent").layers[:, -1]
        known = np.stack([_sums(world, lab.seed, each) for each in range(len(found))])
        left = controlled(found[:, 0], known, FOLDS)
        theory = coherent.divergence(latents(world)[0], SHIFT, SIGMA)
        rows.append(fitted_row("", d, theory.kept, mean_se(left), len(left), 0))
    return pd.DataFrame(rows).assign(size_name="d")


def _flat(world: World, seed: int, replicate: int, tilt: float = 0.0) -> np.ndarray:
    """Three coordinates of a smaller world, turned; the fourth direction has the length ``tilt``."""
    fourth = tilt * embeddings(world, seed, replicate)[:, 3:]
    plain = np.hstack([embeddings(world._replace(dim=DIM - 1), seed, replicate), fourth])
    return plain @ _turn().T


def _turn() -> np.ndarray:
    """A rotation of the last three of four coordinates by which none of them stays."""
    turned = np.eye(DIM)
    turned[1:, 1:] -= 2.0 / (DIM - 1)
    return turned


@cache
def _apart() -> Quick:
    return quick_jit(
        lambda u, one, other: divergence(log_law(u, one), log_law(u, other)), once=True
    )


def rank(lab: Lab, tilt: float) -> pd.DataFrame:
    """Divergences of a flat world against those of the smaller one, and of latents that differ."""
    tables = partial(_flat, tilt=tilt)
    flat = simulated(lab, FLAT, tables=tables, name=f"flat {tilt}").layers[:, -1]
    small = simulated(lab, FLAT._replace(dim=DIM - 1)).layers[:, -1]
    table, eta = tables(FLAT, lab.seed, 0), latents(FLAT)[0]
    moved = eta + AWAY * _turn()[:, -1]
    apart = float(_apart()(table, eta, moved))
    try:
        refused = step_size(table, eta).local < 0.0
    except InputError:
        refused = True
    return exact_rows(
        [
            "layers 1 to 4 over those of three dimensions",
            f"KL of latents {AWAY:g} apart",
            "a step size is refused",
        ],
        [float(np.abs(flat / small - 1.0).max()), apart, float(refused)],
        [0.0, 0.0, 1.0],
        TOLERANCE,
        replicates=len(flat),
    )


CLAIMS = (
    inequality_claim(
        "generation-tokens-long-latent",
        "A long latent: few draws carry the mean, until d exceeds e^(4 B^2)",
        (
            "At B = 3/2 (r = 8) half of all draws of 64 and 256 tokens lie below four fifths of the"
            " median that the normal limit gives the divergence of averaging; the shortfall shrinks as"
            " d grows to 1,024 (its parameter is e^(4 B^2)/d, 8 there), not with more replicates."
        ),
        (
            r"2d\,\mathrm{KL} \to e^{B^2}(\chi^2_{r-1} + (1+B^2)\chi^2_1)\quad\text{once}\quad"
            r" e^{4B^2}/d \ll 1"
        ),
        long_latent,
        Twin("It is so at B = 1/2 too.", partial(medians, norm=USUAL, vocabularies=(NEAR[-1],))),
        note=NOTE,
        source=SOURCE,
        assumptions=WORLD,
    ),
    constant_claim(
        "generation-tokens-coherent",
        "Coherent embeddings: averaging keeps a divergence at every d and n",
        "With embeddings N(m, Sigma) the averaging layer keeps at endless seeds and tokens the divergence"
        " of the error m + (Sigma - I) eta, though the common shift m of all embeddings changes no law.",
        r"E\,\mathrm{KL} \to \tfrac12 e'\Sigma e,\quad e = m + (\Sigma - I)\eta",
        kept,
        source=SOURCE,
        note=NOTE,
        assumptions=(
            always("Embeddings are independent N(m, Sigma), here with Sigma not I."),
            WORLD[1],
        ),
    ),
    exact_claim(
        "generation-tokens-rank",
        "Embeddings of low rank: the latent is not identified, its law is",
        (
            "Where embeddings lie in three of four dimensions all layers have the divergences of the"
            " three-dimensional world, latents that differ in the fourth direction have one law, and a step"
            " size is refused."
        ),
        r"\langle v, u_j\rangle = 0\ \forall j \;\Rightarrow\; P_{\eta + t v} = P_\eta",
        partial(rank, tilt=0.0),
        Twin("So it is where the fourth direction is short.", partial(rank, tilt=TILT)),
        note=NOTE,
        source=SOURCE,
        assumptions=(WORLD[1],),
    ),
)
