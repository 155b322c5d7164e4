from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from results_fixture import SCENARIO_TOML, sample, write_sample

from sim.results import Progress, ResultsError, begin_run, content_hash, new_manifest, prepare, run_identity, write_run
from sim.results import files as files_module
from sim.results import progress as progress_module
from sim.results.tables import to_arrow

TINY = {
    "metrics": {"step": [0, 1], "price_usd": [2500.5, None], "name": ["a", None], "ok": [True, False]},
    "events": {"event_id": []},
}
TINY_HASH = "86112ff8155e711f3cc7ea481e28aab38fe8061e27f131f4cba89dd040441814"
DEAD_PID = 2**22 + 1


def manifest_of(name="tiny", seed=1):
    return new_manifest({"name": name, "title": "Tiny"}, seed)


def write(folder, tables=TINY, manifest=None, **options):
    manifest = manifest or manifest_of()
    return write_run(folder, tables=tables, manifest=manifest, scenario_toml='name = "tiny"\n', **options)


def state_of(folder):
    return {entry.name: entry.read_bytes() for entry in sorted(folder.iterdir()) if entry.is_file()}


# -- content hash ---------------------------------------------------------------------------------------------------


def test_hash_of_a_small_table_is_this_and_stays_this():
    assert content_hash(TINY) == TINY_HASH


def test_hash_is_sha256_over_the_canonical_form_written_out_by_hand():
    def text(words):
        return struct.pack("<q", len(words)) + words.encode()

    form = b"undertow tables 1\n"
    form += text("events") + struct.pack("<qq", 0, 1) + text("event_id") + text("int64")
    form += text("metrics") + struct.pack("<qq", 2, 4)
    form += text("step") + text("int64") + b"\1\1" + struct.pack("<qq", 0, 1)
    form += text("price_usd") + text("float64") + b"\1\0" + struct.pack("<dQ", 2500.5, 0x7FF8000000000000)
    form += text("name") + text("text") + b"\1\0" + struct.pack("<qq", 1, 0) + b"a"
    form += text("ok") + text("bool") + b"\1\1" + b"\1\0"
    assert hashlib.sha256(form).hexdigest() == TINY_HASH


def test_hash_sees_values_not_their_container():
    columns = TINY["metrics"]
    same = {
        "step": np.array([0, 1], dtype=np.int32),
        "price_usd": np.array([2500.5, np.nan]),
        "name": np.array(["a", None], dtype=object),
        "ok": pa.chunked_array([pa.array([True]), pa.array([False])]),
    }
    assert content_hash({"events": {"event_id": np.array([], dtype=np.int64)}, "metrics": same}) == TINY_HASH
    assert content_hash({"metrics": pa.table(to_arrow("metrics", columns)), "events": {"event_id": []}}) == TINY_HASH


def test_hash_knows_one_nan_and_one_zero():
    odd_nan = np.frombuffer(np.uint64(0x7FF8000000000123).tobytes(), dtype=np.float64)
    assert content_hash({"t": {"x": odd_nan}}) == content_hash({"t": {"x": [float("nan")]}})
    assert content_hash({"t": {"x": [-0.0]}}) == content_hash({"t": {"x": [0.0]}})


@pytest.mark.parametrize(
    "other",
    [
        {"step": [0, 2], "x": [1.0, 2.0]},
        {"step": [0, 1], "x": [1.0, 2.0000000000000004]},
        {"step": [0, 1], "y": [1.0, 2.0]},
        {"x": [1.0, 2.0], "step": [0, 1]},
        {"step": [0.0, 1.5], "x": [1.0, 2.0]},
        {"step": [0, None], "x": [1.0, 2.0]},
        {"step": [0], "x": [1.0]},
        {},
    ],
)
def test_hash_differs_when_anything_differs(other):
    assert content_hash({"t": other}) != content_hash({"t": {"step": [0, 1], "x": [1.0, 2.0]}})


def test_hash_tells_texts_apart_wherever_the_border_is():
    assert content_hash({"t": {"x": ["ab", "c"]}}) != content_hash({"t": {"x": ["a", "bc"]}})
    assert content_hash({"t": {"x": ["", None]}}) != content_hash({"t": {"x": [None, ""]}})


# -- stored types ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], pa.int64()),
        ([1, None], pa.int64()),
        ([1, 2.5], pa.float64()),
        ([1.0, None], pa.float64()),
        ([True, None], pa.bool_()),
        (["a", None], pa.string()),
        ([None, None], pa.float64()),
        ([10**19, 3], pa.decimal128(38, 0)),
        ([10**40, None], pa.string()),
        ([2**53 + 1, 0.5], pa.float64()),
        (np.array([1, 2], dtype=np.uint8), pa.int64()),
        (np.array([1.0], dtype=np.float32), pa.float64()),
        (np.array(["a", "b"]), pa.string()),
        (range(3), pa.int64()),
    ],
)
def test_stored_type_comes_from_the_values(values, kind):
    assert to_arrow("t", {"x": values})["x"].type == kind


def test_declared_type_settles_what_the_values_leave_open():
    table = to_arrow("events", {"event_id": [], "owner": [None], "debt_repaid": [3]} | {"event_id": [None]})
    assert [table[name].type for name in table.column_names] == [pa.int64(), pa.string(), pa.float64()]
    assert to_arrow("events", {"debt_repaid": [2**60]})["debt_repaid"].type == pa.int64()


def test_exact_amounts_survive():
    amount = 123456789012345678901234567890
    assert to_arrow("t", {"x": [amount]})["x"].to_pylist() == [Decimal(amount)]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"x": [1, "a"]}, "table t, column x: values must be all numbers"),
        ({"x": [1.5, "a"]}, "table t, column x: values must be all numbers"),
        ({"x": [object()]}, "table t, column x"),
        ({"x": [10**30, "a"]}, "table t, column x"),
        ({"x": np.zeros((2, 2))}, "table t, column x.*2 dimensions"),
        ({"x": [b"a"]}, "table t, column x.*binary is not stored"),
        ({"x": [1], "y": [1, 2], "z": [3]}, "table t: column y has 2 values, others have 1"),
        ({3: [1]}, "table t: a column's name must be text, not 3"),
    ],
)
def test_columns_that_cannot_be_stored_are_named(columns, message):
    with pytest.raises(ResultsError, match=message):
        to_arrow("t", columns)


# -- writing --------------------------------------------------------------------------------------------------------


def test_a_run_is_written_in_full(tmp_path):
    written = write(tmp_path / "out" / "tiny-1")
    folder = tmp_path / "out" / "tiny-1"
    names = sorted(entry.name for entry in folder.iterdir())
    assert names == ["events.parquet", "manifest.json", "metrics.parquet", "scenario.toml"]
    assert [entry.name for entry in folder.parent.iterdir()] == ["tiny-1"]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest == json.loads(json.dumps(written))
    assert manifest["state"] == "done"
    assert manifest["content_hash"] == TINY_HASH
    assert manifest["tables"]["metrics"] == {"rows": 2, "columns": 4}
    assert manifest["versions"]["undertow"]
    assert (folder / "scenario.toml").read_text() == 'name = "tiny"\n'
    assert pq.read_table(folder / "metrics.parquet")["step"].to_pylist() == [0, 1]


def test_same_tables_give_the_same_bytes(tmp_path):
    write(tmp_path / "a")
    write(tmp_path / "b")
    for name in ("metrics.parquet", "events.parquet"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_same_run_again_replaces_and_keeps_what_is_not_ours(tmp_path):
    folder = tmp_path / "tiny"
    write(folder)
    (folder / "report.html").write_text("old report")
    (folder / "notes.md").write_text("mine")
    (folder / "figures").mkdir()
    (folder / "figures" / "a.txt").write_text("mine too")
    (folder / "extra.parquet").write_text("not in the manifest")
    write(folder, {"metrics": {"step": [5]}})
    assert pq.read_table(folder / "metrics.parquet")["step"].to_pylist() == [5]
    assert not (folder / "events.parquet").exists()
    assert not (folder / "report.html").exists()
    assert (folder / "notes.md").read_text() == "mine"
    assert (folder / "figures" / "a.txt").read_text() == "mine too"
    assert (folder / "extra.parquet").exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["tiny"]


def test_an_empty_folder_may_be_used(tmp_path):
    (tmp_path / "tiny").mkdir()
    write(tmp_path / "tiny")
    assert (tmp_path / "tiny" / "manifest.json").exists()


def test_unknown_state_is_a_mistake_of_the_caller(tmp_path):
    with pytest.raises(ValueError, match="state must be one of"):
        write(tmp_path / "tiny", state="finished")


def test_an_interrupted_run_keeps_what_it_has(tmp_path):
    folder = tmp_path / "tiny"
    begin_run(folder, manifest=manifest_of(), scenario_toml="")
    progress = Progress(folder, 240)
    progress.update(17)
    progress.finish("interrupted", 17)
    write(folder, state="interrupted")
    assert json.loads((folder / "manifest.json").read_text())["state"] == "interrupted"
    kept = json.loads((folder / "progress.json").read_text())
    assert (kept["state"], kept["done"], kept["total"]) == ("interrupted", 17, 240)
    assert "seconds_left" not in kept


# -- refusing -------------------------------------------------------------------------------------------------------


def refused(folder, identity="0"):
    with pytest.raises(ResultsError) as caught:
        prepare(folder, identity)
    assert caught.value.exit_code == 65
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_another_run_is_not_overwritten(tmp_path):
    folder = tmp_path / "tiny"
    write(folder)
    before = state_of(folder)
    message = refused(folder, run_identity({"name": "tiny", "title": "Tiny"}, 2))
    assert str(folder) in message
    assert "another run of 'tiny', seed 1, undertow" in message
    with pytest.raises(ResultsError, match="another run of 'tiny'"):
        write(folder, manifest=manifest_of(seed=2))
    assert state_of(folder) == before


def test_foreign_content_is_not_overwritten(tmp_path):
    folder = tmp_path / "thesis"
    folder.mkdir()
    for name in "abcdef":
        (folder / name).write_text(name)
    message = refused(folder)
    assert "holds something else (a, b, c, d and 2 more); nothing was changed" in message
    assert sorted(os.listdir(folder)) == list("abcdef")


def test_a_study_is_not_overwritten(tmp_path):
    study = {"kind": "study", "identity": "x", "name": "demo", "state": "interrupted"}
    (tmp_path / "manifest.json").write_text(json.dumps(study))
    assert "holds a study of 'demo'" in refused(tmp_path)
    assert "(interrupted)" in refused(tmp_path)


@pytest.mark.parametrize("text", ["", "not json", "[1]", "{}", "\x00\x01"])
def test_a_broken_manifest_counts_as_something_else(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    assert "holds something else (manifest.json)" in refused(tmp_path)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    assert "is a file, not a folder" in refused(tmp_path / "file")
    assert "is a file, not a folder" in refused(tmp_path / "file" / "inside" / "deeper")
    assert (tmp_path / "file").read_text() == "x"


def test_the_root_is_no_place():
    assert "name a folder of its own" in refused("/")


def test_prepare_writes_nothing(tmp_path):
    assert prepare(tmp_path / "new" / "run", "0") == tmp_path / "new" / "run"
    assert list(tmp_path.iterdir()) == []


def test_no_permission(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()
    monkeypatch.setattr(files_module.os, "access", lambda *_: False)
    assert "no permission to write in" in refused(tmp_path / "closed" / "run")


def test_two_processes_do_not_write_one_folder(tmp_path):
    folder = tmp_path / "tiny"
    write(folder)
    identity = manifest_of()["identity"]
    running = {"state": "running", "pid": os.getppid()}
    (folder / "progress.json").write_text(json.dumps(running))
    assert f"is being written by another run (process {os.getppid()})" in refused(folder, identity)
    (folder / "progress.json").write_text(json.dumps(running | {"pid": DEAD_PID}))
    prepare(folder, identity)
    (folder / "progress.json").write_text(json.dumps(running | {"pid": os.getpid()}))
    prepare(folder, identity)
    (folder / "progress.json").write_text(json.dumps(running | {"pid": -1}))
    prepare(folder, identity)


# -- starting, killed, disk full --------------------------------------------------------------------------------------


def test_a_started_run_is_visible_and_a_repeated_one_leaves_the_old_results(tmp_path):
    folder = tmp_path / "tiny"
    begin_run(folder, manifest=manifest_of(), scenario_toml='name = "tiny"\n')
    assert json.loads((folder / "manifest.json").read_text())["state"] == "running"
    write(folder)
    begin_run(folder, manifest=manifest_of(), scenario_toml='name = "tiny"\n')
    assert json.loads((folder / "manifest.json").read_text())["state"] == "done"
    assert (folder / "metrics.parquet").exists()


KILLED = """
import os, sys
sys.path.insert(0, sys.argv[1])
from sim.results import files, new_manifest, write_run
import pyarrow.parquet
count = 0
def dying(real, moment):
    def call(*args, **more):
        global count
        count += 1
        if count == moment:
            os._exit(9)
        return real(*args, **more)
    return call
manifest = new_manifest({"name": "tiny", "title": "Tiny"}, 1)
tables = {"metrics": {"step": [5]}, "events": {"event_id": [1]}}
for moment, place in enumerate(sys.argv[2:], start=1):
    child = os.fork()
    if not child:
        files._write_parquet = dying(files._write_parquet, moment)
        files.os.rename = dying(os.rename, moment)
        files.shutil.rmtree = dying(files.shutil.rmtree, moment)
        write_run(place, tables=tables, manifest=manifest, scenario_toml="")
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_killed_at_any_moment_old_or_new_results_are_whole(tmp_path):
    folders = [tmp_path / str(moment) / "tiny" for moment in range(1, 9)]
    for folder in folders:
        write(folder)
    old = [state_of(folder) for folder in folders]
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    command = [sys.executable, "-W", "ignore", "-c", KILLED, root, *map(str, folders)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert ended[:5] == ["9"] * 5
    assert ended[-1] == "0"
    seen = set()
    for folder, before in zip(folders, old, strict=True):
        prepare(folder, manifest_of()["identity"])
        now = state_of(folder)
        seen.add("old" if now == before else "new")
        if now != before:
            assert pq.read_table(folder / "metrics.parquet")["step"].to_pylist() == [5]
            assert json.loads(now["manifest.json"])["state"] == "done"
        assert [entry.name for entry in folder.parent.iterdir()] == ["tiny"]
    assert seen == {"old", "new"}


def test_disk_full_is_one_error_and_leaves_the_old_run(tmp_path, monkeypatch):
    folder = tmp_path / "tiny"
    write(folder)
    before = state_of(folder)

    def full(*_args, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files_module, "_write_parquet", full)
    with pytest.raises(ResultsError, match=r"No space left on device\. What was there before is unchanged") as caught:
        write(folder)
    assert caught.value.exit_code == 65
    assert state_of(folder) == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["tiny"]


def test_values_that_cannot_be_stored_leave_the_old_run(tmp_path):
    folder = tmp_path / "tiny"
    write(folder)
    before = state_of(folder)
    with pytest.raises(ResultsError, match="table metrics, column step"):
        write(folder, {"metrics": {"step": [1, "a"]}})
    assert state_of(folder) == before


# -- progress -------------------------------------------------------------------------------------------------------


def test_progress_is_written_at_most_twice_a_second(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])
    progress = Progress(tmp_path, 100)
    for step in range(100):
        progress.update(step)
        now[0] += 0.0625
    assert progress.writes == 13
    said = json.loads((tmp_path / "progress.json").read_text())
    assert said["state"] == "running"
    assert said["done"] == 96
    assert said["seconds_left"] == pytest.approx(6.0 * 4 / 96, abs=0.06)
    progress.finish("done", 100)
    assert json.loads((tmp_path / "progress.json").read_text())["done"] == 100
    assert [entry.name for entry in tmp_path.iterdir()] == ["progress.json"]


def test_progress_that_cannot_be_written_ends_nothing(tmp_path):
    progress = Progress(tmp_path / "missing", 10)
    progress.update(1)
    progress.finish("done", 10)
    assert progress.writes == 0


# -- the synthetic run ----------------------------------------------------------------------------------------------


def test_a_whole_run_goes_to_disk(tmp_path):
    folder = write_sample(tmp_path / "run")
    tables, manifest = sample()
    assert (folder / "scenario.toml").read_text() == SCENARIO_TOML
    assert json.loads((folder / "manifest.json").read_text())["content_hash"] == content_hash(tables)
    assert manifest["state"] == "running"
    shutil.rmtree(folder)
