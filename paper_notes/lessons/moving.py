"""Sliders on a page without a script: what a lesson shows at every position, computed beforehand.

A cell of a notebook is a function of the names it takes to the names it returns, so which cells follow a
slider is read off the file. These are run again at every position (at every pair, where a cell follows two
sliders); on the page radio buttons stand for the slider, and a rule of style shows the output that belongs.
"""

import ast
import html
import json
import re
from collections.abc import Mapping, Sequence
from itertools import product
from types import SimpleNamespace
from typing import Any, NamedTuple

# Positions of the sliders that a cell follows, by name: ``(("along", 2), ("across", 0))``.
Positions = tuple[tuple[str, int], ...]


class Slider(NamedTuple):
    """``name`` of its variable, ``label`` (HTML), its ``steps``, and the position it stands ``at``."""

    name: str
    label: str
    steps: tuple[float, ...]
    at: int


class Wired(NamedTuple):
    """A cell's function with the names it ``needs`` and those it ``gives`` to others."""

    node: ast.FunctionDef
    needs: frozenset[str]
    gives: frozenset[str]


def wired(source: str) -> list[Wired]:
    """The cells of a notebook in their order.

    >>> (cell,) = wired("@app.cell\\ndef _(a, b):\\n    c = a + b\\n    c\\n    return (c,)\\n")
    >>> sorted(cell.needs), sorted(cell.gives)
    (['a', 'b'], ['c'])
    """
    found = []
    for node in ast.parse(source).body:
        marks = [ast.unparse(each) for each in getattr(node, "decorator_list", [])]
        if isinstance(node, ast.FunctionDef) and any(m.startswith("app.cell") for m in marks):
            needs = frozenset(each.arg for each in node.args.args)
            ends = [each.value for each in node.body if isinstance(each, ast.Return)]
            names = [
                each.id
                for end in ends
                if end
                for each in ast.walk(end)
                if isinstance(each, ast.Name)
            ]
            found.append(Wired(node, needs, frozenset(names)))
    return found


def sliders(defined: Mapping[str, Any]) -> list[Slider]:
    """The sliders among the names that a lesson defines."""
    found = []
    for name, each in defined.items():
        if type(each).__name__ == "slider":
            steps = each.steps or range(int(each.start), int(each.stop) + 1)
            told = re.search(r"data-label='([^']*)'", each.text)
            label = json.loads(html.unescape(told.group(1))) if told else name
            found.append(Slider(name, label, tuple(steps), list(steps).index(each.value)))
    return found


def followers(cells: Sequence[Wired], names: Sequence[str]) -> dict[int, tuple[str, ...]]:
    """For every cell that follows a slider, which of ``names`` it follows, directly or by other cells.

    >>> source = "@app.cell\\ndef _(s):\\n    b = s.value\\n    return (b,)\\n"
    >>> followers(wired(source + source.replace("(s)", "(b, t)")), ["s", "t"])
    {0: ('s',), 1: ('s', 't')}
    """
    behind: dict[str, frozenset[str]] = {name: frozenset([name]) for name in names}
    found = {}
    for at, cell in enumerate(cells):
        led = frozenset().union(*(behind.get(each, frozenset()) for each in cell.needs))
        if led:
            found[at] = tuple(name for name in names if name in led)
            behind |= {each: led | behind.get(each, frozenset()) for each in cell.gives}
    return found


def replayed(
    cells: Sequence[Wired], defined: Mapping[str, Any], moved: Sequence[Slider]
) -> dict[int, dict[Positions, Any]]:
    """What every cell that follows a slider shows, at every position of the sliders it follows.

    Args:
        cells: of a notebook whose cells stand in the order they run in.
        defined: all names after a first run, those of the set-up included.
        moved: its sliders.

    Returns:
        ``{cell: {positions: output}}``; a cell that shows nothing has no entry.
    """
    names = {each.name: each for each in moved}
    led = followers(cells, list(names))
    found: dict[int, dict[Positions, Any]] = {}
    for own in sorted(set(led.values()), key=len):
        mine = [at for at, each in led.items() if set(each) <= set(own)]
        for spots in product(*(range(len(names[name].steps)) for name in own)):
            space = dict(defined)
            for name, spot in zip(own, spots, strict=True):
                steps = names[name].steps
                space[name] = SimpleNamespace(value=steps[spot], steps=list(steps))
            for at in mine:
                shown = _shown(cells[at], space)
                if led[at] == own and shown is not None:
                    found.setdefault(at, {})[tuple(zip(own, spots, strict=True))] = shown
    return found


def control(slider: Slider) -> str:
    """Radio buttons in place of a slider.

    >>> control(Slider("k", "rows", (1, 2000), 1)).split("<label>")[-1]
    '<input type="radio" name="k" id="k-1" checked> 2,000</label> </fieldset>'
    """
    buttons = "".join(
        f'<label><input type="radio" name="{slider.name}" id="{slider.name}-{k}"'
        f"{' checked' * (k == slider.at)}> {_plain(step)}</label> "
        for k, step in enumerate(slider.steps)
    )
    return f'<fieldset class="control"><legend>{slider.label}</legend>{buttons}</fieldset>'


def panels(shown: Mapping[Positions, str], moved: Sequence[Slider]) -> str:
    """What a cell shows at all positions; those that do not belong are hidden by `rules`."""
    first = {each.name: each.at for each in moved}
    return "".join(
        f'<div class="at {_classes(spots)}{" first" * all(first[n] == k for n, k in spots)}">{each}</div>'
        for spots, each in shown.items()
    )


def rules(found: Mapping[int, Mapping[Positions, Any]]) -> str:
    """The style sheet by which checked buttons show the output that belongs to them.

    >>> print(rules({3: {(("k", 0),): "", (("k", 1),): ""}}))
    main:has(#k-0:checked) .at.k-0 { display: block; }
    main:has(#k-1:checked) .at.k-1 { display: block; }
    """
    return "\n".join(dict.fromkeys(_rule(spots) for each in found.values() for spots in each))


def _shown(cell: Wired, space: dict[str, Any]) -> Any:
    """Run a cell where ``space`` keeps its names; its last expression, or None."""
    body = [each for each in cell.node.body if not isinstance(each, ast.Return)]
    last = body[-1] if body else None
    if not isinstance(last, ast.Expr):
        exec(compile(ast.Module(body, []), "<cell>", "exec"), space)
        return None
    exec(compile(ast.Module(body[:-1], []), "<cell>", "exec"), space)
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), space)


def _plain(value: float) -> str:
    return f"{value:,.10g}".replace("-", "\N{MINUS SIGN}")


def _classes(spots: Positions) -> str:
    return " ".join(f"{name}-{k}" for name, k in spots)


def _rule(spots: Positions) -> str:
    when = "".join(f":has(#{name}-{k}:checked)" for name, k in spots)
    which = "".join(f".{name}-{k}" for name, k in spots)
    return f"main{when} .at{which} {{ display: block; }}"
