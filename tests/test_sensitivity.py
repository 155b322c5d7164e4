"""Sensitivity: indices of functions whose exact ones are known, the dummy, intervals, and small real studies."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import scenarios
from agents.registry import kinds
from sim.cli import main
from sim.randomness import Randomness
from sim.studies import execute
from sim.studies.axes import Range
from sim.studies.design import load_design
from sim.studies.errors import StudyError
from sim.studies.folder import StudyFolder
from sim.studies.reading import open_study
from sim.studies.report import write_report
from sim.studies.sensitivity import indices as ix
from sim.studies.sensitivity.analysis import analyse, ranked
from sim.studies.sensitivity.plan import DUMMY, SEEDS, Plan, assumed_ranges, make_plan, plan_of
from sim.studies.sensitivity.words import report_of

BONUS = "pool.reserves.WETH.liquidation_bonus"
THRESHOLD = "pool.reserves.WETH.liquidation_threshold"

ANGLES = tuple(Range(name, -math.pi, math.pi) for name in ("a", "b", "c"))
#: Exact indices of Ishigami's function with 7 and 0.1: Sobol', Levitan 1999, Computer Physics Communications 117, 52.
FIRST, TOTAL = (0.3139, 0.4424, 0.0), (0.5576, 0.4424, 0.2437)


def mean(values):
    return values.mean(axis=-1)


def ishigami(rows):
    a, b, c = (np.array([row[name] for row in rows]) for name in ("a", "b", "c"))
    return np.sin(a) + 7.0 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a)


def noisy(found, seeds, size, repeat):
    """Values on seeds: what they share, and noise of each run."""
    stream = Randomness(repeat).stream("noise")
    return found[:, None] + size * stream.standard_normal((len(found), seeds))


# ---------------------------------------------------------------------- exact answers
def test_sobol_indices_of_a_function_whose_indices_are_known():
    plan = Plan("sobol", ANGLES, 512, 32, 1)
    values = noisy(ishigami([plan.row(row) for row in plan.sample()]), 32, 1.0, 1)
    found = ix.sobol(plan.problem, values, mean)
    for place in range(3):
        assert found["S1"][place].low <= FIRST[place] <= found["S1"][place].high
        assert found["ST"][place].low <= TOTAL[place] <= found["ST"][place].high
        assert found["ST"][place].value == pytest.approx(TOTAL[place], abs=0.06)
    first, total = ix.saltelli(mean(values), 4)
    np.testing.assert_allclose([one.value for one in found["S1"]], first, atol=1e-9)
    np.testing.assert_allclose([one.value for one in found["ST"]], total, atol=1e-9)


def test_a_dummy_has_the_index_zero_and_noise_has_a_floor_around_it():
    """The dummy's interval holds 0; so does the floor's, in about 95 % of samples, and it is no point."""
    inside = 0
    for repeat in range(40):
        plan = Plan("sobol", ANGLES, 64, 32, 100 + repeat)
        values = ishigami([plan.row(row) for row in plan.sample()])[:, None]
        floor = ix.noise_floor(values, 4, mean)
        inside += floor.low <= 0.0 <= floor.high
        assert floor.high - floor.low > 0.1
    assert inside >= 34
    found = ix.sobol(plan.problem, values, mean)
    for name in ("S1", "ST"):
        assert found[name][3].low <= 0.0 <= found[name][3].high
        assert found[name][1].low > 0.0


def test_an_input_that_only_stirs_the_noise_is_not_told_from_nothing():
    """Every point with noise of its own: the dummy's rows are then no copies, and its interval must still hold 0."""
    inside = 0
    for repeat in range(25):
        plan = Plan("sobol", ANGLES[:1], 64, 32, repeat)
        rows = [plan.row(row) for row in plan.sample()]
        found = np.array([math.sin(row["a"]) for row in rows])
        index = ix.sobol(plan.problem, noisy(found, 32, 1.0, repeat), mean)["S1"][1]
        inside += index.low <= 0.0 <= index.high
    assert inside >= 21


def test_elementary_effects_of_a_sum_are_its_coefficients():
    plan = Plan("morris", ANGLES, 10, 4, 1)
    shares = plan.sample()
    found = shares[:, 0] * 5.0 - shares[:, 1] * 2.0 + 0.5 * shares[:, 0] * shares[:, 2]
    effects = ix.morris(plan.problem, shares, np.repeat(found[:, None], 4, axis=1), mean)
    assert effects["mu"][1].value == pytest.approx(-2.0)
    assert effects["mu_star"][1].value == pytest.approx(2.0)
    assert effects["sigma"][1].value == pytest.approx(0.0, abs=1e-9)
    assert 5.0 < effects["mu"][0].value < 5.5
    assert effects["sigma"][0].value > 0.01
    assert [effects[name][3] for name in effects] == [ix.Index(0.0, 0.0, 0.0)] * 3
    own = np.abs(ix.elementary_effects(shares, found, 4)).mean(axis=0)
    np.testing.assert_allclose([one.value for one in effects["mu_star"]], own)


def test_the_share_of_the_seeds():
    stream = Randomness(5).stream("share")
    values = 2.0 * stream.standard_normal((4_000, 1)) + stream.standard_normal((4_000, 20))
    assert ix.seed_share(values, slice(None)) == pytest.approx(0.2, abs=0.02)
    assert ix.seed_share(values[:, :1], slice(None)) is None


# ---------------------------------------------------------------------- plans
def test_a_dummy_costs_no_run_and_a_plan_is_read_back(tmp_path):
    scenario = scenarios.load("cascade-by-hand", None, kinds())
    plan = make_plan(scenario, {BONUS: "0.04:0.06", THRESHOLD: [0.76, 0.84]}, count=3, runs=2)
    design = plan.design(scenario)
    assert plan.inputs == (BONUS, THRESHOLD, DUMMY)
    assert len({tuple(point.overrides.items()) for point in design.points}) == len(design.points)
    assert len(design.points) <= 1 + 4 + 3 * 3
    assert all(
        round(point.overrides.get(BONUS, 0.05), 4) == point.overrides.get(BONUS, 0.05) for point in design.points
    )
    with StudyFolder.open(tmp_path / "S", design, False) as folder:
        assert plan_of(folder.manifest) == plan
    assert np.array_equal(plan.sample(), plan_of(json.loads((tmp_path / "S/manifest.json").read_text())).sample())


def test_assumptions_are_fields_with_a_range():
    scenario = scenarios.load("demo", None, kinds())
    fields = {one.field for one in assumed_ranges(scenario)}
    assert "assets.WETH.depth_2pct" in fields
    assert THRESHOLD not in fields
    assert {one.field for one in make_plan(scenario, {}, assumptions=True).ranges} == fields
    both = make_plan(scenario, {"assets.WETH.depth_2pct": "2e6:2e7:log"}, assumptions=True)
    assert [one.field for one in both.ranges].count("assets.WETH.depth_2pct") == 1


@pytest.mark.parametrize(
    ("ranges", "options", "message"),
    [
        ({}, {}, "no field"),
        ({"pool.reserves.WETH.bonus": "0:1"}, {}, "no such field"),
        ({BONUS: "0.06:0.04"}, {}, "range is empty"),
        ({"run.seed": "1:9"}, {}, "--seed-factor"),
        ({BONUS: "0.04:0.06"}, {"method": "fast"}, "morris or sobol"),
        ({BONUS: "0.04:0.06"}, {"count": 1}, "at least 2"),
        ({BONUS: "0.04:0.06"}, {"method": "sobol", "count": 48}, "power of 2"),
        ({BONUS: "0.04:0.06"}, {"method": "sobol", "runs": 31}, "at least 32"),
        ({BONUS: "0.04:0.06"}, {"seed_factor": True}, "--method sobol"),
    ],
)
def test_what_cannot_be_planned_is_one_error(ranges, options, message):
    with pytest.raises(StudyError, match=message):
        make_plan(scenarios.load("cascade-by-hand", None, kinds()), ranges, **options)


# ---------------------------------------------------------------------- real runs
def test_the_example_of_the_page_runs(tmp_path, monkeypatch, capsys):
    from test_readme import blocks

    text = next(text for language, text in blocks("docs/studies-search.md") if language == "python")
    monkeypatch.chdir(tmp_path)
    exec(compile(text, "docs/studies-search.md", "exec"), {"__name__": "__main__"})
    told = capsys.readouterr().out
    assert "is moved most by pool.reserves.WETH.liquidation_threshold" in told
    assert told.splitlines()[-1].startswith("0.8 found 0.79")


@pytest.fixture(scope="module")
def screened(tmp_path_factory):
    """Morris over two fields of the cascade by hand, from the command line."""
    folder = tmp_path_factory.mktemp("sensitivity") / "S"
    arguments = ["sensitivity", "cascade-by-hand", "--vary", f"{THRESHOLD}=0.76:0.82", "--vary", f"{BONUS}=0.04:0.06"]
    arguments += ["--samples", "2", "--runs", "2", "--workers", "1", "--of", "liquidated_usd", "--out", str(folder)]
    assert main(arguments) == 0
    return folder, arguments


def test_a_study_says_which_field_moves_what(screened, capsys):
    folder, arguments = screened
    one = analyse(open_study(folder), ["liquidated_usd"])[0]
    assert one.inputs[ranked(one)[0]] == THRESHOLD
    assert one.inputs[-1] == DUMMY
    dummy = one.measures["mu_star"][-1]
    assert dummy.low <= 0.0 <= dummy.high
    assert one.tornado[0].field == THRESHOLD
    assert one.tornado[0].at_low > one.tornado[0].at_high
    assert one.tornado[0].change_low.value == pytest.approx(one.tornado[0].at_low - one.base)
    assert main(["sensitivity", str(folder), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["figures"][0]["figure"] == "mean(liquidated_usd)"
    assert json.loads((folder / "sensitivity.json").read_text())["figures"] == said["figures"]
    assert main([*arguments, "--resume"]) == 0
    assert "Elementary effects: mean(liquidated_usd)" in " ".join(capsys.readouterr().out.split())


def test_a_figure_that_nothing_moves_and_one_that_has_too_few_seeds(screened):
    study = open_study(screened[0])
    still = analyse(study, ["deficit_usd"])[0]
    assert still.measures == {}
    assert "nothing moves it" in report_of(study, ["deficit_usd"]).headline
    for text, message in (
        ("var95(liquidated_usd)", "at least 72"),
        ("nothing_usd", "an outcome"),
        ("max(gas_usd)", "a q"),
    ):
        with pytest.raises(StudyError, match=message):
            analyse(study, [text])
    report_of(study, ["liquidated_usd"])


def test_the_report_draws_a_tornado(screened):
    text = write_report(screened[0]).read_text(encoding="utf-8")
    assert "What moves mean(liquidated_usd)" in text
    assert "tornado-mean-liquidated-usd" in text
    assert "(dummy)" in text


def test_the_seed_as_an_input(tmp_path):
    """One run a row, each with the seed that the row says; the study can be read back from its own file."""
    scenario = scenarios.load("cascade-by-hand", None, kinds())
    plan = make_plan(scenario, {THRESHOLD: "0.76:0.82"}, method="sobol", count=4, runs=32, seed_factor=True)
    design = plan.design(scenario)
    assert plan.inputs == (THRESHOLD, SEEDS, DUMMY)
    assert len(design.seeds) == 1
    assert {design.member(run).seed for run in range(len(design))} > {1, 2, 3}
    execute(design, tmp_path / "S")
    study = open_study(tmp_path / "S")
    assert study.runs["seed"].tolist() == study.runs["set.run.seed"].astype(int).tolist()
    one = analyse(study, ["liquidated_usd"])[0]
    dummy = one.measures["ST"][-1]
    assert dummy.low <= 0.0 <= dummy.high
    assert ranked(one)[0] == 0
    again = load_design(tmp_path / "S" / "study.toml")
    assert [again.member(run) for run in range(len(again))] == [design.member(run) for run in range(len(design))]
