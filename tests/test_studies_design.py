"""Designs: grids, lists, samples, files; and everything that is wrong with one, told before anything runs."""

from __future__ import annotations

import math

import pytest

from agents.registry import kinds
from scenarios import ScenarioError, load
from sim.cli import main
from sim.studies import Point, StudyError, load_design
from sim.studies.axes import Range, grid_values

LT = "pool.reserves.WETH.liquidation_threshold"
FALL = "prices.shocks.0.change_ratio"


def overrides(design):
    return [dict(point.overrides) for point in design.points]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.1:0.5:0.1", (0.1, 0.2, 0.3, 0.4, 0.5)),  # both ends, and no 0.30000000000000004
        ("1:5:2", (1, 3, 5)),
        ("1:6:2", (1, 3, 5)),
        ("-0.04:-0.06:-0.01", (-0.04, -0.05, -0.06)),
        ("7:7:1", (7,)),
        ("1e6:3e6:1e6", (1e6, 2e6, 3e6)),
        ("0.78,0.80", (0.78, 0.8)),
        ("gbm,constant", ("gbm", "constant")),
        ("true,false", (True, False)),
        ("2025-07-03T00:00:00Z", ("2025-07-03T00:00:00+00:00",)),  # colons make no range
        ("[[1, 2], [3]]", ([1, 2], [3])),
        ([0.5, "x"], (0.5, "x")),
        (3, (3,)),
    ],
)
def test_values_of_a_grid(text, values):
    found = grid_values("a.b", text, "grid")
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3:1:1", "the range is empty"),
        ("1:3:-1", "the range is empty"),
        ("1:3:0", "the range is empty"),
        ("1:3", "LOW:HIGH:STEP"),
        ("1:2:3:4", "LOW:HIGH:STEP"),
        ("0:1:1e-9", "at most 100,000 values"),
        ("1,,2", "at least one value"),
        ([], "at least one value"),
    ],
)
def test_bad_grids(text, words):
    with pytest.raises(StudyError, match=words) as told:
        grid_values("a.b", text, "grid")
    assert "a.b" in str(told.value)


def test_without_anything_varied_there_is_one_point():
    design = load_design("cascade-by-hand", runs=3)
    assert design.points == (Point(0, {}),)
    assert (design.seeds, design.keep, len(design)) == ((1, 2, 3), ("metrics", "events"), 3)


def test_grids_multiply_and_every_point_has_the_same_seeds():
    design = load_design("cascade-by-hand", runs=2, seed0=40, grid=[f"{FALL}=-0.05,-0.06", f"{LT}=0.79:0.80:0.01"])
    assert overrides(design) == [{FALL: fall, LT: lt} for fall in (-0.05, -0.06) for lt in (0.79, 0.8)]
    members = [design.member(run) for run in range(len(design))]
    assert [(m.point.index, m.replicate, m.seed) for m in members] == [
        (point, replicate, 40 + replicate) for point in range(4) for replicate in range(2)
    ]
    assert design.variant(3).pool.reserves["WETH"].liquidation_threshold == 0.8
    assert design.fields == (FALL, LT)


def test_a_variant_is_the_scenario_loaded_with_the_same_overrides():
    design = load_design("march-2020", {"populations.scale": 0.1}, grid=["run.step_seconds=60", f"{LT}=0.84"])
    expected = load("march-2020", {"populations.scale": 0.1, "run.step_seconds": 60, LT: 0.84}, kinds())
    assert design.variant(0).as_dict() | {"prices": {}} == expected.as_dict() | {"prices": {}}
    assert design.variant(0).price_file == expected.price_file


@pytest.mark.parametrize("method", ["lhs", "sobol_points"])
def test_samples_cover_their_ranges_and_are_the_same_again(method):
    vary = [f"{FALL}=-0.08:-0.02", "assets.WETH.impact_per_unit=1e-5:1e-3:log", "run.horizon_seconds=120:240"]

    def points(seed0):
        return overrides(load_design("cascade-by-hand", runs=1, vary=vary, seed0=seed0, **{method: 16}))

    sample = points(1)
    assert sample == points(1) != points(2)
    for name, low, high, log in ((FALL, -0.08, -0.02, False), ("assets.WETH.impact_per_unit", 1e-5, 1e-3, True)):
        values = [point[name] for point in sample]
        if log:
            values, low, high = [math.log(value) for value in values], math.log(low), math.log(high)
        # Both designs put one point into each sixteenth of every range.
        assert sorted(int(16 * (value - low) / (high - low)) for value in values) == list(range(16))
    assert all(isinstance(point["run.horizon_seconds"], int) for point in sample)


def test_whole_numbers_reach_both_ends():
    span = Range("n", 2, 4, whole=True)
    assert [span.value(share) for share in (0.0, 0.32, 0.34, 0.99, 1.0)] == [2, 2, 3, 4, 4]


def test_a_field_without_a_range_takes_the_schemas_own():
    path = "populations.liquidator.gas_eth"  # an assumption, plausible from 1 to 1000
    values = [point[path] for point in overrides(load_design("cascade-by-hand", runs=1, vary=[path], lhs=8))]
    assert 1.0 <= min(values) < 200.0 < 800.0 < max(values) <= 1000.0


FILE = f"""
name = "mine"
extends = "cascade-by-hand"

[study]
replicates = 2
seed0 = 7
keep = ["metrics", "positions"]
points = [{{ "{FALL}" = -0.05 }}, {{ "{FALL}" = -0.06, "{LT}" = 0.79 }}]

[study.grid]
"mechanisms.interest" = [true, false]
"""


def test_a_file_with_a_study_table(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(FILE)
    design = load_design(file)
    assert design.scenario.name == "mine"
    assert (design.seeds, design.keep) == ((7, 8), ("metrics", "positions"))
    interest = "mechanisms.interest"
    assert overrides(design) == [
        {FALL: -0.05, interest: True},
        {FALL: -0.05, interest: False},
        {FALL: -0.06, LT: 0.79, interest: True},
        {FALL: -0.06, LT: 0.79, interest: False},
    ]
    changed = load_design(file, runs=5, grid=["mechanisms.interest=true"], keep=["events"])
    assert (len(changed.points), len(changed.seeds), changed.keep) == (2, 5, ("metrics", "events"))
    assert main(["scenario", "validate", str(file)]) == 0  # it is a scenario as well


def test_the_resolved_study_is_the_same_study(tmp_path):
    design = load_design("cascade-by-hand", runs=3, vary=[f"{FALL}=-0.08:-0.02"], lhs=3, grid=[f"{LT}=0.78,0.79"])
    (tmp_path / "study.toml").write_text(design.to_toml())
    again = load_design(tmp_path / "study.toml")
    assert overrides(again) == overrides(design)
    assert again.identity({}) == design.identity({})
    assert again.identity({}) != load_design("cascade-by-hand", runs=4).identity({})


def variants(scenario, options):
    """Every variant of a design, as they are checked before anything runs."""
    design = load_design(scenario, **options)
    return [design.variant(point.index) for point in design.points]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"grid": ["run.sede=1,2"]}, "did you mean 'seed'"),
        ({"grid": [f"{LT}=0.8,1.2"]}, "design point 1"),
        ({"grid": [f"{LT}"]}, "FIELD="),
        ({"grid": ["run.seed=1,2"]}, "--runs and --seed0"),
        ({"vary": [f"{FALL}=-0.05:-0.06"], "lhs": 4}, "the range is empty"),
        ({"vary": [f"{FALL}=a:b"], "lhs": 4}, "LOW:HIGH"),
        ({"vary": [f"{FALL}=-1:2:log"], "lhs": 4}, "above 0"),
        ({"vary": ["pool.rules"], "lhs": 4}, "holds a number"),
        ({"vary": ["run.sede=1:2"], "lhs": 4}, "did you mean 'seed'"),
        ({"vary": ["assets.WETH.price_usd"], "lhs": 4}, "states no range"),
        ({"vary": [f"{FALL}=-0.06:-0.05"]}, "--lhs K or --sobol K"),
        ({"lhs": 4}, "--vary"),
        ({"vary": [f"{FALL}=-0.06:-0.05"], "sobol_points": 5}, "a power of 2"),
        ({"vary": [f"{FALL}=-0.06:-0.05"], "sobol_points": 4, "lhs": 4}, "one of them"),
        ({"vary": [f"{FALL}=-0.06:-0.05"], "lhs": 4, "grid": [f"{FALL}=-0.05"]}, "varied twice"),
        ({"grid": [f"{LT}=0:1:0.001", f"{FALL}=-0.5:-0.1:0.001"]}, "at most 100,000"),
        ({"keep": ["metrics", "evnts"]}, "positions"),
    ],
)
def test_bad_designs_are_told_before_anything_runs(options, words):
    with pytest.raises((StudyError, ScenarioError), match=words):
        variants("cascade-by-hand", options)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[study]\nreplicats = 3", "did you mean 'replicates'"),
        ("[study]\nreplicates = 0", "study.replicates"),
        ("study = 3", "study"),
        ('[study]\nkeep = ["evnts"]', "study.keep"),
        ("[study]\npoints = 4", "study.points"),
    ],
)
def test_a_bad_study_table_names_file_and_field(text, words, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(f'{text if "[" not in text else ""}\nextends = "cascade-by-hand"\n{text if "[" in text else ""}\n')
    with pytest.raises(ScenarioError, match=words) as told:
        load_design(file)
    assert "mine.toml" in str(told.value)
