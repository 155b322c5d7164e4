from __future__ import annotations

import numpy as np
import pytest

from sim.studies.errors import StudyError
from sim.studies.expressions import parse
from sim.studies.statistics import probability, value_at_risk

OUTCOMES = ("deficit_usd", "liquidated_usd", "drawdown.WETH", "peak_utilisation")
LOSSES = np.arange(1.0, 201.0)


@pytest.mark.parametrize(
    ("text", "statistic", "outcome", "operator", "bound"),
    [
        ("var95(deficit_usd) <= 400000", "var", "deficit_usd", "<=", 400_000.0),
        ("var99.5( deficit_usd )>4e5", "var", "deficit_usd", ">", 4e5),
        ("es95(deficit_usd) < 1_000_000", "es", "deficit_usd", "<", 1e6),
        ("mean(drawdown.WETH) >= .3", "mean", "drawdown.WETH", ">=", 0.3),
        ("max(liquidated_usd) != -1", "max", "liquidated_usd", "!=", -1.0),
        ("median(peak_utilisation)", "median", "peak_utilisation", None, None),
    ],
)
def test_expressions_are_read(text, statistic, outcome, operator, bound):
    found = parse(text, OUTCOMES)
    assert (found.statistic, found.outcome, found.operator, found.bound) == (statistic, outcome, operator, bound)


def test_arguments_of_quantile_and_probability():
    assert parse("quantile(deficit_usd, .9) < 3", OUTCOMES).level == 0.9
    chance = parse("probability(deficit_usd > 0) <= 0.05", OUTCOMES)
    assert (chance.inner, chance.bound) == ((">", 0.0), 0.05)
    assert chance.measure == "probability(deficit_usd > 0)"
    assert parse("var95(deficit_usd) < 1", OUTCOMES).measure == "var95(deficit_usd)"
    assert parse("quantile(deficit_usd,0.900)", OUTCOMES).measure == "quantile(deficit_usd, 0.9)"


def test_estimates_are_those_of_the_statistics():
    assert parse("var95(deficit_usd)", OUTCOMES).estimate(LOSSES).value == value_at_risk(LOSSES).value
    chance = parse("probability(deficit_usd > 190)", OUTCOMES).estimate(LOSSES)
    assert (chance.value, chance.high) == (0.05, probability(10, 200).high)
    largest = parse("max(deficit_usd)", OUTCOMES).estimate(LOSSES)
    assert (largest.value, largest.high) == (200.0, None)
    assert parse("min(deficit_usd)", OUTCOMES).estimate(LOSSES).value == 1.0
    assert parse("median(deficit_usd)", OUTCOMES).estimate(LOSSES).value == 100.0
    mean = parse("mean(deficit_usd)", OUTCOMES)
    assert mean.value(LOSSES) == mean.estimate(LOSSES).value == 100.5
    assert parse("max(deficit_usd)", OUTCOMES).estimate([np.nan]).value is None


def test_a_comparison_holds_or_not():
    limit = parse("var95(deficit_usd) <= 190", OUTCOMES)
    assert limit.holds(190.0)
    assert not limit.holds(190.5)
    with pytest.raises(ValueError, match="compares with nothing"):
        parse("var95(deficit_usd)", OUTCOMES).holds(1.0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("var95(deficit) <= 1", "deficit_usd, liquidated_usd"),
        ("vra95(deficit_usd) <= 1", "a statistic: mean"),
        ("var0(deficit_usd) <= 1", "a statistic: mean"),
        ("deficit_usd <= 1", "var95(deficit_usd) <= 400000"),
        ("var95(deficit_usd) <= lots", "and a number"),
        ("probability(deficit_usd) < 1", "a comparison inside"),
        ("mean(deficit_usd > 0) < 1", "only for probability"),
        ("quantile(deficit_usd) < 1", "between 0 and 1"),
        ("quantile(deficit_usd, 95) < 1", "between 0 and 1"),
        ("mean(deficit_usd, 0.5) < 1", "only for quantile"),
        ("mean(deficit_usd) < 1e999", "a finite number"),
        ("__import__('os').system('true')", "and a number"),
        ("", "and a number"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_can(text, told):
    with pytest.raises(StudyError) as error:
        parse(text, OUTCOMES)
    assert told in str(error.value)
    assert error.value.exit_code == 65


def test_a_comparison_may_be_asked_for_or_forbidden():
    with pytest.raises(StudyError, match="a comparison with a number"):
        parse("mean(deficit_usd)", OUTCOMES, comparison=True)
    with pytest.raises(StudyError, match="a statistic alone"):
        parse("mean(deficit_usd) < 1", OUTCOMES, comparison=False)


def test_families_of_outcomes_are_known_by_their_beginning():
    assert parse("mean(drawdown.WBTC)", {"drawdown.*": ()}).outcome == "drawdown.WBTC"
    with pytest.raises(StudyError):
        parse("mean(drawdown.)", {"drawdown.*": ()})
