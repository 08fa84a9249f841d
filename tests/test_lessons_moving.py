"""A static page shows what the notebook would, wherever its sliders stand."""

from pathlib import Path

import pytest

from tests.test_lessons import helper

pytest.importorskip("marimo", reason="marimo is not installed (extra lessons)")

TWO_SLIDERS = """
import marimo
app = marimo.App()
with app.setup:
    import marimo as mo

@app.cell
def _():
    tens = mo.ui.slider(steps=[1, 2, 5], value=2, label="tens")
    ones = mo.ui.slider(0, 1, value=1, label="ones")
    mo.vstack([tens, ones])
    return ones, tens

@app.cell
def _(ones, tens):
    total = 10 * tens.value + ones.value
    return (total,)

@app.cell
def _(total):
    mo.md(f"total {total}")
    return

@app.cell
def _(tens):
    mo.md(f"tens {tens.value} of {len(tens.steps)}")
    return

@app.cell
def _():
    mo.md("unmoved")
    return
"""


def test_a_page_shows_what_the_notebook_would_at_every_position(tmp_path: Path) -> None:
    moving, path = helper("moving"), tmp_path / "two.py"
    path.write_text(TWO_SLIDERS)
    module = helper("export").load(path)
    outputs, defined = module.app.run()
    by_name = {each.name: each for each in moving.sliders(defined)}
    assert by_name["tens"].steps == (1, 2, 5) and by_name["tens"].at == 1
    assert by_name["ones"].steps == (0, 1) and by_name["ones"].at == 1
    space = {**vars(module), **defined}
    found = moving.replayed(moving.wired(TWO_SLIDERS), space, list(by_name.values()))
    assert sorted(found) == [2, 3]
    assert len(found[2]) == 6 and len(found[3]) == 3
    for spots, shown in found[2].items():
        total = sum(
            w * by_name[name].steps[k] for name, k in spots for w in [10 if name == "tens" else 1]
        )
        assert f"total {total}<" in shown.text
    # Where the sliders stand at first, what the notebook itself shows; elsewhere something else.
    same = [spots for spots, shown in found[2].items() if shown.text == outputs[2].text]
    assert [dict(spots) for spots in same] == [{"tens": 1, "ones": 1}]
