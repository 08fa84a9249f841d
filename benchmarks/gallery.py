"""The README's pictures: some of a recorded run, made small.

``python -m benchmarks.gallery results/verify`` takes them from the folder of a whole ``verify`` run.
"""

import argparse
from pathlib import Path

from PIL import Image

GALLERY = Path(__file__).parent / "recorded" / "gallery"
PICTURES = (
    "imbalance_curve",
    "spurious_groups",
    "scaling_curve",
    "size_curve",
    "proportional_curve",
    "token_seeds",
)
WIDTH, COLOURS = 900, 128


def small(source: Path, target: Path) -> None:
    """A PNG at most `WIDTH` pixels wide with few colours."""
    with Image.open(source) as picture:
        whole = picture.convert("RGB")
    height = round(whole.height * WIDTH / whole.width)
    if whole.width > WIDTH:
        whole = whole.resize((WIDTH, height), Image.Resampling.LANCZOS)
    target.parent.mkdir(parents=True, exist_ok=True)
    few = whole.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(target, optimize=True)


def main(arguments: list[str] | None = None) -> None:
    """Take the pictures of a run into the gallery."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gallery", description=__doc__)
    parser.add_argument("run", type=Path, help="folder that synthlaw verify left")
    run = parser.parse_args(arguments).run
    for name in PICTURES:
        small(run / "figures" / f"{name}.png", GALLERY / f"{name}.png")


if __name__ == "__main__":
    main()
