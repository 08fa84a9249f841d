"""A page looked at by headless Chromium, without a network: what it logs, what lies outside the window."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
_PROBE = """<!doctype html><body><script>
const frame = document.createElement("iframe");
frame.style = "border:0;width:%(width)dpx;height:900px";
frame.onload = () => {
  const page = frame.contentDocument, root = page.documentElement;
  page.querySelectorAll("%(press)s").forEach((each) => each.click());
  const all = [...page.querySelectorAll("*")];
  const outside = all.filter((each) => each.getBoundingClientRect().right > %(width)d + 1
    && !each.closest(".scroll, .hidden, details:not([open])"));
  const found = {
    title: page.title,
    text: page.body.innerText,
    width: root.scrollWidth,
    height: root.scrollHeight,
    outside: outside.map((each) => each.outerHTML.slice(0, 80)),
    lost: [...page.querySelectorAll("a[href^='#']")].map((each) => each.getAttribute("href").slice(1))
      .filter((name) => !page.getElementById(name)),
    blank: [...page.images].filter((each) => !each.complete || !each.naturalWidth).length,
    mute: [...page.images].filter((each) => !each.alt).length,
    twice: all.map((each) => each.id).filter((id, at, ids) => id && ids.indexOf(id) !== at),
    fetched: frame.contentWindow.performance.getEntriesByType("resource").map((each) => each.name)
      .filter((name) => !name.startsWith("data:")),
    paper: getComputedStyle(page.body).backgroundColor,
  };
  document.body.dataset.found = JSON.stringify(found);
};
frame.src = "%(page)s";
document.body.append(frame);
</script></body>"""


def look(
    page: Path, width: int, *flags: str, press: str = "#nothing"
) -> tuple[dict[str, Any], list[str]]:
    """What the page is like in a window of this width, and what the browser's console said.

    ``press``: the selector of what is clicked first; ``text``: all words that are seen; ``outside``:
    elements that reach beyond the window and cannot be scrolled to within their frame; ``lost``: anchors
    without a target; ``blank``, ``mute``: images not shown, without a text.
    """
    probe = page.with_name("probe.html")
    probe.write_text(_PROBE % {"width": width, "page": page.name, "press": press}, encoding="utf-8")
    done = _chromium(probe, "--window-size=1500,1000", *flags, "--dump-dom")
    probe.unlink()
    found = re.search(r'data-found="([^"]*)"', done.stdout)
    assert found is not None, done.stderr[-2000:]
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(html.unescape(found.group(1))), said


def printed(page: Path, out: Path) -> bytes:
    """The page as a PDF."""
    _chromium(page, "--no-pdf-header-footer", f"--print-to-pdf={out}")
    return out.read_bytes()


def _chromium(page: Path, *flags: str) -> subprocess.CompletedProcess:
    assert CHROMIUM is not None
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
        "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--virtual-time-budget=20000",
        *flags, page.resolve().as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=180)
