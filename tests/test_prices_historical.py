"""The hourly path keeps open, high, low and close, and refuses what it cannot use."""

from __future__ import annotations

import csv
import pickle
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.prices import HistoricalPath, PathError
from sim.prices.bridge import fold
from sim.randomness import Randomness

PATHS = Path(__file__).parents[1] / "scenarios" / "paths"
CRASH = PATHS / "black_thursday_2020-03.csv"
HOUR = 3_600
HEADER = "time,eth_open,eth_high,eth_low,eth_close\n"


def recorded(file: Path) -> list[dict[str, str]]:
    with file.open() as text:
        return list(csv.DictReader(text))


def absolute(file: Path, **columns: str) -> HistoricalPath:
    return HistoricalPath(file, columns, scale="absolute")


@pytest.mark.parametrize("step", [12, 20, 60, 300, 720, 1_200])
@pytest.mark.parametrize("name", ["black_thursday_2020-03", "crv_2022-11", "usdc_2023-03"])
def test_open_high_and_low_are_hit_to_the_digit(name: str, step: int) -> None:
    file = PATHS / f"{name}.csv"
    rows = recorded(file)
    prefixes = [column[:-5] for column in rows[0] if column.endswith("_open")]
    process = absolute(file, **{prefix.upper(): prefix for prefix in prefixes})
    matrix = process.paths(Randomness(3), process.start_timestamp, len(rows) * HOUR // step, step)
    for place, prefix in enumerate(prefixes):
        hours = matrix[:-1, place].reshape(len(rows), HOUR // step)
        assert hours[:, 0].tolist() == [float(row[f"{prefix}_open"]) for row in rows]
        assert hours.max(axis=1).tolist() == [float(row[f"{prefix}_high"]) for row in rows]
        assert hours.min(axis=1).tolist() == [float(row[f"{prefix}_low"]) for row in rows]
        assert matrix[-1, place] == float(rows[-1][f"{prefix}_close"])
        if step == 12:
            assert hours[:, -1].tolist() == [float(row[f"{prefix}_close"]) for row in rows]


def test_march_2020_in_blocks_gives_back_the_file() -> None:
    rows = recorded(CRASH)
    process = absolute(CRASH, WETH="eth", WBTC="btc")
    matrix = process.paths(Randomness(1), process.start_timestamp, 28_800, 12)
    assert matrix.shape == (28_801, 2)
    assert matrix[:, 0].min() == 86.0
    worst = next(index for index, row in enumerate(rows) if row["time"] == "2020-03-13T02:00Z")
    hour = matrix[worst * 300 : (worst + 1) * 300, 0]
    bar = [float(rows[worst][f"eth_{part}"]) for part in ("open", "high", "low", "close")]
    assert [hour[0], hour.max(), hour.min(), hour[-1]] == bar


def test_times_of_high_and_low_are_shared_by_all_assets() -> None:
    process = absolute(CRASH, WETH="eth", WBTC="btc")
    matrix = process.paths(Randomness(5), process.start_timestamp, 96 * 300, 12)[:-1]
    hours = matrix.reshape(96, 300, 2)[:, 1:299]
    rows = recorded(CRASH)
    for hour, row in zip(hours, rows, strict=True):
        where = []
        for place, prefix in enumerate(("eth", "btc")):
            high = set(np.flatnonzero(hour[:, place] == float(row[f"{prefix}_high"])).tolist())
            low = set(np.flatnonzero(hour[:, place] == float(row[f"{prefix}_low"])).tolist())
            where.append((high, low))
        (eth_high, eth_low), (btc_high, btc_low) = where
        assert eth_high & btc_high
        assert eth_low & btc_low
        assert all((1 + index) % 5 == 0 for index in eth_high & btc_high)  # whole minutes


def test_a_falling_hour_has_its_high_before_its_low() -> None:
    process = absolute(CRASH, WETH="eth")
    first = []
    for seed in range(20):
        hour = process.paths(Randomness(seed), process.start_timestamp + 34 * HOUR, 300, 12)[:300, 0]
        first.append(int(hour.argmax()) < int(hour.argmin()))
    row = recorded(CRASH)[34]  # 12 March 2020, 10:00: from 184 to 145 USD
    assert float(row["eth_close"]) < 0.85 * float(row["eth_open"])
    assert all(first)


def test_the_order_of_high_and_low_is_even_in_a_flat_hour(tmp_path: Path) -> None:
    lines = [f"2020-01-{1 + k // 24:02d}T{k % 24:02d}:00Z,100,104,96,100\n" for k in range(480)]
    file = tmp_path / "flat.csv"
    file.write_text(HEADER + "".join(lines))
    process = absolute(file, WETH="eth")
    hours = process.paths(Randomness(1), process.start_timestamp, 480 * 60, 60)[:-1, 0].reshape(480, 60)
    share = (hours.argmax(axis=1) < hours.argmin(axis=1)).mean()
    assert abs(share - 0.5) < 0.09  # four standard errors
    # Parkinson's variance, folded and pinned, keeps the realised volatility near that of the range
    deviation = np.sqrt((np.diff(hours, axis=1) ** 2).sum(axis=1).mean())
    assert 0.9 < deviation / (8 / np.sqrt(4 * np.log(2))) < 1.6


def test_the_path_is_the_same_whatever_else_the_run_holds() -> None:
    process = absolute(CRASH, WETH="eth", WBTC="btc")
    start = process.start_timestamp
    whole = process.paths(Randomness(1), start, 28_800, 12)
    alone = absolute(CRASH, ETHER="eth").paths(Randomness(1), start, 28_800, 12)
    assert alone[:, 0].tolist() == whole[:, 0].tolist()
    late = process.paths(Randomness(1), start + 30 * HOUR + 1_800, 1_000, 12)
    assert late.tolist() == whole[9_150:10_151].tolist()
    coarse = process.paths(Randomness(1), start, 5_760, 60)
    assert coarse.tolist() == whole[::5].tolist()
    assert process.paths(Randomness(1), start, 28_800, 12).tolist() == whole.tolist()
    assert process.paths(Randomness(2), start, 28_800, 12).tolist() != whole.tolist()


@settings(max_examples=40, deadline=None)
@given(offset=st.integers(0, 40_000), step=st.integers(1, 1_200), seed=st.integers(0, 9))
def test_extremes_are_seen_with_any_step_and_start(offset: int, step: int, seed: int) -> None:
    process = absolute(CRASH, WETH="eth")
    start = process.start_timestamp + offset
    steps = 3 * HOUR // step
    prices = process.paths(Randomness(seed), start, steps, step)[:, 0]
    seconds = offset + np.arange(steps + 1) * step
    for hour in range(-(-offset // HOUR), (offset + steps * step) // HOUR):
        row = recorded(CRASH)[hour]
        inside = prices[(seconds >= hour * HOUR) & (seconds < (hour + 1) * HOUR)]
        assert inside.max() == float(row["eth_high"])
        assert inside.min() == float(row["eth_low"])


def test_steps_longer_than_twenty_minutes_stay_inside_the_range() -> None:
    process = absolute(CRASH, WETH="eth")
    matrix = process.paths(Randomness(1), process.start_timestamp, 96, HOUR)
    rows = recorded(CRASH)
    assert matrix[:-1, 0].tolist() == [float(row["eth_open"]) for row in rows]
    half = process.paths(Randomness(1), process.start_timestamp, 192, 1_800)[1::2, 0]
    assert all(float(row["eth_low"]) <= price <= float(row["eth_high"]) for row, price in zip(rows, half, strict=True))


def test_snapshot_scale_starts_at_the_price_and_keeps_relative_moves() -> None:
    asked = HistoricalPath(CRASH, {"WETH": "eth"}, price_usd={"WETH": 2_545.67, "USDC": 0.9998})
    plain = absolute(CRASH, WETH="eth")
    start = plain.start_timestamp + 700
    scaled = asked.paths(Randomness(1), start, 4_000, 12)
    raw = plain.paths(Randomness(1), start, 4_000, 12)
    assert asked.symbols == ("WETH", "USDC")
    assert scaled[0].tolist() == [2_545.67, 0.9998]
    assert scaled[:, 0] / 2_545.67 == pytest.approx(raw[:, 0] / raw[0, 0], rel=1e-14)
    assert set(scaled[:, 1].tolist()) == {0.9998}


def test_a_recorded_gap_between_close_and_open_passes_in_one_block() -> None:
    file = PATHS / "crv_2022-11.csv"
    rows = recorded(file)
    path = absolute(file, CRV="crv").paths(Randomness(1), absolute(file, CRV="crv").start_timestamp, 12_000, 12)[:, 0]
    hours = [index for index, (row, nxt) in enumerate(pairwise(rows[:40])) if row["crv_close"] != nxt["crv_open"]]
    assert hours
    for hour in hours:
        assert path[hour * 300 + 299] == float(rows[hour]["crv_close"])
        assert path[hour * 300 + 300] == float(rows[hour + 1]["crv_open"])
    seconds = absolute(file, CRV="crv").paths(Randomness(1), absolute(file, CRV="crv").start_timestamp, 7_200, 1)[:, 0]
    between = seconds[3_588:3_601]
    assert between[0] == 0.582
    assert between[-1] == 0.581
    assert np.diff(between) == pytest.approx([-0.001 / 12] * 12)


def test_a_column_with_one_value_an_hour_and_a_product() -> None:
    file = PATHS / "june_2022.csv"
    process = absolute(file, WETH="eth", stETH="eth*stETH_WETH", ratio="stETH_WETH")
    matrix = process.paths(Randomness(1), process.start_timestamp, 264 * 60, 60)
    assert (matrix[:, 1] == matrix[:, 0] * matrix[:, 2]).all()
    rows = recorded(file)
    assert matrix[:-1:60, 2].tolist() == [float(row["stETH_WETH"]) for row in rows]
    assert matrix[30, 2] == pytest.approx((0.977231 + 0.976954) / 2, rel=1e-12)
    assert matrix[-1, 2] == matrix[-31, 2] == float(rows[-1]["stETH_WETH"])


@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20),
    low=st.floats(0.001, 1e5),
    width=st.floats(0, 1e5),
)
def test_folding_keeps_what_is_inside_and_brings_the_rest_in(values: list[float], low: float, width: float) -> None:
    high = low + width
    folded = fold(np.array(values), low, high)
    assert ((folded >= low) & (folded <= high)).all()
    for value, after in zip(values, folded.tolist(), strict=True):
        if low < value < high:
            assert after == pytest.approx(value, rel=1e-9, abs=1e-9 * high)


def test_folding_reflects_at_both_edges() -> None:
    assert fold(np.array([9.0, 13.0, 15.0, 5.0]), 10.0, 12.0).tolist() == [11.0, 11.0, 11.0, 11.0]
    assert fold(np.array([9.0, 13.0]), 10.0, 10.0).tolist() == [10.0, 10.0]


def test_the_file_of_march_2020_and_its_window() -> None:
    process = absolute(CRASH, WETH="eth")
    assert process.start_timestamp == int(datetime.fromisoformat("2020-03-11T00:00Z").timestamp())
    assert process.end_timestamp == int(datetime.fromisoformat("2020-03-15T00:00Z").timestamp())
    whole = process.paths(Randomness(1), process.start_timestamp, 96, HOUR)
    assert whole.shape == (97, 1)
    assert whole[-1, 0] == float(recorded(CRASH)[-1]["eth_close"])
    assert process.paths(Randomness(1), process.end_timestamp, 0, 12)[0, 0] == whole[-1, 0]


@pytest.mark.parametrize(("shift", "steps"), [(-12, 10), (0, 28_801), (96 * HOUR, 1)])
def test_a_run_that_the_file_does_not_cover_is_refused(shift: int, steps: int) -> None:
    process = absolute(CRASH, WETH="eth")
    with pytest.raises(PathError, match=r"2020-03-11T00:00:00Z to 2020-03-15T00:00:00Z, which the file covers"):
        process.paths(Randomness(1), process.start_timestamp + shift, steps, 12)


def write(folder: Path, *rows: str, header: str = HEADER) -> Path:
    file = folder / "path.csv"
    file.write_text(header + "".join(f"{row}\n" for row in rows))
    return file


GOOD = ("2020-01-01T00:00Z,100,101,99,100", "2020-01-01T01:00Z,100,101,99,100", "2020-01-01T02:00Z,100,101,99,100")


@pytest.mark.parametrize(
    ("row", "column", "given_text"),
    [
        ("2020-01-01T02:00Z,100,101,-99,100", "eth_low", "'-99'"),
        ("2020-01-01T02:00Z,0,101,99,100", "eth_open", "'0'"),
        ("2020-01-01T02:00Z,100,nan,99,100", "eth_high", "'nan'"),
        ("2020-01-01T02:00Z,100,inf,99,100", "eth_high", "'inf'"),
        ("2020-01-01T02:00Z,100,,99,100", "eth_high", "''"),
        ("2020-01-01T02:00Z,100,98,99,100", "eth_high", "98.0"),
        ("2020-01-01T02:00Z,102,101,99,100", "eth_open", "102.0"),
        ("2020-01-01T02:00Z,100,101,99,98", "eth_close", "98.0"),
        ("2020-01-01T03:00Z,100,101,99,100", "time", "7200 s after the row before"),
        ("2020-01-01T01:00Z,100,101,99,100", "time", "a time that was there before"),
        ("2019-12-31T00:00Z,100,101,99,100", "time", "earlier than a row above"),
        ("yesterday,100,101,99,100", "time", "'yesterday'"),
        ("2020-01-01T02:00:00.5Z,100,101,99,100", "time", "'2020-01-01T02:00:00.5Z'"),
        ("1577844000000,100,101,99,100", "time", "'1577844000000'"),
        ("2020-01-01T02:00Z,100,101,99", "", "4 cells"),
    ],
)
def test_a_bad_row_is_named_with_what_was_given(tmp_path: Path, row: str, column: str, given_text: str) -> None:
    file = write(tmp_path, *GOOD[:2], row)
    with pytest.raises(PathError) as caught:
        absolute(file, WETH="eth")
    (problem,) = caught.value.problems
    assert (problem.file, problem.row, problem.column) == (str(file), 4, column)
    assert given_text in problem.given
    assert problem.allowed
    assert str(caught.value).startswith(f"{file}, row 4")


def test_all_problems_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    file = write(tmp_path, GOOD[0], "2020-01-01T01:00Z,-1,nan,99,100", "bad,100,101,99,100", "2020-01-01T03:00Z,1")
    with pytest.raises(PathError) as caught:
        absolute(file, WETH="eth")
    assert [(p.row, p.column) for p in caught.value.problems] == [
        (3, "eth_open"),
        (3, "eth_high"),
        (4, "time"),
        (5, ""),
    ]
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    many = write(tmp_path, *[f"2020-01-01T00:00Z,{-k},101,99,100" for k in range(1, 40)])
    with pytest.raises(PathError, match=r"57 more problems"):
        absolute(many, WETH="eth")


def test_a_missing_empty_or_binary_file_is_refused(tmp_path: Path) -> None:
    cases = {"missing.csv": None, "empty.csv": b" \n", "binary.csv": b"time\x00\x01", "latin.csv": b"\xff\xfe\x81"}
    told = ["No such file", "an empty file", "a binary file", "a binary file"]
    for (name, data), words in zip(cases.items(), told, strict=True):
        file = tmp_path / name
        if data is not None:
            file.write_bytes(data)
        with pytest.raises(PathError, match=words) as caught:
            absolute(file, WETH="eth")
        assert caught.value.problems[0].file == str(file)
    (tmp_path / "long.csv").write_text("time," + "x" * 200_000)
    with pytest.raises(PathError, match=r"text that is no CSV \(field larger"):
        absolute(tmp_path / "long.csv", WETH="eth")
    with pytest.raises(PathError, match=r"directory"):
        absolute(tmp_path, WETH="eth")


def test_headers_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PathError, match=r"column named time"):
        absolute(write(tmp_path, *GOOD, header=HEADER.replace("time", "date")), WETH="eth")
    with pytest.raises(PathError, match=r"each column once"):
        absolute(write(tmp_path, *GOOD, header=HEADER.replace("eth_high", "eth_low")), WETH="eth")
    with pytest.raises(PathError, match=r"header without rows"):
        absolute(write(tmp_path), WETH="eth")
    with pytest.raises(PathError, match=r"column ehth: given no such column; allowed: one of eth \(nearest: eth\)"):
        absolute(write(tmp_path, *GOOD), WETH="ehth")
    with pytest.raises(PathError, match=r"column eth_low: given no such column"):
        absolute(write(tmp_path, *GOOD, header=HEADER.replace("eth_low", "eth_lo")), WETH="eth")


def test_arguments_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path, *GOOD)
    with pytest.raises(ValueError, match=r"scale: given 'relative'; allowed: snapshot or absolute"):
        HistoricalPath(file, {"WETH": "eth"}, scale="relative")
    with pytest.raises(ValueError, match=r"needs the price of WETH"):
        HistoricalPath(file, {"WETH": "eth"})
    with pytest.raises(ValueError, match=r"at least one asset"):
        HistoricalPath(file, {})
    with pytest.raises(ValueError, match=r"price of WETH: given nan"):
        HistoricalPath(file, {"WETH": "eth"}, price_usd={"WETH": float("nan")})
    process = absolute(file, WETH="eth")
    with pytest.raises(ValueError, match=r"step_seconds: given 0"):
        process.paths(Randomness(1), process.start_timestamp, 1, 0)
    with pytest.raises(ValueError, match=r"steps: given -1"):
        process.paths(Randomness(1), process.start_timestamp, -1, 12)
