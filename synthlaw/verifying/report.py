"""The report of a run: one file that can be mailed, opened offline and printed.

Figures stand in the page as SVG; formulas are MathML; there is no script and nothing is fetched from
anywhere.
"""

import json
import shlex
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from simulations.runs.flags import MEANING
from simulations.runs.store import write_atomically
from synthlaw.resultfolder import about
from synthlaw.verifying.cards import Card, card
from synthlaw.verifying.drawing import Album, album, definitions
from synthlaw.verifying.overview import BOARD, SHARED
from synthlaw.verifying.pictured import Picture, inside, picture, rules
from synthlaw.verifying.published_page import LEFT_OUT, page
from synthlaw.words import GLYPHS

REPORT = "report.html"
_TEMPLATES = Path(__file__).parents[1] / "templates"


class Family(NamedTuple):
    """A family of claims: its cards, how many came out how, and the pictures that they share."""

    name: str
    cards: list[Card]
    counts: dict[str, int]
    pictures: list[Picture]


def write_report(verdicts: dict[str, Any], directory: Path) -> Path:
    """Write ``directory/report.html`` from verdicts and the figures and tables beside them.

    Args:
        verdicts: the content of ``verdicts.json``.
        directory: the folder of the run; ``figures/`` and ``tables/`` in it are used where
            present, and a claim without them is shown without them.

    Returns:
        The path of the report, written whole or not at all.
    """
    directory = Path(directory)
    page = report(verdicts, directory)
    directory.mkdir(parents=True, exist_ok=True)
    write_atomically(directory / REPORT, page.encode())
    return directory / REPORT


def report(verdicts: dict[str, Any], directory: Path) -> str:
    """The page as text."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shared = album()
    cards = [card(claim, directory, shared) for claim in verdicts["claims"]]
    families = [
        _family(name, [each for each in cards if each.claim["family"] == name], directory, shared)
        for name in dict.fromkeys(str(claim["family"]) for claim in verdicts["claims"])
    ]
    published = page(directory)
    board = picture(directory, "figures/verdict_board.svg", "All verdicts", BOARD, shared)
    published_pictures = _pictures(directory, published.figures if published else {}, shared)
    return environment.get_template("report.html.j2").render(
        verdicts=verdicts,
        families=families,
        glyphs=GLYPHS,
        board=board,
        published=published,
        left_out=LEFT_OUT,
        published_pictures=published_pictures,
        seconds=sum(float(claim.get("seconds") or 0.0) for claim in verdicts["claims"]),
        again=_again(verdicts, directory),
        meaning=MEANING,
        missed={
            outcome: [each for each in cards if each.claim["outcome"] == outcome]
            for outcome in ("contradicted", "unresolved")
        },
        escaped=[each for each in cards if each.escaped],
        broken=[each for each in cards if each.broken],
        flagged=[each for each in cards if each.flag],
        # Last: by now every picture is in the album.
        definitions=definitions(shared),
        rules=rules(shared),
    )


def _family(name: str, cards: list[Card], directory: Path, shared: Album) -> Family:
    counts = {outcome: sum(c.claim["outcome"] == outcome for c in cards) for outcome in GLYPHS}
    return Family(name, cards, counts, _pictures(directory, SHARED.get(name, {}), shared))


def _pictures(directory: Path, wanted: dict[str, str], shared: Album) -> list[Picture]:
    """Those of the pictures, each with its caption, that the run made."""
    found = (
        picture(directory, f"figures/{name}.svg", name.replace("_", " ").capitalize(), text, shared)
        for name, text in wanted.items()
    )
    return [each for each in found if each is not None]


def _again(verdicts: dict[str, Any], directory: Path) -> str:
    """The command that makes the whole run again, from what it was asked; "" where that is not known,
    or was another run. The folder is not named: the command writes to the usual place."""
    path = inside(directory, about("verify"))
    if path is None:
        return ""
    try:
        asked = json.loads(path.read_text(encoding="utf-8"))["verify"]
        if (asked["preset"], asked["seed"]) != (verdicts["preset"], verdicts["seed"]):
            return ""
        words = ["--preset", str(asked["preset"]), "--seed", str(asked["seed"])]
        for option in ("module", "published"):
            words += [f"--{option}", str(asked[option])] if asked.get(option) else []
        for option, names in (("claim", asked["claims"]), ("family", asked["families"])):
            words += [word for name in names for word in (f"--{option}", str(name))]
    except (ValueError, KeyError, TypeError):
        return ""
    return shlex.join(["synthlaw", "verify", *words])
