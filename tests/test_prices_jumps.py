"""Jumps and correlated Brownian motions against Merton's exact moments and distribution."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from sim.prices.calibration import CALIBRATION
from sim.prices.correlation import read_correlation
from sim.prices.errors import PathError
from sim.prices.jump_diffusion import JumpDiffusion
from sim.prices.jumps import Jumps, market_jumps
from sim.randomness import Randomness

HOUR = 3_600
DAY = 86_400
YEARS = HOUR / 31_536_000
CORRELATIONS = Path(__file__).parents[1] / "scenarios" / "paths" / "market" / "hourly_return_correlation_2021_2023.csv"


def log_returns(process: JumpDiffusion, steps: int, step_seconds: int = HOUR, seed: int = 1) -> np.ndarray:
    return np.diff(np.log(process.paths(Randomness(seed), 0, steps, step_seconds)), axis=0)


def within(values: np.ndarray, expected: float, errors: float = 4.0) -> bool:
    """Whether the mean of independent values is as expected, in standard errors."""
    return abs(values.mean() - expected) <= errors * values.std() / math.sqrt(len(values))


# ---------------------------------------------------------------------- exact moments
def test_log_returns_have_mertons_four_cumulants() -> None:
    sigma, rate, mean, sd, drift = 0.3, 900.0, -0.004, 0.012, 0.5
    jumps = Jumps(rate, {"A": mean}, {"A": sd}, common_share=0.4)
    returns = log_returns(JumpDiffusion({"A": 10.0}, {"A": sigma}, jumps, drift_per_year={"A": drift}), 200_000)[:, 0]
    growth = rate * (math.exp(mean + sd * sd / 2) - 1)
    first = (drift - sigma**2 / 2 - growth + rate * mean) * YEARS
    second = (sigma**2 + rate * (mean**2 + sd**2)) * YEARS
    third = rate * (mean**3 + 3 * mean * sd**2) * YEARS
    fourth = rate * (mean**4 + 6 * mean**2 * sd**2 + 3 * sd**4) * YEARS
    centred = returns - first
    assert within(returns, first)
    assert within(centred**2, second)
    assert within(centred**3, third)
    assert within(centred**4, fourth + 3 * second**2)
    assert centred.std() == pytest.approx(math.sqrt(second), rel=0.01)
    assert (centred**4).mean() / (centred**2).mean() ** 2 > 4.5  # far from a normal's 3


def test_hourly_returns_have_mertons_distribution() -> None:
    sigma, rate, mean, sd = 0.5, 4_000.0, 0.003, 0.006
    returns = log_returns(JumpDiffusion({"A": 1.0}, {"A": sigma}, Jumps(rate, {"A": mean}, {"A": sd})), 20_000)[:, 0]
    drift = (-(sigma**2) / 2 - rate * (math.exp(mean + sd * sd / 2) - 1)) * YEARS

    def distribution(value: np.ndarray) -> np.ndarray:
        total = np.zeros(len(value))
        for count in range(15):
            spread = math.sqrt(sigma**2 * YEARS + count * sd**2)
            total += stats.poisson.pmf(count, rate * YEARS) * stats.norm.cdf(value, drift + count * mean, spread)
        return total

    assert stats.kstest(returns, distribution).pvalue > 0.01
    assert stats.kstest(returns, lambda value: stats.norm.cdf(value, returns.mean(), returns.std())).pvalue < 1e-6


@pytest.mark.parametrize("step", [1, 12, 60, 7_200])
def test_without_jumps_returns_are_normal_with_the_volatility_of_any_step(step: int) -> None:
    returns = log_returns(JumpDiffusion({"A": 1.0}, {"A": 0.8}), 20_000, step)[:, 0]
    years = step / 31_536_000
    scaled = (returns + 0.32 * years) / (0.8 * math.sqrt(years))
    assert stats.kstest(scaled, "norm").pvalue > 0.01
    assert scaled.std() == pytest.approx(1.0, abs=4 / math.sqrt(40_000))
    assert abs((scaled[1:] * scaled[:-1]).mean()) < 4 / math.sqrt(20_000)


def test_the_expected_price_grows_by_its_drift_alone() -> None:
    assets = [f"A{number}" for number in range(800)]
    jumps = Jumps(50.0, dict.fromkeys(assets, -0.05), dict.fromkeys(assets, 0.15), common_share=0.0)
    process = JumpDiffusion(
        dict.fromkeys(assets, 1.0), dict.fromkeys(assets, 0.6), jumps, drift_per_year=dict.fromkeys(assets, 0.4)
    )
    assert within(process.paths(Randomness(5), 0, 3, 30 * DAY)[3], math.exp(0.4 * 90 / 365))


# ---------------------------------------------------------------------- jumps of several assets
def test_two_assets_have_the_covariance_that_common_jumps_give() -> None:
    jumps = Jumps(2_000.0, {"A": 0.003, "B": -0.002}, {"A": 0.005, "B": 0.008}, 0.6, 0.5)
    process = JumpDiffusion({"A": 1.0, "B": 2.0}, {"A": 0.4, "B": 0.2}, jumps, correlation=0.7)
    returns = log_returns(process, 100_000)
    centred = returns - returns.mean(axis=0)
    covariance = (0.7 * 0.4 * 0.2 + 2_000 * 0.6 * (0.003 * -0.002 + 0.5 * 0.005 * 0.008)) * YEARS
    assert within(centred[:, 0] * centred[:, 1], covariance)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_of_the_jumps_hits_all_assets_at_once(share: float) -> None:
    jumps = Jumps(400.0, {}, {"A": 0.05, "B": 0.05, "C": 0.05}, share, 1.0)
    returns = log_returns(JumpDiffusion({"A": 1.0, "B": 1.0, "C": 1.0, "USDC": 1.0}, {}, jumps), 5 * 365 * 24, HOUR)
    drift = -400.0 * (math.exp(0.05**2 / 2) - 1) * YEARS
    jumped = np.abs(returns - [drift, drift, drift, 0.0]) > 1e-9
    assert not jumped[:, 3].any()
    assert abs(int(jumped[:, 0].sum()) - 2_000) < 4 * math.sqrt(2_000)
    both = jumped[:, 0] & jumped[:, 1]
    chance = both.sum() / jumped[:, 0].sum()
    assert chance == pytest.approx(share, abs=0.06)
    if share == 1.0:
        assert returns[:, 0].tolist() == returns[:, 2].tolist()


def test_jumps_come_at_the_first_step_after_their_moment() -> None:
    process = JumpDiffusion({"A": 1.0}, {}, Jumps(2_000.0, {"A": -0.1}, {}))
    fine = log_returns(process, 90_000, 1)[:, 0]
    coarse = log_returns(process, 30, 3_000)[:, 0]
    moments = np.flatnonzero(fine < -0.09) + 1
    assert len(moments) > 2
    steps = np.flatnonzero(coarse < -0.05) + 1  # the compensation adds 0.018 a step
    assert sorted(set((-(-moments // 3_000)).tolist())) == steps.tolist()
    assert fine.sum() == pytest.approx(coarse.sum(), abs=1e-9)


def test_market_jumps_are_in_proportion_to_volatility() -> None:
    jumps = market_jumps({"WETH": 0.8, "USDC": 0.004})
    assert jumps.mean_log == pytest.approx({"WETH": -0.02, "USDC": -0.0001})
    assert jumps.sd_log == pytest.approx({"WETH": 0.06, "USDC": 0.0003})
    assert jumps.per_year == 6.0
    share = 6.0 * (0.02**2 + 0.06**2) / 0.81**2
    assert 0.02 < share < 0.11  # of the variance, as measured by bipower variation
    volatility = CALIBRATION["eth_diffusive_volatility_per_year"].value
    assert math.hypot(volatility, math.sqrt(0.024)) == pytest.approx(0.81, abs=0.006)
    stated = JumpDiffusion({"A": 1.0}, {"A": 0.8}, market_jumps({"A": 0.8}))
    named = JumpDiffusion({"A": 1.0}, {"A": 0.8}, "market")
    assert log_returns(stated, 50, DAY).tolist() == log_returns(named, 50, DAY).tolist()


# ---------------------------------------------------------------------- correlation
MATRIX = {"A": {"B": 0.8, "C": -0.3}, "B": {"C": 0.1}}


@pytest.mark.parametrize("step", [12, HOUR])
def test_a_given_matrix_is_the_correlation_of_log_returns(step: int) -> None:
    process = JumpDiffusion(dict.fromkeys("ABCD", 1.0), {"A": 0.8, "B": 0.6, "C": 1.0, "D": 0.5}, correlation=MATRIX)
    found = np.corrcoef(log_returns(process, 40_000, step).T)
    error = 4 / math.sqrt(40_000)
    expected = {(0, 1): 0.8, (0, 2): -0.3, (1, 2): 0.1, (0, 3): 0.0, (1, 3): 0.0, (2, 3): 0.0}
    for (row, column), correlation in expected.items():
        assert found[row, column] == pytest.approx(correlation, abs=error)


@pytest.mark.parametrize("step", [12, HOUR])
def test_one_factor_gives_every_pair_its_correlation(step: int) -> None:
    process = JumpDiffusion(dict.fromkeys("ABC", 1.0), dict.fromkeys("ABC", 0.7), correlation=0.64)
    found = np.corrcoef(log_returns(process, 40_000, step).T)
    assert found[np.triu_indices(3, 1)] == pytest.approx([0.64] * 3, abs=4 / math.sqrt(40_000))


def test_a_matrix_may_be_singular_and_given_in_any_form() -> None:
    volatility = dict.fromkeys("AB", 0.5)
    returns = log_returns(JumpDiffusion({"A": 1.0, "B": 1.0}, volatility, correlation={"B": {"A": 1.0}}), 100)
    assert returns[:, 0].tolist() == returns[:, 1].tolist()
    opposite = log_returns(JumpDiffusion({"A": 1.0, "B": 1.0}, volatility, correlation={"A": {"B": -1.0}}), 100)
    assert (opposite[:, 0] + opposite[:, 1]).tolist() == pytest.approx([-0.25 * YEARS] * 100, abs=1e-12)
    full = {"A": {"A": 1.0, "B": 0.5}, "B": {"A": 0.5, "B": 1}}
    one = log_returns(JumpDiffusion({"A": 1.0, "B": 1.0}, volatility, correlation=full), 10)
    other = log_returns(JumpDiffusion({"A": 1.0, "B": 1.0}, volatility, correlation={"A": {"B": 0.5}}), 10)
    assert one.tolist() == other.tolist()


@pytest.mark.parametrize(
    ("correlation", "words"),
    [
        (-0.1, r"correlation: given -0.1; allowed: 0 to 1 \(one common factor\), or a matrix"),
        (float("nan"), "correlation: given nan"),
        ({"A": {"B": 0.9, "C": 0.9}, "B": {"C": -0.9}}, r"A, B, C with the eigenvalue -0.8; allowed: a positive semi"),
        (
            {"A": {"B": 1.0, "C": 0.5}, "B": {"C": 0.4}},
            r"with the eigenvalue -0.0\d+; allowed: a positive semidefinite",
        ),
        ({"A": {"B": 1.1}}, "correlation of A and B: given 1.1; allowed: -1 to 1"),
        ({"A": {"B": float("nan")}}, "correlation of A and B: given nan"),
        (
            {"A": {"B": 0.2}, "B": {"A": 0.3}},
            "correlation of A and B: given 0.2 and 0.3; allowed: one value for both directions",
        ),
        ({"A": {"B": 0.2}, "C": {"A": 0.3}}, "correlation of B and C: given nothing; allowed: a number from -1 to 1"),
        ({"A": {"A": 0.9, "B": 0.2}}, "correlation of A and A: given 0.9; allowed: 1"),
        ({"A": {"X": 0.2}}, "correlation: given asset X; allowed: A, B, C, USDC"),
        ({"A": {"USDC": 2.0}}, "correlation of A and USDC: given 2.0"),  # checked though USDC does not move
    ],
)
def test_correlations_that_cannot_be_are_refused(correlation: object, words: str) -> None:
    prices = dict.fromkeys(["A", "B", "C", "USDC"], 1.0)
    with pytest.raises(ValueError, match=words):
        JumpDiffusion(prices, dict.fromkeys("ABC", 0.5), correlation=correlation)  # type: ignore[arg-type]


def test_the_recorded_correlations_are_read_and_used() -> None:
    columns = {"WETH": "ETH", "WBTC": "BTC", "CRV": "CRVUSDT", "LINK": "LINKUSDT"}
    matrix = read_correlation(CORRELATIONS, columns)
    assert matrix["WETH"] == {"WETH": 1.0, "WBTC": 0.8713, "CRV": 0.7173, "LINK": 0.8212}
    process = JumpDiffusion(dict.fromkeys(columns, 1.0), dict.fromkeys(columns, 0.8), correlation=matrix)
    found = np.corrcoef(log_returns(process, 20_000).T)
    assert found[0] == pytest.approx([1.0, 0.8713, 0.7173, 0.8212], abs=4 / math.sqrt(20_000))


def test_a_table_of_correlations_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text(",A,B,C\nA,1,x,0.2\nB,1.5\n\n")
    with pytest.raises(PathError, match=r"No such file"):
        read_correlation(tmp_path / "none.csv", {"WETH": "A"})
    with pytest.raises(PathError, match=r"row 1, column D: given no such entry; allowed: one of A, B, C"):
        read_correlation(file, {"WETH": "D"})
    with pytest.raises(PathError, match=r"column C: given no such entry"):  # a column without a row
        read_correlation(file, {"WETH": "C"})
    with pytest.raises(PathError) as caught:
        read_correlation(file, {"WETH": "A", "WBTC": "B"})
    told = [(problem.row, problem.column, problem.given) for problem in caught.value.problems]
    assert told == [(2, "B", "'x'"), (3, "A", "'1.5'"), (3, "B", "nothing")]
    file.write_bytes(b"\xff\xfe\x81")
    with pytest.raises(PathError, match=r"a binary file"):
        read_correlation(file, {"WETH": "A"})
    file.write_text("")
    with pytest.raises(PathError, match=r"one of a table with names"):
        read_correlation(file, {"WETH": "A"})


# ---------------------------------------------------------------------- the grid, the draws, bad input
def test_paths_do_not_depend_on_step_length_run_or_other_assets() -> None:
    jumps = Jumps(3_000.0, {}, {"A": 0.02, "B": 0.02})
    both = JumpDiffusion({"A": 1.0, "B": 1.0}, {"A": 0.8, "B": 0.5}, jumps, correlation=0.5)
    fine = both.paths(Randomness(3), 0, 1_800, 12)
    assert both.paths(Randomness(3), 0, 360, 60).tolist() == fine[::5].tolist()
    assert both.paths(Randomness(3), 0, 6, HOUR).tolist() == fine[::300].tolist()
    assert both.paths(Randomness(3), 0, 4, 5_400).tolist() == fine[::450].tolist()
    assert both.paths(Randomness(3), 99, 1_000, 12).tolist() == fine[:1_001].tolist()
    assert both.paths(Randomness(4), 0, 1_800, 12).tolist() != fine.tolist()
    assert both.paths(Randomness(3), 0, 0, 12).tolist() == [[1.0, 1.0]]
    sevens = both.paths(Randomness(3), 0, 1_800, 7)  # 12 s do not divide 7: only the hours are the same
    hours = both.paths(Randomness(3), 0, 3, HOUR)
    assert sevens[-1, 0] != fine[1_050, 0]
    assert both.paths(Randomness(3), 0, 3 * HOUR // 8, 8)[::450].tolist() == hours.tolist()
    alone = JumpDiffusion({"A": 1.0}, {"A": 0.8}, Jumps(3_000.0, {}, {"A": 0.02}), correlation=0.5)
    assert alone.paths(Randomness(3), 0, 1_800, 12)[:, 0].tolist() == fine[:, 0].tolist()
    matrix = JumpDiffusion({"A": 1.0, "B": 1.0}, {"A": 0.8, "B": 0.5}, correlation={"A": {"B": 0.5}})
    first = JumpDiffusion({"A": 1.0}, {"A": 0.8}, correlation={})
    assert first.paths(Randomness(3), 0, 90, 12)[:, 0].tolist() == matrix.paths(Randomness(3), 0, 90, 12)[:, 0].tolist()


def test_without_volatility_and_jumps_a_price_follows_its_drift() -> None:
    process = JumpDiffusion({"A": 100.0, "USDC": 1.0}, {}, Jumps(5.0, {}, {}), drift_per_year={"A": 0.10})
    matrix = process.paths(Randomness(1), 0, 365, DAY)
    assert matrix[-1, 0] == pytest.approx(110.51709180756477, rel=1e-12)
    assert set(matrix[:, 1].tolist()) == {1.0}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"volatility_per_year": {"C": 1.0}}, "volatility_per_year: given asset C; allowed: A"),
        ({"volatility_per_year": {"A": -1.0}}, "volatility_per_year of A: given -1.0; allowed: a finite number, 0 or"),
        ({"volatility_per_year": {"A": float("inf")}}, "volatility_per_year of A: given inf"),
        ({"drift_per_year": {"B": 1.0}}, "drift_per_year: given asset B; allowed: A"),
        ({"drift_per_year": {"A": float("nan")}}, "drift_per_year of A: given nan; allowed: a finite number"),
        ({"jumps": Jumps(-1.0, {}, {})}, "per_year of jumps: given -1.0; allowed: a finite number, 0 or more"),
        ({"jumps": Jumps(float("inf"), {}, {})}, "per_year of jumps: given inf"),
        ({"jumps": Jumps(1.0, {"B": 0.0}, {})}, "mean_log of jumps: given asset B; allowed: A"),
        ({"jumps": Jumps(1.0, {"A": 6.0}, {})}, "mean_log of A's jumps: given 6.0; allowed: -5 to 5"),
        ({"jumps": Jumps(1.0, {}, {"A": -0.1})}, "sd_log of A's jumps: given -0.1; allowed: 0 to 5"),
        ({"jumps": Jumps(1.0, {}, {"A": float("nan")})}, "sd_log of A's jumps: given nan"),
        ({"jumps": Jumps(1.0, {}, {}, 1.5)}, "common_share of jumps: given 1.5; allowed: 0 to 1"),
        ({"jumps": Jumps(1.0, {}, {}, 0.5, -0.5)}, "size_correlation of jumps: given -0.5; allowed: 0 to 1"),
        ({"jumps": "many"}, "jumps: given 'many'; allowed: Jumps, 'market' or None"),
        ({"price_usd": {"A": 0.0}}, "price of A: given 0.0"),
    ],
)
def test_arguments_are_checked(arguments: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        JumpDiffusion(**{"price_usd": {"A": 1.0}, "volatility_per_year": {"A": 0.5}, **arguments})


def test_a_run_that_leaves_the_range_of_prices_is_refused() -> None:
    process = JumpDiffusion({"A": 1.0}, {"A": 900.0})
    with pytest.raises(
        ValueError, match=r"of A: given 900.0, 0.0 and None; allowed: values that keep the price within"
    ):
        process.paths(Randomness(1), 0, 100, DAY)
    with pytest.raises(ValueError, match=r"step_seconds: given 0"):
        process.paths(Randomness(1), 0, 1, 0)


def test_golden_values() -> None:
    process = JumpDiffusion(
        {"WETH": 2_500.0, "WBTC": 60_000.0}, {"WETH": 0.8, "WBTC": 0.64}, "market", correlation={"WETH": {"WBTC": 0.87}}
    )
    matrix = process.paths(Randomness(1), 0, 28_800, 12)
    assert matrix[[1, 7_777, 28_800]].tolist() == GOLDEN


GOLDEN = [
    [2500.086935045421, 59979.72794706999],
    [2571.1214386556976, 60478.50112338093],
    [2637.061110215203, 59919.30716204326],
]
