from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from results_fixture import sample, write_sample

from sim.results import ResultsError, load, new_manifest, summarise, write_picture, write_report, write_run
from sim.results.report import charts, drawing, frames, style
from sim.results.report.drawing import svg
from sim.results.report.figure import Source, source_of
from sim.results.report.figures import figures, shown_assets
from sim.results.report.ladder import ladder
from sim.results.report.parameters import parameters, shown
from sim.results.report.thinning import thin


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return load(write_sample(tmp_path_factory.mktemp("report") / "run"))


@pytest.fixture(scope="module")
def source(run):
    return source_of(run, summarise(run).values)


@pytest.fixture(scope="module")
def found(source):
    return {figure.key: figure for figure in figures(source)}


@pytest.fixture(scope="module")
def page(run):
    return write_report(run.folder).read_text(encoding="utf-8")


@pytest.fixture
def undrawn(monkeypatch):
    """The page without its charts, which take long to draw."""
    monkeypatch.setattr(drawing, "pair", lambda _draw, key: (f"<svg id={key}-w></svg>", f"<svg id={key}-n></svg>"))


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.starts, self.ids, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.starts.append((tag, dict(attributes)))
        self.ids += [value for name, value in attributes if name == "id"]

    def handle_data(self, data):
        self.words.append(data)


# -- the page -------------------------------------------------------------------------------------------------------


def test_the_page_needs_nothing_else(page):
    tags = Tags(page)
    names = {tag for tag, _ in tags.starts}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "form"}
    assert not [value for _, attributes in tags.starts for name, value in attributes.items() if name in ("src", "href")]
    assert "@import" not in page
    assert not re.findall(r"url\((?!#)", page)
    assert len(page) < 3_000_000


def test_identifiers_are_used_once_and_all_references_resolve(page):
    ids = Tags(page).ids
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(ids)


def test_every_figure_is_drawn_twice_and_says_what_it_found(page, found):
    assert page.count("<svg") == 2 * len(found)
    text = "".join(Tags(page).words).replace("\N{NO-BREAK SPACE}", " ")
    for figure in found.values():
        assert figure.title in text
        assert figure.caption in text
        assert not figure.title[0].islower()
    assert "WETH fell 23.2 % as the scenario asks" in text
    assert "crash-sample · one run · seed 7 · undertow 0.1.0" in text
    assert "Model output, not advice" in text
    assert "The largest liquidations" in text


def test_the_page_says_what_is_set_and_what_is_assumed(page):
    text = re.sub(r"<[^>]+>", "|", page)
    assert re.search(r"populations\.holders\.count\|+240\|+overridden", text)
    assert re.search(r"outside\.fast_seconds\|+120\|+s\|+default\|+fitted to the square-root law", text)
    assert "All resolved parameters" in text


def test_no_path_of_this_machine_is_in_the_page(page, run):
    assert str(run.folder) not in page
    assert str(Path.home()) + "/" not in page


def test_text_from_a_scenario_cannot_become_markup(tmp_path, undrawn):
    tables, manifest = sample(steps=40, accounts=5)
    evil = '<script>alert("x")</script>'
    scenario = manifest["scenario"] | {"why": evil, "source": evil}
    manifest = manifest | {"title": evil, "name": evil, "command": [evil], "scenario": scenario, "state": evil}
    write_run(tmp_path / "run", tables=tables, manifest=manifest, scenario_toml="", state="interrupted")
    written = json.loads((tmp_path / "run" / "manifest.json").read_text())
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(written | {"state": evil}))
    text = write_report(tmp_path / "run").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "This run is" in text


def test_a_calm_run_says_that_nobody_was_liquidated(tmp_path, undrawn):
    text = write_report(write_sample(tmp_path / "run", calm=True, steps=120), tmp_path / "calm.html").read_text()
    assert re.search(r"No liquidation in this run\. The lowest health factor in the snapshots was \d\.\d{3}\.", text)
    assert "largest liquidations" not in text
    assert not (tmp_path / "run" / "report.html").exists()


@pytest.mark.parametrize(
    "metrics",
    [
        {"step": []},
        {"step": [0]},
        {"step": [0, 1], "timestamp": [10, 22], "exogenous_usd.A": [1.0, 2.0]},
        {
            "step": [0, 1],
            "timestamp": [10, 22],
            "exogenous_usd.WETH": [None, None],
            "oracle_usd.WETH": [2.0, None],
            "utilisation.WETH": [None, 0.5],
            "borrow_rate.WETH": [None, None],
            "base_fee_gwei": [None, None],
            "liquidatable_usd": [None, None],
            "waiting_withdrawals_usd": [None, None],
            "deficit.WETH": [None, None],
            "solvency_gap.WETH": [None, None],
        },
    ],
)
def test_a_report_of_almost_nothing(tmp_path, metrics):
    manifest = new_manifest({"name": "bare"}, 1)
    write_run(tmp_path / "run", tables={"metrics": metrics}, manifest=manifest, scenario_toml="")
    assert "bare · one run" in write_report(tmp_path / "run").read_text()


def test_a_report_without_events_positions_and_agents(tmp_path, undrawn):
    tables, manifest = sample(steps=120)
    write_run(tmp_path / "run", tables={"metrics": tables["metrics"]}, manifest=manifest, scenario_toml="")
    text = write_report(tmp_path / "run").read_text(encoding="utf-8")
    assert "largest liquidations" not in text
    assert "utilisation" in text


def test_many_reserves_are_drawn_as_far_as_colours_go(undrawn):
    n, reserves = 900, [f"R{k}" for k in range(20)]
    metrics = {"step": list(range(n)), "timestamp": list(range(0, 12 * n, 12))}
    for place, name in enumerate(reserves):
        metrics |= {f"utilisation.{name}": [0.1 + 0.04 * place] * n, f"borrow_rate.{name}": [0.01 * place] * n}
        metrics |= {f"deficit.{name}": [1.0] * n, f"oracle_usd.{name}": [2.0] * n}
    held = pd.DataFrame(metrics)
    values = summarise({"metrics": metrics}, {"name": "many"}).values
    empty = pd.DataFrame()
    made = {one.key: one for one in figures(Source(held, empty, empty, empty, {}, values))}
    assert made["utilisation"].title == "R19 reached 86.0 % utilisation"
    assert set(made["utilisation"].data["series"]) == set(reserves[12:])
    assert made["rates"].caption == "Variable borrow rate per year. Drawn: the 8 highest of 20 reserves."
    for figure in made.values():
        assert len(figure.data) <= 5000
        figure.draw(820).to_dict()


def test_errors_name_the_place(tmp_path, run, undrawn):
    with pytest.raises(ResultsError, match=r"no manifest\.json"):
        write_report(tmp_path)
    with pytest.raises(ResultsError, match="cannot be written: No such file or directory"):
        write_report(run.folder, tmp_path / "missing" / "report.html")


# -- figures --------------------------------------------------------------------------------------------------------


def test_which_figures_there_are(found):
    assert list(found) == [
        "price-WETH",
        "price-WBTC",
        "gap",
        "liquidated",
        "liquidatable",
        "ladder",
        "health",
        "impact",
        "utilisation",
        "rates",
        "waiting",
        "deficit",
        "solvency",
        "base-fee",
        "profit",
    ]


def test_titles_state_the_finding(found, run):
    assert found["price-WETH"].title == "WETH was asked to fall 23.2 % and fell 23.5 %: 0.33 points more"
    assert found["utilisation"].title == "USDC reached 99.5 % utilisation and spent 55 min above its kink of 92 %"
    assert found["deficit"].title == "$42.0 k of bad debt is left in USDC"
    assert found["base-fee"].title == "The base fee was 14.2 gwei in the median and 196 gwei at most"
    assert found["impact"].title.startswith("Liquidation pushed WETH down by at most 0.7")
    assert found["solvency"].title == "Cash and loans cover what suppliers may claim"
    total = run.events[run.events["ok"]]["debt_repaid_usd"].sum()
    assert found["liquidated"].data["value"].sum() == pytest.approx(total)


@pytest.mark.parametrize("width", [350, "container"])
def test_every_chart_is_a_valid_specification(found, width):
    for figure in found.values():
        specification = figure.draw(width).to_dict()
        assert specification["width"] == width
        assert len(json.dumps(specification)) < 1_000_000


def test_bars_are_bars(found):
    for key in ("liquidated", "health", "ladder", "liquidatable", "profit"):
        drawn = ET.fromstring(svg(found[key].draw(820), key))
        bars = [node for node in drawn.iter() if node.get("aria-roledescription") == "bar"]
        assert bars, key
        sizes = [[float(x) for x in re.findall(r"-?\d+(?:\.\d+)?", bar.get("d"))] for bar in bars]
        assert any(size[2] > 2 for size in sizes), f"{key}: bars have no width"


def test_drawn_values_are_the_recorded_ones(found):
    drawn = svg(found["profit"].draw(820), "profit")
    labels = re.findall(r'aria-label="([^"]*kind: liquidator[^"]*)"', drawn)
    assert any("USD: 93974.8" in label and "series: liquidations" in label for label in labels), labels


def test_a_run_with_a_scaled_axis_writes_plain_numbers(source):
    frame = pd.DataFrame({"time": [0.0, 1e6, 2e6], "series": "base fee", "value": [1.0, 200.0, 1500.0]})
    drawn = svg(charts.lines(frame, 820, title="base fee, gwei", shape=charts.PLAIN, log=True), "fee")
    assert not re.findall(r">\d+e\+\d<", drawn)
    assert ">100<" in drawn


def test_assets_that_only_follow_another_are_not_drawn_again(source):
    assert shown_assets(source) == ["WETH", "WBTC"]


def test_a_picture_for_a_readme(run, tmp_path):
    drawn = write_picture(run.folder, tmp_path / "crash.svg").read_text()
    assert ET.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"
    assert "crash-sample · one run · seed 7" in drawn
    assert write_picture(run.folder, tmp_path / "crash.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with pytest.raises(ResultsError, match=r"ends in \.svg or \.png"):
        write_picture(run.folder, tmp_path / "crash.jpg")
    with pytest.raises(ResultsError, match="cannot be written"):
        write_picture(run.folder, tmp_path / "missing" / "crash.svg")
    manifest = new_manifest({"name": "bare"}, 1)
    write_run(tmp_path / "bare", tables={"metrics": {"step": [0, 1]}}, manifest=manifest, scenario_toml="")
    with pytest.raises(ResultsError, match="nothing to draw"):
        write_picture(tmp_path / "bare", tmp_path / "bare.svg")


# -- frames ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 600, 601, 7200, 100_003])
def test_thinning_keeps_ends_and_extremes(n):
    values = np.random.default_rng(n).normal(size=n)
    values[n // 3] = 50.0
    values[n // 2] = -50.0
    rows = thin(values)
    assert len(rows) <= 1_000
    assert rows[0] == 0
    assert rows[-1] == n - 1
    assert (np.diff(rows) > 0).all()
    assert values[rows].max() == values.max()
    assert values[rows].min() == values.min()


def test_thinning_of_gaps():
    values = np.full(5000, np.nan)
    values[1234] = 1.0
    assert 1234 in thin(values)
    assert len(thin(np.full(5000, np.nan))) == 2


def test_the_sign_of_impact_is_settled_by_the_prices():
    falls = np.array([0.0, 0.01, 0.02])
    prices = {"exogenous_usd.A": [100.0] * 3, "outside_usd.A": 100.0 * np.exp(-falls)}
    for recorded in (falls, -falls):
        causes = frames.impact_by_cause(pd.DataFrame(prices | {"impact.A.liquidation": recorded}), "A")
        assert causes["liquidation"].tolist() == (-falls).tolist()
    assert list(frames.impact_by_cause(pd.DataFrame({"impact.A.x": falls}), "A")) == ["x"]
    assert frames.impact_by_cause(pd.DataFrame({"impact.A.x": falls * 0}), "A") == {}


def test_an_amm_price_is_in_usd_whichever_way_round_the_pair_is():
    outside = {"outside_usd.USDC": [1.0, 0.5], "outside_usd.WETH": [100.0, 90.0]}
    metrics = pd.DataFrame(outside | {"amm_price.p": [100.0, 180.0]})
    pool = {"scenario": {"amms": {"p": {"token0": "WETH", "token1": "USDC"}}}}
    assert frames.price_series(metrics, pool, "WETH")["AMM"].tolist() == [100.0, 90.0]
    assert frames.price_series(metrics, pool, "USDC")["AMM"].tolist() == [1.0, 0.5]
    assert "AMM" not in frames.price_series(metrics, {}, "WETH")


def test_debt_by_health_factor_counts_each_position_once():
    positions = pd.DataFrame(
        {
            "when": ["first"] * 5 + ["last"],
            "health_factor": [0.5, 0.99999, 1.0, 2.99, math.inf, 1.5],
            "debt_usd": [1.0, 2.0, 4.0, 8.0, 16.0, 0.0],
        }
    )
    table = frames.health_by_value(positions)
    assert set(table["when"]) == {"first"}
    by_low = dict(zip(table["low"].round(2), table["value"], strict=True))
    assert by_low[0.8] == 1.0
    assert by_low[0.95] == 2.0
    assert by_low[1.0] == 4.0
    assert table["value"].sum() == 15.0
    assert frames.debt_at(positions, "first", 0.0, 1.0) == 3.0
    assert frames.debt_at(positions, "first", frames.HEALTH_HIGH, math.inf) == 0.0


def _book(health, *, emode=0, supply=10.0, debt=4000.0):
    return pd.DataFrame(
        {
            "when": ["first"],
            "health_factor": [health],
            "debt_usd": [debt],
            "emode": [emode],
            "supply.WETH": [supply],
            "supply.USDC": [0.0],
            "debt.WETH": [0.0],
            "debt.USDC": [debt],
        }
    )


POOL = {
    "scenario": {
        "pool": {
            "reserves": {"WETH": {"liquidation_threshold": 0.8}, "USDC": {"liquidation_threshold": 0.75}},
            "emodes": {"1": {"collateral": ["WETH"], "liquidation_threshold": 0.95}},
        }
    }
}
PRICES = pd.DataFrame({"oracle_usd.WETH": [1000.0], "oracle_usd.USDC": [1.0]})


def test_the_ladder_of_one_loan_by_hand():
    # 10 WETH at 1000 with threshold .8 against 4000: health factor 2, liquidatable below half the price.
    rungs = ladder(_book(2.0), PRICES, POOL)
    hit = rungs[rungs["value"] > 0]
    assert hit["high"].round(10).tolist() == [0.52]
    assert hit["value"].tolist() == [4000.0]
    assert rungs["total"].iloc[-1] == 4000.0
    in_category = ladder(_book(2.375, emode=1), PRICES, POOL)
    assert in_category[in_category["value"] > 0]["high"].round(10).tolist() == [0.58]


def test_the_ladder_is_left_out_where_it_cannot_be_trusted():
    assert ladder(_book(1.5), PRICES, POOL) is None
    assert ladder(_book(2.0), PRICES, {}) is None
    assert ladder(_book(2.0).assign(when="last"), PRICES, POOL) is None
    assert ladder(_book(2.0), PRICES.drop(columns="oracle_usd.USDC"), POOL) is None


def test_bars_of_time_are_of_a_round_length():
    metrics = pd.DataFrame({"timestamp": [0, 3 * 86_400]})
    assert frames.bar_seconds(metrics) == 3600.0
    assert frames.bar_seconds(pd.DataFrame({"timestamp": [0, 2880]})) == 60.0
    assert frames.bar_seconds(pd.DataFrame({"timestamp": [0, 10**9]})) == pytest.approx(10**9 / frames.BARS)


# -- parameters and colours ------------------------------------------------------------------------------------------


def test_parameters_with_origin_and_source():
    manifest = {
        "scenario": {"name": "x", "run": {"seed": 1}, "gas": {"elasticity": 0.5}, "pool": {"source": "s", "cap": None}},
        "origins": {"run.seed": {"kind": "override", "where": "--set", "source": ""}, "gas.elasticity": "file"},
        "fields": {"gas.elasticity": {"unit": "", "source": "assumption: none found"}},
    }
    found = {one.path: one for one in parameters(manifest)}
    assert list(found) == ["run.seed", "gas.elasticity", "pool.cap"]
    assert found["run.seed"].origin == "overridden"
    assert found["gas.elasticity"].origin == "set"
    assert found["gas.elasticity"].assumption
    assert found["pool.cap"].origin == "default"
    assert found["pool.cap"].value == "–"


def test_values_as_people_write_them():
    given = [True, 45_000_000, 0.0025, 1e-9, ["a", 2], {"a": 0.5}, "x", {}]
    assert [shown(value) for value in given] == ["on", "45,000,000", "0.0025", "1e-09", "a, 2", "a 0.5", "x", "–"]


def test_colours_differ():
    names = ["liquidation", "mine", "trading", "other", "third"]
    assert len(set(style.colours(names, style.CAUSES))) == len(names)
    assert style.colours(names, style.CAUSES)[0] == style.VERMILION
