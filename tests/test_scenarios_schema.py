"""The schema: complete documentation of every field, frozen sections, strict types."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import date, datetime

import pytest
from pydantic import ValidationError
from scenario_samples import DATA, KINDS, sample

from scenarios import field_table, load
from scenarios.schema import FrozenDict, Run, Scenario, bps

FIELDS = field_table(KINDS)


@pytest.mark.parametrize("row", field_table(), ids=lambda row: row.path)
def test_every_field_is_documented(row):
    assert row.meaning
    assert row.type
    assert row.allowed
    if row.type in ("number", "whole number") and row.path.rpartition(".")[2].endswith(("_seconds", "_usd", "_gwei")):
        assert row.unit


@pytest.mark.parametrize("row", [row for row in field_table() if row.assumption], ids=lambda row: row.path)
def test_an_assumption_states_a_plausible_range_around_its_default(row):
    low, high = row.plausible
    assert low < high
    assert row.lowest is None or low >= row.lowest
    assert row.highest is None or high <= row.highest
    if row.default is not None:
        assert low <= row.default <= high


def test_paths_are_unique():
    paths = [(row.path, row.kind) for row in FIELDS]
    assert len(set(paths)) == len(paths)


def test_a_scenario_is_frozen_everywhere():
    scenario = load(DATA, kinds=KINDS)
    with pytest.raises(ValidationError, match="frozen"):
        scenario.run.seed = 2
    with pytest.raises(TypeError, match="frozen"):
        scenario.assets["ETH"] = scenario.assets["USD"]
    with pytest.raises(TypeError, match="frozen"):
        scenario.prices.columns.update(ETH="eth")
    with pytest.raises(TypeError, match="frozen"):
        scenario.populations.tables["watchers"].settings["look_seconds"] = 1.0
    assert isinstance(scenario.amms["ETH-USD"].ranges, tuple)


def test_a_scenario_travels_between_processes():
    scenario = load(DATA, kinds=KINDS)
    for twin in (pickle.loads(pickle.dumps(scenario)), copy.deepcopy(scenario)):
        assert twin.as_dict() == scenario.as_dict()
        assert twin.populations.tables["watchers"].parameters.look_seconds == 1_800.0
        assert twin.origins() == scenario.origins()
        assert isinstance(twin.assets, FrozenDict)


def test_as_dict_is_plain_and_gives_the_same_scenario():
    scenario = load(DATA, kinds=KINDS)
    plain = json.loads(json.dumps(scenario.as_dict(), allow_nan=False))
    assert plain == scenario.as_dict()
    assert load(plain, kinds=KINDS).as_dict() == plain
    assert Scenario.model_validate(plain).as_dict() == plain


def test_an_invalid_scenario_cannot_be_made_past_the_loader_either():
    with pytest.raises(ValidationError, match="ltv: is above the liquidation threshold"):
        Scenario.model_validate(sample(pool__reserves__ETH__ltv=0.84))


def test_time_of_a_run():
    run = Run(start="2020-03-12T00:00:00Z", horizon_seconds=259_200, step_seconds=60)
    assert (run.start_timestamp, run.steps, run.blocks_per_step) == (1_583_971_200, 4_320, 5)


@pytest.mark.parametrize(
    "given",
    [
        "2020-03-12",
        date(2020, 3, 12),
        datetime(2020, 3, 12),
        "2020-03-12 00:00",
        "2020-03-12T00:00:00+00:00",
        "2020-03-12T01:00:00+01:00",
    ],
)
def test_start_is_written_one_way(given):
    assert Run(start=given).start == "2020-03-12T00:00:00Z"


@pytest.mark.parametrize("given", ["yesterday", "", "2020-13-01", "2020-03-12T00:00:00.5Z", "1900-01-01", 5])
def test_start_that_is_no_time(given):
    with pytest.raises(ValidationError, match="UTC date and time"):
        Run(start=given)


def test_whole_numbers_may_be_written_with_an_exponent():
    assert Run(horizon_seconds=3.6e3).horizon_seconds == 3_600
    with pytest.raises(ValidationError):
        Run(horizon_seconds=3_600.5)


@pytest.mark.parametrize("given", ["600", True, [600], None])
def test_types_are_strict(given):
    with pytest.raises(ValidationError):
        Run(horizon_seconds=given)


def test_scale_multiplies_counts_and_leaves_at_least_one():
    populations = load(sample(populations__scale=0.25), kinds=KINDS).populations
    assert populations.scaled_count("watchers") == 3  # 2.5, rounded half up
    assert populations.scaled_count("pairs") == 1  # 0.75
    assert load(sample(populations__scale=0.01)).scaled_count("pairs") == 1
    assert load(sample(populations__pairs__count=0)).scaled_count("pairs") == 0
    assert load(DATA).scaled_count("watchers") == 10


def test_ratios_become_the_basis_points_of_the_contracts():
    assert [bps(ratio) for ratio in (0.805, 0.045, 0.0001, 1.0, 0.29)] == [8050, 450, 1, 10_000, 2900]
