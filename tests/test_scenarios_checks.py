"""Every rule of a scenario, one broken at a time, and many at once."""

from __future__ import annotations

import math

import pytest
from scenario_samples import DATA, KINDS, sample

from scenarios import ScenarioError, load


def problems_of(data, **options):
    with pytest.raises(ScenarioError) as caught:
        load(data, kinds=KINDS, **options)
    return caught.value.problems


def the_problem(data, **options):
    problems = problems_of(data, **options)
    assert len(problems) == 1, problems
    return problems[0]


def test_the_sample_is_valid():
    assert load(DATA, kinds=KINDS).name == "sample"


CSV = {"prices__process": "csv", "prices__file": "paths/may_2021.csv"}

BROKEN = {
    "horizon holds whole steps": ({"run__horizon_seconds": 601}, "run.horizon_seconds", "multiple of run.step_seconds"),
    "step holds whole blocks": (
        {"run__step_seconds": 18, "run__horizon_seconds": 180},
        "run.step_seconds",
        "run.block",
    ),
    "number of steps": (
        {"run__horizon_seconds": 100_000_000, "run__step_seconds": 1, "run__block_seconds": 1},
        "run.horizon_seconds",
        "5,000,000 steps",
    ),
    "snapshots on steps": ({"results__positions_every_seconds": 18}, "results.positions_every_seconds", "multiple of"),
    "price needed": ({"assets__ETH__price_usd": None}, "assets.ETH.price_usd", "price in USD"),
    "negative price": ({"assets__ETH__price_usd": -1.0}, "assets.ETH.price_usd", "above 0"),
    "price of zero": ({"assets__ETH__price_usd": 0}, "assets.ETH.price_usd", "above 0"),
    "price not a number": ({"assets__ETH__price_usd": math.nan}, "assets.ETH.price_usd", "number, above 0"),
    "infinite price": ({"assets__ETH__price_usd": math.inf}, "assets.ETH.price_usd", "number, above 0"),
    "market asset with base": ({"assets__ETH__base": "USD"}, "assets.ETH.base", 'kind = "ratio"'),
    "ratio asset without base": ({"assets__stETH__base": None}, "assets.stETH.base", "symbol of an asset"),
    "ratio asset without ratio": ({"assets__stETH__ratio": None}, "assets.stETH.ratio", "number above 0"),
    "ratio asset with price": ({"assets__stETH__price_usd": 1.0}, "assets.stETH.price_usd", "ratio x price"),
    "unknown base": ({"assets__stETH__base": "ETHH"}, "assets.stETH.base", "ETH, stETH, USD"),
    "depth twice": (
        {"assets__ETH__depth_2pct": 1.0, "assets__ETH__impact_per_unit": 1.0},
        "assets.ETH.impact_per_unit",
        "one of depth_2pct and impact_per_unit",
    ),
    "name of an asset": (
        {"assets__a b": {"price_usd": 1.0}, "oracle__feeds__a b": {}},
        "assets.a b",
        "letters, digits",
    ),
    "no path file": ({"prices__process": "csv", "prices__columns": {"ETH": "eth"}}, "prices.file", "path file"),
    "no columns": (
        {"prices__process": "historical", "prices__file": "paths/may_2021.csv"},
        "prices.columns",
        "a column for each asset",
    ),
    "path file that is not there": (
        {"prices__process": "csv", "prices__file": "nowhere.csv", "prices__columns": {"ETH": "eth"}},
        "prices.file",
        "shipped",
    ),
    "column of a ratio asset": ({**CSV, "prices__columns": {"stETH": "x"}}, "prices.columns.stETH", 'kind "market"'),
    "column of an unknown asset": ({**CSV, "prices__columns": {"BTC": "x"}}, "prices.columns.BTC", "ETH, stETH, USD"),
    "volatility out of range": (
        {"prices__process": "gbm", "prices__volatility_per_year": {"ETH": -0.5}},
        "prices.volatility_per_year.ETH",
        "above 0, at most 20",
    ),
    "impossible correlation": ({"prices__correlation": -0.1}, "prices.correlation", "0 to 1"),
    "shock of a ratio asset": (
        {"prices__shocks": [{"asset": "stETH", "at_seconds": 0, "change_ratio": -0.1}]},
        "prices.shocks.0.asset",
        'kind "market"',
    ),
    "shock after the end": (
        {"prices__shocks": [{"asset": "ETH", "at_seconds": 601, "change_ratio": -0.1}]},
        "prices.shocks.0.at_seconds",
        "horizon_seconds (600)",
    ),
    "shock to nothing": (
        {"prices__shocks": [{"asset": "ETH", "at_seconds": 0, "change_ratio": -1.0}]},
        "prices.shocks.0.change_ratio",
        "above -1",
    ),
    "shares of impact": ({"outside__fast_share": 0.8}, "outside.permanent_share", "= 1"),
    "asset without feed": ({"oracle__feeds__USD": None}, "oracle.feeds.USD", "a feed for every asset"),
    "feed without asset": ({"oracle__feeds__BTC": {}}, "oracle.feeds.BTC", "ETH, stETH, USD"),
    "fixed feed without price": (
        {"oracle__feeds__USD": {"kind": "fixed"}},
        "oracle.feeds.USD.price_usd",
        "price in USD",
    ),
    "ratio feed without base": (
        {"oracle__feeds__ETH": {"kind": "ratio", "ratio": 1.0}},
        "oracle.feeds.ETH.base",
        "symbol of an asset",
    ),
    "ratio feed without ratio": (
        {"oracle__feeds__ETH": {"kind": "ratio", "base": "USD"}},
        "oracle.feeds.ETH.ratio",
        "number above 0",
    ),
    "gas token unknown": ({"gas__price_asset": "WETH"}, "gas.price_asset", "ETH, stETH, USD"),
    "LTV above LT": ({"pool__reserves__ETH__ltv": 0.84}, "pool.reserves.ETH.ltv", "below liquidation_threshold (0.83)"),
    "LTV equal to LT": ({"pool__reserves__ETH__ltv": 0.83}, "pool.reserves.ETH.ltv", "both may be 0"),
    "bonus too high": (
        {"pool__reserves__ETH__liquidation_bonus": 0.21},
        "pool.reserves.ETH.liquidation_bonus",
        "at most 0.2048",
    ),
    "part of a basis point": ({"pool__reserves__ETH__ltv": 0.80005}, "pool.reserves.ETH.ltv", "0 to 1"),
    "reserve without asset": ({"pool__reserves__BTC": {}}, "pool.reserves.BTC", "ETH, stETH, USD"),
    "e-mode LTV": ({"pool__emodes__1__ltv": 0.96}, "pool.emodes.1.ltv", "below liquidation_threshold (0.95)"),
    "e-mode bonus": ({"pool__emodes__1__liquidation_bonus": 0.06}, "pool.emodes.1.liquidation_bonus", "at most 0.0526"),
    "e-mode reserve": ({"pool__emodes__1__borrowable": ["BTC"]}, "pool.emodes.1.borrowable.0", "ETH, stETH, USD"),
    "e-mode number": (
        {"pool__emodes__300": {"ltv": 0.1, "liquidation_threshold": 0.2, "liquidation_bonus": 0.0}},
        "pool.emodes.300",
        "1 to 255",
    ),
    "unknown token": ({"amms__ETH-USD__token1": "USDD"}, "amms.ETH-USD.token1", "ETH, stETH, USD"),
    "token twice": ({"amms__ETH-USD__token1": "ETH"}, "amms.ETH-USD.token1", "other than token0"),
    "bands add to one": (
        {"amms__ETH-USD__ranges": [{"width_ratio": 0.1, "share": 0.5}]},
        "amms.ETH-USD.ranges",
        "add to 1",
    ),
    "protocol fee": ({"amms__ETH-USD__fee_protocol": 3}, "amms.ETH-USD.fee_protocol", "0, 4, 5"),
    "bands of a constant product": ({"amms__ETH-USD__kind": "constant_product"}, "amms.ETH-USD.ranges", "leave it out"),
    "unknown kind": ({"populations__pairs__kind": "pairr"}, "populations.pairs.kind", "pair, watcher"),
    "negative count": ({"populations__pairs__count": -1}, "populations.pairs.count", "0 to 10,000,000"),
    "no count": ({"populations__pairs__count": None}, "populations.pairs.count", "whole number"),
    "no kind": ({"populations__pairs__kind": None}, "populations.pairs.kind", "text"),
    "kind's value missing": (
        {"populations__watchers__debt_usd_median": None},
        "populations.watchers.debt_usd_median",
        "number, above 0",
    ),
    "kind's value out of range": (
        {"populations__watchers__debt_usd_median": 0},
        "populations.watchers.debt_usd_median",
        "number, above 0",
    ),
    "kind's unknown asset": (
        {"populations__watchers__collateral": {"BTC": 1.0}},
        "populations.watchers.collateral.BTC",
        "ETH, stETH, USD",
    ),
    "kind's unknown e-mode": ({"populations__watchers__emode": 2}, "populations.watchers.emode", "1"),
    "kind's unknown pool": ({"populations__watchers__pools": ["USD-ETH"]}, "populations.watchers.pools.0", "ETH-USD"),
    "kind's own rule": ({"populations__pairs__low": 2.0}, "populations.pairs", ""),
    "section that is no table": ({"gas": 5}, "gas", "table"),
    "entry that is no table": ({"amms__ETH-USD": 5}, "amms.ETH-USD", "table"),
    "list that is no list": ({"amms__ETH-USD__ranges": 5}, "amms.ETH-USD.ranges", "list"),
    "choice": ({"gas__ordering": "privat"}, "gas.ordering", '"private" or "public"'),
    "name for a folder": ({"name": "../x"}, "name", "text"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_is_named_with_field_given_and_allowed(case):
    changes, path, allowed = BROKEN[case]
    data = sample(**{key: value for key, value in changes.items() if value is None})
    for key, value in changes.items():
        if value is not None:
            data = _put(data, key.split("__"), value)
    problem = the_problem(data)
    assert problem.path == path
    assert allowed in problem.allowed
    assert problem.given
    assert problem.message
    assert problem.file == "scenario"


def _put(data, keys, value):
    here = data
    for key in keys[:-1]:
        here = here.setdefault(key, {})
    here[keys[-1]] = value
    return data


def test_zero_ltv_and_threshold_are_allowed_together():
    scenario = load(sample(pool__reserves__USD={"ltv": 0.0, "liquidation_threshold": 0.0}), kinds=KINDS)
    assert scenario.pool.reserves["USD"].ltv == 0


def test_bonus_at_its_limit_is_allowed():
    exact = {"ltv": 0.7, "liquidation_threshold": 0.8, "liquidation_bonus": 0.25}
    assert load(sample(pool__reserves__ETH=exact), kinds=KINDS).pool.reserves["ETH"].liquidation_bonus == 0.25


def test_a_constant_product_pool_has_whole_basis_points():
    pool = {"kind": "constant_product", "token0": "ETH", "token1": "USD", "liquidity_usd": 1e6}
    assert load(sample(**{"amms__ETH-USD": pool | {"fee_pips": 3_000}}), kinds=KINDS)
    assert the_problem(sample(**{"amms__ETH-USD": pool | {"fee_pips": 2_950}})).path == "amms.ETH-USD.fee_pips"


def test_bases_that_go_round():
    data = sample(assets__stETH__base="x", assets__x={"kind": "ratio", "base": "stETH", "ratio": 1.0})
    data["oracle"]["feeds"]["x"] = {}
    data["oracle"]["feeds"]["stETH"] = {}
    problem = the_problem(data)
    assert problem.path == "assets.stETH.base"
    assert "stETH -> x -> stETH" in problem.message


def test_feeds_that_go_round():
    data = sample(oracle__feeds__ETH={"kind": "ratio", "base": "stETH", "ratio": 1.0})
    assert {problem.path for problem in problems_of(data)} == {"oracle.feeds.ETH.base"}


def test_gas_need_not_have_a_price_when_it_is_switched_off():
    assert load(sample(gas__price_asset="WETH", mechanisms__gas=False), kinds=KINDS)


@pytest.mark.parametrize(
    ("changes", "path", "guess"),
    [
        ({"run__horizn_seconds": 1}, "run.horizn_seconds", "horizon_seconds"),
        ({"pols": {}}, "pols", "pool"),
        ({"pool__reserves__ETH__liquidation_treshold": 0.8}, "pool.reserves.ETH.liquidation_treshold", "threshold"),
        ({"assets__ETH__prise_usd": 0.8}, "assets.ETH.prise_usd", "price_usd"),
        ({"populations__watchers__look_second": 1.0}, "populations.watchers.look_second", "look_seconds"),
        ({"populations__pairs__kind": "watchr"}, "populations.pairs.kind", "watcher"),
        ({"amms__ETH-USD__token0": "eth"}, "amms.ETH-USD.token0", "ETH"),
        ({"gas__ordering": "publc"}, "gas.ordering", "public"),
    ],
)
def test_the_nearest_name_is_suggested(changes, path, guess):
    problem = next(problem for problem in problems_of(sample(**changes)) if problem.path == path)
    assert f"did you mean '{guess}" in problem.message or guess in problem.message


def test_all_problems_of_a_file_are_told_at_once():
    data = sample(
        run__horizn_seconds=5,
        run__seed="x",
        assets__ETH__price_usd=math.nan,
        pool__reserves__ETH__ltv=0.9,
        pool__reserves__stETH__liquidation_bonus=0.5,
        pool__reserves__BTC={},
        gas__ordering="privat",
        populations__pairs__kind="nobody",
        populations__watchers__debt_usd_median=-1,
        outside__fast_share=0.1,
    )
    assert [problem.path for problem in problems_of(data)] == [
        "run.seed",
        "run.horizn_seconds",
        "assets.ETH.price_usd",
        "gas.ordering",
        "populations.pairs.kind",
        "populations.watchers.debt_usd_median",
        "outside.permanent_share",
        "pool.reserves.ETH.ltv",
        "pool.reserves.stETH.liquidation_bonus",
        "pool.reserves.BTC",
    ]


def test_a_refused_value_brings_no_second_problem_by_its_default():
    problem = the_problem(sample(pool__reserves__ETH__liquidation_threshold="x"))
    assert problem.path == "pool.reserves.ETH.liquidation_threshold"


def test_the_message_names_file_field_given_and_allowed():
    with pytest.raises(ScenarioError) as caught:
        load(sample(pool__reserves__ETH__ltv=0.84), kinds=KINDS)
    assert str(caught.value) == (
        "scenario: 1 problem\n"
        "  pool.reserves.ETH.ltv: is above the liquidation threshold\n"
        "    given:   0.84\n"
        "    allowed: below liquidation_threshold (0.83); both may be 0"
    )


def test_nothing_at_all():
    paths = {problem.path for problem in problems_of({})}
    assert "gas.price_asset" in paths
