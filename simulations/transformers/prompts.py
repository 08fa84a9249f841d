"""What a transformer is given to read: tokens and segments of a prompt."""

import numpy as np

from simulations.transformers.architecture import OUTPUT, SEED, START, VOCABULARY


def prompt(
    seeds: np.ndarray, vocabulary: int, *, lists: bool, outputs: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Tokens and segments ``(T,)`` of a prompt.

    Args:
        seeds: ``(n,)``, 0..d-1, n >= 0.
        vocabulary: d.
        lists: whether the vocabulary stands at the beginning, each token once (constructed weights need
            it; trained ones know the vocabulary).
        outputs: places kept for generated tokens at the end; they hold the start token for now.

    >>> prompt(np.array([1, 1]), 3, lists=True)
    (array([0, 1, 2, 3, 1, 1]), array([0, 0, 0, 1, 2, 2]))
    """
    first = np.arange(vocabulary if lists else 0)
    tokens = np.concatenate([first, [vocabulary], seeds, np.full(outputs, vocabulary)])
    sizes = (len(first), 1, len(seeds), outputs)
    return tokens.astype(int), np.repeat([VOCABULARY, START, SEED, OUTPUT], sizes)


def reading(vocabulary: int, *, lists: bool) -> int:
    """The position of the start token: what is emitted there has seen no seed, n places on n seeds.

    >>> reading(3, lists=True), reading(3, lists=False)
    (3, 0)
    """
    return vocabulary if lists else 0
