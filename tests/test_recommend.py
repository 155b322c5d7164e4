"""Recommending a value: the search on constructed cases whose answer is known, steps, and one search of real runs."""

from __future__ import annotations

import json
import math
from statistics import NormalDist

import numpy as np
import pytest

import scenarios
from agents.registry import kinds
from sim.cli import main
from sim.randomness import Randomness
from sim.studies.errors import StudyError
from sim.studies.expressions import parse
from sim.studies.searching.capacity import capacities
from sim.studies.searching.curve import crossings, monotone_p, rising, statistic_of
from sim.studies.searching.recommending import recommend, valid_values
from sim.studies.searching.search import ALL, FOUND, NOISE, NONE, search
from sim.studies.searching.steps import STEP_LIMITS, choice
from sim.studies.searching.trials import Trials
from sim.studies.searching.words import told
from sim.studies.variants import variant

LIMIT = 400_000.0
VALUES = [round(0.70 + 0.005 * k, 4) for k in range(25)]
THRESHOLD = "pool.reserves.WETH.liquidation_threshold"
Q95 = NormalDist().inv_cdf(0.95)


def case(truth, repeat=0, *, slope=15.0, loss=None, calls=None):
    """`evaluate` of a constructed case: log-normal losses whose 95 % quantile meets LIMIT exactly at `truth`.

    Its table is a dictionary of columns, which costs nothing to make.
    """
    shock = Randomness(repeat).stream("a constructed case").standard_normal(2_000)

    def evaluate(scenario, points, seeds, *, outcomes=True, workers=1):
        x = np.array([next(iter(point.values())) for point in points])
        z = shock[np.asarray(seeds)]
        losses = loss(x, z) if loss else LIMIT * np.exp(slope * (x - truth))[:, None] * np.exp(z - Q95)[None, :]
        if calls is not None:
            calls.extend((float(value), int(seed)) for value in x for seed in seeds)
        keys = {"point": np.repeat(np.arange(len(x)), len(z)), "seed": np.tile(np.asarray(seeds), len(x))}
        borrowed = {"borrowed_start_usd": 1e8 * np.repeat(x, len(z)), "borrowed_end_usd": 9e7 * np.repeat(x, len(z))}
        return keys | {"deficit_usd": losses.ravel()} | borrowed

    return evaluate


def found(evaluate, limit="var95(deficit_usd) <= 400000", runs=120, **more):
    trials = Trials(None, "x", ["deficit_usd"], evaluate)
    return search(VALUES, trials, parse(limit, ["deficit_usd"]), range(runs), **more)


@pytest.fixture(scope="module")
def demo():
    return scenarios.load("demo", {"run.horizon_seconds": 5400}, kinds())


@pytest.fixture(scope="module")
def by_hand():
    return scenarios.load("cascade-by-hand", None, kinds())


# ---------------------------------------------------------------------- how often it is right
def test_the_planted_threshold_lies_in_the_interval_and_the_answer_on_the_safe_side():
    inside = unsafe = answered = 0
    for repeat in range(200):
        truth = 0.7412 + 0.0007 * (repeat % 50)
        one = found(case(truth, repeat), resamples=200)
        inside += one.low <= truth <= one.high
        unsafe += one.answer is not None and one.answer > truth
        answered += one.answer is not None
    assert inside >= 180
    assert unsafe <= 10
    assert answered >= 150  # the answer is worth something: it is not bought by silence


def test_a_limit_from_below_and_a_falling_outcome():
    rising_losses = case(0.75, 1)
    less = found(rising_losses, "mean(deficit_usd) >= 100000", runs=100)
    assert less.riskier == -1
    assert less.rises

    def falling(x, z):
        return LIMIT * np.exp(15.0 * (0.76 - x))[:, None] * np.exp(z - Q95)[None, :]

    one = found(case(0.76, 2, loss=falling), runs=200)
    assert (one.state, one.riskier, one.rises) == (FOUND, -1, False)
    assert one.answer >= 0.76
    assert one.low <= 0.76 <= one.high


def test_every_pair_is_run_once_and_clear_values_get_few_seeds():
    calls = []
    one = found(case(0.755, 3, slope=60.0, calls=calls), runs=200)
    assert len(calls) == len(set(calls))
    few = [tested for tested in one.tested if tested.estimate is None]
    assert few
    assert all(tested.runs == 50 for tested in few)
    assert len(calls) < 0.5 * 200 * len(VALUES)


# ---------------------------------------------------------------------- when there is no answer, or a doubtful one
def test_nothing_keeps_the_limit():
    one = found(case(0.5, 4), runs=200)
    assert (one.state, one.answer, one.break_even) == (NONE, None, None)


def test_everything_keeps_the_limit():
    one = found(case(1.2, 5))
    assert (one.state, one.answer) == (ALL, VALUES[-1])


def test_too_much_noise_is_said_with_the_runs_it_would_take():
    one = found(case(0.70 + 0.02, 6, slope=5.0), runs=80)
    assert (one.state, one.answer) == (NOISE, None)
    assert one.needed > 80


def test_an_outcome_that_is_not_monotone_is_told():
    def humped(x, z):
        hump = np.exp(-(((x - 0.74) / 0.012) ** 2))
        return (LIMIT * (0.3 + 2.0 * hump + 1.2 * (x - 0.7)))[:, None] * np.exp(0.2 * z)[None, :]

    one = found(case(0.0, 7, loss=humped), runs=200)
    assert not one.monotone
    assert one.riskier == -1
    assert one.answer > 0.75  # from the safe side only values that keep the limit have been passed
    assert found(case(0.76, 8)).monotone


def test_a_field_without_effect(by_hand):
    def flat(x, z):
        return np.tile(1000.0 * np.exp(z), (len(x), 1))

    one = recommend(by_hand, f"{THRESHOLD}=0.77:0.82", "mean(deficit_usd) <= 400000", evaluate=case(0, loss=flat))
    assert one.found.state == ALL
    assert one.value == one.choice.present
    assert "makes no difference" in told(one).headline


# ---------------------------------------------------------------------- pieces
def test_the_monotone_fit_pools_neighbours():
    fit = rising(np.array([[1.0, 3.0, 2.0, 4.0], [3.0, 2.0, 1.0, 5.0], [1.0, 2.0, 3.0, 4.0]]))
    assert fit.tolist() == [[1.0, 2.5, 2.5, 4.0], [2.0, 2.0, 2.0, 5.0], [1.0, 2.0, 3.0, 4.0]]


def test_the_monotone_fit_agrees_with_scipy():
    from scipy.optimize import isotonic_regression

    rows = Randomness(1).stream("fit").standard_normal((50, 9))
    theirs = np.array([isotonic_regression(row).x for row in rows])
    np.testing.assert_allclose(rising(rows), theirs, atol=1e-12)


def test_crossings_by_hand():
    curves = np.array([[1.0, 2.0, 4.0], [5.0, 6.0, 7.0], [0.0, 1.0, 2.0], [1.0, 3.0, 3.0]])
    assert crossings(curves, np.array([0.0, 1.0, 2.0]), 3.0).tolist() == [1.5, -math.inf, math.inf, math.inf]


def test_the_test_of_monotony_holds_its_level():
    """A flat curve is the hardest case: it may be refused in about 5 % of the repeats at that level."""
    stream, refused = Randomness(2).stream("flat"), 0
    for _ in range(200):
        sample = stream.standard_normal((6, 60))
        drawn = sample[:, stream.integers(0, 60, (200, 60))].mean(axis=-1).T
        refused += monotone_p(sample.mean(axis=-1), drawn) < 0.05
    assert refused <= 20


@pytest.mark.parametrize(
    "text", ["mean(x) <= 1", "median(x) <= 1", "var95(x) <= 1", "quantile(x, 0.9) <= 1", "probability(x > 0.5) <= 1"]
)
def test_figures_of_many_rows_are_those_of_the_expressions(text):
    values = Randomness(3).stream("rows").standard_normal((4, 100))
    expression = parse(text, ["x"])
    ours = statistic_of(expression)(values)
    np.testing.assert_allclose(ours, [expression.value(row) for row in values], rtol=1e-12)


def test_values_lie_on_the_steps_of_practice(demo):
    threshold = choice(demo, THRESHOLD)
    assert threshold.values[0] == 0.80
    assert threshold.values[-1] == 0.86
    assert threshold.present in threshold.values
    assert len(threshold.values) == 13
    cap = choice(demo, "pool.reserves.WETH.supply_cap_tokens")
    assert cap.values[0] == 1_500_000
    assert cap.values[-1] == 6_000_000
    assert cap.values[8] == cap.present == 3_000_000
    assert all(value == int(value) for value in cap.values)
    assert choice(demo, "pool.reserves.WETH.slope1_per_year").limit.most == 0.01
    assert choice(demo, "pool.reserves.WETH.slope2_per_year").limit.most == 0.20
    assert choice(demo, "pool.reserves.WETH.liquidation_bonus").limit.most == 0.02
    assert all(limit.source for limit in STEP_LIMITS)


def test_far_values_take_several_changes(demo):
    threshold = choice(demo, f"{THRESHOLD}=0.70:0.85")
    assert threshold.changes_to(0.75) == [0.80, 0.77, 0.75]
    assert threshold.changes_to(0.83) == [0.83]
    cap = choice(demo, "pool.reserves.WETH.supply_cap_tokens=300000:3000000")
    assert cap.changes_to(500_000) == [1_500_000, 750_000, 500_000]


def test_values_that_make_no_scenario_are_told(demo):
    valid, refused = valid_values(demo, choice(demo, THRESHOLD))
    assert valid[0] == 0.81
    assert "above the liquidation threshold" in refused[0.80]
    bonus, refused = valid_values(demo, choice(demo, "pool.reserves.WETH.liquidation_bonus=0.19:0.22:0.01"))
    assert bonus[-1] == 0.20
    assert "more than the collateral" in refused[0.21]
    with pytest.raises(StudyError, match=r"0 of \d+ values"):
        valid_values(demo, choice(demo, f"{THRESHOLD}=0.5:0.6:0.05"))


@pytest.mark.parametrize(
    ("vary", "limit", "runs", "message"),
    [
        ("pool.reserves.WETH.liquidation_treshold", "mean(deficit_usd) <= 1", 20, "Meant pool.reserves.WETH.liq"),
        ("run.seed", "mean(deficit_usd) <= 1", 20, "--runs and --seed0"),
        ("mechanisms.gas", "mean(deficit_usd) <= 1", 20, "holds a number"),
        ("run.horizon_seconds", "mean(deficit_usd) <= 1", 20, "LOW:HIGH:STEP"),
        (f"{THRESHOLD}=0.9:0.8", "mean(deficit_usd) <= 1", 20, "range is empty"),
        (f"{THRESHOLD}=0.831:0.834", "mean(deficit_usd) <= 1", 20, "range is empty"),
        (f"{THRESHOLD}=low:high", "mean(deficit_usd) <= 1", 20, "LOW:HIGH"),
        (THRESHOLD, "mean(deficit) <= 1", 20, "Meant deficit_usd"),
        (THRESHOLD, "mean(deficit_usd)", 20, "a comparison"),
        (THRESHOLD, "mean(deficit_usd) == 1", 20, "<=, <, >= or >"),
        (THRESHOLD, "max(deficit_usd) <= 1", 20, "a statistic with an interval"),
        (THRESHOLD, "var95(deficit_usd) <= 1", 71, "at least 72"),
        (THRESHOLD, "es95(deficit_usd) <= 1", 100, "at least 1000"),
    ],
)
def test_what_cannot_be_searched_is_one_error(vary, limit, runs, message, demo):
    with pytest.raises(StudyError, match=message):
        recommend(demo, vary, limit, runs=runs, evaluate=case(0.8))


# ---------------------------------------------------------------------- recommending
def test_a_recommendation_says_what_it_costs(by_hand):
    one = recommend(
        by_hand, f"{THRESHOLD}=0.76:0.84", "var95(deficit_usd) <= 400000", evaluate=case(0.787, 9, slope=60.0)
    )
    assert one.value == one.found.answer
    assert 0.77 <= one.value <= 0.785
    assert one.changes == (one.value,)
    assert one.cost.borrowed["borrowed_start_usd"].value == pytest.approx(1e8 * (one.value - 0.80))
    assert one.cost.recommended.carried_usd < one.cost.present.carried_usd
    text = told(one).to_text()
    assert f"Set {THRESHOLD} to {one.value:g} (now 0.8)" in text
    assert "Cost in borrowing capacity" in text
    assert json.loads(json.dumps(told(one).to_json(), allow_nan=False))["recommended"] == one.value


def test_no_change_is_advised_where_none_is_needed(by_hand):
    """Less capacity and more risk on the same side: the present value keeps the limit, so it stays."""

    def falling(x, z):
        return LIMIT * np.exp(60.0 * (0.777 - x))[:, None] * np.exp(z - Q95)[None, :]

    one = recommend(by_hand, f"{THRESHOLD}=0.76:0.84", "var95(deficit_usd) <= 4e5", evaluate=case(0, 10, loss=falling))
    assert one.value == 0.80
    assert one.found.answer < 0.80
    assert (one.changes, one.cost) == ((), None)
    assert "no change is needed" in told(one).headline


def test_capacity_of_the_book_by_hand(by_hand):
    """The same book under a threshold 0.03 lower carries that share of its WETH collateral less."""
    other = variant(by_hand, {THRESHOLD: 0.77}, "lower")
    own, then = capacities(by_hand, other, THRESHOLD, 1)
    assert own.power_usd == then.power_usd
    assert then.carried_usd == pytest.approx(own.carried_usd * 0.77 / 0.80)
    cap = "pool.reserves.WETH.supply_cap_tokens"
    more = variant(by_hand, {cap: 2_000}, "cap")
    assert capacities(by_hand, more, cap, 1)[1].cap_usd == 2_000 * 1_000.0


def test_a_search_that_was_ended_goes_on_from_its_folder(by_hand, tmp_path):
    calls = []
    vary, limit = f"{THRESHOLD}=0.76:0.84", "var95(deficit_usd) <= 400000"
    folder = tmp_path / "search"
    whole = recommend(by_hand, vary, limit, out=folder, evaluate=case(0.787, 11, calls=calls))
    lines = (folder / "runs.jsonl").read_text().splitlines()
    assert len(lines) == len(calls) == whole.runs
    (folder / "runs.jsonl").write_text("\n".join(lines[: len(lines) // 3]) + "\n[0.8, 17, 1")
    with pytest.raises(StudyError, match="--resume"):
        recommend(by_hand, vary, limit, out=folder, evaluate=case(0.787, 11))
    again = recommend(by_hand, vary, limit, out=folder, resume=True, evaluate=case(0.787, 11))
    assert again.reused == len(lines) // 3
    assert again.runs == whole.runs - again.reused
    assert again.found == whole.found
    with pytest.raises(StudyError, match="another search"):
        recommend(by_hand, "pool.reserves.WETH.liquidation_bonus", limit, out=folder, evaluate=case(0.05))


def test_a_real_search_from_the_command_line(tmp_path, capsys):
    """Debt liquidated falls as the threshold rises in this scenario of one event: the search finds where."""
    arguments = ["recommend", "cascade-by-hand", "--vary", f"{THRESHOLD}=0.78:0.81", "--runs", "10", "--workers", "1"]
    arguments += ["--limit", "mean(liquidated_usd) <= 130000", "--out", str(tmp_path / "R")]
    assert main([*arguments, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["recommended"] == said["present_value"] == 0.8
    assert said["answer"] == 0.795
    assert said["riskier"] == -1
    assert said["low"] <= 0.795 <= said["high"]
    assert json.loads((tmp_path / "R" / "recommendation.json").read_text())["answer"] == 0.795
    assert main([*arguments, "--resume"]) == 0
    assert "Keep pool.reserves.WETH.liquidation_threshold at 0.8" in " ".join(capsys.readouterr().out.split())
