"""Tidy tables of a training run: divergences by generator and number of seeds, losses, attention."""

import numpy as np
import pandas as pd

from simulations.transformers.comparison import BAYES, LIKELIHOOD, Compared

COLUMNS = (
    *("generator", "n", "predicted", "kl", "se"),
    *("ratio_bayes", "ratio_bayes_se", "ratio_constructed", "ratio_constructed_se"),
    *("gap_bayes", "gap_bayes_se", "gap_constructed", "gap_constructed_se"),
    *("replicates", "failures"),
)
ORACLE = "oracle"


def divergence_table(found: Compared, embedding_dim: int) -> pd.DataFrame:
    """One row per generator and number of seeds, columns `COLUMNS`.

    ``predicted``: the first-order laws, ``r/(2n)`` of maximum likelihood and ``(r-1)/(2n)`` of Bayes.
    ``ratio_X`` is the mean divergence over that of X on the same sequences, ``gap_X`` their difference in
    nats, each with the standard error of paired means; X is the Bayes predictive or the constructed
    transformer of all layers. A generator without a law after some sequences (a likelihood without a
    maximum) is compared over the others and has ``failures``.

    Args:
        found: divergences of every model on the same sequences.
        embedding_dim: r, of the first-order laws.
    """
    constructed = max(
        (name for name in found.values if name.startswith("constructed")), default=None
    )
    laws = {LIKELIHOOD: 0.5 * embedding_dim, BAYES: 0.5 * (embedding_dim - 1)}
    rows = []
    for name, values in found.values.items():
        for place, n in enumerate(found.sizes):
            good = found.found[name][:, place]
            row = {"generator": name, "n": n, "replicates": int(good.sum())}
            row["failures"] = int((~good).sum())
            if name in laws and n:
                row["predicted"] = laws[name] / n
            if good.sum() > 1:
                mine = values[good, place]
                row["kl"], row["se"] = mine.mean(), _error(mine)
                for other, of in ((BAYES, "bayes"), (constructed, "constructed")):
                    if other is not None:
                        row |= _against(mine, found.values[other][good, place], of)
            rows.append(row)
    count = len(found.values[BAYES])
    rows += [
        {"generator": ORACLE, "n": n, "kl": 0.0, "se": 0.0, "replicates": count, "failures": 0}
        for n in found.sizes
    ]
    return pd.DataFrame(rows).reindex(columns=list(COLUMNS))


def loss_table(losses: np.ndarray) -> pd.DataFrame:
    """``step, loss``: of every step, in nats per token."""
    return pd.DataFrame({"step": np.arange(1, len(losses) + 1), "loss": losses.astype(float)})


def _against(mine: np.ndarray, other: np.ndarray, of: str) -> dict[str, float]:
    """Ratio and gap of paired means with their standard errors."""
    ratio = mine.mean() / other.mean()
    return {
        f"ratio_{of}": ratio,
        f"ratio_{of}_se": _error(mine - ratio * other) / other.mean(),
        f"gap_{of}": float((mine - other).mean()),
        f"gap_{of}_se": _error(mine - other),
    }


def _error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / len(values) ** 0.5)
