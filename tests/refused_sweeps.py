"""Sweeps that are refused: a good one, and every way to make it bad with the words of the refusal."""

from typing import Any

NAN, INF = float("nan"), float("inf")


def base() -> dict[str, Any]:
    return {
        "setting": {"kind": "imbalance", "dim": 3, "separation": 2.0},
        "counts": {"majority": 2000, "minority": 200},
        "synthetic": {
            "generators": [{"kind": "oracle"}, {"kind": "shift", "shift": [0.3, 0, 0]}],
            "ratios": [0, 0.5, 1],
            "augment": [0],
            "augment_share": 0.0,
        },
        "estimator": {"kind": "logistic", "intercept": True, "ridge": 0.0},
        "theory": {"regime": "fixed_dim"},
        "run": {"replicates": 100, "seed": 0},
    }


def with_value(path: str, value: Any) -> dict[str, Any]:
    """``base()`` with another value under a slash-separated path."""
    data: Any = base()
    whole = data
    *outer, last = path.split("/")
    for part in outer:
        data = data[int(part)] if isinstance(data, list) else data.setdefault(part, {})
    data[int(last) if isinstance(data, list) else last] = value
    return whole


def groups(*specs: dict[str, Any]) -> dict[str, Any]:
    full = [{"name": f"g{i}", "label": i % 2, "mean": [0, i], **s} for i, s in enumerate(specs)]
    return {"kind": "groups", "groups": full}


def generator(**spec: Any) -> list[dict[str, Any]]:
    return [spec]


BAD = [  # path, value, field named, words of fault and remedy
    ("settings", {}, "settings", "did you mean 'setting'?"),
    ("setting/kind", "imbalanced", "setting.kind", "did you mean 'imbalance'?"),
    ("setting/kind", "words", "setting.kind", "'groups' or 'craft' or 'tokens'"),
    ("setting", {"dim": 3}, "setting.kind", "is missing"),
    ("setting", 7, "setting", "give a table"),
    ("setting/dims", 3, "setting.dims", "did you mean 'dim'?"),
    ("setting/dim", 0, "setting.dim", "at least 1"),
    ("setting/dim", 10**9, "setting.dim", "at most 2000"),
    ("setting/dim", 3.0, "setting.dim", "give a whole number"),
    ("setting/dim", True, "setting.dim", "give a whole number"),
    ("setting/separation", NAN, "setting.separation", "is nan; give a finite number"),
    ("setting/separation", INF, "setting.separation", "give a finite number"),
    ("setting/separation", -1.0, "setting.separation", "at least 0"),
    ("setting/separation", "2", "setting.separation", "give a number"),
    ("setting/separation", True, "setting.separation", "give a number"),
    ("setting/separation", 10**400, "setting.separation", "give a number"),
    ("setting", {"kind": "spurious", "dim": 1}, "setting.dim", "at least 2"),
    ("setting", {"kind": "spurious", "dim": 2, "core": -1}, "setting.core", "at least 0"),
    ("setting", groups(), "setting.groups", "at least one entry"),
    ("setting", groups({}, {"label": 0}), "setting.groups", "label 1"),
    ("setting", groups({}, {"label": 2}), "setting.groups.1.label", "at most 1"),
    ("setting", groups({}, {"name": "g0"}), "setting.groups", 'lists "g0" twice'),
    ("setting", groups({}, {"name": "worst"}), "setting.groups.1.name", "rename it"),
    ("setting", groups({}, {"name": ""}), "setting.groups.1.name", "give it a name"),
    ("setting", groups({}, {"mean": [1]}), "setting.groups.1.mean", "the same length"),
    ("setting", groups({}, {"mean": [1, NAN]}), "setting.groups.1.mean.1", "finite number"),
    ("setting", groups({"covariance": 0}), "setting.groups.0.covariance", "above 0"),
    ("setting", groups({"covariance": True}), "setting.groups.0.covariance", "above 0"),
    ("setting", groups({"covariance": "1"}), "setting.groups.0.covariance", "above 0"),
    ("setting", groups({"covariance": [[1.0]]}), "setting.groups.0.covariance", "same size"),
    ("setting", groups({"covariance": [[1, 0]]}), "setting.groups.0.covariance", "not a square"),
    ("setting", groups({"covariance": [[1, 2], [0, 1]]}), "groups.0.covariance", "symmetric"),
    (
        "setting",
        groups({"covariance": [[1, 2], [2, 1]]}),
        "setting.groups.0.covariance",
        "not positive definite",
    ),
    ("setting", groups({"covariance": [[1, 1], [1, 1]]}), "0.covariance", "positive definite"),
    ("setting", groups({"covariance": [[1, NAN], [NAN, 1]]}), "0.covariance", "finite"),
    ("counts", {"majority": 200}, "counts.minority", "is missing"),
    ("counts/minorty", 200, "counts.minorty", "did you mean 'minority'?"),
    ("counts/minority", 0, "counts.minority", "above 0"),
    ("counts/minority", -5, "counts.minority", "above 0"),
    ("counts/minority", 20.5, "counts.minority", "give a whole number"),
    ("counts/minority", 20.0, "counts.minority", "give a whole number"),
    ("counts/minority", True, "counts.minority", "give a whole number"),
    ("counts", [1, 2], "counts", "give a table"),
    ("synthetic/rato", [1], "synthetic.rato", "did you mean 'ratios'?"),
    ("synthetic/ratios", [0, -0.5], "synthetic.ratios.1", "at least 0"),
    ("synthetic/ratios", [NAN], "synthetic.ratios.0", "finite number"),
    ("synthetic/ratios", [], "synthetic.ratios", "at least one entry"),
    ("synthetic/ratios", 1.0, "synthetic.ratios", "give a list"),
    ("synthetic/ratios", [1, 1.0], "synthetic.ratios", "lists 1.0 twice"),
    ("synthetic/augment", [100], "synthetic.augment", "augment_share in (0, 1)"),
    ("synthetic/augment", [-1], "synthetic.augment.0", "at least 0"),
    ("synthetic/augment", [0, 0], "synthetic.augment", "lists 0 twice"),
    ("synthetic/augment_share", 1.0, "synthetic.augment_share", "below 1"),
    ("synthetic/augment_row_weight", 0.0, "synthetic.augment_row_weight", "above 0"),
    (
        "synthetic",
        {"augment": [9], "augment_share": 0.5, "augment_row_weight": 0.5},
        "synthetic.augment_row_weight",
        "keep one of the two",
    ),
    ("synthetic/generators", ["oracle"], "synthetic.generators.0", "give a table"),
    ("synthetic/generators", generator(), "synthetic.generators.0.kind", "is missing"),
    ("synthetic/generators", generator(kind="orcale"), "generators.0.kind", "mean 'oracle'?"),
    ("synthetic/generators", generator(kind="gan"), "generators.0.kind", "choose 'reweight'"),
    (
        "synthetic/generators",
        generator(kind="gaussian", covariance="guessed"),
        "generators.0.covariance",
        "choose 'known' or 'estimated'",
    ),
    ("synthetic/generators", generator(kind="smoothed"), "generators.0.bandwidth", "is missing"),
    (
        "synthetic/generators",
        generator(kind="smoothed", bandwidth=0),
        "generators.0.bandwidth",
        "above 0",
    ),
    (
        "synthetic/generators",
        generator(kind="smoothed", bandwidth=1e300),
        "generators.0.bandwidth",
        "at most 100",
    ),
    (
        "synthetic/generators",
        generator(kind="smote", neighbours=0),
        "generators.0.neighbours",
        "at least 1",
    ),
    (
        "synthetic/generators",
        generator(kind="smote", neighbours=200),
        "generators.0.neighbours",
        "fewer neighbours",
    ),
    ("synthetic/generators", generator(kind="shift"), "generators.0.shift", "is missing"),
    (
        "synthetic/generators",
        generator(kind="shift", shift=[0.3]),
        "synthetic.generators.0.shift",
        "has length 1 but the dimension is 3; give 3 numbers",
    ),
    ("synthetic/generators", generator(kind="shift", shift=[0, NAN, 0]), "shift.1", "finite"),
    ("synthetic/generators", generator(kind="scale", factor=0), "generators.0.factor", "above 0"),
    ("synthetic/generators", generator(kind="label_noise", rate=1.0), "0.rate", "below 1"),
    ("synthetic/generators", generator(kind="label_noise", rate=-0.1), "0.rate", "at least 0"),
    ("synthetic/generators", generator(kind="leak", strength=1.5), "0.strength", "at most 1"),
    (
        "synthetic/generators",
        generator(kind="leak", strength=0.5),
        "generators.0",
        "choose another",
    ),
    ("synthetic/generators", generator(kind="oracle", groups=[]), "0.groups", "at least one"),
    ("synthetic/generators", generator(kind="oracle", groups=["minor"]), "0.groups", "'minority'?"),
    ("synthetic/generators", generator(kind="reweight", groups=["minority"]), "groups", "unknown"),
    (
        "synthetic/generators",
        [{"kind": "oracle"}, {"kind": "oracle", "groups": ["minority", "majority"]}],
        "synthetic.generators.1",
        "repeats an earlier generator",
    ),
    ("estimator/kind", "logit", "estimator.kind", "did you mean 'logistic'?"),
    (
        "estimator/kind",
        "ranking",
        "estimator.kind",
        "'logistic' or 'squared' or 'hinge' or 'lda' or 'mean_difference'",
    ),
    ("estimator", {"kind": "lda", "ridge": 0.1}, "estimator.ridge", "set it to 0"),
    (
        "estimator",
        {"kind": "mean_difference", "intercept": False},
        "estimator.intercept",
        "to true",
    ),
    ("estimator/ridge", -1, "estimator.ridge", "at least 0"),
    ("estimator/intercept", 1, "estimator.intercept", "true or false"),
    ("theory/regime", "linear", "theory.regime", "choose 'fixed_dim' or 'proportional'"),
    ("estimator", {"kind": "hinge"}, "estimator.ridge", "not unique then; set it above 0"),
    (
        "estimator",
        {"kind": "hinge", "ridge": 0.1},
        "estimator.kind",
        'fixed; set theory.regime = "proportional", or choose "logistic"',
    ),
    ("run/replicates", 1, "run.replicates", "at least 2"),
    ("run/replicates", 10**9, "run.replicates", "at most 10000000"),
    ("run/replicates", 10.5, "run.replicates", "give a whole number"),
    ("run/target_relative_se", 0.1, "run.target_relative_se", "beside replicates; keep one"),
    ("run", {"target_relative_se": 0.0}, "run.target_relative_se", "above 0"),
    ("run", {"target_relative_se": 1.0}, "run.target_relative_se", "below 1"),
    ("run", {"max_replicates": 500}, "run.max_replicates", "give target_relative_se too"),
    ("run", {"target_relative_se": 0.1, "max_replicates": 9}, "run.max_replicates", "least 200"),
    ("run/seed", -1, "run.seed", "at least 0"),
    ("run/seed", 2**32, "run.seed", "below 4294967296"),
    ("sweep", {"counts.minorty": [1]}, "sweep.counts.minorty", "did you mean 'counts.minority'?"),
    ("sweep", {"counts.minority": []}, "sweep.counts.minority", "at least one entry"),
    ("sweep", {"counts.minority": ["a"]}, "sweep.counts.minority.0", "a sweep runs over numbers"),
    ("sweep", {"synthetic.ratios": [[0, 1]]}, "sweep.synthetic.ratios.0", "runs over numbers"),
    ("sweep", {"counts.minority": [INF]}, "sweep.counts.minority.0", "give a finite number"),
    ("sweep", {"counts.minority": [10**400]}, "counts.minority", "give a"),
    ("sweep", {"counts.minority": [5, 5]}, "sweep.counts.minority", "lists 5 twice"),
    ("sweep", {"counts.minority": [5, -1]}, "counts.minority = -1", "above 0"),
    ("sweep", {"setting.kind": [1]}, "sweep.setting.kind", "sweep numbers only"),
    ("sweep", {"run.replicates": [4, 8]}, "sweep.run.replicates", "share one number"),
    (
        "sweep",
        {"run.target_relative_se": [0.1, 0.2]},
        "sweep.run.target_relative_se",
        "share one number",
    ),
    ("sweep", {"setting": [1]}, "sweep.setting", "sweep numbers only"),
    ("sweep", {"estimator.intercept": [1]}, "sweep.estimator.intercept", "numbers only"),
    ("sweep", {"setting.dim": [3, 4]}, "setting.dim = 4", "give 4 numbers"),
]
