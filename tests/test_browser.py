"""The report in a browser: it renders without a network, nothing is lost, nothing overflows."""

from pathlib import Path

import pytest

import synthlaw
from tests import browser

pytestmark = pytest.mark.skipif(browser.CHROMIUM is None, reason="needs Chromium")
# An identity, and a ladder with a formula.
CLAIMS = ("imbalance-log-odds", "imbalance-raw-floor")
DARK = ("--force-dark-mode", "--blink-settings=preferredColorScheme=0")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    synthlaw.verify(claims=CLAIMS, out=out)
    return out / "report.html"


@pytest.mark.parametrize("flags", [(), DARK], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400])
def test_the_report_renders_and_fits_the_window(
    report: Path, width: int, flags: tuple[str, ...]
) -> None:
    found, said = browser.look(report, width, *flags)
    assert said == []
    assert found["title"] == "synthlaw: verdicts, preset quick"
    assert found["width"] <= width and found["outside"] == []
    assert (found["lost"], found["twice"], found["fetched"]) == ([], [], [])
    assert (found["blank"], found["mute"], found["pale"]) == (0, 0, [])
    # Of two claims, of their family, and the board.
    assert found["pictures"] == 4
    assert found["height"] > 900
    assert found["paper"] == ("rgb(18, 20, 25)" if flags else "rgb(246, 247, 249)")


def test_the_report_prints(report: Path, tmp_path: Path) -> None:
    assert browser.printed(report, tmp_path / "report.pdf").startswith(b"%PDF-")


def test_a_page_that_is_wrong_is_seen_to_be(tmp_path: Path) -> None:
    page = tmp_path / "wrong.html"
    page.write_text(
        '<title>wrong</title><a href="#nowhere">lost</a><p id="a">x<p id="a"><img src="none.png">'
        '<div style="width:2000px">wide</div><script>console.error("fault")</script>'
        '<img src="https://synthlaw.invalid/x.png"><i style="color:#aaa">pale</i>'
        '<svg role="img" aria-labelledby="b"><use href="#c"/><rect clip-path="url(#d)"/></svg>'
    )
    found, said = browser.look(page, 360)
    assert any("fault" in line for line in said)
    assert found["width"] >= 2000 and any("wide" in each for each in found["outside"])
    assert (found["lost"], found["twice"]) == (["nowhere", "c", "d", "b"], ["a"])
    assert (found["blank"], found["mute"], found["pictures"]) == (2, 3, 0)
    assert len(found["pale"]) == 1 and "pale" in found["pale"][0]
    assert any("synthlaw.invalid" in name for name in found["fetched"])
