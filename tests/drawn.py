"""What a drawn figure shows, read off its artists."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure


def bars(axes: Axes) -> list[ErrorbarContainer]:
    return [each for each in axes.containers if isinstance(each, ErrorbarContainer)]


def half_widths(container: ErrorbarContainer, which: int) -> np.ndarray:
    """Half lengths of the error bars of a container along x (0) or y (1)."""
    segments = container.lines[2][0].get_segments()
    return np.array([(s[1, which] - s[0, which]) / 2 for s in segments])


def curve(axes: Axes, label: str) -> np.ndarray:
    return next(np.asarray(e.get_xydata()) for e in axes.lines if e.get_label() == label)


def words(figure: Figure) -> str:
    """Everything written in a figure."""
    found = [text.get_text() for axes in figure.axes for text in axes.texts]
    for axes in figure.axes:
        found += [axes.get_xlabel(), axes.get_ylabel(), axes.get_title()]
        found += [text.get_text() for text in (*axes.get_xticklabels(), *axes.get_yticklabels())]
    found += [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return "\n".join(found)


def named_axes(figure: Figure) -> bool:
    """Every panel has a name on its x axis, and the leftmost on y."""
    x = all(
        axes.get_xlabel() or axes.get_shared_x_axes().joined(axes, figure.axes[-1])
        for axes in figure.axes
    )
    return x and bool(figure.axes[0].get_ylabel() or figure.axes[0].get_yticklabels())
