"""Many pictures, drawn by several processes: the drawing library knows no threads.

``python -m figures.shares DIR K N`` draws every N-th picture of a run, from the K-th on.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from figures.pictures import pictures
from figures.reading import Picture
from figures.style import save, save_table

Progress = Callable[[int, int], None]
FOLDER = "figures"
# A process takes about as long to begin as so many pictures to draw.
FEW = 16


def leave(picture: Picture, stem: Path) -> list[Path]:
    """The drawings of one picture, beside the table that was drawn."""
    drawn = save(picture.draw(), stem)
    tables = [part for part in getattr(picture.draw, "args", ()) if isinstance(part, pd.DataFrame)]
    if tables:
        save_table(tables[0], stem.with_name(f"{stem.name}.csv"))
    return drawn


def draw(
    chosen: Sequence[Picture], folder: Path, progress: Progress | None = None, times: int = 1
) -> list[Path]:
    """Draw pictures into ``folder/figures``; the paths of the drawings. ``progress`` hears of pictures
    done and in all, where ``times`` processes draw as many each."""
    drawn: list[Path] = []
    for done, each in enumerate(chosen, start=1):
        drawn += leave(each, folder / FOLDER / each.name)
        if progress is not None:
            progress(done * times, len(chosen) * times)
    return drawn


def draw_all(
    chosen: Sequence[Picture], folder: Path, workers: int, progress: Progress | None = None
) -> list[Path]:
    """The same for all pictures of a run, by at most so many processes."""
    shares = min(workers, len(chosen) // FEW)
    if shares < 2:
        return draw(chosen, folder, progress)
    # What this process can import, the others shall.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    others = [
        subprocess.Popen(
            [sys.executable, "-m", "figures.shares", str(folder), str(share), str(shares)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for share in range(1, shares)
    ]
    try:
        own = draw(chosen[::shares], folder, progress, shares)
        for share, other in enumerate(others, start=1):
            if other.wait() != 0:
                # Whatever it was comes up here, with its reason.
                draw(chosen[share::shares], folder)
    finally:
        for other in others:
            other.kill()
            other.wait()
    kinds = [path.suffix for path in own[:2]]
    return [folder / FOLDER / f"{each.name}{kind}" for each in chosen for kind in kinds]


if __name__ == "__main__":
    _folder, _first, _step = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    draw(pictures(_folder)[_first::_step], _folder)
