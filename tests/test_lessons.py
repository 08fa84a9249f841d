"""The lessons run, their exercises accept the right answers and no others, their pages need no network and
no script."""

import doctest
import importlib
import math
import re
import sys
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from scaling.fitting.laws import CURVES
from tests import browser

FOLDER = Path(__file__).parents[1] / "paper_notes" / "lessons"
PATHS = sorted(FOLDER.glob("0[1-9]_*.py"))
NAMES = [path.stem for path in PATHS]
# Lessons whose sliders are moved and whose pages a browser looks at: of one picture, of several cells.
LOOKED_AT = (NAMES[0], NAMES[3])

pytest.importorskip("marimo", reason="marimo is not installed (extra lessons)")


def helper(name: str) -> ModuleType:
    """A helper of the lessons, which live in a folder of their own."""
    if str(FOLDER) not in sys.path:
        sys.path.insert(0, str(FOLDER))
    return importlib.import_module(name)


@cache
def lesson(name: str) -> Any:
    """One run of a lesson, which every test here looks at."""
    return helper("export").run(FOLDER / f"{name}.py", everywhere=name in LOOKED_AT)


def shown(name: str) -> str:
    """All that a lesson shows."""
    return "\n".join(cell.shown for cell in lesson(name).cells)


def test_there_are_seven_lessons() -> None:
    assert [name[:2] for name in NAMES] == [f"0{k}" for k in range(1, 8)]


@pytest.mark.parametrize("name", ["exercises", "moving", "page", "static", "worlds", "own_claim"])
def test_examples_of_the_helpers_run(name: str) -> None:
    failed, tried = doctest.testmod(helper(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert tried > 0
    assert failed == 0


def written(exercise: Any) -> list[str]:
    """An answer as people write it: rounded, as a percentage, with a power of ten, with a decimal comma."""
    answer = exercise.answer
    forms = [
        f"{answer:.3g}",
        f"{answer:.6g}",
        f" {answer:.6f}",
        f"{100 * answer:.4g} %",
        f"{answer:.3e}",
    ]
    digits, power = forms[-1].split("e")
    forms += [f"{digits} x 10^{int(power)}", f"{answer:.4f}/1", exercise.solution]
    forms += [each.replace(".", ",") for each in forms]
    forms += [each.replace("-", "\N{MINUS SIGN}") for each in forms]
    return forms + [f"{100 * answer:.3g}"] * exercise.percent


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_accepts_its_answer_and_no_other(name: str) -> None:
    check = helper("exercises").check
    exercises = lesson(name).exercises
    assert 4 <= len(exercises) <= 8  # the opening prediction, and the exercises
    for exercise in exercises:
        assert check(exercise, exercise.answer).state == "right"
        assert check(exercise, "").state == "open"
        assert exercise.hint or exercise.mistakes
        for mistake in exercise.mistakes:
            reply = check(exercise, mistake.value)
            assert (reply.state, reply.text) == ("wrong", mistake.text)
        if exercise.options:
            assert exercise.answer in exercise.options
            others = [each for each in exercise.options if each != exercise.answer]
            assert others
            assert {check(exercise, each).state for each in others} == {"wrong"}
        else:
            assert math.isfinite(exercise.answer)
            off = (1 + 3 * exercise.tolerance) * exercise.answer or 0.1
            assert check(exercise, f"{off:.8g}").state == "wrong"
            for right in written(exercise):
                assert check(exercise, right).state == "right", right
            assert check(exercise, "a lot").state == "unreadable"


@pytest.mark.parametrize("name", NAMES)
def test_every_lesson_teaches_in_the_same_order(name: str) -> None:
    text = shown(name)
    places = [
        text.index(part)
        for part in (
            "You will learn",
            "First, a question",
            ">Exercises<",
            ">Summary<",
            "Further reading",
        )
    ]
    assert places == sorted(places)
    assert 'fieldset class="control"' in text
    about = re.search(r"About (\d+) minutes", text)
    assert about is not None
    assert 20 <= int(about.group(1)) == lesson(name).minutes <= 40
    row = re.search(rf"\({name}\.py\).*", (FOLDER / "README.md").read_text("utf-8"))
    assert row is not None
    assert row.group().split(" | ")[2] == about.group(1)
    pictures = re.findall(r"<figure.*?</figure>", text, re.DOTALL)
    assert pictures
    for picture in pictures:
        alt = re.search(r'alt="([^"]*)"', picture)
        assert alt is not None
        assert len(alt.group(1)) > 40
        assert "<figcaption><span" in picture


@pytest.mark.parametrize("name", NAMES)
def test_pages_need_no_network_and_no_script(name: str) -> None:
    page = shown(name)
    assert helper("static").left_over(page) == []
    assert "||(" not in page
    assert "nan" not in re.sub(r"<[^>]*>", " ", page).split()
    # A formula that was not read would leave its dollar signs.
    assert "$" not in re.sub(r"<(pre|code|annotation).*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL)
    for target in re.findall(r'href="\.\./\.\./(paper_notes/[^"#]+)"', page):
        assert (FOLDER.parents[1] / target).is_file(), target
    for target in re.findall(r'href="(0[^"]+)\.html"', page):
        assert target in NAMES


def test_a_page_that_needs_a_network_is_caught() -> None:
    left_over = helper("static").left_over
    assert left_over('<script src="https://cdn.example/x.js"></script>') != []
    assert left_over("<marimo-table></marimo-table>") == ["<marimo-table"]


def test_a_cell_that_fails_is_no_lesson(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(
        "import marimo\napp = marimo.App(app_title='x')\n\n\n@app.cell\ndef _():\n    1 / 0\n    return\n"
    )
    with pytest.raises(ZeroDivisionError):
        helper("export").run(broken)


def test_a_reply_is_shown_beside_its_question() -> None:
    page, exercises = helper("page"), helper("exercises")
    exercise = exercises.Exercise("What is $1/8$?", 0.125, "One eighth.", hint="Divide.")
    for given, told in (
        ("0.125", "<strong>Right.</strong>"),
        ("0.3", "Divide."),
        ("12.5", "decimal point"),
        ("", "Your"),
    ):
        text = page.asked("Exercise 1", exercise, SimpleNamespace(value=given)).text
        assert told in re.search(r'class="reply".*?</div>', text, re.DOTALL).group(0)  # pyright: ignore[reportOptionalMemberAccess]


def test_the_claims_of_lesson_7_are_judged_by_the_library() -> None:
    entries = lesson(NAMES[6]).defined["entries"]
    assert list(entries) == ["own-price-of-copies", "own-price-limit"]
    for entry in entries.values():
        assert entry["outcome"] == "supported"
        assert entry["twin"]["outcome"] == "contradicted"
        assert all(each["holds"] for each in entry["assumptions"])
    assert entries["own-price-of-copies"]["resolution"] < 0.05


# Numbers that stand as digits in an explanation: lesson, exercise (0 is the prediction), words, value.
EXPLAINED = [
    (1, 1, r"\log(1/20)", -math.log(20)),
    (1, 2, r"$x_1 = -b/2$", math.log(20) / 2),
    (2, 3, r"\log 1.9", math.log(1.9)),
    (3, 2, r"\Phi(-1)", 0.5 * math.erfc(1 / math.sqrt(2))),
    (3, 6, r"t = 1/(2\psi)", 11 / 20),
    (4, 1, "= 1/6", 1 / 6),
    (4, 2, "2^{1/a} = 4", 4.0),
    (5, 2, r"1 - 2\cdot\frac38 = \frac14", 4.0),
    (6, 1, r"e\,(4 + 1)/2048", math.e * 5 / 2048),
    (6, 3, r"2^6", 64.0),
    (6, 6, r"2\log\frac54", 2 * math.log(1.25)),
    (7, 2, r"1 + \sqrt2", 1 + math.sqrt(2)),
    (7, 3, r"3 - 2\sqrt2", 3 - 2 * math.sqrt(2)),
]


@pytest.mark.parametrize(("number", "position", "words", "value"), EXPLAINED)
def test_numbers_in_explanations_are_those_computed(
    number: int, position: int, words: str, value: float
) -> None:
    exercise = lesson(NAMES[number - 1]).exercises[position]
    assert words in exercise.why
    assert exercise.answer == pytest.approx(value, rel=1e-3)


# Words on sizes in prose, what they stand for, and the lesson that computes it.
def test_words_on_sizes_are_true() -> None:
    steep = lesson(NAMES[3]).defined
    line = steep["parameter"](steep["lines"][3], "exponent")
    assert "wrong by a factor of four" in shown(NAMES[3])
    assert steep["EXPONENT"] / line == pytest.approx(4.0, abs=0.3)
    assert "Over one decade nothing warns you" in shown(NAMES[3])
    assert [bool(steep["lines"][k]["warnings"]) for k in (1, 2, 3)] == [False, True, True]
    assert "the wrong one has the smaller standard error, every time" in shown(NAMES[3])
    spread = [
        [steep[kind][k]["parameters"]["exponent"]["se"] for k in (1, 2, 3)]
        for kind in ("lines", "floors")
    ]
    assert all(wrong < right for wrong, right in zip(*spread, strict=True))
    assert "compares five laws" in shown(NAMES[3])
    assert len(CURVES) == 5
    crossing = next(e for e in lesson(NAMES[1]).exercises if "which shift" in e.question).answer
    assert "between 0.2 and 0.3" in shown(NAMES[1])
    assert 0.2 < crossing < 0.3
    assert "right on average and wrong on a group nearly half of the time" in shown(NAMES[2])
    assert 0.4 < lesson(NAMES[2]).defined["raw"]["conflicting"] < 0.5


@pytest.mark.skipif(browser.CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("name", LOOKED_AT)
def test_a_page_in_a_browser(name: str, tmp_path: Path) -> None:
    """It fits a phone, fetches nothing; its buttons move the picture, its choices reply."""
    page = tmp_path / f"{name}.html"
    page.write_text(helper("export").written(lesson(name), f"{name}.py"), "utf-8")
    (slider, *_), guess = helper("moving").sliders(lesson(name).defined), lesson(name).exercises[0]
    wrong, right = guess.options.index(guess.mistakes[0].value), guess.options.index(guess.answer)

    first, said = browser.look(page, 400)
    assert said == []
    assert first["width"] <= 400 and first["outside"] == []
    assert (first["lost"], first["twice"], first["fetched"]) == ([], [], [])
    assert (first["blank"], first["mute"]) == (0, 0)

    moved, _ = browser.look(page, 1400, press=f"#{slider.name}-0, #answer-0-{wrong}")
    chosen, _ = browser.look(page, 1400, press=f"#answer-0-{right}")
    told = [set(found["text"].splitlines()) for found in (first, moved, chosen)]
    refused, praised = (
        [[line for line in each if line.startswith(word)] for each in told]
        for word in ("Not yet.", "Right.")
    )
    assert [len(each) for each in refused] == [0, 1, 0]
    assert [len(each) for each in praised] == [0, 0, 1]
    # A caption takes another's place: what belongs to other positions stays hidden.
    assert len(told[1] - told[0]) >= 2 and told[0] - told[1] != set()
    assert told[2] - told[0] == set(praised[2])
