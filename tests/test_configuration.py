"""SWEEP.toml: what is refused, with which words; what is accepted, and what it means."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.problems import InputError
from simulations.setup.configuration import Sweep, points, read_sweep
from simulations.setup.generator_specs import generator_label
from simulations.setup.worlds import world

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


def assert_one_sentence(text: str) -> None:
    assert "\n" not in text
    assert text[-1] in ".?"
    assert "pydantic" not in text.lower()
    assert len(text) < 600


@pytest.mark.parametrize(("path", "value", "field", "words"), BAD)
def test_bad_input_is_one_sentence_with_field_and_remedy(path, value, field, words) -> None:
    data = with_value(path, value)
    if path == "setting" and isinstance(value, dict) and value.get("kind") == "spurious":
        data["counts"] = dict.fromkeys(["1,1", "1,-1", "-1,1", "-1,-1"], 10)
    with pytest.raises(InputError) as caught:
        read_sweep(data)
    text = str(caught.value)
    assert_one_sentence(text)
    assert field in text
    assert words in text


def test_the_base_of_the_bad_table_is_good() -> None:
    """Else every case above could fail for another reason than the one it names."""
    assert read_sweep(base()).counts == {"majority": 2000, "minority": 200}


FILES = [
    (b"[setting\n", "line 1", "correct it there"),
    (b"a = 1\na = 2\n", "line 2", "correct it there"),
    (b"\xff\xfe", "not UTF-8", "save it as UTF-8"),
    (b"", "setting is missing", "add it"),
    (b"[setting]\nkind = 'imbalance'\ndim = nan\n", "setting.dim", "whole number"),
]


@pytest.mark.parametrize(("content", "fault", "remedy"), FILES)
def test_a_broken_file_is_named(tmp_path: Path, content: bytes, fault: str, remedy: str) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_sweep(path)
    text = str(caught.value)
    assert_one_sentence(text)
    assert "broken.toml" in text and fault in text and remedy in text


def test_missing_file_folder_and_wrong_type(tmp_path: Path) -> None:
    for source, words in [
        (tmp_path / "none.toml", "no such file"),
        (tmp_path, "is a folder"),
        (3, "give a path or a dictionary"),
    ]:
        with pytest.raises(InputError, match=words) as caught:
            read_sweep(source)
        assert_one_sentence(str(caught.value))


def test_a_file_and_a_dictionary_say_the_same(tmp_path: Path) -> None:
    path = tmp_path / "sweep.toml"
    path.write_text(
        '[setting]\nkind = "groups"\n'
        '[[setting.groups]]\nname = "a.b"\nlabel = 0\nmean = [0, 0]\ncovariance = 2\n'
        '[[setting.groups]]\nname = "c"\nlabel = 1\nmean = [1, 0]\n'
        "covariance = [[1, 0.5], [0.5, 1]]\n"
        '[counts]\nc = 30\n"a.b" = 20\n[sweep]\n"counts.a.b" = [20, 40]\n'
    )
    matrix = np.array([[1, 0.5], [0.5, 1]])
    data = {
        "setting": groups(
            {"name": "a.b", "mean": np.zeros(2), "covariance": 2},
            {"name": "c", "mean": [1, 0], "covariance": matrix},
        ),
        "counts": {"a.b": np.int64(20), "c": 30},
        "sweep": {"counts.a.b": [20, 40]},
    }
    sweep = read_sweep(path)
    assert sweep == read_sweep(data)
    assert list(sweep.counts) == ["a.b", "c"]  # the order of the groups, not of the file
    assert [point.sweep.counts["a.b"] for point in points(sweep)] == [20, 40]
    here = world(sweep.setting)
    assert here.names == ("a.b", "c")
    np.testing.assert_array_equal(here.covariances, [2 * np.eye(2), matrix])


def test_worlds_are_those_of_the_contract() -> None:
    two = world(read_sweep(base()).setting)
    assert two.names == ("majority", "minority")
    np.testing.assert_array_equal(two.labels, [0, 1])
    np.testing.assert_array_equal(two.means, [[-1, 0, 0], [1, 0, 0]])
    names = ("1,1", "1,-1", "-1,1", "-1,-1")
    setting = {"kind": "spurious", "dim": 3, "core": 2, "spurious": 3}
    four = world(read_sweep({"setting": setting, "counts": dict.fromkeys(names, 9)}).setting)
    assert four.names == names
    np.testing.assert_array_equal(four.labels, [1, 1, 0, 0])
    np.testing.assert_array_equal(
        four.means, [[1, 1.5, 0], [1, -1.5, 0], [-1, 1.5, 0], [-1, -1.5, 0]]
    )
    np.testing.assert_array_equal(four.covariances, np.tile(np.eye(3), (4, 1, 1)))


def test_the_grid_is_the_product_with_the_last_key_fastest() -> None:
    data = base()
    data["sweep"] = {
        "counts.minority": [100, 200],
        "synthetic.generators.1.shift.0": [1, 2],
        "synthetic.augment_row_weight": [0.5],
    }
    grid = points(read_sweep(data))
    told = [(p.swept["counts.minority"], p.swept["synthetic.generators.1.shift.0"]) for p in grid]
    assert told == [(100, 1.0), (100, 2.0), (200, 1.0), (200, 2.0)]
    assert [p.sweep.counts["minority"] for p in grid] == [100, 100, 200, 200]
    assert grid[1].sweep.synthetic.generators[1].model_dump()["shift"] == (2.0, 0.0, 0.0)
    assert all(p.sweep.sweep == {} for p in grid)
    assert all(p.sweep.synthetic.augment_row_weight == 0.5 for p in grid)


def test_without_a_grid_there_is_one_point() -> None:
    sweep = read_sweep(base())
    assert [(point.swept, point.sweep) for point in points(sweep)] == [({}, sweep)]


def test_generator_labels_tell_every_generator_apart() -> None:
    specs = [
        {"kind": "oracle"},
        {"kind": "shift", "shift": [0.3, 0, 0]},
        {"kind": "shift", "shift": [0.3, 0, 0], "groups": ["minority"]},
        {"kind": "scale", "factor": 0.5},
        {"kind": "scale", "factor": 2},
    ]
    found = read_sweep(with_value("synthetic/generators", specs)).synthetic.generators
    assert [generator_label(spec, found) for spec in found] == [
        "oracle",
        "shift[0.3,0,0]",
        "shift[0.3,0,0;groups=minority]",
        "scale[0.5]",
        "scale[2]",
    ]


def test_a_sweep_cannot_be_changed() -> None:
    sweep = read_sweep(base())
    with pytest.raises(ValueError, match="frozen"):
        sweep.run.seed = 3  # pyright: ignore[reportAttributeAccessIssue]
    assert read_sweep(sweep) is sweep


@st.composite
def good(draw: st.DrawFn) -> dict[str, Any]:
    """A valid configuration with every kind of setting, generator and weight."""
    dim = draw(st.integers(2, 4))
    real = st.floats(-3, 3)
    above = st.floats(0.1, 3)
    kind = draw(st.sampled_from(["imbalance", "spurious", "groups"]))
    if kind == "imbalance":
        setting: dict[str, Any] = {"kind": kind, "dim": dim, "separation": draw(above)}
        names = ["majority", "minority"]
    elif kind == "spurious":
        setting = {"kind": kind, "dim": dim, "core": draw(above), "spurious": draw(above)}
        names = ["1,1", "1,-1", "-1,1", "-1,-1"]
    else:
        names = draw(st.lists(st.text(min_size=1, max_size=5), min_size=3, max_size=5, unique=True))
        vectors = st.lists(real, min_size=dim, max_size=dim)
        specs = []
        for position, name in enumerate(names):
            roots = np.array([draw(vectors) for _ in range(dim)])
            matrix = (roots @ roots.T + np.eye(dim)).tolist()
            covariance = draw(st.sampled_from([1.5, matrix]))
            mean = draw(vectors)
            spec = {"name": name, "label": position % 2, "mean": mean, "covariance": covariance}
            specs.append(spec)
        setting = {"kind": kind, "groups": specs}
    acting = draw(st.sampled_from([{}, {"groups": names[:1]}]))
    generators = [
        {"kind": "reweight"},
        {"kind": "oracle"},
        {"kind": "shift", "shift": draw(st.lists(real, min_size=dim, max_size=dim)), **acting},
        {"kind": "scale", "factor": draw(above), **acting},
        {"kind": "label_noise", "rate": draw(st.floats(0, 0.99)), **acting},
        {"kind": "duplicate", **acting},
    ]
    if kind != "imbalance":
        generators.append({"kind": "leak", "strength": draw(st.floats(0, 1)), **acting})
    weight = draw(st.sampled_from([{"augment_share": 0.5}, {"augment_row_weight": 0.5}]))
    return {
        "setting": setting,
        "counts": {name: draw(st.integers(1, 10**6)) for name in reversed(names)},
        "synthetic": {
            "generators": generators,
            "ratios": draw(st.lists(st.floats(0, 5), min_size=1, max_size=4, unique=True)),
            "augment": [0, draw(st.integers(1, 1000))],
            **weight,
        },
        "estimator": {"kind": draw(st.sampled_from(["logistic", "squared"])), "ridge": draw(above)},
        "run": {"replicates": draw(st.integers(2, 10**6)), "seed": draw(st.integers(0, 2**32 - 1))},
        "sweep": {f"counts.{names[0]}": [7, 9]},
    }


@given(good())
def test_a_resolved_sweep_reads_back_as_itself(data: dict[str, Any]) -> None:
    sweep = read_sweep(data)
    again = read_sweep(json.loads(json.dumps(sweep.resolved(), allow_nan=False)))
    assert again == sweep
    assert [point.sweep for point in points(again)] == [point.sweep for point in points(sweep)]


JUNK = st.sampled_from(
    [None, True, -1, 0, 2, 10**400, 0.5, NAN, INF, "", "x", "{text}", "a\nb", [], [[]], {}, {"": 1}]
)


@given(data=good(), junk=JUNK, choose=st.randoms(use_true_random=False))
def test_junk_anywhere_is_accepted_or_one_sentence(data, junk, choose) -> None:
    """Replace one value anywhere, or add a key; nothing but an `InputError` may come out."""
    spoiled: Any = copy.deepcopy(data)
    place = spoiled
    while True:
        keys = list(range(len(place))) if isinstance(place, list) else list(place)
        key = choose.choice([*keys, "unheard of"] if isinstance(place, dict) else keys)
        inner = place[key] if isinstance(place, list) else place.get(key)
        if not inner or not isinstance(inner, list | dict) or choose.random() < 0.2:
            place[key] = junk
            break
        place = inner
    try:
        assert isinstance(read_sweep(spoiled), Sweep)
    except InputError as error:
        assert_one_sentence(str(error))


def test_a_run_ends_by_a_number_or_by_a_precision() -> None:
    """What is not given is filled in only where it has a meaning, and is read back the same."""
    for run, full in (
        ({}, {"replicates": 1000, "seed": 0}),
        (
            {"target_relative_se": 0.01},
            {"target_relative_se": 0.01, "max_replicates": 1_000_000, "seed": 0},
        ),
    ):
        sweep = read_sweep(
            {
                "setting": {"kind": "imbalance", "dim": 2},
                "run": run,
                "counts": {"majority": 20, "minority": 10},
            }
        )
        resolved = sweep.resolved()
        assert resolved["run"] == full and read_sweep(resolved) == sweep
        assert sweep.run.most == full.get("replicates", 1_000_000)
