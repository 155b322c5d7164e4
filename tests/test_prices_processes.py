"""Random, constant, file-given, shocked and derived prices against their exact answers."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import sim.prices
from sim.prices import (
    ConstantPrices,
    CsvPath,
    GeometricBrownianMotion,
    PathError,
    PriceProcess,
    Ratio,
    Shock,
    Shocked,
    WithRatios,
)
from sim.randomness import Randomness

YEAR = 31_536_000
DAY = 86_400


def test_constant_prices() -> None:
    process = ConstantPrices({"WETH": 2_000.0, "USDC": 1.0})
    assert process.symbols == ("WETH", "USDC")
    assert process.paths(Randomness(1), 0, 2, 12).tolist() == [[2_000.0, 1.0]] * 3
    with pytest.raises(ValueError, match=r"price of USDC: given 0.0"):
        ConstantPrices({"USDC": 0.0})


def test_every_name_of_the_package_is_found_lazily() -> None:
    for name in sim.prices.__all__:
        assert getattr(sim.prices, name).__name__ == name
    with pytest.raises(AttributeError, match="Nothing"):
        _ = sim.prices.Nothing
    with pytest.raises(TypeError, match="abstract"):
        PriceProcess()  # type: ignore[abstract]


# ---------------------------------------------------------------------- geometric Brownian motion
def test_without_volatility_the_price_follows_its_drift() -> None:
    process = GeometricBrownianMotion({"A": 100.0, "B": 50.0}, {}, drift_per_year={"A": 0.10})
    matrix = process.paths(Randomness(1), 0, 365, DAY)
    assert matrix[-1, 0] == pytest.approx(110.51709180756477, rel=1e-12)
    assert set(matrix[:, 1].tolist()) == {50.0}


def test_log_returns_have_the_moments_asked_for() -> None:
    process = GeometricBrownianMotion(
        {"A": 100.0, "B": 2.0}, {"A": 0.8, "B": 0.4}, drift_per_year={"A": 0.5}, correlation=0.64
    )
    steps = 20_000
    returns = np.diff(np.log(process.paths(Randomness(7), 0, steps, 12)), axis=0)
    years = 12 / YEAR
    error = 4 / math.sqrt(steps)
    assert returns[:, 0].std() == pytest.approx(0.8 * math.sqrt(years), rel=error)
    assert returns[:, 1].std() == pytest.approx(0.4 * math.sqrt(years), rel=error)
    assert abs(returns[:, 0].mean() - (0.5 - 0.32) * years) < 4 * 0.8 * math.sqrt(years / steps)
    assert np.corrcoef(returns.T)[0, 1] == pytest.approx(0.64, abs=error)


def test_brownian_paths_do_not_depend_on_step_or_on_other_assets() -> None:
    both = GeometricBrownianMotion({"A": 100.0, "B": 2.0}, {"A": 0.8, "B": 0.4}, correlation=0.5)
    alone = GeometricBrownianMotion({"A": 100.0}, {"A": 0.8}, correlation=0.5)
    fine = both.paths(Randomness(3), 0, 500, 12)
    assert alone.paths(Randomness(3), 0, 500, 12)[:, 0].tolist() == fine[:, 0].tolist()
    assert both.paths(Randomness(3), 0, 100, 60).tolist() == fine[::5].tolist()
    assert both.paths(Randomness(4), 0, 500, 12).tolist() != fine.tolist()
    assert both.paths(Randomness(3), 0, 0, 12).tolist() == [[100.0, 2.0]]


def test_full_correlation_is_one_path() -> None:
    process = GeometricBrownianMotion({"A": 100.0, "B": 100.0}, {"A": 0.5, "B": 0.5}, correlation=1.0)
    matrix = process.paths(Randomness(3), 0, 50, 7)
    assert matrix[:, 0].tolist() == matrix[:, 1].tolist()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"volatility_per_year": {"C": 1.0}}, "volatility_per_year: given asset C; allowed: A"),
        ({"volatility_per_year": {"A": -1.0}}, "volatility_per_year of A: given -1.0"),
        ({"volatility_per_year": {"A": float("nan")}}, "given nan; allowed: a finite number"),
        ({"volatility_per_year": {}, "drift_per_year": {"B": 1.0}}, "drift_per_year: given asset B"),
        ({"volatility_per_year": {}, "correlation": -0.1}, "correlation: given -0.1; allowed: 0 to 1"),
    ],
)
def test_brownian_arguments_are_checked(arguments: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        GeometricBrownianMotion({"A": 1.0}, **arguments)


# ---------------------------------------------------------------------- CSV
def write(folder: Path, *rows: str) -> Path:
    file = folder / "prices.csv"
    file.write_text("time,eth,btc\n" + "".join(f"{row}\n" for row in rows))
    return file


def test_a_csv_price_holds_until_the_next_row(tmp_path: Path) -> None:
    file = write(tmp_path, "1600000000,100,9", "1600000030,110,8", "2020-09-13T12:27:40Z,90,7")
    process = CsvPath(file, {"WETH": "eth"}, scale="absolute", price_usd={"USDC": 1.0})
    assert (process.start_timestamp, process.end_timestamp) == (1_600_000_000, 1_600_000_090)
    matrix = process.paths(Randomness(1), 1_600_000_000, 9, 10)
    assert matrix[:, 0].tolist() == [100, 100, 100, 110, 110, 110, 90, 90, 90, 90]
    assert process.symbols == ("WETH", "USDC")
    scaled = CsvPath(file, {"WETH": "eth", "WBTC": "btc"}, price_usd={"WETH": 300.0, "WBTC": 9.0})
    assert scaled.paths(Randomness(1), 1_600_000_010, 2, 30).tolist() == [[300, 9], [pytest.approx(330), 8], [270, 7]]


def test_a_csv_path_must_cover_the_run_without_holes(tmp_path: Path) -> None:
    process = CsvPath(write(tmp_path, "1600000000,100,9", "1600000060,110,8"), {"WETH": "eth"}, scale="absolute")
    with pytest.raises(PathError, match=r"within 2020-09-13T12:26:40Z to 2020-09-13T12:28:40Z"):
        process.paths(Randomness(1), 1_600_000_000, 11, 12)
    with pytest.raises(PathError, match=r"a run from 2020-09-13T12:26:39Z"):
        process.paths(Randomness(1), 1_599_999_999, 1, 12)
    with pytest.raises(PathError, match=r"row 3, column time: given 1600086401 \(86401 s after the row before\)"):
        CsvPath(write(tmp_path, "1600000000,100,9", "1600086401,110,8"), {"WETH": "eth"}, scale="absolute")
    one = CsvPath(write(tmp_path, "1600000000,100,9"), {"WETH": "eth"}, scale="absolute")
    assert one.paths(Randomness(1), 1_600_000_000, 0, 12).tolist() == [[100.0]]
    with pytest.raises(PathError, match=r"row 2, column eth: given '-5'"):
        CsvPath(write(tmp_path, "1600000000,-5,9"), {"WETH": "eth"}, scale="absolute")


# ---------------------------------------------------------------------- shocks and ratios
def test_shocks_multiply_and_leave_the_draws_alone() -> None:
    beneath = GeometricBrownianMotion({"A": 100.0, "B": 1.0}, {"A": 0.8, "B": 0.1})
    process = Shocked(beneath, [Shock("A", 24, -0.20), Shock("A", 30, 0.10, 24), Shock("B", 0, 1.0)])
    plain = beneath.paths(Randomness(1), 0, 6, 12)
    shocked = process.paths(Randomness(1), 0, 6, 12)
    factors = [1, 1, 0.8, 0.8 * 1.025, 0.8 * 1.075, 0.8 * 1.1, 0.8 * 1.1]
    assert (shocked[:, 0] / plain[:, 0]).tolist() == pytest.approx(factors, rel=1e-14)
    assert shocked[:, 1].tolist() == (2 * plain[:, 1]).tolist()


@pytest.mark.parametrize(
    ("shock", "words"),
    [
        (Shock("C", 0, -0.1), "shock: given asset C; allowed: A"),
        (Shock("A", 0, -1.0), "change_ratio: given -1.0"),
        (Shock("A", 0, float("nan")), "change_ratio: given nan"),
        (Shock("A", -1, -0.1), "given -1 and 0; allowed: 0 or more"),
        (Shock("A", 0, -0.1, -5), "given 0 and -5; allowed: 0 or more"),
    ],
)
def test_shocks_are_checked(shock: Shock, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Shocked(ConstantPrices({"A": 1.0}), [shock])


def test_a_ratio_asset_follows_its_base_through_a_shock() -> None:
    beneath = Shocked(ConstantPrices({"WETH": 1_000.0}), [Shock("WETH", DAY, -0.5)])
    ratios = {"wrapped": Ratio("wstETH", 2.0), "wstETH": Ratio("WETH", 1.2, 0.0365)}
    process = WithRatios(beneath, ratios)
    assert process.symbols == ("WETH", "wstETH", "wrapped")
    matrix = process.paths(Randomness(1), 0, 2, DAY)
    assert matrix[0].tolist() == [1_000, 1_200, 2_400]
    assert matrix[2].tolist() == pytest.approx([500, 600 * math.exp(0.0002), 1_200 * math.exp(0.0002)], rel=1e-14)


@pytest.mark.parametrize(
    ("ratios", "words"),
    [
        ({"A": Ratio("A", 1.0)}, "given A, which has a price of its own"),
        ({"B": Ratio("A", 0.0)}, "ratio of B: given 0.0"),
        ({"B": Ratio("D", 1.0)}, "base of B: given D; allowed: A, B"),
        ({"B": Ratio("C", 1.0), "C": Ratio("B", 1.0)}, "a loop among B, C"),
    ],
)
def test_ratios_are_checked(ratios: dict[str, Ratio], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        WithRatios(ConstantPrices({"A": 1.0}), ratios)
