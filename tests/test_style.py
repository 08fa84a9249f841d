"""How pictures look: colours that everybody can tell apart, words for generators, legends that fit."""

from itertools import combinations
from typing import Any, get_args

import numpy as np
import pytest
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from figures import generators, style
from simulations.setup import generator_specs

# How much of red, green and blue (linear) reaches a reader, by rows: Machado, Oliveira and Fernandes 2009.
EYES = {
    "everybody": np.eye(3),
    "deuteranopes": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "protanopes": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])


def linear(colour: str) -> NDArray[np.float64]:
    """Light of the three primaries, from the display's gamma."""
    shares = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255.0
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def lab(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE L*a*b*, in which distances are differences that are seen; about 2 is the least."""
    share = TO_XYZ @ np.clip(light, 0.0, 1.0) / WHITE
    root = np.where(share > 0.008856, np.cbrt(share), 7.787 * share + 16.0 / 116.0)
    return np.array(
        [116.0 * root[1] - 16.0, 500.0 * (root[0] - root[1]), 200.0 * (root[1] - root[2])]
    )


def least_distance(palette: tuple[Any, ...], eyes: str) -> float:
    places = [lab(EYES[eyes] @ linear(colour)) for colour in palette]
    return min(float(np.linalg.norm(one - other)) for one, other in combinations(places, 2))


@pytest.mark.parametrize("eyes", EYES)
def test_colours_are_told_apart_by_all_eyes(eyes: str) -> None:
    """The first six by colour alone; all ten, which have markers too, nearly as well."""
    assert len(set(style.PALETTE)) == len(style.PALETTE) == 10
    assert least_distance(style.PALETTE[:6], eyes) > 12.0
    assert least_distance(style.PALETTE, eyes) > 10.0


def test_green_beside_grey_would_be_caught() -> None:
    """Far apart for most, and too near for deuteranopes."""
    pair = ("#029e73", "#8f8f8f")
    assert least_distance(pair, "everybody") > 35.0
    assert least_distance(pair, "deuteranopes") < 12.0


def test_no_colour_is_faint_on_white() -> None:
    for colour in style.PALETTE:
        luminance = float((TO_XYZ @ linear(colour))[1])
        assert 1.05 / (luminance + 0.05) > 2.2


def test_words_for_generators_know_every_kind_and_its_parameters() -> None:
    for model in get_args(generator_specs.AnyGenerator):
        (kind,) = get_args(model.model_fields["kind"].annotation)
        own = [name for name in model.model_fields if name not in ("kind", "groups")]
        assert len(generators.PARAMETERS.get(kind, ())) == len(own), kind
        assert kind in generators.PLACES
    spec = {"kind": "transformer", "layers": 4, "step": 1.0}
    one = generator_specs.Transformer.model_validate(spec)
    other = generator_specs.Transformer.model_validate({**spec, "layers": 1, "groups": ("rare",)})
    found = [
        generators.words(generator_specs.generator_label(each, (one, other)))
        for each in (one, other)
    ]
    assert found == ["transformer, 4 layers, step 1", "transformer, 1 layer, step 1, only rare"]


def test_kinds_of_one_setting_have_places_of_their_own() -> None:
    tokens = set(generator_specs.OF_TOKENS)
    every = {
        get_args(m.model_fields["kind"].annotation)[0]
        for m in get_args(generator_specs.AnyGenerator)
    }
    for kinds in (tokens, every - set(generator_specs.NEEDS_TOKENS)):
        assert len({generators.PLACES[kind] for kind in kinds}) == len(kinds)


@pytest.mark.parametrize(("letters", "columns"), [(4, 3), (40, 2), (70, 1)])
def test_a_legend_takes_the_columns_that_fit(letters: int, columns: int) -> None:
    with style.style():
        figure = style.canvas(6.0, 3.0)
        figure.subplots()
        handles = [Line2D([], [], label="m" * (letters // 2) + str(k)) for k in range(6)]
        legend = style.legend_below(figure, handles)
        figure.draw_without_rendering()
        places = {round(text.get_window_extent().x0) for text in legend.get_texts()}
        box = legend.get_window_extent()
    assert len(places) == columns
    assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1


@pytest.mark.parametrize(
    ("limits", "major", "between"),
    [
        ((0.001, 0.09), ["0.001", "0.01"], ["0.002", "0.005", "0.02", "0.05"]),
        ((0.5, 0.9), [], ["0.6"]),
        ((1e-6, 1.0), ["10⁻⁶", "10⁻⁵", "10⁻³"], []),
        ((1.0, 1e5), ["1", "1,000", "100,000"], []),
    ],
)
def test_logarithmic_axes_have_numbers_to_read_by(
    limits: tuple[float, float], major: list[str], between: list[str]
) -> None:
    with style.style():
        figure = style.canvas(5.0, 4.0)
        axes = figure.subplots()
        style.plain_log(axes, "y")
        axes.set_ylim(*limits)
        figure.draw_without_rendering()
        written = [text.get_text() for text in axes.get_yticklabels()]
        small = [text.get_text() for text in axes.get_yticklabels(minor=True)]
    assert set(major) <= set(written) and set(between) <= set(small)
    assert len([text for text in (*written, *small) if text]) >= 2
