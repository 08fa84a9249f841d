"""The report in a browser: it renders without a network, nothing is lost, nothing overflows."""

from pathlib import Path
from typing import Any

import pytest

import synthlaw
from tests import browser

pytestmark = pytest.mark.skipif(browser.CHROMIUM is None, reason="needs Chromium")
# An identity, and a ladder with a formula.
CLAIMS = ("imbalance-log-odds", "imbalance-raw-floor")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    synthlaw.verify(claims=CLAIMS, out=out)
    return out / "report.html"


@pytest.mark.parametrize("width", [360, 1400])
def test_the_report_renders_and_fits_the_window(report: Path, width: int) -> None:
    found, said = browser.look(report, width)
    assert said == []
    assert found["title"] == "synthlaw: verdicts, preset quick"
    assert found["width"] <= width and found["outside"] == []
    assert (found["lost"], found["twice"], found["fetched"]) == ([], [], [])
    assert (found["blank"], found["mute"]) == (0, 0)
    assert found["height"] > 900


def test_the_report_follows_the_system_to_the_dark(report: Path) -> None:
    def paper(*flags: str) -> Any:
        return browser.look(report, 1400, *flags)[0]["paper"]

    assert paper() == "rgb(246, 247, 249)"
    dark = paper("--force-dark-mode", "--blink-settings=preferredColorScheme=0")
    assert dark == "rgb(18, 20, 25)"


def test_the_report_prints(report: Path, tmp_path: Path) -> None:
    assert browser.printed(report, tmp_path / "report.pdf").startswith(b"%PDF-")


def test_a_page_that_is_wrong_is_seen_to_be(tmp_path: Path) -> None:
    page = tmp_path / "wrong.html"
    page.write_text(
        '<title>wrong</title><a href="#nowhere">lost</a><p id="a">x<p id="a"><img src="none.png">'
        '<div style="width:2000px">wide</div><script>console.error("fault")</script>'
        '<img src="https://synthlaw.invalid/x.png">'
    )
    found, said = browser.look(page, 360)
    assert any("fault" in line for line in said)
    assert found["width"] >= 2000 and any("wide" in each for each in found["outside"])
    assert (found["lost"], found["twice"]) == (["nowhere"], ["a"])
    assert found["blank"] == found["mute"] == 2
    assert any("synthlaw.invalid" in name for name in found["fetched"])
