"""What would tell two laws apart that one curve does not."""

import numpy as np

from scaling.forecasting.forecast import Outlook
from scaling.forecasting.model_error import noise_of, order_of

# Two laws are told apart by a point at which they differ by so many standard errors.
APART = 4.0
# How far a further point is sought, in multiples of the largest size.
REACH = np.geomspace(1.0, 1e4, 200)[1:]


def what_would_tell(
    best: Outlook,
    other: Outlook,
    far: float,
    says: tuple[float, float],
    otherwise: tuple[float, float],
) -> str:
    """One sentence on two laws that fit alike and disagree at ``far``.

    ``says``: the first law's interval there; ``otherwise``: what the other law allows there. The
    remedies: a further point where the two differ by four standard errors of the last points,
    smaller errors, or a floor known from theory.

    Args:
        best: the law that is reported.
        other: the one that fits alike.
        far: a place far beyond the points.
        says: ends of the interval of the first.
        otherwise: ends of what the other allows.
    """
    name, rival = best.fit.law.name, other.fit.law.name
    what = (
        f"{name} and {rival} fit alike but at {far:g} the one says {_range(says)}, the other"
        f" {_range(otherwise)}"
    )
    return f"{what}; {_remedy(best, other, says, otherwise)} would tell."


def _range(ends: tuple[float, float]) -> str:
    low, high = (f"{end:.3g}" for end in ends)
    return low if low == high else f"{low} to {high}"


def _remedy(
    best: Outlook, other: Outlook, says: tuple[float, float], otherwise: tuple[float, float]
) -> str:
    data = best.fit.curve
    noise = float(noise_of(best.fit)[order_of(data.x)[-1]])
    sizes = float(data.x.max()) * REACH
    # What the other law allows: its farthest end, as the spread of its refits has it.
    allowed = np.percentile(other.refits.at(sizes[:, None]), [2.5, 97.5], axis=0)
    gap = np.abs(allowed - best.fit.at(sizes)).max(axis=0)
    far_enough = np.flatnonzero(gap > APART * noise)
    remedies: list[str] = []
    if len(far_enough):
        size = sizes[far_enough[0]]
        remedies.append(f"a point at {size:.2g} as exact as the last ones")
    shrink = (max(otherwise) - min(otherwise)) / max(says[1] - says[0], 1e-300)
    if shrink > 1.0:
        remedies.append(f"standard errors {np.ceil(shrink):.0f} times smaller")
    if "floor" in other.fit.law.parameters and "floor" not in other.fit.held:
        remedies.append("a floor known from theory")
    return " or ".join(remedies) if remedies else "points at larger sizes"
