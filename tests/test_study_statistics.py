from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from sim.randomness import Randomness
from sim.studies import statistics as st
from sim.studies.statistics import coverage
from sim.studies.statistics.bootstrap import LEAST, bca_interval, indices
from sim.studies.statistics.quantile import point_rank


def losses(n: int, sd: float = 1.0, seed: int = 3) -> np.ndarray:
    return Randomness(seed).stream("losses", n, sd).lognormal(0.0, sd, n)


# ---------------------------------------------------------------------- value at risk
def test_ranks_of_value_at_risk_from_the_binomial_by_hand():
    # n = 72, level 0.95: 0.95^72 = 0.0249 <= 0.025, so the largest observation is just enough.
    assert 0.95**72 <= 0.025 < 0.95**71
    assert st.order_ranks(72, 0.95) == (64, 72)
    law = scipy.stats.binom(72, 0.95)
    assert law.cdf(63) <= 0.025 < law.cdf(64)
    assert law.sf(71) <= 0.025 < law.sf(70)


@pytest.mark.parametrize(("level", "least"), [(0.95, 72), (0.99, 368), (0.9, 36), (0.5, 6), (0.05, 72)])
def test_value_at_risk_is_refused_where_no_interval_exists(level, least):
    assert st.least_observations(level) == least
    refused = st.quantile(losses(least - 1), level)
    assert (refused.value, refused.low, refused.high) == (None, None, None)
    assert str(least) in refused.note
    found = st.quantile(losses(least), level)
    assert found.low <= found.value <= found.high


def test_value_at_risk_is_the_observation_that_enough_runs_do_not_exceed():
    found = st.value_at_risk(np.arange(1.0, 101.0))
    assert (found.value, found.n, found.name) == (95.0, 100, "var95")
    assert [point_rank(n, 0.95) for n in (20, 100, 101, 1000)] == [19, 95, 96, 950]


@pytest.mark.parametrize("law", coverage.VAR_LAWS, ids=lambda law: law.name)
@pytest.mark.parametrize(("level", "n"), coverage.VAR_CASES)
def test_intervals_of_value_at_risk_hold_on_continuous_zero_inflated_and_discrete_losses(law, level, n):
    measured = coverage.of_value_at_risk(law, level, n)
    assert coverage.REPEATS == 2_000
    assert measured.held >= 0.935
    assert max(measured.below, measured.above) <= 0.035


def test_the_measured_intervals_are_those_that_are_given():
    law = coverage.log_normal(1.0)
    sample = law.draw(Randomness(1).stream("x"), 1, 200)[0]
    found = st.value_at_risk(sample)
    low, high = st.order_ranks(200, 0.95)
    assert (found.low, found.high) == tuple(np.sort(sample)[[low - 1, high - 1]])
    tail = np.sort(law.draw(Randomness(1).stream("y"), 1, 1000)[0])
    found = st.expected_shortfall(tail)
    value, low_, high_ = coverage.shortfall_of_tails(tail[None, -51:], 1000, 0.95, 0.95)
    assert (found.value, found.low, found.high) == (value[0], low_[0], high_[0])


def test_a_quantile_inside_the_zeros_says_so():
    found = st.value_at_risk(np.append(np.zeros(392), losses(8)))
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)
    assert "98.0% of the runs are exactly 0" in found.note


def test_true_values_of_the_laws():
    plain, zeros = coverage.log_normal(1.0), coverage.log_normal(2.1, 0.9)
    assert plain.quantile(0.95) == pytest.approx(scipy.stats.lognorm(1.0).ppf(0.95))
    drawn = np.sort(plain.draw(Randomness(2).stream("z"), 1, 1_000_000)[0])
    assert plain.shortfall(0.95) == pytest.approx(drawn[-50_000:].mean(), rel=0.01)
    assert zeros.shortfall(0.95) == pytest.approx(
        math.exp(2.1**2 / 2) * scipy.stats.norm.cdf(2.1 - scipy.stats.norm.ppf(0.5)) / 0.5
    )
    assert coverage.poisson(0.3).quantile(0.95) == 1.0


# ---------------------------------------------------------------------- expected shortfall
def test_shortfall_takes_fifty_observations_in_the_tail():
    refused = st.expected_shortfall(losses(999))
    assert refused.value is None
    assert "1000 runs" in refused.note
    found = st.expected_shortfall(losses(1000))
    assert found.value == pytest.approx(np.sort(losses(1000))[-50:].mean())
    assert found.low < found.value < found.high
    assert "approximate" in found.note
    assert st.expected_shortfall(losses(4999), 0.99).value is None
    assert st.expected_shortfall(losses(5000), 0.99).value is not None


def test_the_shortfall_interval_of_a_tail_without_skewness_is_the_plain_t():
    tail = np.concatenate([np.zeros(1), np.full(50, 1.0)])[None, :]
    # Half of n in the tail, all at 1: e is 0 or 1 with equal weight, skewness 0, s = 1/2.
    value, low, high = coverage.shortfall_of_tails(tail, 100, 0.5, 0.95)
    error = 0.5 / 10.0 / 0.5 * scipy.stats.t.ppf(0.975, 49)
    assert (value[0], low[0], high[0]) == pytest.approx((1.0, 1.0 - error, 1.0 + error))


def test_a_tail_without_spread_has_no_interval():
    found = st.expected_shortfall(np.zeros(2000))
    assert (found.value, found.low) == (0.0, None)


def test_shortfall_intervals_hold_nearly_as_often_as_they_say():
    by_law = {law.name: coverage.of_shortfall(law, 0.95, 1000) for law in coverage.ES_LAWS}
    assert by_law["log-normal, sd 1"].held >= 0.93
    assert all(one.held >= 0.88 for one in by_law.values())


# ---------------------------------------------------------------------- probabilities
def test_probabilities_are_those_of_clopper_and_pearson():
    found = st.probability(4, 20)
    assert found.low == pytest.approx(scipy.stats.beta.ppf(0.025, 4, 17))
    assert found.high == pytest.approx(scipy.stats.beta.ppf(0.975, 5, 16))
    assert (found.value, found.note) == (0.2, "")


def test_none_seen_says_three_over_n():
    found = st.probability(0, 300)
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(1.0 - 0.025 ** (1 / 300))
    assert "3/n = 1.000%" in found.note
    assert "absence" in st.probability(300, 300).note
    assert st.probability(0, 0).value is None
    with pytest.raises(ValueError):
        st.probability(3, 2)


def test_share_of_seeds_counts_ties_as_not_better():
    found = st.share_of_seeds([3.0, 3.0, 3.0, np.nan], [2.0, 3.0, 4.0, 1.0])
    assert (found.value, found.n) == (1 / 3, 3)
    assert found.note.startswith("1 better, 1 equal, 1 worse; 1 of 4")
    assert st.share_of_seeds([1.0], [2.0], lower_is_better=False).value == 1.0


# ---------------------------------------------------------------------- means, ratios, differences
def test_the_interval_of_a_mean_agrees_with_an_independent_bca():
    sample = losses(80, 1.5)
    found = st.mean(sample)
    other = scipy.stats.bootstrap((sample,), np.mean, n_resamples=9_999, method="BCa", rng=1).confidence_interval
    width = other.high - other.low
    assert found.value == pytest.approx(sample.mean())
    assert abs(found.low - other.low) < 0.04 * width
    assert abs(found.high - other.high) < 0.06 * width


def test_intervals_are_the_same_each_time_and_do_not_depend_on_order_of_asking():
    first = st.mean(losses(60))
    st.mean(losses(61))
    assert st.mean(losses(60)) == first
    rows = np.concatenate(list(indices(1_500, 4_000, "mean")))
    assert rows.shape == (4_000, 1_500)
    assert len(np.unique(rows[0])) < 1_500


def test_bca_without_bias_or_skewness_is_the_percentile_interval():
    replicates = np.linspace(-1.0, 1.0, 4_001)
    low, high = bca_interval(replicates, 0.0, np.array([-1.0, 1.0]), 0.95)
    assert (low, high) == pytest.approx((-0.95, 0.95), abs=1e-3)


def test_a_mean_without_enough_or_without_spread_has_no_interval():
    few, flat, none = st.mean(losses(LEAST - 1)), st.mean(np.full(50, 2.0)), st.mean([np.nan])
    assert few.value is not None
    assert few.low is None
    assert (flat.value, flat.low) == (2.0, None)
    assert (none.value, none.n) == (None, 0)
    with pytest.raises(ValueError):
        st.mean([1.0, np.inf])


def test_missing_values_are_left_out_and_told():
    found = st.mean([*losses(30), np.nan, np.nan])
    assert found.n == 30
    assert "2 of 32" in found.note


def test_a_ratio_of_sums_weighs_runs_by_their_size():
    under = losses(200)
    over = 0.25 * under + 0.01 * losses(200, 0.5)
    found = st.ratio_of_sums(over, under)
    assert found.value == pytest.approx(over.sum() / under.sum())
    assert found.low < found.value < found.high
    assert st.ratio_of_sums(0.25 * under, under).low is None
    assert st.ratio_of_sums(over, np.zeros(200)).value is None


@pytest.mark.parametrize("difference", [st.mean_difference, st.quantile_difference, st.shortfall_difference])
def test_a_study_against_itself_differs_by_exactly_nothing(difference):
    found = difference(losses(1200), losses(1200))
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_pairs_make_small_differences_visible():
    a = losses(400, 1.5)
    b = a - 0.05
    paired = st.mean_difference(a, b + 0.001 * losses(400, 0.5, 9))
    assert paired.high < 0.0
    assert paired.high - paired.low < 0.01
    apart = st.mean(a).half_width
    assert apart > 0.2
    risk = st.quantile_difference(a, b)
    assert risk.value == pytest.approx(-0.05)
    assert risk.high - risk.low < 1e-9


def test_differences_that_cannot_be_had_are_refused():
    assert st.quantile_difference(losses(71), losses(71)).value is None
    assert "1000" in st.shortfall_difference(losses(900), losses(900)).note
    with pytest.raises(ValueError, match="one length"):
        st.mean_difference([1.0], [1.0, 2.0])


def test_intervals_of_paired_means_hold():
    stream = Randomness(5).stream("pairs")
    held = 0
    for _ in range(200):
        a = stream.lognormal(0.0, 1.0, 60)
        b = a * 0.9 + stream.normal(0.0, 0.1, 60)
        found = st.mean_difference(a, b)
        held += found.low <= -0.1 * math.exp(0.5) <= found.high
    assert held >= 178  # 95 % of 200 would be 190; skewed differences of 60 pairs give about 92 %


# ---------------------------------------------------------------------- convergence
def test_convergence_ends_at_the_estimate_of_all_runs():
    sample = losses(300)
    found = st.convergence(sample, st.mean)
    assert found[-1] == st.mean(sample)
    assert [one.n for one in found] == st.sizes(300)
    assert st.sizes(300)[0] == 10
    assert st.sizes(8) == [8]
    assert st.sizes(0) == []


def test_four_times_the_runs_halve_the_interval():
    found = st.mean(losses(400))
    assert st.runs_needed(found, found.half_width / 2) == 1600
    assert st.runs_needed(st.mean(losses(5)), 0.1) is None
    with pytest.raises(ValueError):
        st.runs_needed(found, 0.0)
