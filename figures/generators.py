"""What a picture calls a generator, and the colour and marker that it has in every picture of a run.

The column ``generator`` of a table holds labels such as ``transformer[4;1]``: they are a contract, and stay
as they are in every CSV file. A reader of a picture needs words.
"""

import re
from collections.abc import Sequence

from figures.style import MARKERS, PALETTE

# kind: what its parameters are called, in the order of a label. "{}" stands for the value.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "shift": ("by {}",),
    "scale": ("by {}",),
    "label_noise": ("rate {}",),
    "leak": ("strength {}",),
    "gaussian": ("{} covariance",),
    "smoothed": ("bandwidth {}",),
    "smote": ("{} neighbours",),
    "transformer": ("{} layers", "step {}"),
    "histogram": ("smoothing {}",),
}
# The places in palette and markers of what a run compares; others take the first that are left. Kinds that
# share a place never meet in one setting: leaks need labels with attributes, the last ones tokens.
PLACES: dict[str, int] = {
    "oracle": 0,
    "shift": 1,
    "duplicate": 2,
    "scale": 3,
    "label_noise": 4,
    "reweight": 5,
    "leak": 6,
    "gaussian": 7,
    "smoothed": 8,
    "smote": 9,
    "transformer": 1,
    "histogram": 4,
    "likeliest": 6,
    # Rows of claims on tokens.
    "1 layer": 1,
    "2 layers": 2,
    "3 layers": 3,
    "reweighting": 5,
    "raw rows": 8,
}
_LABEL = re.compile(r"(?P<kind>[^\[\]]+)(\[(?P<values>.*)\])?")


def words(label: str) -> str:
    """A label of the column ``generator`` in words; what is no such label stays as it is.

    Args:
        label: the kind, with its parameters in brackets where a run has several of that kind.

    Returns:
        Words for a legend.

    >>> words("transformer[4;1]"), words("transformer[1;0.5]"), words("label_noise")
    ('transformer, 4 layers, step 1', 'transformer, 1 layer, step 0.5', 'label noise')
    >>> words("shift[0.3,0]"), words("smote[5;groups=rare]"), words(r"a $ [odd")
    ('shift by 0.3,0', 'smote, 5 neighbours, only rare', 'a $ [odd')
    """
    found = _LABEL.fullmatch(label)
    kind = found["kind"] if found else label
    if found is None or (found["values"] is not None and kind not in PARAMETERS):
        return label
    name = kind.replace("_", " ") if kind in PLACES else kind
    if not found["values"]:
        return name
    said, parts = list(PARAMETERS[kind]), []
    for value in found["values"].split(";"):
        if value.startswith("groups="):
            parts.append(f"only {value.removeprefix('groups=').replace('|', ', ')}")
        else:
            text = said.pop(0).format(value) if said else value
            parts.append(text.removesuffix("s") if text in ("1 layers", "1 neighbours") else text)
    apart = " " if parts[0].startswith("by ") else ", "
    return name + apart + ", ".join(parts)


def looks(labels: Sequence[str]) -> dict[str, int]:
    """The place of every generator in ``style.PALETTE`` and ``style.MARKERS``.

    A kind has one place in every picture, whatever it is drawn with; a second one of that kind, and a
    name that is not known, takes the first place that nothing drawn here has.

    Args:
        labels: the generators of one table, each once.

    Returns:
        ``{label: place}``, for ``style.colour`` and ``style.marker``; no place twice before all are taken.

    >>> looks(["reweight", "oracle", "shift"]), looks(["shift[0.1]", "shift[0.2]", "mine"])
    ({'reweight': 5, 'oracle': 0, 'shift': 1}, {'shift[0.1]': 1, 'shift[0.2]': 0, 'mine': 2})
    """
    found: dict[str, int] = {}
    for label in labels:
        place = PLACES.get(label.split("[")[0])
        if place is not None and place not in found.values():
            found[label] = place
    free = [
        place for place in range(min(len(PALETTE), len(MARKERS))) if place not in found.values()
    ]
    for label in labels:
        if label not in found:
            found[label] = free.pop(0) if free else len(found)
    return {label: found[label] for label in labels}
