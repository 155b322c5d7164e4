"""Markets with something missing: whatever a scenario may leave out, the run goes through and the books balance."""

from __future__ import annotations

import copy

import pytest

import scenarios
from agents.registry import kinds
from sim.economy import Economy
from sim.results import load, summarise
from sim.run import run_scenario

KINDS = kinds()
BASE = scenarios.load(
    "demo",
    {
        "run.horizon_seconds": 3_600,
        "run.audit_every_steps": 10,
        "prices.shocks": [{"asset": "WETH", "at_seconds": 600, "change_ratio": -0.35, "over_seconds": 600}],
    },
    KINDS,
).as_dict()


def without(data, *places):
    for place in places:
        *above, last = place.split("/")
        here = data
        for key in above:
            here = here[key]
        del here[last]


def no_reserves(data):
    data["pool"] |= {"reserves": {}, "emodes": {}}
    for name in ("holders", "managers", "loopers", "stable_loopers", "lenders", "rest", "liquidators"):
        del data["populations"][name]


def nobody(data):
    for table in data["populations"].values():
        if isinstance(table, dict):
            table["count"] = 0


def ether_by_its_name(data):
    for table in (data["assets"], data["oracle"]["feeds"]):
        table["ETH"] = copy.deepcopy(table["WETH"])


def unknown_gas_asset(data):
    data["gas"]["price_asset"] = "ETH"
    data["mechanisms"]["gas"] = False


def everything_off(data):
    data["mechanisms"] = dict.fromkeys(data["mechanisms"], False)


def frozen_and_paused(data):
    data["pool"]["reserves"]["WBTC"]["paused"] = True
    data["pool"]["reserves"]["WETH"]["frozen"] = True


CORNERS = {
    "no AMMs": lambda data: data.update(amms={}),
    "no reserves": no_reserves,
    "no populations": lambda data: data.update(populations={"scale": 1.0}),
    "nobody in them": nobody,
    "no managers": lambda data: data["populations"]["managers"].update(count=0),
    "no liquidators": lambda data: without(data, "populations/liquidators"),
    "no arbitrageurs and no pool of WETH and USDC": lambda data: without(
        data, "populations/arbitrageurs", "amms/WETH-USDC"
    ),
    "an asset named as the token that pays for gas": ether_by_its_name,
    "no gas and no price for it": unknown_gas_asset,
    "all mechanisms off": everything_off,
    "one reserve paused, one frozen": frozen_and_paused,
    "no flash loans": lambda data: [r.update(flash_loan_enabled=False) for r in data["pool"]["reserves"].values()],
    "a block without room": lambda data: data["gas"].update(block_gas_limit=1_000_000, base_fee_gwei=1_000.0),
    "one step": lambda data: (data["run"].update(horizon_seconds=60), data["prices"].update(shocks=[])),
    "tables that are not kept": lambda data: data["results"].update(keep=[]),
}


@pytest.mark.parametrize("name", CORNERS)
def test_a_market_with_something_missing_runs(name, tmp_path):
    data = copy.deepcopy(BASE)
    CORNERS[name](data)
    scenario = scenarios.load(data, {}, KINDS)
    result = run_scenario(scenario, seed=1, out=tmp_path / "out", report=False)
    run = load(result.folder)
    assert run.manifest["state"] == "done"
    assert run.manifest["audit"]["ok"]
    assert len(run.metrics) == scenario.run.steps
    assert summarise(run).headline


@pytest.mark.parametrize("name", [name for name in CORNERS if name not in ("one step", "tables that are not kept")])
def test_waking_everybody_changes_nothing_there_either(name):
    histories = []
    for wake in ("due", "all"):
        data = copy.deepcopy(BASE)
        CORNERS[name](data)
        data["run"]["wake"] = wake
        with Economy(scenarios.load(data, {}, KINDS)) as economy:
            economy.run()
            tables = economy.finish()
            histories.append((tables["events"], {key: values.tolist() for key, values in tables["metrics"].items()}))
    assert histories[0] == histories[1]
