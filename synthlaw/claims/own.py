"""Claims of one's own: a Python file with a tuple ``CLAIMS``, read, checked and made safe to run.

What such a file does wrong, when it is read or when its evidence is gathered, is said in one sentence
that names the file and the line.
"""

import importlib.util
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any, TypeVar, cast

from simulations.problems import InputError, nearest, one_sentence
from synthlaw.claims.judges import JUDGES
from synthlaw.claims.record import Claim, Twin

Result = TypeVar("Result")
# Ids name files and stand in commands.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_START = "synthlaw init --kind claim prints a file to start from"


def read_claims(path: str | Path) -> list[Claim]:
    """The claims of a Python file: those of its tuple (or list) ``CLAIMS``, in order.

    The file is executed, so that it may do whatever Python may: read no file you would not run.

    Args:
        path: the file; it may import its neighbours.

    Returns:
        `Claim` records, whose functions raise ``InputError`` in place of whatever they raise.

    Raises:
        InputError: no such file, a fault while it is executed, no ``CLAIMS``, a claim that is none, an
            unknown kind, an id or family that is no lower-case name, an id that is there twice.

    Source: paper_notes/verdicts.md, "Claims of your own".
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(one_sentence(f"--module {path}: there is no such file; {_START}"))
    found = _guarded(path, f"--module {path}", lambda: _executed(path))
    claims: Any = found.get("CLAIMS")
    if not isinstance(claims, tuple | list) or not claims:
        raise InputError(one_sentence(f"{path} holds no tuple CLAIMS of claims; {_START}"))
    read: list[Claim] = []
    listed = cast("Sequence[Any]", claims)
    for position, each in enumerate(listed):
        claim = _checked(path, f"CLAIMS[{position}]", each)
        read.append(claim)
        if claim.id in [earlier.id for earlier in read[:-1]]:
            raise InputError(f"{path}: two claims have the id {claim.id!r}; rename one of them.")
    return read


def _executed(path: Path) -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location(f"claims_of_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} is no Python file; let its name end in .py.")
    module = importlib.util.module_from_spec(spec)
    # As for a script: its neighbours can be imported, and records can find the module they are made in.
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    return vars(module)


def _checked(path: Path, where: str, claim: Any) -> Claim:
    if not isinstance(claim, Claim):
        raise InputError(
            f"{path}: {where} is of type {type(claim).__name__}; make it a synthlaw.claims.record.Claim."
        )
    for field, value in (("id", claim.id), ("family", claim.family)):
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise InputError(
                f"{path}: the {field} of {where} is {value!r}; give lower-case letters, digits and"
                " hyphens."
            )
    if claim.kind not in JUDGES:
        raise InputError(
            f"{path}: the kind of {claim.id} is {claim.kind!r}; {nearest(claim.kind, JUDGES, 'kinds')}."
        )
    if not isinstance(claim.twin, Twin):
        raise InputError(
            f"{path}: {claim.id} has no wrong twin; give it a Twin(statement, evidence) that must come"
            " out contradicted."
        )

    def safe(function: Callable[..., Result], role: str) -> Callable[..., Result]:
        def guarded(argument: Any) -> Result:
            what = f"{path}: the {role} of {claim.id}"
            return _guarded(path, what, lambda: function(argument))

        return guarded

    return claim._replace(
        evidence=safe(claim.evidence, "evidence"),
        twin=claim.twin._replace(evidence=safe(claim.twin.evidence, "twin")),
        assumptions=tuple(
            item._replace(check=safe(item.check, "assumption")) for item in claim.assumptions
        ),
    )


def _guarded(path: Path, what: str, action: Callable[[], Result]) -> Result:
    """``action()``, where a fault becomes one sentence with the file's line."""
    try:
        return action()
    except (InputError, CancelledError):
        raise
    # sys.exit() in a file of claims would end this program with a status of its own.
    except (Exception, SystemExit) as error:
        line = error.lineno if isinstance(error, SyntaxError) else _line(error, path)
        at = f", line {line}" if line else ""
        told = f"{type(error).__name__} ({error.args[0] if error.args else error})"
        raise InputError(one_sentence(f"{what}{at}: {told}; mend the file")) from error


def _line(error: BaseException, path: Path) -> int | None:
    """The last line of the file on the way to the fault."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename).resolve() == path.resolve()]
    return lines[-1] if lines else None
