"""The pictures of a run as they stand in its report: inline SVG, else pixels."""

import base64
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup, escape

from synthlaw.verifying.dark import darkened
from synthlaw.verifying.drawing import Album, drawing
from synthlaw.verifying.lettering import font_face


class Picture(NamedTuple):
    """A picture of the page, ``content``, with the text that stands beside it."""

    content: Markup
    caption: Markup


def inside(directory: Path, name: str) -> Path | None:
    """The file ``name`` of a run folder; None where it is absent or lies outside the folder."""
    path = (directory / name).resolve()
    return path if path.is_relative_to(directory.resolve()) and path.is_file() else None


def picture(
    directory: Path, name: str, title: str, caption: Markup | str, shared: Album
) -> Picture | None:
    """A figure of the run: its SVG written anew, else its PNG as a data address.

    Args:
        directory: the folder of the run.
        name: the figure's file in it, of whatever suffix.
        title: what the picture is called; with the caption it stands for the picture where it is not
            seen.
        caption: what it shows.
        shared: what the pictures of the page have in common.

    Returns:
        None where the folder holds neither file, or an SVG that cannot be trusted and no PNG.
    """
    if not name:
        return None
    alt = Markup(f"{escape(title)}. {escape(caption)}").striptags()
    vector = inside(directory, str(Path(name).with_suffix(".svg")))
    if vector is not None:
        drawn = drawing(vector.read_bytes(), alt, shared)
        if drawn is not None:
            return Picture(drawn, escape(caption))
    pixels = inside(directory, str(Path(name).with_suffix(".png")))
    if pixels is None:
        return None
    data = base64.b64encode(pixels.read_bytes()).decode()
    image = Markup('<img src="data:image/png;base64,{}" alt="{}">').format(data, alt)
    return Picture(image, escape(caption))


def rules(shared: Album) -> Markup:
    """The style sheet of the pictures: their letters, their styles, their colours on either ground."""
    light = "".join(f"--c{each}:#{each};" for each in sorted(shared.colours))
    dark = "".join(f"--c{each}:#{darkened(each)};" for each in sorted(shared.colours))
    styles = "".join(f".{name}{{{rule}}}\n" for rule, name in shared.styles.items())
    # Every part of these texts was checked as it was taken in.
    return Markup(
        f"{font_face(shared.letters)}\n:root,.plate{{{light}}}\n"
        f"@media screen and (prefers-color-scheme: dark){{:root{{{dark}}}}}\n{styles}"
    )
