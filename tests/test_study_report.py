from __future__ import annotations

import math
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from study_fixture import write_study
from test_readme import blocks, run_line

from sim.cli import main
from sim.results.report import drawing
from sim.studies.cases import cases
from sim.studies.findings import AGAINST, AS_EXPECTED, OPEN, effects_by_seed, findings
from sim.studies.reading import open_study
from sim.studies.report import write_report
from sim.studies.report.figures import binned, distribution_figure, fan_metrics, figures, main_loss, risk_lines
from sim.studies.report.page import html
from sim.studies.statistics import value_at_risk

THRESHOLD = "pool.reserves.WETH.liquidation_threshold"
LATENCY = "populations.liquidator.latency_blocks_median"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four points on 100 seeds: thresholds with their expected direction, latency against it."""
    points = [{}, {THRESHOLD: 0.78}, {THRESHOLD: 0.82}, {LATENCY: 5.0}]
    return write_study(tmp_path_factory.mktemp("report") / "s", 100, points=points, shifts=(0, -0.2, 0.2, -0.3))


@pytest.fixture(scope="module")
def page(folder):
    return write_report(folder).read_text(encoding="utf-8")


@pytest.fixture
def undrawn(monkeypatch):
    """Pages without their charts, which take long to draw."""
    monkeypatch.setattr(drawing, "pair", lambda _draw, key: (f"<svg id={key}-w></svg>", f"<svg id={key}-n></svg>"))


# ---------------------------------------------------------------------- the page
def test_the_page_has_fans_distribution_convergence_cases_and_findings(page):
    ids = re.findall(r'<figure id="([\w-]+)"', page)
    assert ids[:4] == ["distribution", "convergence-var95", "convergence-mean", "cases"]
    assert {"fan-liquidated-usd", "fan-utilisation-USDC", "fan-oracle-usd-WETH"} <= set(ids)
    headings = re.findall(r"<h2>([^<]*)</h2>", page)
    assert {"Findings", "The deficit, case by case", "All figures", "Parameters", "How this was made"} <= set(headings)


def test_the_page_needs_nothing_from_outside_and_every_tag_is_closed(page):
    assert not re.findall(r"""(?:src|href)=["'](?!#)""", page)
    assert "<script" not in page
    assert "http" not in re.sub(r'xmlns="[^"]*"', "", page)
    assert 'name="viewport"' in page
    balance: dict[str, int] = {}

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attrs):
            balance[tag] = balance.get(tag, 0) + 1

        def handle_endtag(self, tag):
            balance[tag] = balance.get(tag, 0) - 1

    Tags().feed(page)
    assert {tag for tag, left in balance.items() if left} <= {"meta", "br"}


def test_findings_against_expectation_are_red_and_others_are_not(page):
    table = page[page.index("<h2>Findings</h2>") : page.index("The deficit, case by case")]
    rows = re.findall(r"<tr( class=against)?><td>([^<]*)</td>", table)
    told = {(bool(red), field.split(" ")[0]) for red, field in rows}
    assert (True, LATENCY) in told
    assert (False, LATENCY) not in told
    assert (False, THRESHOLD) in told


def test_no_text_in_a_figure_is_cut_or_not_a_number(page):
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", page)
    assert len(texts) > 100
    assert not [text for text in texts if "NaN" in text or "undefined" in text]


def test_the_command_writes_a_report_of_a_study_too(folder, undrawn, page, capsys):
    assert main(["report", str(folder)]) == 0
    assert capsys.readouterr().out.strip() == str(folder / "report.html")


def test_studies_with_little_to_show_have_a_page_as_well(tmp_path, undrawn):
    quiet = html(open_study(write_study(tmp_path / "quiet", 40, quiet=True, failed=(1, 2))))
    assert "The loss of borrowers to liquidation of 38" in quiet.replace("\N{NO-BREAK SPACE}", " ")
    assert "Runs that did not end well" in quiet
    none = html(open_study(write_study(tmp_path / "none", 4, failed=range(4))))
    assert "No run has ended well" in none
    few = html(open_study(write_study(tmp_path / "few", 3)))
    assert "Debt liquidated" in few


def test_cards_carry_the_assumption_band(tmp_path, undrawn):
    points = [{}, {"outside.depth_floor": 0.2}, {"outside.depth_floor": 0.3}]
    folder = write_study(tmp_path / "s", 80, points=points, shifts=(0, 0.4, -0.4), assumed=["outside.depth_floor"])
    assert "with other assumptions $" in html(open_study(folder))


# ---------------------------------------------------------------------- figures
def test_every_figure_is_drawn_wide_and_narrow(folder, page):
    study = open_study(folder)
    assert page.count("<svg") == 2 * len(figures(study, cases(study)))


def test_fans_of_what_does_not_move_are_left_out(folder):
    study = open_study(folder)
    study.fans.loc[study.fans["metric"] == "base_fee_gwei", "value"] = 7.0
    assert "base_fee_gwei" not in fan_metrics(study, 0)
    assert "liquidatable_usd" in fan_metrics(study, 0)


def test_the_main_loss_is_the_first_that_any_run_has():
    runs = pd.DataFrame({"deficit_usd": [0.0, 0.0], "bad_debt_usd": [np.nan, 1.0], "liquidated_usd": [5.0, 6.0]})
    assert main_loss(runs) == "bad_debt_usd"
    assert main_loss(runs[["deficit_usd"]]) is None
    assert distribution_figure(runs[["deficit_usd"]]) is None


def test_every_loss_falls_into_one_bar():
    losses = np.exp(np.linspace(0.0, 9.0, 500))
    for log in (True, False):
        bars = binned(losses, log)
        assert bars["count"].sum() == 500
        assert len(bars) <= 40
    ratio = (bars := binned(losses, True))["high"] / bars["low"]
    assert ratio.max() == pytest.approx(ratio.min())
    assert binned(np.array([3.0]), False)["count"].tolist() == [1]


def test_risk_lines_are_the_statistics():
    losses = np.arange(1.0, 501.0)
    lines = risk_lines(losses, "deficit_usd", log=False).set_index("series")
    found = value_at_risk(losses)
    row = lines.loc["VaR 95 %: $475"]
    assert (row["value"], row["low"], row["high"]) == (found.value, found.low, found.high)
    assert not any(name.startswith("expected") for name in lines.index)
    assert len(risk_lines(np.append(np.zeros(499), 5.0), "deficit_usd", log=True)) == 1


# ---------------------------------------------------------------------- findings
def done(effect: float, noise: float, seeds: int = 60) -> tuple[pd.DataFrame, dict[int, float]]:
    """A plane: outcome = seed + effect · x + noise, at x = 0, 1, 2."""
    rows = [
        {
            "point": point,
            "seed": seed,
            "loss": 10.0 * seed + effect * point + noise * math.sin(7.0 * seed + 3.0 * point),
        }
        for seed in range(seeds)
        for point in range(3)
    ]
    return pd.DataFrame(rows), {0: 0.0, 1: 1.0, 2: 2.0}


def test_effects_are_slopes_times_the_range_seed_by_seed():
    runs, values = done(3.0, 0.0)
    assert effects_by_seed(runs, values, "loss").tolist() == pytest.approx([6.0] * 60)
    assert len(effects_by_seed(runs[runs["point"] != 1], {0: 0.0, 2: 2.0}, "loss")) == 60
    runs.loc[0, "loss"] = np.nan
    assert len(effects_by_seed(runs, values, "loss")) == 59
    assert len(effects_by_seed(runs, {0: 1.0, 1: 1.0}, "loss")) == 0


def test_verdicts_follow_from_the_interval(folder):
    found = {(one.field, one.expectation.outcome): one for one in findings(open_study(folder))}
    assert found[THRESHOLD, "deficit_usd"].verdict == AS_EXPECTED
    assert found[THRESHOLD, "liquidated_usd"].verdict == AGAINST
    assert found[LATENCY, "deficit_usd"].verdict == AGAINST
    assert found[THRESHOLD, "deficit_usd"].low == 0.78
    assert found[LATENCY, "deficit_usd"].low == 0.0  # the scenario's own value
    share = found[THRESHOLD, "liquidated_usd"].share
    assert (share.value, share.n) == (0.0, 100)
    assert found[LATENCY, "deficit_usd"].to_json()["verdict"] == AGAINST


def test_what_chance_can_explain_is_not_decided(tmp_path):
    folder = write_study(tmp_path / "s", 30, points=[{}, {LATENCY: 5.0}])
    assert {one.verdict for one in findings(open_study(folder))} == {OPEN}
    assert findings(open_study(write_study(tmp_path / "one", 30))) == []


# ---------------------------------------------------------------------- the page of documentation
def test_every_block_of_the_page_runs(tmp_path, undrawn, monkeypatch, capsys):
    points = [{}, {THRESHOLD: 0.78}]
    folder = write_study(tmp_path / "out" / "demo-study", 80, points=points, members=True)
    for file in (folder / "runs").glob("*/metrics.parquet"):
        table = pd.read_parquet(file)
        table.assign(liquidatable_usd=1.0).to_parquet(file, index=False)
    monkeypatch.chdir(tmp_path)
    found = blocks("docs/studies-statistics.md")
    assert [language for language, _ in found] == ["sh", "python", "sql", "sql", "python"]
    for language, text in found:
        if language == "sh":
            for line in text.splitlines():
                run_line(line)
        elif language == "python":
            exec(compile(text, "block", "exec"), {})
        else:
            import duckdb

            assert duckdb.sql(text).fetchall()
    assert "passed" in capsys.readouterr().out


def test_the_readmes_figures_are_those_of_the_summary(folder):
    from sim.cli.documentation import study_in_short
    from sim.studies.summary import summarise

    shown = study_in_short(folder)
    assert " ".join(shown.split()).startswith(f"```text {summarise(folder).headline} Measure Value 95 % interval")
    assert not re.search(r"(?m)^Deficit, 99 %", shown)  # refused: takes 368 runs
