from __future__ import annotations

import json
import time

import duckdb
import pandas as pd
import pytest
from study_fixture import write_study

import scenarios
from agents.registry import kinds
from sim.cli import main
from sim.studies.cases import cases, short_names
from sim.studies.comparing import compare, paired_runs, parameter_differences
from sim.studies.day_one import day_one
from sim.studies.errors import StudyError
from sim.studies.gate import judge
from sim.studies.reading import open_study
from sim.studies.summary import summarise

THRESHOLD = "pool.reserves.WETH.liquidation_threshold"
ASSUMED = ("outside.depth_floor", "gas.offer_margin_ratio")


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """Three thresholds of the cascade by hand, 80 seeds each, with the runs' own folders."""
    points = [{}, {THRESHOLD: 0.78}, {THRESHOLD: 0.82}]
    folder = tmp_path_factory.mktemp("grid") / "study [1]"
    return write_study(folder, 80, points=points, shifts=(0.0, -0.2, 0.2), failed=(3,), members=True)


@pytest.fixture(scope="module")
def banded(tmp_path_factory):
    """One case with four sets of assumptions beside it."""
    points = [{}, *({ASSUMED[0]: 0.2 + 0.1 * k, ASSUMED[1]: 0.1 * k} for k in range(4))]
    return write_study(
        tmp_path_factory.mktemp("banded") / "study", points=points, shifts=(0, 0.5, -0.5, 0.1, 0.2), assumed=ASSUMED
    )


# ---------------------------------------------------------------------- tables and SQL
def test_tables_are_data_frames(grid):
    study = open_study(grid)
    assert len(study.runs) == 240
    assert len(study.done) == 239
    assert len(study.point(0)) == 79
    assert study.varied == [THRESHOLD]
    assert study.changes(0) == {}
    assert study.changes(2) == {THRESHOLD: 0.82}
    assert "deficit_usd" in study.outcomes
    assert "wall_seconds" not in study.outcomes
    assert list(study.fan("liquidated_usd").columns) == ["step", "seconds", "n", "0.05", "0.25", "0.5", "0.75", "0.95"]


def test_sql_over_all_runs_numbers_them(grid):
    study = open_study(grid)
    found = study.sql("select run, sum(liquidated_usd) as usd from metrics group by run order by run")
    assert found["run"].tolist() == list(range(240))
    assert found["usd"].tolist() == [run + 1.0 for run in range(240)]
    joined = study.sql(
        'select point, count(*) as n from runs join metrics using (run) where "utilisation.USDC" is null group by 1'
    )
    assert joined["n"].tolist() == [120, 120, 120]


def test_plain_duckdb_and_pandas_give_the_same(grid):
    own = open_study(grid).sql("select avg(liquidated_usd) as usd from runs where state = 'done'")["usd"][0]
    file = str(grid / "runs.parquet").replace("[", "[[]")
    plain = duckdb.sql(f"select avg(liquidated_usd) as usd from '{file}' where state = 'done'").df()["usd"][0]
    frame = pd.read_parquet(grid / "runs.parquet")
    assert own == pytest.approx(plain)
    assert own == pytest.approx(frame[frame.state == "done"].liquidated_usd.mean())


def test_a_wrong_query_tells_the_views(grid):
    with pytest.raises(StudyError, match="views: runs, fans, metrics"):
        open_study(grid).sql("select * from nowhere")


def test_a_damaged_file_is_named(tmp_path):
    folder = write_study(tmp_path / "s", 12, members=True)
    cut = folder / "runs" / "000007" / "metrics.parquet"
    cut.write_bytes(cut.read_bytes()[:-40])
    with pytest.raises(StudyError, match=r"000007.metrics\.parquet") as error:
        open_study(folder).sql("select count(*) from metrics")
    assert "--resume" in str(error.value)
    (folder / "runs.parquet").write_bytes(b"PAR1")
    with pytest.raises(StudyError, match=r"runs\.parquet"):
        _ = open_study(folder).runs
    (folder / "runs.parquet").unlink()
    with pytest.raises(StudyError, match="is not there"):
        _ = open_study(folder).runs


def test_what_is_no_study_is_refused(tmp_path, grid):
    with pytest.raises(StudyError, match="does not exist"):
        open_study(tmp_path / "nothing")
    with pytest.raises(StudyError, match=r"no manifest\.json"):
        open_study(tmp_path)
    with pytest.raises(StudyError, match="holds a run, not a study"):
        open_study(grid / "runs" / "000000")
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(StudyError, match="damaged"):
        open_study(tmp_path)
    with pytest.raises(StudyError, match="0 to 2"):
        open_study(grid).point(3)
    with pytest.raises(StudyError, match="base_fee_gwei"):
        open_study(grid).fan("price")


def test_a_study_of_a_thousand_runs_opens_and_draws_a_fan_in_three_seconds(tmp_path):
    folder = write_study(tmp_path / "s", 1_000)
    from sim.results.report.drawing import svg
    from sim.studies.report.figures import fan_figure

    svg(fan_figure(open_study(folder), "utilisation.USDC").draw(820), "warm")
    began = time.process_time()
    drawn = svg(fan_figure(open_study(folder), "utilisation.USDC").draw(820), "fan")
    assert time.process_time() - began < 3.0
    assert drawn.startswith("<svg")


# ---------------------------------------------------------------------- cases and summary
def test_points_with_other_assumptions_stand_beside_their_case(grid, banded):
    assert [(case.central, case.band) for case in cases(open_study(banded))] == [(0, (1, 2, 3, 4))]
    assert [(case.central, case.band) for case in cases(open_study(grid))] == [(0, ()), (1, ()), (2, ())]
    assert cases(open_study(grid))[1].words == f"{THRESHOLD} = 0.78"
    assert cases(open_study(grid))[1].short == "liquidation_threshold = 0.78"


def test_the_headline_says_chance_and_size_with_intervals(grid):
    summary = summarise(grid)
    assert "A deficit was left in" in summary.headline
    assert "of 79 runs (95 % interval" in summary.headline
    assert "1 run of 240 failed or missing" in summary.headline
    risk = summary.values["measures"]["var95(deficit_usd)"]
    assert risk["low"] <= risk["value"] <= risk["high"]
    assert risk["n"] == 79
    assert summary.values["measures"]["es95(deficit_usd)"]["value"] is None
    assert "1000 runs" in summary.section("measures").note
    assert [row[0] for row in summary.section("cases").rows] == ["0", "1", "2"]
    json.dumps(summary.to_json(), allow_nan=False)


def test_no_deficit_seen_is_not_no_risk(tmp_path):
    headline = summarise(write_study(tmp_path / "s", 100, quiet=True)).headline
    assert headline.startswith("None of 100 runs left a deficit: the chance of one is below 3.6 %")


def test_the_assumption_band_encloses_the_value(banded):
    summary = summarise(banded)
    one = summary.values["measures"]["mean(deficit_usd)"]
    band = one["assumption_band"]
    assert band["points"] == 5
    assert band["low"] < one["value"] < band["high"]
    assert band["high"] / band["low"] == pytest.approx(2.718, abs=0.01)  # shifts from -0.5 to 0.5
    assert "other assumptions move it between" in summary.headline
    assert "Assumption band" in summary.section("measures").headers


def test_a_study_without_a_finished_run_says_so(tmp_path):
    summary = summarise(write_study(tmp_path / "s", 12, failed=range(12)))
    assert summary.headline == "No run has ended well; 12 runs failed or missing."


# ---------------------------------------------------------------------- comparison
def test_a_study_against_itself_differs_by_exactly_nothing(grid):
    study = open_study(grid)
    summary = compare(study, study, books=False)
    assert summary.values["parameters"] == []
    for row in summary.values["differences"]:
        if row["difference"]["value"] is not None:
            assert [row["difference"][end] for end in ("value", "low", "high")] == [0.0, 0.0, 0.0]
    assert "the deficit is the same in every pair" in summary.headline


def test_only_what_differs_is_listed_and_only_shared_seeds_are_compared(grid):
    study = open_study(grid)
    summary = compare(study, study, (0, 1), books=False)
    assert summary.values["parameters"] == [{"field": THRESHOLD, "first": 0.8, "second": 0.78}]
    assert summary.values["pairs"] == 79
    assert "Left out: 0 runs of the first and 1 of the second" in summary.section("differences").note
    liquidated = next(row for row in summary.values["differences"] if row["outcome"] == "liquidated_usd")
    assert liquidated["difference"]["high"] < 0.0
    assert liquidated["share_of_seeds_better"]["value"] == 1.0


def test_studies_without_a_common_seed_cannot_be_compared(grid, tmp_path):
    other = write_study(tmp_path / "s", 10)
    runs = pd.read_parquet(other / "runs.parquet")
    runs["seed"] += 1_000
    runs.to_parquet(other / "runs.parquet")
    with pytest.raises(StudyError, match="no seed in common"):
        paired_runs(open_study(grid), open_study(other), (0, 0))


def test_parameters_are_compared_leaf_by_leaf():
    a = {"name": "a", "pool": {"x": 1, "y": {"z": 2}}, "source": "s"}
    b = {"name": "b", "pool": {"x": 1, "y": {"z": 3}, "w": 4}, "source": "t"}
    assert parameter_differences(a, b) == [("pool.y.z", 2, 3), ("pool.w", None, 4)]


def test_day_one_counts_what_the_terms_alone_put_under_one():
    # Health factors of the three at 1,000 USD and a threshold of 0.80: 1.0417, 1.0638, 1.1111. At 0.76: 0.9896, 1.011,
    # 1.056; at 0.74: 0.9635, 0.984, 1.028.
    book = scenarios.load("cascade-by-hand", {}, kinds())
    by_terms = {
        threshold: day_one(book, scenarios.load("cascade-by-hand", {THRESHOLD: threshold}, kinds()), 1)
        for threshold in (0.80, 0.76, 0.755)
    }
    assert by_terms[0.80].newly_accounts == 0
    assert (by_terms[0.76].newly_accounts, by_terms[0.76].newly_debt_usd) == (1, pytest.approx(76_800.0))
    assert by_terms[0.755].newly_accounts == 1
    low = scenarios.load("cascade-by-hand", {THRESHOLD: 0.74, "pool.reserves.WETH.ltv": 0.7}, kinds())
    assert day_one(book, low, 1).newly_accounts == 2
    assert day_one(low, book, 1).healed_accounts == 2


def test_compare_builds_the_books_of_both(grid):
    study = open_study(grid)
    opened = compare(study, study, (2, 0)).values["day_one"]
    assert opened["first_under_second"]["newly_accounts"] == 0


# ---------------------------------------------------------------------- gate
def test_a_gate_fails_if_the_condition_holds_in_some_case(grid):
    study = open_study(grid)
    means = [study.point(point)["liquidated_usd"].mean() for point in range(3)]
    condition = f"mean(liquidated_usd) > {1.02 * means[0]}"
    assert means[2] > 1.1 * means[0]
    verdicts = judge(study, [condition])
    assert [verdict.holds for verdict in verdicts] == [False, False, True]
    cautious = judge(study, [condition], cautious=True)
    assert [verdict.holds for verdict in cautious] == [True, False, True]
    assert "leaves it open" in cautious[0].words


def test_gate_commands_end_with_four_zero_or_an_error(grid, capsys):
    assert main(["gate", str(grid), "--fail-if", "mean(liquidated_usd) > 1"]) == 4
    assert capsys.readouterr().out.startswith("failed\nmean(liquidated_usd) > 1 holds")
    assert main(["gate", str(grid), "--fail-if", "mean(liquidated_usd) > 1e12", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["failed"] is False
    assert main(["gate", str(grid), "--fail-if", "var99(deficit_usd) > 1"]) == 65
    assert "368" in capsys.readouterr().err
    assert main(["gate", str(grid), "--fail-if", "var95(defict_usd) > 1"]) == 65
    assert "Meant deficit_usd?" in capsys.readouterr().err


# ---------------------------------------------------------------------- commands
def test_summary_and_compare_print_words_or_json(grid, capsys):
    assert main(["summary", str(grid)]) == 0
    assert "Chance of any deficit" in capsys.readouterr().out
    assert main(["summary", str(grid), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["study"]["done"] == 239
    assert main(["compare", str(grid), str(grid), "--points", "0,1"]) == 0
    printed = capsys.readouterr().out
    assert "Parameters that differ" in printed
    assert "What the change alone makes liquidatable" in printed
    assert main(["compare", str(grid), str(grid), "--points", "0"]) == 65
    assert "0,3" in capsys.readouterr().err
    assert main(["summary", str(grid / "runs")]) == 65
    assert "no manifest.json" in capsys.readouterr().err


def test_short_names_still_tell_fields_apart():
    assert short_names(["a.b.x", "a.c.x", "d.y"]) == {"a.b.x": "b.x", "a.c.x": "c.x", "d.y": "y"}
    assert short_names(["x", "a.x"]) == {"x": "x", "a.x": "a.x"}
