from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

from sim.results import Blocks, Recorder, Rows


def test_a_row_a_step_in_the_order_of_the_columns():
    recorder = Recorder(["block", "oracle_usd.WETH"], 3)
    recorder.row(0, [100, 2500.5])
    recorder.row(1, [105, np.float64(2400.25)])
    metrics = recorder.metrics()
    assert list(metrics) == ["step", "block", "oracle_usd.WETH"]
    assert metrics["step"].tolist() == [0, 1]
    assert metrics["block"].tolist() == [100, 105]
    assert metrics["block"].dtype == np.int64
    assert metrics["oracle_usd.WETH"].tolist() == [2500.5, 2400.25]


def test_step_may_come_first_among_the_columns():
    recorder = Recorder(["step", "cash.USDC"], 2)
    recorder.row(4, [4, 1.5])
    assert recorder.metrics()["step"].tolist() == [4]
    assert recorder.metrics()["cash.USDC"].tolist() == [1.5]


@pytest.mark.parametrize("columns", [["a", "a"], ["a", "step"], ["step", "step"]])
def test_columns_must_differ(columns):
    with pytest.raises(ValueError, match="different names"):
        Recorder(columns, 1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0], "2 numbers make a row, 1 were given"),
        ([1.0, 2.0, 3.0], "2 numbers make a row, 3 were given"),
        ([1.0, None], "column b: None is not a number"),
        ([1.0, "2"], "column b: '2' is not a number"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_and_leaves_no_trace(values, message):
    recorder = Recorder(["a", "b"], 3)
    recorder.row(0, [1.0, 2.0])
    with pytest.raises(ValueError, match=message):
        recorder.row(1, values)
    assert recorder.rows == 1
    recorder.row(1, [3.0, 4.0])
    assert recorder.metrics()["b"].tolist() == [2.0, 4.0]


def test_steps_only_go_forward():
    recorder = Recorder(["a"], 3)
    recorder.row(5, [1.0])
    with pytest.raises(ValueError, match="step 5 comes after step 5"):
        recorder.row(5, [1.0])


def test_full():
    recorder = Recorder(["a"], 1)
    recorder.row(0, [1.0])
    recorder.row(1, [1.0])
    with pytest.raises(ValueError, match="made for 2 rows and is full"):
        recorder.row(2, [1.0])


def test_a_missing_count_makes_a_float_column_and_loses_no_run():
    recorder = Recorder(["liquidations", "mine"], 2, whole=["mine"])
    recorder.row(0, [1, 7])
    recorder.row(1, [float("nan"), 8])
    metrics = recorder.metrics()
    assert metrics["liquidations"].dtype == np.float64
    assert metrics["mine"].dtype == np.int64


def test_events_by_name_or_as_tuples():
    rows = Rows(("event_id", "kind", "account"))
    rows.add(event_id=1, kind="trade")
    rows.add_row((2, "liquidation", 7))
    rows.add_row((3, "sale"))
    rows.add(event_id=4, kind="trade", route="a>b")
    assert len(rows) == 4
    assert rows.table() == {
        "event_id": [1, 2, 3, 4],
        "kind": ["trade", "liquidation", "sale", "trade"],
        "account": [None, 7, None, None],
        "route": [None, None, None, "a>b"],
    }


def test_a_tuple_longer_than_the_columns_is_refused():
    rows = Rows(("event_id",))
    rows.add_row((1, 2))
    with pytest.raises(ValueError, match="a row holds 2 values, but 1 columns are declared"):
        rows.table()


def test_blocks_repeat_single_values_and_replace_by_key():
    blocks = Blocks(("when", "account"))
    blocks.put("first", when="first", account=np.array([1, 2]), health_factor=np.array([1.5, 1.2]))
    blocks.put("worst", when="worst", account=[1, 2], health_factor=[1.1, 0.9])
    blocks.put("worst", when="worst", account=[2], health_factor=[0.8], note="low")
    assert len(blocks) == 3
    assert blocks.table() == {
        "when": ["first", "first", "worst"],
        "account": [1, 2, 2],
        "health_factor": [1.5, 1.2, 0.8],
        "note": [None, None, "low"],
    }
    arrays = Blocks()
    arrays.put(1, debt=np.array([1.0]))
    arrays.put(2, debt=np.array([2.0, 3.0]))
    assert arrays.table()["debt"].tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(ValueError, match="different lengths"):
        blocks.put("odd", account=[1, 2], health_factor=[1.0])


def test_all_tables_are_there_even_of_an_empty_run():
    tables = Recorder(["a"], 1).tables()
    assert list(tables) == ["metrics", "events", "reports", "positions", "agents"]
    assert tables["events"]["event_id"] == []


def test_recording_is_cheap():
    recorder = Recorder([f"cash.{k}" for k in range(100)], 4000)
    values = [float(k) for k in range(100)]
    chunks = [range(start, start + 500) for start in range(0, 4000, 500)]
    best = min(_seconds(lambda steps=steps: [recorder.row(k, values) for k in steps]) for steps in chunks)
    assert best / 500 < 20e-6
    event = (1, None, 2, 3, 4, "trade", 5, "trader", True)
    best = min(_seconds(lambda: [recorder.events.add_row(event) for _ in range(1000)]) for _ in range(5))
    assert best / 1000 < 8e-6


def _seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def test_importing_results_loads_no_heavy_library():
    code = (
        "import sys, sim.results, sim.results.recorder, sim.results.files; "
        "print([m for m in ('pandas','pyarrow','duckdb','altair','vl_convert','streamlit','mesa') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
