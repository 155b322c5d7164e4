"""Daily bars keep open, high, low and close on the way to hours and blocks, and refuse what cannot be used."""

from __future__ import annotations

import csv
import math
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.prices.daily import DailyPath
from sim.prices.errors import PathError
from sim.randomness import Randomness

MARKET = Path(__file__).parents[1] / "scenarios" / "paths" / "market"
FILES = {"WETH": MARKET / "ethusdt_1d_2019_2025.csv", "WBTC": MARKET / "btcusdt_1d_2019_2025.csv"}
HOUR = 3_600
DAY = 86_400


def recorded(asset: str) -> dict[str, list[float]]:
    with FILES[asset].open() as text:
        return {
            row["time"]: [float(row[part]) for part in ("open", "high", "low", "close")] for row in csv.DictReader(text)
        }


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


@pytest.fixture(scope="module")
def both() -> DailyPath:
    return DailyPath(FILES, scale="absolute")


@pytest.mark.parametrize("step", [12, 60, HOUR, 2 * HOUR, 8 * HOUR])
def test_open_high_and_low_are_hit_to_the_digit(both: DailyPath, step: int) -> None:
    days = 12 if step < HOUR else 200
    start = at("2020-03-05T00:00Z")
    matrix = both.paths(Randomness(3), start, days * DAY // step, step)
    for place, asset in enumerate(FILES):
        rows = list(recorded(asset).values())[429 : 429 + days + 1]
        hours = matrix[:-1, place].reshape(days, DAY // step)
        assert hours[:, 0].tolist() == [row[0] for row in rows[:-1]]
        assert hours.max(axis=1).tolist() == [row[1] for row in rows[:-1]]
        assert hours.min(axis=1).tolist() == [row[2] for row in rows[:-1]]
        assert matrix[-1, place] == rows[-1][0]
        if step == 12:
            assert hours[:, -1].tolist() == [row[3] for row in rows[:-1]]


@pytest.fixture(scope="module")
def long_run(both: DailyPath) -> np.ndarray:
    start, end = at("2021-01-01T00:00Z"), at("2022-07-01T00:00Z")
    return both.paths(Randomness(1), start, (end - start) // HOUR, HOUR)


def test_eighteen_months_of_hours_keep_every_day(long_run: np.ndarray) -> None:
    assert long_run.shape == (546 * 24 + 1, 2)
    for place, asset in enumerate(FILES):
        rows = [row for time, row in recorded(asset).items() if "2021-01-01" <= time < "2022-07-01"]
        days = long_run[:-1, place].reshape(546, 24)
        assert days[:, 0].tolist() == [row[0] for row in rows]
        assert days.max(axis=1).tolist() == [row[1] for row in rows]
        assert days.min(axis=1).tolist() == [row[2] for row in rows]
        apart = np.abs(long_run[24::24, place] / np.array([row[3] for row in rows]) - 1)
        assert apart.max() < 0.0035  # hourly steps see a close as the next open
        assert np.quantile(apart, 0.99) < 0.0006


def test_hours_have_the_volatility_of_the_days_and_move_together(long_run: np.ndarray) -> None:
    returns = np.diff(np.log(long_run), axis=0)
    for place, asset in enumerate(FILES):
        rows = [row for time, row in recorded(asset).items() if "2021-01-01" <= time < "2022-07-01"]
        parkinson = np.mean([math.log(high / low) ** 2 for _, high, low, _ in rows]) / (4 * math.log(2))
        ratio = returns[:, place].std() * math.sqrt(24) / math.sqrt(parkinson)
        assert 0.9 < ratio < 1.15
    assert 0.6 < np.corrcoef(returns.T)[0, 1] < 0.9  # of the days: .82
    hours = np.abs(returns[:, 0]).reshape(546, 24).mean(axis=0)
    assert hours.max() < 1.6 * hours.min()  # no hour of the day stands out


def test_high_and_low_lie_a_quarter_of_a_day_apart_in_either_order(long_run: np.ndarray) -> None:
    days = long_run[:-1, 0].reshape(546, 24)
    high, low = days.argmax(axis=1), days.argmin(axis=1)
    inner = (high > 0) & (low > 0)  # else the open is an extreme itself
    assert inner.sum() > 450
    apart = np.abs(high - low)[inner]
    assert apart.min() == 6
    assert apart.max() >= 20
    rising = days[:, -1] > days[:, 0]
    assert (low < high)[inner & rising].mean() > 0.7
    assert (high < low)[inner & ~rising].mean() > 0.7


def test_moves_within_a_day_average_to_parkinsons_variance(tmp_path: Path) -> None:
    closes = [100, 103, 97, 101] * 7
    rows = [f"2020-01-{day:02d},{closes[day - 2]},104,96,{closes[day - 1]}" for day in range(1, 29)]
    process = DailyPath({"A": write(tmp_path, *rows)}, scale="absolute")
    parkinson = 8**2 / (4 * math.log(2))
    for step, seeds in ((12, range(2)), (HOUR, range(30))):
        moves = [
            np.diff(process.paths(Randomness(seed), process.start_timestamp, 28 * DAY // step, step)[:, 0])
            for seed in seeds
        ]
        found = np.mean([(move**2).sum() / 28 for move in moves])
        assert 0.91 < found / parkinson < 1.05


def test_paths_do_not_depend_on_step_window_or_other_assets(both: DailyPath) -> None:
    start = at("2022-06-10T00:00Z")
    fine = both.paths(Randomness(1), start, 3 * 7_200, 12)
    assert both.paths(Randomness(1), start, 3 * 1_440, 60).tolist() == fine[::5].tolist()
    assert both.paths(Randomness(1), start, 72, HOUR).tolist() == fine[::300].tolist()
    assert both.paths(Randomness(1), start, 3, DAY).tolist() == fine[::7_200].tolist()
    assert both.paths(Randomness(1), start + 7 * HOUR, 3_000, 12).tolist() == fine[2_100:5_101].tolist()
    assert both.paths(Randomness(1), start - 50 * DAY, 1_224, HOUR)[1_200:].tolist() == fine[:7_201:300].tolist()
    assert both.paths(Randomness(2), start, 72, HOUR).tolist() != fine[::300].tolist()
    alone = DailyPath({"WETH": FILES["WETH"]}, scale="absolute")
    assert alone.paths(Randomness(1), start, 72, HOUR)[:, 0].tolist() == fine[::300, 0].tolist()


@settings(max_examples=30)
@given(offset=st.integers(0, 400_000), step=st.integers(1, 40_000), seed=st.integers(0, 9))
def test_any_step_and_start_stay_inside_the_days(both: DailyPath, offset: int, step: int, seed: int) -> None:
    rows = list(recorded("WBTC").values())
    steps = min(3 * DAY // step, 3_000)
    prices = both.paths(Randomness(seed), both.start_timestamp + offset, steps, step)[:, 1]
    seconds = offset + np.arange(steps + 1) * step
    for second, price in zip(seconds.tolist(), prices.tolist(), strict=True):
        _, high, low, close = rows[second // DAY]
        following = rows[second // DAY + 1][0]
        assert min(low, following, close) <= price <= max(high, following, close)
        if second % DAY == 0:
            assert price == rows[second // DAY][0]


def test_snapshot_scale_constant_assets_and_the_ends_of_the_file() -> None:
    process = DailyPath(FILES, price_usd={"WETH": 2_545.67, "WBTC": 1.0, "USDC": 0.9998})
    assert process.symbols == ("WETH", "WBTC", "USDC")
    assert process.start_timestamp == at("2019-01-01T00:00Z")
    assert process.end_timestamp == at("2025-12-03T00:00Z")
    matrix = process.paths(Randomness(1), at("2021-05-19T05:00Z"), 24, HOUR)
    assert matrix[0].tolist() == [2_545.67, 1.0, 0.9998]
    raw = DailyPath(FILES, scale="absolute").paths(Randomness(1), at("2021-05-19T05:00Z"), 24, HOUR)
    assert matrix[:, 0] / 2_545.67 == pytest.approx(raw[:, 0] / raw[0, 0], rel=1e-14)
    assert set(matrix[:, 2].tolist()) == {0.9998}
    last = DailyPath(FILES, scale="absolute").paths(Randomness(1), process.end_timestamp - DAY, 7_200, 12)
    assert last[-1].tolist() == [recorded(asset)["2025-12-02"][3] for asset in FILES]
    ended = DailyPath(FILES, scale="absolute").paths(Randomness(1), process.end_timestamp, 0, 12)
    assert ended.tolist() == last[-1:].tolist()
    assert process.paths(Randomness(1), process.start_timestamp, 0, 12)[0].tolist() == [2_545.67, 1.0, 0.9998]


# ---------------------------------------------------------------------- what cannot be used
HEADER = "time,open,high,low,close\n"
GOOD = ("2020-01-01,100,101,99,100", "2020-01-02,100,101,99,100", "2020-01-03,100,101,99,100")


def write(folder: Path, *rows: str, header: str = HEADER, name: str = "days.csv") -> Path:
    file = folder / name
    file.write_text(header + "".join(f"{row}\n" for row in rows))
    return file


def test_days_without_range_are_flat_and_shared_files_have_prefixes(tmp_path: Path) -> None:
    header = "time,a_open,a_high,a_low,a_close,b_open,b_high,b_low,b_close\n"
    rows = [f"2020-01-0{day},5,5,5,5,100,110,90,95" for day in (1, 2, 3)]
    file = write(tmp_path, *rows, header=header)
    process = DailyPath({"A": file, "B": file}, columns={"A": "a", "B": "b"}, scale="absolute")
    matrix = process.paths(Randomness(1), process.start_timestamp, 72, HOUR)
    assert set(matrix[:, 0].tolist()) == {5.0}
    assert matrix[:, 1].max() == 110.0


def test_files_are_joined_where_they_overlap(tmp_path: Path) -> None:
    long = write(tmp_path, *GOOD, "2020-01-04,200,201,199,200", name="long.csv")
    late = write(tmp_path, *GOOD[1:], "2020-01-04,300,301,299,300", "2020-01-05,7,7,7,7", name="late.csv")
    process = DailyPath({"A": long, "B": late}, scale="absolute")
    assert process.start_timestamp == at("2020-01-02T00:00Z")
    assert process.end_timestamp == at("2020-01-05T00:00Z")
    matrix = process.paths(Randomness(1), at("2020-01-04T00:00Z"), 24, HOUR)
    assert matrix[0].tolist() == [200.0, 300.0]
    assert matrix[-1].tolist() == [200.0, 300.0]  # beyond the common stretch nothing follows
    early = write(tmp_path, "2019-01-01,1,1,1,1", "2019-01-02,1,1,1,1", name="early.csv")
    words = r"long.csv from 2020-01-01T00:00:00Z to 2020-01-04.*; .*early.csv from.*; allowed: files with rows at the"
    with pytest.raises(PathError, match=words):
        DailyPath({"A": long, "B": early}, scale="absolute")
    noon = write(tmp_path, *(row.replace(",", "T12:00Z,", 1) for row in GOOD), name="noon.csv")
    with pytest.raises(PathError, match=r"files with rows at the same times"):
        DailyPath({"A": long, "B": noon}, scale="absolute")


@pytest.mark.parametrize(
    ("row", "column", "given_text"),
    [
        ("2020-01-03,100,101,-99,100", "low", "'-99'"),
        ("2020-01-03,100,nan,99,100", "high", "'nan'"),
        ("2020-01-03,100,98,99,100", "high", "98.0"),
        ("2020-01-03,102,101,99,100", "open", "102.0"),
        ("2020-01-03,100,101,99,98", "close", "98.0"),
        ("2020-01-04,100,101,99,100", "time", "172800 s after the row before"),
        ("2020-01-02,100,101,99,100", "time", "a time that was there before"),
        ("soon,100,101,99,100", "time", "'soon'"),
        ("2020-01-03,100,101,99", "", "4 cells"),
    ],
)
def test_a_bad_row_is_named_with_what_was_given(tmp_path: Path, row: str, column: str, given_text: str) -> None:
    file = write(tmp_path, *GOOD[:2], row)
    with pytest.raises(PathError) as caught:
        DailyPath({"A": file}, scale="absolute")
    (problem,) = caught.value.problems
    assert (problem.file, problem.row, problem.column) == (str(file), 4, column)
    assert given_text in problem.given
    assert problem.allowed


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    cases = [
        (write(tmp_path, GOOD[0], name="one.csv"), r"a single row; allowed: at least two daily rows \(86400 s apart\)"),
        (
            write(tmp_path, "2020-01-01T00:00Z,1,1,1,1", "2020-01-01T01:00Z,1,1,1,1", name="hours.csv"),
            r"hours.csv, row 3, column time: given 3600 s after the row before; allowed: daily rows",
        ),
        (write(tmp_path, "now,1,1,1,1", "then,1,1,1,1", name="words.csv"), r"row 2, column time: given 'now'"),
        (write(tmp_path, GOOD[0], "", "2020-01-02", name="short.csv"), r"row 4: given 1 cells; allowed: 5 cells"),
        (
            write(tmp_path, *GOOD, header="time,open,high,lo,close\n", name="lo.csv"),
            r"column low: given no such column",
        ),
        (
            write(tmp_path, "2020-01-01,1", "2020-01-02,1", header="time,close\n", name="close.csv"),
            r"column open: given",
        ),
        (write(tmp_path, *GOOD, header="day,open,high,low,close\n", name="day.csv"), r"a column named time"),
        (tmp_path / "none.csv", r"No such file"),
    ]
    for file, words in cases:
        with pytest.raises(PathError, match=words):
            DailyPath({"A": file}, scale="absolute")


def test_arguments_that_make_no_sense_are_refused(both: DailyPath) -> None:
    with pytest.raises(ValueError, match=r"files: given none; allowed: at least one asset with a file"):
        DailyPath({})
    with pytest.raises(ValueError, match=r"columns: given asset CRV; allowed: WETH, WBTC"):
        DailyPath(FILES, columns={"CRV": "crv"})
    with pytest.raises(ValueError, match=r"scale: given 'relative'; allowed: snapshot or absolute"):
        DailyPath(FILES, scale="relative")
    with pytest.raises(ValueError, match=r"needs the price of WETH, WBTC"):
        DailyPath(FILES)
    with pytest.raises(ValueError, match=r"steps: given -1"):
        both.paths(Randomness(1), both.start_timestamp, -1, HOUR)
    for start, steps in ((both.start_timestamp - 12, 1), (both.end_timestamp - DAY, 25)):
        with pytest.raises(PathError, match=r"within 2019-01-01T00:00:00Z to 2025-12-03T00:00:00Z, which the file"):
            both.paths(Randomness(1), start, steps, HOUR)


def test_the_market_series_are_as_their_readme_says() -> None:
    readme = (MARKET / "README.md").read_text()
    for file in MARKET.glob("*.csv"):
        assert f"`{file.name}`" in readme
    with (MARKET / "eth_avg_gas_price_daily_gwei_2018_2026.csv").open() as text:
        gas = {row["date"]: float(row["gwei"]) for row in csv.DictReader(text)}
    assert gas["2020-03-12"] / np.median(list(gas.values())[770:800]) > 5  # a crash day: 7.2 in the record
    for asset, largest in (("WETH", 0.0034), ("WBTC", 0.0158)):
        rows = list(recorded(asset).values())
        assert len(rows) == 2_528
        assert max(abs(row[0] / before[3] - 1) for before, row in pairwise(rows)) == pytest.approx(largest, abs=1e-4)


def test_golden_values(long_run: np.ndarray) -> None:
    assert long_run[[1, 7_777, 13_103]].tolist() == GOLDEN


GOLDEN = [
    [739.3304684456699, 28843.71018906085],
    [4445.581594674454, 59937.325658189686],
    [1078.860406043664, 19979.38890331373],
]
