"""The font of the pictures' letters, cut down to those in use, to travel inside a page."""

import base64
import io
import logging
from collections.abc import Iterable
from pathlib import Path


def font_face(letters: Iterable[str]) -> str:
    """A ``@font-face`` rule with the outlines of these letters; "" where there are none.

    The font is the one that matplotlib brings along and sets every figure in, so that a line of a
    figure is as wide on every machine as it was when the figure was laid out.

    >>> rule = font_face("αb")
    >>> rule.startswith('@font-face{font-family:"DejaVu Sans";src:url(data:font/woff;base64,')
    True
    >>> len(rule) < 6000, font_face("")
    (True, '')
    """
    wanted = "".join(sorted(set(letters)))
    if not wanted:
        return ""
    # Loaded here: only a page with pictures needs them.
    import matplotlib
    from fontTools import subset

    # It says which of the font's tables it leaves out.
    logging.getLogger("fontTools.subset").setLevel(logging.ERROR)
    options = subset.Options(layout_features=["kern", "liga"], hinting=False, flavor="woff")
    source = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    out = io.BytesIO()
    with subset.load_font(str(source), options) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(text=wanted)
        cutter.subset(font)
        font.flavor = "woff"
        font.save(out)
    data = base64.b64encode(out.getvalue()).decode()
    return f'@font-face{{font-family:"DejaVu Sans";src:url(data:font/woff;base64,{data})}}'
