"""The benchmark of the token world counts its cells and its time."""

import pytest

from benchmarks import tokens
from simulations.tokens.divergences import divergences
from simulations.tokens.world import World


def test_the_grid_counts_cells_with_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "VOCABULARIES", (16, 24))
    monkeypatch.setattr(tokens, "SEEDS", (20, 400))
    monkeypatch.setattr(tokens, "DEPTH", 2)
    monkeypatch.setattr(tokens, "DIM", 2)
    found = tokens.whole_grid(6, True)
    assert found["cells"] == 8 and found["seconds"] > 0.0
    # Of 20 seeds among 16 or 24 tokens some leave no maximum of likelihood; none is a number then.
    assert 0 <= found["failures"] <= 12


def test_the_loop_measures_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """One layer, 400 replicates each, drawn apart: 4.9 standard errors of the difference. The second layer
    would be told from it."""
    monkeypatch.setattr(tokens, "VOCABULARIES", (256,))
    monkeypatch.setattr(tokens, "SEEDS", (1000,))
    monkeypatch.setattr(tokens, "DEPTH", 2)
    monkeypatch.setattr(tokens, "NORM", 0.5)
    found = divergences(World(256, tokens.DIM, 0.5), [1000], 2, 1.0, 400).layers[:, 0, 0]
    error = 2.0**0.5 * 4.9 * found.std(ddof=1) / 20.0
    one, two = tokens.loop(400)[0, 0]
    assert abs(one - found.mean()) < error < abs(two - found.mean())


def test_the_benchmark_is_the_size_it_claims() -> None:
    cells = len(tokens.VOCABULARIES) * len(tokens.SEEDS) * tokens.DEPTH
    assert cells == 200 and max(tokens.VOCABULARIES) == 1024 and max(tokens.SEEDS) == 10**9
