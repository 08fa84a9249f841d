"""Generation, a trained transformer: near the Bayes predictive, where constructed weights are not."""

import pandas as pd

from simulations.transformers.comparison import LAYERS, TRAINED, Compared, compared, layer_name
from simulations.transformers.latents import token_table
from simulations.transformers.plans import TEACHING
from simulations.transformers.training import Trained, train
from synthlaw.claims.evidence import bounded_row, column
from synthlaw.claims.generation.tokens.built import NOTE
from synthlaw.claims.kinds import inequality_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import Twin, always
from synthlaw.training.attention import attention_table
from synthlaw.training.shipped import teaching_model
from synthlaw.training.table import divergence_table

# Numbers of seeds that are drawn; the claim is about those from FROM on.
SIZES, FROM, WITHIN = (1, 4, 16, 24, 32, 48, 64), 16, 0.10
SEQUENCES = 256


def models(lab: Lab) -> dict[str, Trained]:
    """The shipped model; in the preset full also one trained anew in a world of its own."""
    found = {"shipped": teaching_model().trained}
    if lab.preset.effort > 1:
        plan = TEACHING.model_copy(update={"seed": (lab.seed + 1) % 2**32})
        found["anew"] = lab.recall(
            "a transformer trained anew",
            lambda: train(plan, token_table(plan), progress=lambda _: lab.go_on()),
        )
    return found


def _measured(lab: Lab, name: str, model: Trained) -> Compared:
    embeddings = token_table(model.plan)

    def compute() -> Compared:
        rows = SEQUENCES * lab.preset.effort
        found = compared(
            model.weights, embeddings, model.plan.latent_norm, SIZES, rows=rows, seed=lab.seed
        )
        if name == "shipped":
            lab.drawn["trained_kl"] = divergence_table(found, model.plan.embedding_dim)
            looks = attention_table(model.weights, embeddings, model.plan.latent_norm)
            lab.drawn["attention"] = looks
        return found

    return lab.recall(f"divergences of the {name} transformer", compute)


def _near_bayes(lab: Lab, generator: str) -> pd.DataFrame:
    """Ratios of mean divergences to Bayes on the same sequences, bound by 1.10."""
    parts = []
    for name, model in models(lab).items():
        table = divergence_table(_measured(lab, name, model), model.plan.embedding_dim)
        wanted = (table["generator"] == generator) & (table["n"] >= FROM)
        rows = pd.DataFrame(table[wanted])
        found = zip(
            rows["n"],
            column(rows, "ratio_bayes"),
            column(rows, "ratio_bayes_se"),
            rows["replicates"],
            rows["failures"],
            strict=True,
        )
        parts += [
            bounded_row(f"{name}, n = {n}", (ratio, se), (1.0 + WITHIN, 0.0), replicates, failures)
            for n, ratio, se, replicates, failures in found
        ]
    return pd.DataFrame(parts)


def trained(lab: Lab) -> pd.DataFrame:
    """The trained transformer."""
    return _near_bayes(lab, TRAINED)


def built(lab: Lab) -> pd.DataFrame:
    """The constructed transformer of all layers."""
    return _near_bayes(lab, layer_name(LAYERS))


CLAIMS = (
    inequality_claim(
        "generation-tokens-trained",
        "A trained transformer comes near the Bayes predictive",
        (
            f"A transformer of two layers, trained in context for {TEACHING.steps:,} steps of"
            f" {TEACHING.batch} fresh sequences on their next tokens alone (85 s of processor time; d = 64,"
            " r = 4, B = 1), has at 16 to 64 seeds a mean divergence at most 10 % above that of the Bayes"
            " predictive under the true prior, on the same fresh sequences."
        ),
        r"E\,\mathrm{KL}(P_\eta\|Q_n) \le 1.1\,E\,\mathrm{KL}(P_\eta\|E[P_\eta\mid x_1..x_n])",
        trained,
        Twin("So does the constructed transformer of four layers.", built),
        note=NOTE,
        source="derived here: Bayes minimises the training loss; that training gets near it is measured",
        assumptions=(
            always("Latents are uniform on the sphere of radius 1, in training and evaluation."),
            always("Bayes by a product rule on the sphere, to 1e-4 of its divergence."),
        ),
    ),
)
