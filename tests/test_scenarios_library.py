"""The scenarios that are shipped: valid, with their sources, and what their titles say."""

from __future__ import annotations

import csv
import tomllib
from datetime import datetime, timedelta

import pytest

from agents.registry import kinds
from scenarios import json_schema, library_names, load
from scenarios.fields import resolved_table
from scenarios.files import LIBRARY

KINDS = kinds()


@pytest.mark.parametrize("name", library_names())
def test_every_library_file_is_valid(name):
    scenario = load(name, kinds=KINDS)
    assert scenario.name == name
    assert scenario.title
    assert scenario.why.strip().endswith(".")
    for population in scenario.populations.tables.values():
        assert population.parameters is not None


@pytest.mark.parametrize("name", ["aave-v3-ethereum", "calm", "demo", "long-run", "march-2020"])
def test_every_table_states_its_source(name):
    scenario = load(name, kinds=KINDS)
    tables = [
        *scenario.assets.values(),
        *scenario.oracle.feeds.values(),
        *scenario.pool.reserves.values(),
        *scenario.pool.emodes.values(),
        *scenario.amms.values(),
        *scenario.populations.tables.values(),
        scenario.gas,
        scenario.pool,
    ]
    assert all(table.source for table in tables)
    assert all(asset.price_source and asset.depth_source for asset in scenario.assets.values())


def test_real_parameters_of_the_base():
    """Aave V3 Ethereum at block 22,840,005 (July 2025)."""
    scenario = load("aave-v3-ethereum")
    expected = {
        "WETH": (0.805, 0.83, 0.05, 0.1, 0.15, 3_000_000, 2_700_000, 0.9, 0.027, 0.8),
        "wstETH": (0.785, 0.81, 0.06, 0.1, 0.05, 1_760_000, 480_000, 0.8, 0.016, 0.85),
        "WBTC": (0.73, 0.78, 0.05, 0.1, 0.5, 49_875, 28_000, 0.8, 0.04, 3.0),
        "USDC": (0.75, 0.78, 0.045, 0.2, 0.1, 4_800_000_000, 4_320_000_000, 0.92, 0.055, 0.35),
        "USDT": (0.75, 0.78, 0.045, 0.1, 0.1, 6_000_000_000, 5_700_000_000, 0.92, 0.055, 0.225),
        # The caps of the Ethena tokens it stands in for, in sUSDe: 4,464.9M USD at 1.180365.
        "sUSDe": (0.72, 0.75, 0.085, 0.1, 0.2, 3_782_000_000, 0, 0.9, 0.0, 0.0),
    }
    found = {
        name: (
            reserve.ltv,
            reserve.liquidation_threshold,
            reserve.liquidation_bonus,
            reserve.liquidation_protocol_fee,
            reserve.reserve_factor,
            reserve.supply_cap_tokens,
            reserve.borrow_cap_tokens,
            reserve.optimal_utilisation,
            reserve.slope1_per_year,
            reserve.slope2_per_year,
        )
        for name, reserve in scenario.pool.reserves.items()
    }
    assert found == expected
    emode = scenario.pool.emodes[1]
    assert (emode.ltv, emode.liquidation_threshold, emode.liquidation_bonus) == (0.93, 0.95, 0.01)
    assert not scenario.pool.reserves["sUSDe"].borrowing_enabled
    assert [asset.decimals for asset in scenario.assets.values()] == [18, 18, 8, 6, 6, 18]
    assert scenario.assets["wstETH"].ratio * 2578.461748 == pytest.approx(3112.681039, rel=5e-6)
    assert scenario.assets["sUSDe"].ratio * 1.000259 == pytest.approx(1.180365, rel=1e-6)


@pytest.mark.parametrize("name", library_names())
def test_assumptions_of_the_schema_stay_in_their_plausible_range(name):
    outside = [
        value.path
        for value in resolved_table(load(name, kinds=KINDS))
        if value.field.assumption
        and value.field.plausible is not None
        and isinstance(value.value, int | float)
        and not value.field.plausible[0] <= value.value <= value.field.plausible[1]
    ]
    scaled_down = {"demo", "cascade-by-hand"}
    if name == "march-2020-era" or name.startswith("thin-liquidity-crash"):  # thin on purpose
        outside = [path for path in outside if not path.endswith((".depth_2pct", ".liquidity_usd"))]
    if name not in scaled_down:
        assert not [path for path in outside if not path.startswith("populations.")]


def test_demo_is_small():
    scenario = load("demo", kinds=KINDS)
    assert sum(map(scenario.scaled_count, scenario.populations.tables)) == 150
    assert scenario.run.steps == 240
    assert all(-0.35 <= shock.change_ratio <= -0.25 for shock in scenario.prices.shocks)


def test_march_2020_says_what_it_is_and_lies_inside_its_path():
    scenario = load("march-2020", kinds=KINDS)
    assert "today's market" in scenario.title.lower()
    assert "not a replay" in scenario.why.lower()
    borrowers = [n for n, p in scenario.populations.tables.items() if p.kind in ("holder", "manager")]
    assert sum(map(scenario.scaled_count, borrowers)) == 10_000
    assert (scenario.run.step_seconds, scenario.run.horizon_seconds, scenario.prices.scale) == (
        12,
        3 * 86_400,
        "snapshot",
    )
    with scenario.price_file.open(newline="") as file:
        times = [datetime.fromisoformat(row["time"]) for row in csv.DictReader(file)]
    start = datetime.fromisoformat(scenario.run.start)
    assert times[0] <= start
    assert start + timedelta(seconds=scenario.run.horizon_seconds) <= times[-1] + timedelta(hours=1)


def test_calm_is_one_day():
    scenario = load("calm", kinds=KINDS)
    assert (scenario.prices.process, scenario.run.horizon_seconds) == ("gbm", 86_400)


@pytest.mark.parametrize("name", library_names())
def test_library_files_satisfy_the_json_schema(name):
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(json_schema(KINDS))
    assert not list(validator.iter_errors(load(name, kinds=KINDS).as_dict()))


@pytest.mark.parametrize("name", library_names())
def test_library_files_are_plain_toml(name):
    text = (LIBRARY / f"{name}.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)
    assert "\t" not in text
