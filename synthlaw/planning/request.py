"""What is asked of a plan, checked before the table is read."""

from typing import Any, NamedTuple

from simulations.problems import InputError, nearest, one_sentence
from synthlaw.checks import checked_integer

REWEIGHT, SUPPLIED, DEFAULT = "reweight", "supplied", "smote"
NAMES = ("duplicate", "gaussian", "smoothed", "smote", REWEIGHT)


class Request(NamedTuple):
    """``generator``: one of ``NAMES``, ``supplied`` where rows are, or the name of a sampler's class;
    ``sampler``: that sampler, if one was handed over."""

    label: str
    group: str | None
    generator: str
    sampler: Any
    seed: int

    def resolved(self) -> dict[str, Any]:
        """All of it, as it is written beside the result."""
        return {name: value for name, value in self._asdict().items() if name != "sampler"}


def checked_request(
    *, label: str, group: str | None, generator: Any, synthetic: Any, heldout: Any, seed: int
) -> Request:
    """The request, or ``InputError`` on the first option that cannot be meant."""
    checked_integer("--seed", seed, 0, 2**32 - 1)
    if group == label:
        raise InputError(
            f"column {label!r} stands for --label and --group; leave out --group to balance the labels."
        )
    if synthetic is not None:
        if generator is not None:
            raise InputError(
                "--generator and --synthetic are two ways to get rows; keep one of the two."
            )
        return Request(label, group, SUPPLIED, None, seed)
    if heldout is not None:
        raise InputError(
            "--heldout names rows that supplied ones are compared with; give --synthetic too, or"
            " leave it out."
        )
    if generator is None:
        return Request(label, group, DEFAULT, None, seed)
    if hasattr(generator, "fit_resample"):
        return Request(label, group, type(generator).__name__, generator, seed)
    if generator not in NAMES:
        remedy = nearest(str(generator), NAMES, "generators")
        raise InputError(one_sentence(f"--generator {generator!r} does not exist; {remedy}"))
    return Request(label, group, generator, None, seed)
