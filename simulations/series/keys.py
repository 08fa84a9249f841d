"""Random numbers of a world of series: a generator for every name of a draw."""

import hashlib
import json
from typing import Any

import numpy as np


def generator(seed: int, name: list[Any]) -> np.random.Generator:
    """The generator whose key is a digest of the seed and of what is drawn.

    Args:
        seed: root of all draws, >= 0.
        name: what is drawn, as values that JSON can hold: world, stream, rows, replicate.

    >>> bool(generator(0, ["raw", 1]).random() == generator(0, ["raw", 1]).random())
    True
    """
    digest = hashlib.sha256(json.dumps([int(seed), *name]).encode()).digest()
    return np.random.Generator(np.random.PCG64DXSM(int.from_bytes(digest, "big")))
