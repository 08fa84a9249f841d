"""The claims on tokens, what their runs rest on, and their pictures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer
from scipy.stats import ncx2

import figures
from figures import tidy, token_kl, token_slack
from scaling.theory.tokens import histogram, sharp
from simulations.problems import InputError
from simulations.series.keys import generator
from simulations.tokens import bayes_divergences, control
from simulations.tokens.divergences import ENDLESS, divergences
from simulations.tokens.world import World, embeddings, seed_counts
from synthlaw.claims.generation import tokens
from synthlaw.claims.generation.tokens import breaks
from synthlaw.claims.judges import judge
from synthlaw.claims.lab import PRESETS, Lab
from synthlaw.claims.record import Claim
from tests.stochastic import Disagreement, assert_mean, sample_mean

CLAIMS = tokens.CLAIMS


@pytest.fixture(scope="module")
def lab() -> Lab:
    return Lab(PRESETS["quick"], seed=2)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_claim_holds_and_its_twin_does_not(lab: Lab, claim: Claim) -> None:
    """Another seed than the report's; a claim may stay undecided there, its twin is always caught."""
    margin = claim.margin or lab.preset.margin
    found = judge(claim.kind, claim.evidence(lab), margin)
    assert found.verdict.outcome in ("supported", "unresolved")
    assert judge(claim.kind, claim.twin.evidence(lab), margin).verdict.outcome == "contradicted"
    assert claim.family == "generation" == claim.id.split("-")[0]
    if claim.kind in ("constant", "exponent"):
        assert found.verdict.resolution is not None and found.verdict.resolution <= 0.055
    assert not found.evidence["failures"].to_numpy().any()


def test_the_claims_leave_what_the_pictures_draw(lab: Lab) -> None:
    for claim in CLAIMS:
        claim.evidence(lab)
    drawn = lab.drawn["token_kl"]
    assert set(drawn["panel"]) == set(token_kl.PANELS)
    assert set(token_kl.COLUMNS) <= set(drawn.columns)
    known = drawn.dropna(subset=["estimate"])
    assert (known[["estimate", "se"]].to_numpy() > 0.0).all()
    slack = lab.drawn["token_slack"]
    assert min(slack["slack"]) == pytest.approx(1.0)
    assert len(slack) == 4 * 3 * 4
    assert 1.0 < slack["constant"].iloc[0] < 5.0


def test_controls_have_their_exact_means_and_no_others() -> None:
    """B = 0.3 at 48 tokens, where every order counts; detects 15 to 65 % of the means."""
    found = divergences(World(48, 3, 0.3), [20, ENDLESS], 1, 1.0, 6000, width=4)
    centre = np.array(control.means(3, 0.3, 48))
    mean, error = sample_mean(found.controls)
    detects = centre[None] * np.array([[0.4, 0.4, 0.6, 0.65], [0.15, 0.2, 0.6, 0.65]])
    assert_mean(mean, error, np.zeros((2, 4)), detects=detects)
    with pytest.raises(Disagreement):
        assert_mean(mean, error, -detects, detects=detects)


def test_the_mean_of_the_second_layers_control_by_two_roads() -> None:
    """The part of equal tokens by quadrature of noncentral chi-square; at B = 0 k by Wishart's moments."""
    r, s = 3.0, 0.64
    q = ncx2(r, 9.0 * s)
    same = np.exp(6.0 * s) * q.expect(lambda x: x * (x - 1.0) ** 2)
    for d in (10, 1000):
        pairs = control.pairings(3, 0.8) * (1.0 - 1.0 / d) / (2.0 * d**2)
        found = control.means(3, 0.8, d).deeper
        assert found == pytest.approx(pairs + same / (2.0 * d**3), rel=1e-6)
    # E tr-type moment: E|Dg|^2 d^2 -> (r + 1) r with E D^2 = (r + 1) I/d and E gg' = I/d.
    assert control.pairings(3, 0.0) == pytest.approx(12.0)


def test_width_changes_nothing() -> None:
    plain, wide = (
        divergences(World(32, 2), [50, ENDLESS], 2, 1.0, 3, width=width) for width in (0, 5)
    )
    np.testing.assert_allclose(wide.layers, plain.layers, rtol=1e-9)
    np.testing.assert_allclose(wide.controls, plain.controls, rtol=1e-8, atol=1e-14)
    for width, likeliest in ((1, False), (5, True)):
        with pytest.raises(InputError, match="width is"):
            divergences(World(32, 2), [50], 1, 1.0, 3, width=width, likeliest=likeliest)


def test_tables_of_ones_own_are_used() -> None:
    def doubled(world: World, seed: int, replicate: int) -> np.ndarray:
        return 2.0 * embeddings(world, seed, replicate)

    own = divergences(World(32, 2, 0.5), [ENDLESS], 1, 1.0, 3, tables=doubled).layers
    assert (own != divergences(World(32, 2, 0.5), [ENDLESS], 1, 1.0, 3).layers).all()


def test_a_billion_seeds_draw_no_more_numbers_than_ten_thousand() -> None:
    """The cost of counts in random words, not in seconds: PCG64's state tells how far it was moved."""
    share = np.full(256, 1.0 / 256)
    words = {n: _words(generator(0, ["cost", n]), n, share) for n in (10**4, 10**6, 10**9)}
    assert 255 <= words[10**9] <= 1.5 * words[10**4] and words[10**9] < 256 * 8


def _words(random: np.random.Generator, n: int, share: np.ndarray) -> int:
    """How many 64-bit words one multinomial draw took: steps until a copy reaches the same state."""
    copy = type(random.bit_generator)()
    copy.state = random.bit_generator.state
    random.multinomial(n, share)
    target, count = random.bit_generator.state["state"]["state"], 0
    while copy.state["state"]["state"] != target:
        copy.random_raw()
        count += 1
        assert count < 10**5
    return count


def test_the_quadratic_form_takes_the_noise_off_likelihood() -> None:
    """Mean exactly 0, and what it leaves at 10^9 seeds is r/(2n) to a part in 10^5."""
    found = divergences(World(24, 3), [500, 10**9], 1, 1.0, 400, likeliest=True)
    law = np.array([3.0 / (2.0 * n) for n in (500, 10**9)])
    assert_mean(*sample_mean(found.quadratic), np.zeros(2), detects=0.5 * law)
    left = (found.likeliest - found.quadratic)[:, 1] / law[1]
    assert abs(left.mean() - 1.0) < 1e-5 < np.std(found.likeliest[:, 1] / law[1])


def test_the_control_of_the_predictive_has_mean_0() -> None:
    """At 16 tokens, where nothing is normal; two fifths of the divergence itself must not pass."""
    world, sizes = World(16, 2, 1.0), np.array([2.0, 40.0])
    found = []
    for r in range(4000):
        table, eta = embeddings(world, 3, r), bayes_divergences.latent(world, "gaussian", 3, r)
        law = np.exp(table @ eta)
        law /= law.sum()
        targets = seed_counts(law, [2, 40], 3, ["control", r]) / sizes[:, None] @ table
        found.append(bayes_divergences.control(table, law, eta, targets, sizes, 1.0))
    mean, error = sample_mean(np.array(found))
    expected = np.array([sharp.bayes(2, 1.0, n) for n in sizes])
    assert_mean(mean, error, np.zeros(2), detects=0.4 * expected)
    with pytest.raises(Disagreement):
        assert_mean(mean, error, 0.4 * expected, detects=0.4 * expected)


def test_tokens_without_seeds() -> None:
    """Inclusion and exclusion against the complement's sum for two tokens, and against draws."""
    assert histogram.unseen(np.array([0.3, 0.7]), 5) == pytest.approx(0.3**5 + 0.7**5)
    law = np.array([0.1, 0.2, 0.3, 0.4])
    counts = np.random.default_rng(0).multinomial(12, law, size=20_000)
    mean, error = sample_mean((counts == 0).any(axis=1).astype(float))
    expected = histogram.unseen(law, 12)
    assert_mean(mean, error, expected, detects=0.03)
    with pytest.raises(Disagreement):
        assert_mean(mean, error, 0.9 * expected, detects=0.03)
    with pytest.raises(InputError, match="17 tokens"):
        histogram.unseen(np.full(17, 1.0 / 17), 5)


def test_the_normal_limit_of_one_layer() -> None:
    """Quantiles against draws of g; one dimension against its closed form."""
    random = np.random.default_rng(1)
    g = random.standard_normal((200_000, 4))
    g[:, 0] *= (1.0 + 1.5**2) ** 0.5
    values = np.exp(1.5**2) * (g**2).sum(axis=1) / 2.0
    for share in (0.2, 0.5, 0.9):
        below = (values < sharp.normal_quantile(4, 1.5, 1.0, share)).mean()
        assert abs(below - share) < 6.0 * (share * (1.0 - share) / len(g)) ** 0.5
    one = sharp.normal_quantile(1, 1.0, 1.0, 0.5)
    assert one == pytest.approx(np.e * 2.0 * 0.45493642 / 2.0, rel=1e-6)


def test_the_median_and_its_error() -> None:
    values = np.random.default_rng(0).standard_normal((400, 301))
    found = np.array([breaks.median_se(each) for each in values])
    assert found[:, 1].mean() == pytest.approx(found[:, 0].std(), rel=0.15)


def made_up() -> pd.DataFrame:
    rows = []
    for panel, x in (("seeds", (1.0, 1e4)), ("vocabulary", (64.0, 4096.0)), ("layers", (1.0, 2.0))):
        for name in ("one", "two"):
            rows += [{"panel": panel, "series": name, "x": at, "predicted": 1.0 / at} for at in x]
            rows += [
                {"panel": panel, "series": name, "x": at, "estimate": 1.1 / at, "se": 0.1 / at}
                for at in x
            ]
    return pd.DataFrame(rows)


def test_every_series_has_a_line_and_points_in_its_panel() -> None:
    figure = token_kl.draw(made_up())
    assert [axes.get_title()[0] for axes in figure.axes] == ["a", "b", "c"]
    for axes in figure.axes:
        bars = [each for each in axes.containers if isinstance(each, ErrorbarContainer)]
        assert len(bars) == 2 and axes.get_yscale() == "log" and "nats" in axes.get_ylabel()
        laws = [line for line in axes.lines if line.get_linestyle() == "-" and len(line.get_path())]
        assert len([line for line in laws if line.get_marker() == "None"]) >= 2
        legend = axes.get_legend()
        assert legend is not None
        assert [text.get_text() for text in legend.get_texts()] == ["one", "two"]
    assert figure.axes[2].get_xscale() == "linear" and figure.axes[0].get_xscale() == "log"
    with pytest.raises(ValueError, match="missing here: se"):
        token_kl.draw(made_up().drop(columns="se"))


def test_the_map_writes_its_slack_and_puts_endless_seeds_last() -> None:
    rows = [
        {"layers": layer, "d": d, "n": n, "slack": layer * d / 64.0 + n / 100.0, "constant": 2.5}
        for layer in (1, 2)
        for d in (64, 256)
        for n in (0, 100)
    ]
    figure = token_slack.draw(pd.DataFrame(rows))
    first = figure.axes[0]
    assert [text.get_text() for text in first.get_xticklabels()] == ["10²", "∞"]
    assert {text.get_text() for text in first.texts} == {"1", "2", "4", "5"}
    assert figure.get_suptitle().endswith("C = 2.5")
    assert figure.axes[-1].get_ylabel() == "slack: bound / divergence"


def test_a_run_folder_shows_both(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "verdicts.json").write_text('{"claims": []}')
    made_up().to_csv(tmp_path / "tables/token_kl.csv", index=False)
    written = figures.render("token_kl", tmp_path)
    assert {path.stem for path in written} == {"token_kl"}
    assert len(tidy.read_table(tmp_path / "tables/token_kl.csv")) == 24
