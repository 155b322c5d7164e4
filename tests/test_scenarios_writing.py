"""A resolved scenario written as TOML reads back to the same values."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_samples import DATA, KINDS, sample

from scenarios import library_names, load
from scenarios.merging import parse_assignments
from scenarios.writing import toml_value

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_every_value_survives(value):
    assert tomllib.loads(f"value = {toml_value(value)}") == {"value": value}


@pytest.mark.parametrize("name", library_names())
def test_library_scenarios_survive(name, tmp_path):
    original = load(name, {"run.seed": 3, "results.keep": ["metrics"]})
    (tmp_path / "copy.toml").write_text(original.to_toml(), encoding="utf-8")
    assert load(tmp_path / "copy.toml").as_dict() == original.as_dict()


def test_shocks_and_bands_survive(tmp_path):
    shocks = [{"asset": "ETH", "at_seconds": 12 * k, "change_ratio": -0.1, "over_seconds": 60} for k in range(3)]
    original = load(sample(prices__shocks=shocks, title='A "quoted" \\ title\nof two lines \x7f'), kinds=KINDS)
    (tmp_path / "copy.toml").write_text(original.to_toml(), encoding="utf-8")
    assert load(tmp_path / "copy.toml", kinds=KINDS).as_dict() == original.as_dict()


def test_overrides_can_be_given_again():
    shocks = [{"asset": "ETH", "at_seconds": 12, "change_ratio": -0.1, "over_seconds": 0}]
    overrides = {
        "prices.shocks": shocks,
        "amms.ETH-USD.ranges.1.width_ratio": 2.0,
        "populations.watchers.collateral": {"stETH": 0.5},
        "mechanisms.gas": False,
        "title": 'with "quotes" = and more',
        "run.start": "2020-03-12",
    }
    changed = load(DATA, overrides, KINDS)
    options = changed.assignments()
    assert {'run.start="2020-03-12T00:00:00Z"', "mechanisms.gas=false"} <= set(options)
    assert len(options) == len(overrides)
    assert load(DATA, parse_assignments(options), KINDS).as_dict() == changed.as_dict()
    assert load(DATA, kinds=KINDS).assignments() == []


def test_defaults_are_marked():
    text = load(DATA, {"run.seed": 4}, KINDS).to_toml()
    assert "seed = 4\n" in text
    assert 'wake = "due"  # default\n' in text
    assert "horizon_seconds = 600\n" in text
