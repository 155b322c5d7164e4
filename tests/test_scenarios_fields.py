"""The field table and the JSON Schema made from it."""

from __future__ import annotations

import copy

import pytest
from jsonschema import Draft202012Validator
from scenario_samples import DATA, KINDS, sample

from scenarios import field_table, json_schema, load
from scenarios.fields import manifest_notes, resolved_table


def rows():
    return {row.path: row for row in field_table(KINDS)}


def test_rows_say_type_unit_range_default_and_source():
    row = rows()["outside.depth_floor"]
    assert (row.type, row.default, row.allowed, row.assumption) == (
        "number",
        0.1,
        "number, above 0 and at most 1",
        True,
    )
    assert row.plausible == (0.02, 0.3)
    assert row.source.startswith("assumption")
    row = rows()["gas.ordering"]
    assert (row.choices, row.allowed, row.default) == (("private", "public"), '"private" or "public"', "private")
    row = rows()["amms.NAME.token0"]
    assert (row.required, row.default, row.refers_to) == (True, None, "asset")
    row = rows()["run.seed"]
    assert (row.allowed, row.lowest, row.highest) == ("whole number, 0 to 2^63 - 1", 0, 2**63 - 1)
    row = rows()["assets.SYMBOL.depth_2pct"]
    assert row.allowed == "number, above 0, or left out"


def test_every_kind_has_its_own_rows():
    row = rows()["populations.NAME.look_seconds"]
    assert (row.kind, row.default, row.unit) == ("watcher", 1_800.0, "s")
    assert not [row for row in field_table() if row.kind]


def test_every_value_of_a_scenario_has_its_field():
    scenario = load(DATA, {"run.seed": 5}, KINDS)
    values = {value.path: value for value in resolved_table(scenario)}
    assert (values["run.seed"].value, values["run.seed"].origin) == (5, "override")
    assert values["pool.reserves.ETH.ltv"].field.unit == ""
    assert values["pool.reserves.ETH.ltv"].where == "scenario"
    assert values["populations.watchers.look_seconds"].field.kind == ""
    assert values["populations.watchers.look_seconds"].source == "assumption"
    assert values["gas.operations.swap"].origin == "default"
    assert values["amms.ETH-USD.ranges.0.share"].value == 0.5
    assert "assets.ETH.base" not in values
    assert "title" not in values


def test_notes_for_a_manifest():
    origins, notes = manifest_notes(load(DATA, {"run.seed": 5}, KINDS))
    assert (origins["run.seed"], origins["run.horizon_seconds"], origins["run.wake"]) == (
        "overridden",
        "set",
        "default",
    )
    assert notes["gas.tip_gwei"]["assumption"] is True
    assert notes["gas.tip_gwei"]["unit"] == "gwei"
    assert set(origins) == set(notes)


@pytest.fixture(scope="module")
def validator():
    schema = json_schema(KINDS)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def errors(validator, data):
    return list(validator.iter_errors(data))


def test_json_schema_takes_what_the_loader_takes(validator):
    assert not errors(validator, DATA)
    assert not errors(validator, load(DATA, kinds=KINDS).as_dict())
    own = {"kind": "package.module:Class", "count": 1, "anything": 5}
    assert not errors(validator, sample(populations__own=own))


@pytest.mark.parametrize(
    "change",
    [
        {"run__seed": -1},
        {"run__sede": 1},
        {"pool__reserves__ETH__ltv": 1.5},
        {"gas__ordering": "privat"},
        {"assets__ETH__price_usd": -1},
        {"populations__watchers__debt_usd_median": None},
        {"populations__watchers__look_second": 1.0},
        {"populations__watchers__kind": "watchr"},
        {"populations__pairs__count": None},
    ],
)
def test_json_schema_refuses_what_the_loader_refuses(validator, change):
    assert errors(validator, sample(**change))


def test_json_schema_carries_unit_source_and_assumption():
    fee = json_schema()["$defs"]["Gas"]["properties"]["reference_gwei"]
    assert fee["unit"] == "gwei"
    assert fee["source"]
    assert fee["assumption"] is False
    assert fee["description"]


def test_json_schema_leaves_the_sample_alone():
    before = copy.deepcopy(DATA)
    json_schema(KINDS)
    assert before == DATA
