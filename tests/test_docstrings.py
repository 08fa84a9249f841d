"""Every public name is documented: a docstring, and in it every argument where it says more than a line.

Read from the source, so that nothing is imported. Public is what no name on the way to it hides by an
underscore.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("simulations", "scaling", "figures", "synthlaw")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
# Nobody calls these with arguments of their own: the command line does, and shows each option's help.
COMMANDS = ("synthlaw.commands.", *(f"synthlaw.{room}.command" for room in (
    "fitting", "planning", "training", "verifying", "simulating")))  # fmt: skip
# Inner rooms whose functions share arguments: the head of a module says once what they are.
UNHELD = ("simulations.tokens.", "simulations.token_sweeps.")
ARGS = re.compile(r"^Args:\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
IMPORTED = re.compile(
    r"^[ >.]*from ((?:simulations|scaling|figures|synthlaw)[\w.]*) import (\([^)]*\)|[^\n(]+)",
    re.MULTILINE,
)


class Public(NamedTuple):
    """A public name, and where it is defined; ``node`` is a module, a class or a function."""

    name: str
    node: ast.Module | Definition

    @property
    def text(self) -> str:
        """Its docstring."""
        return ast.get_docstring(self.node) or ""


def modules() -> dict[str, ast.Module]:
    """Every module of the four packages, by its dotted name."""
    found: dict[str, ast.Module] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = ast.parse(path.read_text("utf-8"))
    return found


MODULES = modules()


def public_in(name: str, module: ast.Module) -> Iterator[Public]:
    """The module, its public functions and classes, and the public methods of these."""
    yield Public(name, module)
    for node in module.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield Public(f"{name}.{node.name}", node)
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                        yield Public(f"{name}.{node.name}.{inner.name}", inner)


PUBLIC = {each.name: each for name, tree in MODULES.items() for each in public_in(name, tree)}


def arguments(node: ast.Module | Definition) -> list[str]:
    """Names of a function's arguments, without ``self`` and those that say that nobody needs them."""
    if isinstance(node, ast.Module | ast.ClassDef):
        return []
    given = node.args
    listed = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    names = [each.arg for each in listed if each is not None]
    return [name for name in names if name not in ("self", "cls") and not name.startswith("_")]


def unnamed(node: ast.Module | Definition, told: str) -> list[str]:
    """Arguments that ``told`` does not name."""
    return [name for name in arguments(node) if not re.search(rf"\b{re.escape(name)}\b", told)]


def prose(docstring: str) -> str:
    """A docstring without its examples."""
    return re.sub(r"\n\s*>>>.*", "", docstring, flags=re.DOTALL)


def lacks_of_section(each: Public) -> list[str]:
    """Arguments missing in the section Args, where there is one."""
    section = ARGS.search(each.text)
    return unnamed(each.node, section.group(1)) if section else []


def recommended() -> set[str]:
    """Names that README, notes, lessons and the template of claims import."""
    notes = ROOT / "paper_notes"
    readers = [
        ROOT / "README.md",
        *notes.glob("**/*.md"),
        *notes.glob("lessons/*.py"),
        ROOT / "synthlaw" / "templates" / "init_claim.py",
    ]
    found: set[str] = set()
    for path in readers:
        for module, names in IMPORTED.findall(path.read_text("utf-8")):
            for name in re.findall(r"\w+", re.sub(r"#.*|\bas \w+|^>>>|^\.\.\.", "", names)):
                found.add(f"{module}.{name}")
    homes = ast.literal_eval(
        next(
            node.value
            for node in MODULES["synthlaw"].body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_HOMES"
        )
    )
    return found | {f"{home}.{name}" for name, home in homes.items()}


RECOMMENDED = sorted(name for name in recommended() if name in PUBLIC)


def test_every_public_name_has_a_docstring() -> None:
    assert len(PUBLIC) > 1500
    assert [name for name, each in PUBLIC.items() if not each.text.strip()] == []


def test_a_section_on_arguments_names_them_all() -> None:
    lacks = {name: lacks for name, each in PUBLIC.items() if (lacks := lacks_of_section(each))}
    assert lacks == {}


def test_names_that_users_import_say_what_each_argument_is() -> None:
    assert len(RECOMMENDED) > 50
    lacks = {
        name: lacks
        for name in RECOMMENDED
        if not name.startswith(COMMANDS)
        and (lacks := unnamed(PUBLIC[name].node, prose(PUBLIC[name].text)))
    }
    assert lacks == {}


def test_whoever_says_more_than_a_line_names_each_argument() -> None:
    """But in the rooms of tokens (``UNHELD``), which are held to the sections they write."""
    lacks = {
        name: lacks
        for name, each in PUBLIC.items()
        if not name.startswith((*COMMANDS, *UNHELD))
        and "\n\n" in prose(each.text).strip()
        and (lacks := unnamed(each.node, prose(each.text)))
    }
    assert lacks == {}


@pytest.mark.parametrize(
    ("source", "lacks"),
    [
        (
            'def f(a, b):\n    """One.\n\n    Args:\n        a: first.\n        b: second.\n    """',
            [],
        ),
        ('def f(a, b):\n    """One.\n\n    Args:\n        a: first.\n    """', ["b"]),
        (
            'def f(a, *, b=1):\n    """1.\n\n    Args:\n        a: x.\n\n    Returns:\n        b.\n    """',
            ["b"],
        ),
        ('def f(self, _a, b):\n    """One line."""', []),
    ],
)
def test_the_check_itself(source: str, lacks: list[str]) -> None:
    (node,) = ast.parse(source).body
    assert isinstance(node, ast.FunctionDef)
    assert lacks_of_section(Public("f", node)) == lacks
    assert unnamed(node, "a _a") == (["b"] if "b" in arguments(node) else [])
