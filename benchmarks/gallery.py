"""The README's pictures: some of a recorded run, made small.

``python -m benchmarks.gallery results/verify`` takes them from the folder of a whole ``verify`` run.
"""

import argparse
from pathlib import Path

from PIL import Image

GALLERY = Path(__file__).parent / "recorded" / "gallery"
# Picture of a run: what the README says of it.
PICTURES = {
    "imbalance_curve": "Excess risk along the oversampling ratio: theory as lines, simulation as points.",
    "spurious_groups": "Spurious correlation: the error of every group; the worst one is emphasised.",
    "scaling_curve": "The curve in the number of synthetic rows, its floor, and a line that has none.",
    "size_curve": "How many rows: a biased generator's best number.",
    "proportional_curve": "As many features as rows: the limit, and simulations at 50 and more features.",
    "token_kl": "What a transformer writes from n seeds: divergences of generators with their laws.",
}
WIDTH, COLOURS = 900, 48


def small(source: Path, target: Path) -> None:
    """A PNG at most `WIDTH` pixels wide with few colours."""
    with Image.open(source) as picture:
        whole = picture.convert("RGB")
    height = round(whole.height * WIDTH / whole.width)
    if whole.width > WIDTH:
        whole = whole.resize((WIDTH, height), Image.Resampling.LANCZOS)
    target.parent.mkdir(parents=True, exist_ok=True)
    whole.quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)


def main(arguments: list[str] | None = None) -> None:
    """Take the pictures of a run into the gallery."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gallery", description=__doc__)
    parser.add_argument("run", type=Path, help="folder that synthlaw verify left")
    run = parser.parse_args(arguments).run
    for name in PICTURES:
        small(run / "figures" / f"{name}.png", GALLERY / f"{name}.png")


if __name__ == "__main__":
    main()
