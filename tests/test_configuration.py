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
from tests.refused_sweeps import BAD, INF, NAN, base, groups, with_value


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
    cases: list[tuple[Any, str]] = [
        (tmp_path / "none.toml", "no such file"),
        (tmp_path, "is a folder"),
        (3, "give a path or a dictionary"),
    ]
    for source, words in cases:
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
