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
_PROBE = r"""<!doctype html><body><script>
const frame = document.createElement("iframe");
frame.style = "border:0;width:%(width)dpx;height:900px";
frame.onload = () => {
  const page = frame.contentDocument, root = page.documentElement;
  page.querySelectorAll("%(press)s").forEach((each) => each.click());
  const all = [...page.querySelectorAll("*")];
  const outside = all.filter((each) => each.getBoundingClientRect().right > %(width)d + 1
    && !each.closest(".scroll, .hidden, details:not([open])"));
  // Contrast of WCAG 2.2 between letters and the nearest ground that is not transparent.
  const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = (colour) => parts(colour).slice(0, 3).map((each) => each / 255)
    .map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
    .reduce((sum, each, at) => sum + each * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (each) => {
    for (; each; each = each.parentElement) {
      const colour = frame.contentWindow.getComputedStyle(each).backgroundColor;
      if ((parts(colour)[3] ?? 1) > 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const written = all.filter((each) => !each.closest("head, title, style, .plate, .hidden, .skip")
    && [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  const contrast = (each) => {
    const style = frame.contentWindow.getComputedStyle(each);
    const ink = each instanceof frame.contentWindow.SVGElement ? style.fill : style.color;
    const [low, high] = [luminance(ink), luminance(ground(each))].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const pointed = all.flatMap((each) => [...each.attributes].flatMap(({ name, value }) =>
    name === "href" && value.startsWith("#") ? [value.slice(1)]
      : [...value.matchAll(/url\(#([^)]+)\)/g)].map((match) => match[1])));
  const labels = all.flatMap((each) => (each.getAttribute("aria-labelledby") ?? "").split(" "));
  const found = {
    title: page.title,
    text: page.body.innerText,
    width: root.scrollWidth,
    height: root.scrollHeight,
    outside: outside.map((each) => each.outerHTML.slice(0, 80)),
    lost: [...pointed, ...labels].filter((name) => name && !page.getElementById(name)),
    pale: written.filter((each) => contrast(each) < 4.5)
      .map((each) => contrast(each).toFixed(2) + " " + each.outerHTML.slice(0, 120)),
    pictures: [...page.querySelectorAll("svg[role=img]")].filter((each) => each.getBBox().width > 0).length,
    blank: [...page.images].filter((each) => !each.complete || !each.naturalWidth).length,
    mute: [...page.images].filter((each) => !each.alt).length
      + [...page.querySelectorAll("svg:not([aria-hidden])")].filter((each) =>
        !page.getElementById(each.getAttribute("aria-labelledby"))?.textContent).length,
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

    ``press``: the selector of what is clicked first; ``text``: all words that are seen;
    ``outside``: elements that reach beyond the window and cannot be scrolled to within their frame;
    ``lost``: ids that a link, a shape or a label names and nothing has; ``twice``: ids that two elements
    have; ``blank``, ``mute``: pictures not shown, without a text; ``pictures``: SVG pictures with
    something in them; ``pale``: letters whose contrast with their ground is below 4.5.
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
