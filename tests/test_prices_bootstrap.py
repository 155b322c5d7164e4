"""The stationary bootstrap keeps what the record has: bars, blocks, clusters, and what holds between assets."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from sim.prices.bars import CloseBar, read_bars
from sim.prices.bootstrap import BlockBootstrap
from sim.prices.errors import PathError
from sim.randomness import Randomness

PATHS = Path(__file__).parents[1] / "scenarios" / "paths"
CRASH = PATHS / "black_thursday_2020-03.csv"
JUNE = PATHS / "june_2022.csv"
DAILY = {
    "WETH": PATHS / "market" / "ethusdt_1d_2019_2025.csv",
    "WBTC": PATHS / "market" / "btcusdt_1d_2019_2025.csv",
}
PRICES = {"WETH": 2_500.0, "WBTC": 60_000.0, "USDC": 1.0}
COLUMNS = {"WETH": "eth", "WBTC": "btc"}
HOUR = 3_600
DAY = 86_400


def recorded(file: Path, *columns: str) -> np.ndarray:
    with file.open() as text:
        return np.array([[float(row[column]) for column in columns] for row in csv.DictReader(text)])


def crash(**changes: object) -> BlockBootstrap:
    arguments = {"columns": COLUMNS, "mean_block_days": 0.25, **changes}
    return BlockBootstrap(dict.fromkeys(COLUMNS, CRASH), PRICES, **arguments)  # type: ignore[arg-type]


# ---------------------------------------------------------------------- blocks
def test_blocks_are_geometric_begin_anywhere_and_wrap() -> None:
    picked = np.array(crash().blocks(Randomness(1), 60_000))
    follows = (np.diff(picked) % 96) == 1
    starts = np.flatnonzero(np.concatenate([[True], ~follows]))
    chance = 1 / 6 * 95 / 96  # a new block may happen to be the next bar
    lengths = np.diff(starts)
    assert lengths.mean() == pytest.approx(1 / chance, rel=4 / math.sqrt(len(lengths)))
    seen = np.bincount(np.minimum(lengths, 25))[1:]
    expected = [chance * (1 - chance) ** (length - 1) for length in range(1, 25)] + [(1 - chance) ** 24]
    assert stats.chisquare(seen, np.array(expected) * len(lengths)).pvalue > 0.01
    assert stats.chisquare(np.bincount(picked[starts], minlength=96)).pvalue > 0.01
    assert ((picked[:-1] == 95) & (picked[1:] == 0)).any()
    assert crash().blocks(Randomness(1), 10) == picked[:10].tolist()


def test_autocovariances_shrink_by_the_chance_of_a_new_block() -> None:
    process = BlockBootstrap(DAILY, PRICES, mean_block_days=8.0)
    bars = recorded(DAILY["WETH"], "open", "close")
    closes = bars[:, 1]
    moves = np.log(closes / np.concatenate([bars[:1, 0], closes[:-1]]))
    sizes = np.abs(moves) - np.abs(moves).mean()
    picked = np.array(process.blocks(Randomness(4), 200_000))
    resampled = sizes[picked]
    assert resampled.mean() == pytest.approx(0.0, abs=9e-4)
    for lag in (1, 3, 7):
        circular = (sizes * np.roll(sizes, -lag)).mean()
        found = (resampled[lag:] * resampled[:-lag]).mean()
        assert found / sizes.var() == pytest.approx((7 / 8) ** lag * circular / sizes.var(), abs=0.02)


# ---------------------------------------------------------------------- bars
def test_every_bar_of_a_path_is_a_recorded_one_for_all_assets_at_once() -> None:
    process = crash()
    picked = process.blocks(Randomness(2), 201)
    matrix = process.paths(Randomness(2), 0, 200 * 300, 12)
    for place, prefix in enumerate(("eth", "btc")):
        bars = recorded(CRASH, *(f"{prefix}_{part}" for part in ("open", "high", "low", "close")))
        hours = matrix[:-1, place].reshape(200, 300)
        found = np.stack([hours[:, 0], hours.max(axis=1), hours.min(axis=1), hours[:, -1]], axis=1)
        expected = bars[picked[:200]]
        assert found / found[:, :1] == pytest.approx(expected / expected[:, :1], rel=1e-12)
        before = np.concatenate([bars[:1, 0], bars[:-1, 3]])  # the close before each bar
        gaps = matrix[300::300, place] / hours[:, -1]
        assert gaps == pytest.approx((bars[:, 0] / before)[picked[1:]], rel=1e-12)


@pytest.mark.parametrize("step", [60, 600, 1_200])
def test_high_and_low_of_an_hour_are_seen_with_steps_of_up_to_twenty_minutes(step: int) -> None:
    process = crash()
    picked = process.blocks(Randomness(2), 100)
    hours = process.paths(Randomness(2), 0, 100 * HOUR // step, step)[:-1, 1].reshape(100, HOUR // step)
    bars = recorded(CRASH, "btc_high", "btc_low", "btc_open")[picked]
    assert hours.max(axis=1) / hours[:, 0] == pytest.approx(bars[:, 0] / bars[:, 2], rel=1e-12)
    assert hours.min(axis=1) / hours[:, 0] == pytest.approx(bars[:, 1] / bars[:, 2], rel=1e-12)


def test_daily_paths_keep_the_records_moments_and_correlation() -> None:
    process = BlockBootstrap(DAILY, PRICES)
    matrix = process.paths(Randomness(1), 0, 25_000, DAY)[:, :2]
    returns = np.diff(np.log(matrix), axis=0)
    record = np.diff(np.log(np.stack([recorded(file, "close")[:, 0] for file in DAILY.values()], axis=1)), axis=0)
    assert returns.std(axis=0) == pytest.approx(record.std(axis=0), rel=0.05)
    assert np.corrcoef(returns.T)[0, 1] == pytest.approx(np.corrcoef(record.T)[0, 1], abs=0.02)
    assert stats.kurtosis(returns[:, 0]) == pytest.approx(stats.kurtosis(record[:, 0]), rel=0.4)
    sizes = np.abs(returns[:, 0]) - np.abs(returns[:, 0]).mean()
    assert (sizes[1:] * sizes[:-1]).mean() / sizes.var() == pytest.approx(6 / 7 * 0.163, abs=0.03)
    assert set(process.paths(Randomness(1), 0, 10, DAY)[:, 2].tolist()) == {1.0}


def test_assets_move_together_within_a_bar_too() -> None:
    for step, least in ((12, 0.75), (HOUR, 0.93)):
        matrix = crash().paths(Randomness(3), 0, 300 * HOUR // step, step)[:, :2]
        correlation = np.corrcoef(np.diff(np.log(matrix), axis=0).T)[0, 1]
        assert correlation > least  # in the record's hours: .95
    twice = BlockBootstrap(
        {"A": CRASH, "B": CRASH}, {"A": 1.0, "B": 1.0}, columns={"A": "eth", "B": "eth"}, mean_block_days=1.0
    )
    matrix = twice.paths(Randomness(1), 0, 3_000, 12)
    assert matrix[:, 0].tolist() == matrix[:, 1].tolist()


# ---------------------------------------------------------------------- one column alone
def test_a_column_of_single_values_keeps_its_returns_and_its_tie_to_the_bars() -> None:
    files, columns = {"WETH": JUNE, "stETH": JUNE}, {"WETH": "eth", "stETH": "stETH"}
    process = BlockBootstrap(files, {"WETH": 1.0, "stETH": 1.0}, columns=columns, mean_block_days=2.0)
    picked = process.blocks(Randomness(1), 501)
    matrix = process.paths(Randomness(1), 0, 500, HOUR)
    values = recorded(JUNE, "stETH")[:, 0]
    moves = np.log(values[1:] / values[:-1])
    assert np.diff(np.log(matrix[:, 1])) == pytest.approx(moves[picked[:500]], abs=1e-12)
    opens = np.diff(np.log(recorded(JUNE, "eth_open")[:, 0]))
    assert np.corrcoef(np.diff(np.log(matrix), axis=0).T)[0, 1] == pytest.approx(
        np.corrcoef(opens, moves)[0, 1], abs=0.03
    )
    fine = process.paths(Randomness(1), 0, 500 * 300, 12)[:, 1]
    assert fine[::300] == pytest.approx(matrix[:, 1], rel=1e-12)
    inside = np.diff(np.log(fine)).reshape(500, 300)
    assert inside.std() * math.sqrt(300) == pytest.approx(moves.std(), rel=0.15)


def test_closes_alone_are_prices_at_the_end_of_their_rows(tmp_path: Path) -> None:
    bars = tmp_path / "bars.csv"
    closes = tmp_path / "closes.csv"
    rows = [(f"2020-01-{day:02d}", 100 + day % 5, 100 + (day + 1) % 5) for day in range(1, 29)]
    bars.write_text("time,open,high,low,close\n" + "".join(f"{t},{a},120,90,{b}\n" for t, a, b in rows))
    closes.write_text("time,close\n" + "".join(f"{t},{b}\n" for t, _, b in rows))
    process = BlockBootstrap({"A": bars, "B": closes}, {"A": 1.0, "B": 1.0}, mean_block_days=3.0)
    matrix = process.paths(Randomness(1), 0, 20, DAY)
    picked = process.blocks(Randomness(1), 21)
    ends = np.array([close for _, _, close in rows], dtype=float)
    moves = np.log(ends[1:] / ends[:-1])  # bar k of the common stretch is row k + 1
    assert np.diff(np.log(matrix[:, 1])) == pytest.approx(moves[picked[:20]], abs=1e-12)
    assert matrix[:, 0] == pytest.approx(matrix[:, 1], rel=1e-12)  # bars that open at the close before
    hourly = process.paths(Randomness(1), 0, 20 * 24, HOUR)
    assert hourly[::24, 1] == pytest.approx(matrix[:, 1], rel=1e-12)
    blocks = process.paths(Randomness(1), 0, 2 * 7_200, 12)
    assert blocks[::300] == pytest.approx(hourly[:49], rel=1e-12)


def test_the_volatility_within_a_single_value_is_that_of_the_hours_around_it(tmp_path: Path) -> None:
    file = tmp_path / "values.csv"
    moves = [0.001] * 50 + [0.05] * 50
    values = np.cumprod([1.0, *(1 + move * (-1) ** place for place, move in enumerate(moves))])
    rows = [f"2020-01-{1 + hour // 24:02d}T{hour % 24:02d}:00Z,{value!r}" for hour, value in enumerate(values.tolist())]
    file.write_text("time,x\n" + "\n".join(rows) + "\n")
    bars = read_bars({"X": file}, {"X": "x"}, [HOUR], single=True).bars["X"]
    found = [bar.log_sd for bar in bars if isinstance(bar, CloseBar)]
    assert found[37] == pytest.approx(0.001, rel=1e-3)  # twelve on each side
    assert found[49] == pytest.approx(math.sqrt((13 * 0.001**2 + 12 * 0.05**2) / 25), rel=0.01)
    assert found[62] == pytest.approx(0.05, rel=2e-3)
    assert found[0] == pytest.approx(0.001, rel=1e-3)


# ---------------------------------------------------------------------- drift
def test_the_drift_is_the_files_unless_replaced() -> None:
    plain = BlockBootstrap(DAILY, PRICES)
    eth = recorded(DAILY["WETH"], "open", "close")
    growth = math.log(eth[-1, 1] / eth[0, 0]) / 2_528 * 365
    assert plain.recorded_log_growth_per_year("WETH") == pytest.approx(growth, rel=1e-12)
    changed = BlockBootstrap(DAILY, PRICES, log_growth_per_year={"WETH": -0.2})
    was, now = (process.paths(Randomness(1), 0, 1_460, DAY) for process in (plain, changed))
    years = np.arange(1_461) / 365
    assert np.log(now[:, 0] / was[:, 0]) == pytest.approx((-0.2 - growth) * years, abs=1e-10)
    assert now[:, 1].tolist() == was[:, 1].tolist()
    ends = [math.log(changed.paths(Randomness(seed), 0, 1, 4 * 365 * DAY)[1, 0] / 2_500) for seed in range(40)]
    assert np.mean(ends) == pytest.approx(-0.8, abs=4 * np.std(ends) / math.sqrt(40))


# ---------------------------------------------------------------------- the grid, the draws, bad input
@pytest.mark.parametrize("process", [crash(), BlockBootstrap(DAILY, PRICES)], ids=["hours", "days"])
def test_paths_do_not_depend_on_step_or_length(process: BlockBootstrap) -> None:
    fine = process.paths(Randomness(3), 0, 14_400, 12)
    assert fine[0].tolist() == list(PRICES.values())
    assert process.paths(Randomness(3), 0, 2_880, 60).tolist() == fine[::5].tolist()
    assert process.paths(Randomness(3), 0, 48, HOUR).tolist() == fine[::300].tolist()
    assert process.paths(Randomness(3), 0, 2, DAY).tolist() == fine[::7_200].tolist()
    assert process.paths(Randomness(3), 77, 7_200, 12).tolist() == fine[:7_201].tolist()
    assert process.paths(Randomness(4), 0, 14_400, 12).tolist() != fine.tolist()
    assert process.paths(Randomness(3), 0, 0, 12).tolist() == fine[:1].tolist()


def test_an_asset_without_a_file_changes_nothing() -> None:
    more = BlockBootstrap(dict.fromkeys(COLUMNS, CRASH), {"DAI": 1.0, **PRICES}, columns=COLUMNS, mean_block_days=0.25)
    assert more.symbols == ("DAI", "WETH", "WBTC", "USDC")
    plain = crash().paths(Randomness(1), 0, 900, 12)
    assert more.paths(Randomness(1), 0, 900, 12)[:, 1:].tolist() == plain.tolist()
    alone = BlockBootstrap({"WETH": CRASH}, PRICES, columns={"WETH": "eth"}, mean_block_days=0.25)
    assert alone.paths(Randomness(1), 0, 900, 12)[:, 0].tolist() == plain[:, 0].tolist()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"mean_block_days": 0.01}, r"mean_block_days: given 0.01; allowed: 0.04167 \(one bar\) to 4 \(the whole of"),
        ({"mean_block_days": 7.0}, "mean_block_days: given 7.0; allowed"),
        ({"mean_block_days": float("nan")}, "mean_block_days: given nan"),
        ({"columns": {"WETH": "eth", "CRV": "crv"}}, "columns: given asset CRV; allowed: WETH, WBTC"),
        ({"log_growth_per_year": {"USDC": 0.1}}, "log_growth_per_year: given asset USDC; allowed: WETH, WBTC"),
        ({"log_growth_per_year": {"WETH": float("inf")}}, "log_growth_per_year of WETH: given inf; allowed: -100 to"),
    ],
)
def test_arguments_are_checked(arguments: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        crash(**arguments)


def test_files_and_prices_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"files: given none; allowed: at least one asset with a file"):
        BlockBootstrap({}, PRICES)
    with pytest.raises(ValueError, match=r"price_usd: given no price of CRV; allowed: a price of every asset"):
        BlockBootstrap({"CRV": CRASH}, PRICES)
    with pytest.raises(ValueError, match=r"price of WETH: given -1.0"):
        BlockBootstrap(DAILY, {"WETH": -1.0, "WBTC": 1.0})
    with pytest.raises(PathError, match=r"given hourly rows in .* and daily rows in .*; allowed: files with the same"):
        BlockBootstrap({"WETH": CRASH, "WBTC": DAILY["WBTC"]}, PRICES, columns={"WETH": "eth"}, mean_block_days=1.0)
    with pytest.raises(PathError, match=r"column eht_open: given no such column; allowed: one of .*nearest: eth_open"):
        BlockBootstrap({"WETH": CRASH}, PRICES, columns={"WETH": "eht"})
    minutes = tmp_path / "minutes.csv"
    minutes.write_text("time,close\n2020-01-01T00:00Z,1\n2020-01-01T00:01Z,1\n")
    with pytest.raises(PathError, match=r"given 60 s after the row before; allowed: hourly rows .* or daily rows"):
        BlockBootstrap({"WETH": minutes}, PRICES)
    with pytest.raises(ValueError, match=r"steps: given -1"):
        crash().paths(Randomness(1), 0, -1, 12)


def test_golden_values() -> None:
    matrix = crash().paths(Randomness(1), 0, 28_800, 12)
    assert matrix[[1, 7_777, 28_800], :2].tolist() == GOLDEN


GOLDEN = [
    [2502.8933855752725, 60037.40150590425],
    [1984.5318018703122, 47695.29398926189],
    [895.9415447769879, 23040.730051582],
]
