"""Every price process named in a scenario: it runs, does not know the cast, takes shocks, refuses what cannot be."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scenario_samples import KINDS, sample

from scenarios import ScenarioError, field_table, load
from sim.building_prices import exogenous_prices
from sim.cli.loading import check_price_path, load_checked
from sim.economy import Economy
from sim.prices.calibration import CALIBRATION
from sim.randomness import Randomness

VOLATILE = {"prices.volatility_per_year": {"WETH": 0.8, "WBTC": 0.64}}
BARS = {
    "WETH": "paths/market/ethusdt_1d_2019_2025.csv",
    "WBTC": "paths/market/btcusdt_1d_2019_2025.csv",
}
FIVE = {
    "jump_diffusion": VOLATILE,
    "stochastic_volatility": VOLATILE,
    "garch": VOLATILE,
    "bootstrap": {"prices.files": BARS},
    "daily": {"prices.files": BARS, "run.start": "2021-05-19T12:00:00Z"},
}
HOUR = {"run.horizon_seconds": 3_600, "run.step_seconds": 60}


def named(process, **changes):
    """The demo without its shocks under another process."""
    own = {key.replace("__", "."): value for key, value in changes.items()}
    return {**HOUR, "prices.shocks": [], "prices.process": process, **FIVE.get(process, {}), **own}


def prices(overrides, seed=1, scenario="demo"):
    loaded = load(scenario, overrides)
    return np.array(exogenous_prices(loaded, Randomness(seed))), list(loaded.assets)


def problems_of(overrides, scenario="demo"):
    with pytest.raises(ScenarioError) as caught:
        check_price_path(load(scenario, overrides))
    return caught.value.problems


def the_problem(overrides, scenario="demo"):
    (problem,) = problems_of(overrides, scenario)
    return problem


# ---------------------------------------------------------------------- they run
@pytest.mark.parametrize("process", FIVE)
def test_a_process_runs_in_a_small_scenario(process):
    overrides = named(process, run__horizon_seconds=1_200)
    with Economy("demo", overrides=overrides) as economy:
        economy.run()
        assert economy.steps == 20
    moved, assets = prices(overrides)
    assert moved.shape == (21, len(assets))
    for asset in ("WETH", "WBTC"):
        column = moved[:, assets.index(asset)]
        assert column[0] == pytest.approx(load("demo").assets[asset].price_usd)
        assert len(set(column)) == 21
    assert set(moved[:, assets.index("USDC")]) == {0.99993}
    ratio = moved[:, assets.index("wstETH")] / moved[:, assets.index("WETH")]
    assert ratio == pytest.approx(1.20719, rel=1e-5)


@pytest.mark.parametrize("process", FIVE)
def test_the_path_does_not_know_the_cast(process):
    few, _ = prices(named(process))
    many, _ = prices(named(process, populations__holders__count=500, populations__scale=3.0))
    other, _ = prices(named(process), seed=2)
    assert (few == many).all()
    assert (few != other).any()


@pytest.mark.parametrize("process", FIVE)
def test_an_asset_more_leaves_the_others_as_they_were(process):
    token = {"decimals": 18, "kind": "market", "price_usd": 10.0}
    with_more, assets = prices(named(process, assets__LINK=token, oracle__feeds__LINK={"kind": "market"}))
    without, before = prices(named(process))
    for asset in before:
        assert (with_more[:, assets.index(asset)] == without[:, before.index(asset)]).all()


@pytest.mark.parametrize("process", FIVE)
def test_shocks_lie_on_top_of_every_process(process):
    shock = {"asset": "WETH", "at_seconds": 600, "change_ratio": -0.25, "over_seconds": 1_200}
    calm, assets = prices(named(process))
    shocked, _ = prices(named(process, prices__shocks=[shock]))
    progress = np.clip((np.arange(61) * 60.0 - 600.0) / 1_200.0, 0.0, 1.0)
    for asset, hit in (("WETH", 1.0), ("wstETH", 1.0), ("WBTC", 0.0), ("USDC", 0.0)):
        expected = calm[:, assets.index(asset)] * (1.0 - 0.25 * hit * progress)
        assert shocked[:, assets.index(asset)] == pytest.approx(expected, rel=1e-12)


def test_the_check_before_a_run_makes_the_path_of_the_run():
    """A step as long as the run ends where the steps of the run end."""
    for process in FIVE:
        scenario = load("demo", named(process))
        whole = exogenous_prices(scenario, Randomness(1), step_seconds=3_600)
        assert whole[-1] == pytest.approx(exogenous_prices(scenario, Randomness(1))[-1], rel=1e-9)
        check_price_path(scenario)


# ---------------------------------------------------------------------- what the fields do
def test_jumps_as_large_as_they_are_stated():
    jumps = {"per_year": 9_000.0, "mean_log": {"WETH": 0.1, "USDC": -0.1}, "sd_log": {"WETH": 0.0, "USDC": 0.0}}
    still = {"prices.volatility_per_year": {"WETH": 1e-6}, "prices.drift_per_year": {}}
    overrides = {**named("jump_diffusion", prices__jumps=jumps), **still, "run.horizon_seconds": 36_000}
    moved, assets = prices(overrides)
    compensation = {name: 9_000.0 * math.expm1(size) for name, size in jumps["mean_log"].items()}
    for name, size in jumps["mean_log"].items():
        logs = np.log(moved[:, assets.index(name)]) + np.arange(601) * 60.0 / 31_536_000 * compensation[name]
        sizes = np.diff(logs)
        hits = sizes[np.abs(sizes) > 0.05]
        assert len(hits) > 3
        assert hits / size == pytest.approx(np.round(hits / size), abs=1e-3)


def _moves(process, **changes):
    hours = {"run.horizon_seconds": 2_000 * 3_600, "run.step_seconds": 3_600}
    moved, assets = prices({**named(process, **changes), **hours})
    return np.diff(np.log(moved[:, [assets.index("WETH"), assets.index("WBTC")]]), axis=0)


@pytest.mark.parametrize("wanted", [0.0, 0.9, -0.6])
def test_a_matrix_correlates_the_returns(wanted):
    matrix = {"prices__correlations": {"WETH": {"WBTC": wanted}}, "prices__jumps__per_year": 0.0}
    moves = _moves("jump_diffusion", **matrix)
    assert np.corrcoef(moves.T)[0, 1] == pytest.approx(wanted, abs=4 * (1 - wanted**2) / math.sqrt(2_000) + 1e-9)


def test_a_matrix_is_read_from_a_table():
    table = {
        "prices__correlation_file": "paths/market/hourly_return_correlation_2021_2023.csv",
        "prices__correlation_names": {"WETH": "ETH", "WBTC": "LINKUSDT"},
    }
    stated = {"prices__correlations": {"WETH": {"WBTC": 0.8212}}}
    for process in ("jump_diffusion", "stochastic_volatility", "garch"):
        assert (prices(named(process, **table))[0] == prices(named(process, **stated))[0]).all()


def test_the_schema_has_the_calibrated_defaults():
    """The schema lies below the processes and repeats their defaults."""
    fields = {field.path: field for field in field_table()}
    places = {
        "jumps_per_year": "jumps.per_year",
        "jump_mean_per_volatility": "jumps.mean_per_volatility",
        "jump_sd_per_volatility": "jumps.sd_per_volatility",
        "jump_common_share": "jumps.common_share",
        "jump_size_correlation": "jumps.size_correlation",
        "slow_log_sd": "stochastic_volatility.slow_log_sd",
        "slow_half_life_hours": "stochastic_volatility.slow_half_life_hours",
        "fast_log_sd": "stochastic_volatility.fast_log_sd",
        "fast_half_life_hours": "stochastic_volatility.fast_half_life_hours",
        "leverage": "stochastic_volatility.leverage_correlation",
        "volatility_correlation": "stochastic_volatility.volatility_correlation",
        "stochastic_tail_degrees": "stochastic_volatility.tail_degrees",
        "garch_shock_weight": "garch.shock_weight",
        "garch_memory_weight": "garch.memory_weight",
        "garch_tail_degrees": "garch.tail_degrees",
        "mean_block_days": "bootstrap.mean_block_days",
    }
    for name, place in places.items():
        field, stated = fields[f"prices.{place}"], CALIBRATION[name]
        assert (field.default, field.plausible) == (stated.value, (stated.low, stated.high)), place
    for process in ("stochastic_volatility", "garch"):
        assert fields[f"prices.{process}.shock_correlation"].default == CALIBRATION["correlation"].value


# ---------------------------------------------------------------------- what is refused
NOT_READ = {
    "file of gbm": ({"prices.process": "gbm", "prices.file": "paths/may_2021.csv"}, "prices.file", '"csv"'),
    "volatility of daily": (
        {**named("daily"), "prices.volatility_per_year": {"WETH": 0.5}},
        "prices.volatility_per_year",
        '"garch"',
    ),
    "jumps of garch": ({**named("garch"), "prices.jumps.per_year": 3.0}, "prices.jumps.per_year", "stochastic_vol"),
    "garch of jumps": ({**named("jump_diffusion"), "prices.garch.shock_weight": 0.1}, "prices.garch.shock", '"garch"'),
    "matrix of gbm": (
        {"prices.process": "gbm", "prices.correlations": {"WETH": {"WBTC": 0.5}}},
        "prices.correlations",
        '"jump_diffusion"',
    ),
    "scale of the bootstrap": ({**named("bootstrap"), "prices.scale": "absolute"}, "prices.scale", '"historical"'),
    "number of garch": ({**named("garch"), "prices.correlation": 0.5}, "prices.correlation", '"gbm"'),
}


@pytest.mark.parametrize("case", NOT_READ)
def test_a_field_that_the_process_does_not_read_is_one_clear_error(case):
    overrides, place, allowed = NOT_READ[case]
    problem = the_problem(overrides)
    assert problem.path.startswith(place)
    assert allowed in problem.allowed
    assert "means nothing for process" in problem.message
    assert problem.file == "--set"


REFUSED = {
    "volatility of zero": ({"prices.volatility_per_year.WETH": 0.0}, "prices.volatility_per_year.WETH", "above 0"),
    "negative volatility": ({"prices.volatility_per_year.WETH": -0.5}, "prices.volatility_per_year.WETH", "above 0"),
    "depth of zero": ({"assets.WETH.depth_2pct": 0.0}, "assets.WETH.depth_2pct", "above 0"),
    "negative depth": ({"assets.WETH.depth_2pct": -1.0}, "assets.WETH.depth_2pct", "above 0"),
    "no files": ({"prices.process": "daily"}, "prices.files", "a file for each asset"),
    "wrong file": (named("daily", prices__files__WETH="paths/nowhere.csv"), "prices.files.WETH", "market/ethusdt"),
    "matrix above one": (
        named("garch", prices__correlations={"WETH": {"WBTC": 1.5}}),
        "prices.correlations.WETH.WBTC",
        "-1 to 1",
    ),
    "matrix with two opinions": (
        named("garch", prices__correlations={"WETH": {"WBTC": 0.5}, "WBTC": {"WETH": 0.6}}),
        "prices.correlations.WBTC.WETH",
        "0.5",
    ),
    "matrix of a stranger": (
        named("garch", prices__correlations={"WETH": {"DOGE": 0.5}}),
        "prices.correlations.WETH.DOGE",
        "WETH",
    ),
    "matrix and table": (
        named(
            "garch",
            prices__correlations={"WETH": {"WBTC": 0.5}},
            prices__correlation_file="paths/market/hourly_return_correlation_2021_2023.csv",
            prices__correlation_names={"WETH": "ETH"},
        ),
        "prices.correlation_file",
        "one of",
    ),
    "number and matrix": (
        named("jump_diffusion", prices__correlations={"WETH": {"WBTC": 0.5}}, prices__correlation=0.5),
        "prices.correlation",
        "leave it out",
    ),
    "table without names": (
        named("garch", prices__correlation_file="paths/market/hourly_return_correlation_2021_2023.csv"),
        "prices.correlation_names",
        "WETH",
    ),
    "garch without a mean": (
        named("garch", prices__garch={"shock_weight": 0.2, "memory_weight": 0.8}),
        "prices.garch.shock_weight",
        "below 1",
    ),
    "blocks longer than the record": (
        named("bootstrap", prices__bootstrap__mean_block_days=9_000.0),
        "prices.bootstrap.mean_block_days",
        "the whole of",
    ),
    "column without file": (
        named("daily", prices__files={"WETH": BARS["WETH"]}, prices__columns={"WBTC": "btc"}),
        "prices.columns.WBTC",
        "WETH",
    ),
    "volatility of an asset that follows": (
        named("garch", prices__volatility_per_year__wstETH=0.5),
        "prices.volatility_per_year.wstETH",
        'kind "market"',
    ),
    "a path that leaves all numbers": (
        named("jump_diffusion", prices__jumps={"per_year": 10_000.0, "mean_log": {"WETH": 5.0}}, run__step_seconds=3600)
        | {"run.horizon_seconds": 86_400 * 60},
        "prices",
        "exp(600)",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_with_field_given_and_allowed(case):
    overrides, place, allowed = REFUSED[case]
    problem = the_problem(overrides)
    assert problem.path == place
    assert allowed in problem.allowed
    assert problem.given
    assert problem.message
    assert problem.file == "--set"


def test_a_price_that_leaves_all_numbers():
    """Found when the path is made, not while a field is read."""
    overrides = {"prices.process": "gbm", "prices.drift_per_year": {"WETH": 100.0}, "run.step_seconds": 86_400}
    problem = the_problem({**overrides, "run.horizon_seconds": 86_400 * 30, "assets.WETH.price_usd": 1e306})
    assert (problem.path, problem.allowed) == ("prices", "less volatility, drift or time")


def test_a_random_process_needs_a_volatility():
    problem = the_problem({"prices.process": "garch"}, "aave-v3-ethereum")
    assert (problem.path, problem.given) == ("prices.volatility_per_year", "nothing")


def test_a_matrix_that_no_assets_can_have():
    token = {"decimals": 18, "kind": "market", "price_usd": 10.0}
    matrix = {"WETH": {"WBTC": 0.9, "LINK": 0.9}, "WBTC": {"LINK": -0.9}}
    overrides = named(
        "stochastic_volatility",
        assets__LINK=token,
        oracle__feeds__LINK={"kind": "market"},
        prices__volatility_per_year__LINK=1.0,
        prices__correlations=matrix,
    )
    problem = the_problem(overrides)
    assert (problem.path, problem.file) == ("prices.correlations", "--set")
    assert "positive semidefinite" in problem.allowed
    assert "eigenvalue" in problem.given
    missing = the_problem({**overrides, "prices.correlations": {"WETH": {"WBTC": 0.9, "LINK": 0.9}}})
    assert missing.path == "prices.correlations.WBTC.LINK"


def test_files_that_do_not_fit_are_told_with_row_and_column(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = ["time,open,high,low,close", "2021-05-19,10,12,9,11", "2021-05-20,11,12,9,10", "2021-05-21,10,8,9,10"]
    (tmp_path / "bars.csv").write_text("\n".join(rows))
    own = named("daily", prices__files={"WETH": "bars.csv"})
    problem = the_problem(own)
    assert (problem.file, problem.path, problem.given) == ("bars.csv", "row 4, column high", "8.0")
    (tmp_path / "bars.csv").write_text("\n".join(["time,open,high,close", *rows[1:3]]))
    assert the_problem(own).path == "row 1, column low"
    (tmp_path / "bars.csv").write_text("\n".join([rows[0], *rows[1:3]]))
    late = the_problem({**own, "run.start": "2021-05-20T23:30:00Z"})
    assert "which the file covers" in late.allowed
    (tmp_path / "table.csv").write_text(",ETH,BTC\nETH,1,2\nBTC,0.5,1\n")
    matrix = {"prices__correlation_file": "table.csv", "prices__correlation_names": {"WETH": "ETH", "WBTC": "BTC"}}
    problem = the_problem(named("garch", **matrix))
    assert (problem.file, problem.path, problem.allowed) == ("table.csv", "row 2, column BTC", "a number from -1 to 1")


def test_the_command_refuses_such_a_scenario_too():
    with pytest.raises(ScenarioError, match="positive semidefinite"):
        load_checked(
            "demo",
            [
                'prices.process="garch"',
                "prices.volatility_per_year={WETH=0.8, WBTC=0.6, USDC=0.1}",
                "prices.correlations={WETH={WBTC=0.9, USDC=0.9}, WBTC={USDC=-0.9}}",
            ],
        )


# ---------------------------------------------------------------------- inheritance
def test_another_process_inherits_what_says_the_same_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "child.toml").write_text('extends = "calm"\n[prices]\nprocess = "garch"\n')
    assert load("child.toml").prices.volatility_per_year == {"WETH": 0.45, "WBTC": 0.25}
    again = load("march-2020", {"prices.process": "constant"})
    assert (again.prices.file, dict(again.prices.columns), again.price_files) == (None, {}, {})
    (tmp_path / "again.toml").write_text(
        'extends = "march-2020"\n[prices]\nprocess = "daily"\nfiles = { WETH = "own.csv" }\n'
    )
    (problem,) = problems_of_loading("again.toml")
    assert (problem.file, problem.path) == ("again.toml", "prices.files.WETH")


def problems_of_loading(scenario):
    with pytest.raises(ScenarioError) as caught:
        load(scenario)
    return caught.value.problems


def test_a_resolved_scenario_reads_back_with_its_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "bars.csv").write_text("time,open,high,low,close\n2025-07-03,1,2,1,2\n2025-07-04,2,3,2,3\n")
    (tmp_path / "own" / "child.toml").write_text(
        'extends = "calm"\n[run]\nhorizon_seconds = 3600\n[prices]\nprocess = "daily"\n'
        f'files = {{ WETH = "bars.csv", WBTC = "{BARS["WBTC"]}" }}\n'
    )
    scenario = load("own/child.toml")
    (tmp_path / "scenario.toml").write_text(scenario.to_toml())
    again = load(tmp_path / "scenario.toml")
    assert again.price_files == {place: file.resolve() for place, file in scenario.price_files.items()}
    assert again.prices.files["WBTC"] == BARS["WBTC"]
    assert exogenous_prices(again, Randomness(1)) == exogenous_prices(scenario, Randomness(1))


def test_plain_data_names_processes_as_well():
    data = sample(prices__process="garch", prices__volatility_per_year={"ETH": 0.8})
    rows = exogenous_prices(load(data, kinds=KINDS), Randomness(1))
    assert len(rows) == 51
    assert rows[0] == [1_000.0, pytest.approx(1_100.0), 1.0]
