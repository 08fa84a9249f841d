"""The paper page: from a made-up folder of the same columns, and from the published one."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import figures
from synthlaw.cli import main
from synthlaw.verifying.published import LARGE, LARGE_SEEDS, SMALL, SMALL_SEEDS, read
from synthlaw.verifying.published_page import LEFT_OUT, page
from synthlaw.verifying.published_tables import tables
from synthlaw.verifying.verification import verify

DATA = Path(__file__).parents[2] / "shared" / "data"
CLAIM = "imbalance-log-odds"
ADDED = np.arange(0, 4000, 400)


def folder(root: Path) -> Path:
    """A folder with two curves of each kind, drawn from a law with exponent 1/2 and floor 0.2."""
    random = np.random.default_rng(0)
    (root / "opal").mkdir(parents=True)
    (root / "scaling_law").mkdir()
    shared = {"dataset": "toy", "task": "imbalanced"}
    large, seeds, small, small_seeds = [], [], [], []

    def law(x: float) -> float:
        return 0.2 + 20.0 * x**-0.5

    for classifier in ("log", "rf"):
        for added in ADDED:
            mean = np.log(law(1800 + 0.5 * added)) + 0.003 * random.normal()
            common = {**shared, "experiment": "vary_additional", "classifier": classifier}
            common |= {"method": "m", "arm": "balance_augment", "seed_or_mean": "mean"}
            for metric in ("balanced_log_cross", "balanced"):
                row = {**common, "n_added": added, "metric": metric, "value": mean, "std": 0.006}
                large.append(row)
        large.append({**common, "arm": "train_all", "n_added": -1, "metric": "balanced_log_cross"})
        for added in (*ADDED, 7200, 14400):
            for seed in range(5):
                value = law(1800 + 0.5 * added) * (1.0 + 0.005 * random.normal())
                row = {**shared, "classifier": classifier, "seed": seed, "n_added": added}
                seeds.append({**row, "balanced_ce": value})
        for added in range(0, 120, 20):
            common = {**shared, "classifier": classifier, "method": "smote"}
            row = {**common, "seed_or_mean": "mean", "n_added": added, "metric": "overall_error"}
            row |= {"value": 0.2 + (added + 100.0) ** -0.5, "std": 0.01, "source": "results"}
            small.append({**row, "status": "reproduced_exactly"})
            small.append({**row, "source": "perform", "status": "reproduced_exactly"})
            small.append({**row, "metric": "gap", "value": 9.0, "status": "stale_file_do_not_use"})
        for added in range(0, 220, 20):
            for seed in range(5):
                row = {**common, "seed": seed, "n_added": added, "n_train": 100 + added}
                value = 0.2 + (added + 100.0) ** -0.5 + 0.002 * random.normal()
                # One seed has no more than 180 rows.
                small_seeds.append(
                    {**row, "bal_err": np.nan if seed == 4 and added > 180 else value}
                )
    for name, rows in (
        (LARGE, large),
        (LARGE_SEEDS, seeds),
        (SMALL, small),
        (SMALL_SEEDS, small_seeds),
    ):
        pd.DataFrame(rows).to_csv(root / name, index=False)
    return root


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(tmp_path_factory.mktemp("published") / "data")


@pytest.fixture(scope="module")
def run(made_up: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    verify(claims=[CLAIM], out=out, published=made_up)
    return out


def test_curves_are_read_once_and_without_what_is_stale(made_up: Path) -> None:
    found = read(made_up)
    assert len(found.large) == 2 * len(ADDED)
    assert found.large.x.min() == 1800.0 and found.large.x.max() == 1800.0 + 0.5 * 3600
    # What is stored is the logarithm, with its standard deviation over five seeds.
    assert found.large.y.between(0.5, 0.7).all()
    assert np.allclose(found.large.se / found.large.y, 0.006 / np.sqrt(5))
    assert found.small.curve.nunique() == 2 and len(found.small) == 12
    assert set(found.small_longer.n_added) == set(range(0, 200, 20))


def test_the_floor_is_found_in_the_effective_count_only(made_up: Path) -> None:
    """The law's exponent 1/2 lies in the interval of the effective count; a log-log line in the added
    rows is far below it, with next to no residual."""
    fits = tables(read(made_up))["fits"]
    rows = fits[(fits.set == "large") & (fits.abscissa == "effective")]
    assert ((rows.exponent_low < 0.5) & (rows.exponent_high > 0.5)).all()
    lines = fits[(fits.set == "large") & (fits.abscissa == "N")]
    assert (lines.loglog_slope < 0.1).all() and (lines.loglog_r2 > 0.9).all()


def test_the_page_is_in_the_report_with_its_tables(run: Path) -> None:
    for name in ("points", "fits", "forecasts"):
        assert (run / "tables" / f"published_{name}.csv").is_file()
    text = (run / "report.html").read_text()
    assert "Published curves, refitted" in text and LEFT_OUT not in text
    assert (
        text.count('role="img"') >= 4
        and "http" not in text.split('id="Published"')[1].split("</section>")[0]
    )
    found = page(run)
    assert found is not None
    assert any("of 2 small curves" in each for each in found.paragraphs)
    # The pictures can be made again from the tables alone.
    assert len(figures.render("published_forecasts", run)) == 2


def test_without_a_folder_the_report_says_so_and_nothing_old_stays(
    run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    for kind in ("tables", "figures"):
        (out / kind).mkdir(parents=True)
        for path in (run / kind).glob("published_*"):
            (out / kind / path.name).write_bytes(path.read_bytes())
    verify(claims=[CLAIM], out=out)
    assert LEFT_OUT in (out / "report.html").read_text()
    assert not list(out.glob("*/published_*"))
    assert page(out) is None


def test_bad_folders_are_refused_before_anything_is_computed(
    made_up: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = ["verify", "--claim", CLAIM, "--out", str(out), "--published"]
    with pytest.raises(SystemExit) as left:
        main([*command, str(tmp_path / "nowhere")])
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert SMALL in said and said.count("\n") == 1 and not out.exists()
    bad = tmp_path / "bad"
    for path in made_up.rglob("*.csv"):
        target = bad / path.relative_to(made_up)
        target.parent.mkdir(parents=True, exist_ok=True)
        table = pd.read_csv(path)
        table.drop(columns="std", errors="ignore").to_csv(target, index=False)
    with pytest.raises(ValueError, match="lacks the column std"):
        read(bad)
    table = pd.read_csv(made_up / LARGE)
    for path in made_up.rglob("*.csv"):
        (bad / path.relative_to(made_up)).write_bytes(path.read_bytes())
    table.assign(value="x").to_csv(bad / LARGE, index=False)
    with pytest.raises(ValueError, match="value holds text"):
        read(bad)


@pytest.mark.published
@pytest.mark.skipif(not DATA.is_dir(), reason="the published curves are not at hand")
def test_the_published_folder() -> None:
    """Counts that the data's description gives, and what identifies an exponent."""
    found = read(DATA)
    assert found.large.curve.nunique() == 30 and found.longer.curve.nunique() == 12
    assert found.small.curve.nunique() == 54
    kept = found._replace(small_longer=found.small_longer[:0], longer=found.longer[:0])
    fits: Any = tables(kept)["fits"]
    small = fits[fits.set == "small"]
    assert small.identified.sum() <= 4
    large = fits[fits.set == "large"]
    assert 5 <= large[large.abscissa == "effective"].identified.sum() <= 16
