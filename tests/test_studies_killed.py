"""Studies as processes of their own: killed, interrupted, resumed; what the command tells and returns."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from study_kinds import as_toml, environment, fragile

from sim.cli import main

RUNS = 10
#: Long enough to be hit in the middle: 10 steps of it are a run.
PAUSE = 0.03


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder, **parameters):
    (folder / "fragile.toml").write_text(as_toml(fragile(**parameters)))


def arguments(*more):
    return ["batch", "fragile.toml", "--runs", str(RUNS), "--workers", "2", "--out", "study", *more]


def start(folder, *more):
    """The command in a process group of its own, so that Ctrl-C can be sent to all of it, as a terminal does."""
    command = [sys.executable, "-m", "sim.cli", *arguments(*more)]
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finished(folder):
    return sorted(path.parent.name for path in (folder / "study" / "runs").glob("[0-9]*/manifest.json"))


def until(condition, process, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "took too long"
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def processes_of(group):
    """The processes of a process group, parents and children, by number."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(int(entry))
    return found


def tables(folder):
    runs = pd.read_parquet(folder / "study" / "runs.parquet").drop(columns="wall_seconds")
    manifest = json.loads((folder / "study" / "manifest.json").read_text())
    said = json.loads((folder / "study" / "summary.json").read_text())
    return runs, pd.read_parquet(folder / "study" / "fans.parquet"), said, manifest["content_hash"], manifest["state"]


def equal(one, other):
    pd.testing.assert_frame_equal(one[0], other[0], check_exact=True)
    pd.testing.assert_frame_equal(one[1], other[1], check_exact=True)
    return one[2:] == other[2:]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The tables of the study when nothing goes wrong; pauses are no part of what is compared."""
    from agents.registry import kinds
    from scenarios import load
    from sim.studies import execute, load_design
    from sim.studies.execution import Here

    folder = tmp_path_factory.mktemp("whole")
    design = load_design(load(fragile(pause_seconds=0.0), {}, kinds()), runs=RUNS)
    execute(design, folder / "study", executor=Here())
    return tables(folder)


def same_figures(whole, folder):
    """Equal outcomes and fans; the scenario is another by its pauses, and the runs' hashes are of tables only."""
    return equal(whole, tables(folder))


def test_kill_9_of_the_parent_loses_at_most_what_runs(whole, here):
    write(here, pause_seconds=PAUSE)
    running = start(here)
    until(lambda: len(finished(here)) >= RUNS // 3, running)
    os.kill(running.pid, signal.SIGKILL)
    running.communicate(timeout=30)
    before = finished(here)
    deadline = time.monotonic() + 20
    while processes_of(running.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_of(running.pid) == [], "workers outlive their parent"
    assert RUNS // 3 <= len(before) < RUNS
    assert json.loads((here / "study" / "manifest.json").read_text())["state"] == "running"
    stamps = {name: (here / "study" / "runs" / name / "metrics.parquet").stat().st_mtime_ns for name in before}
    assert main(arguments("--resume", "--workers", "1")) == 0
    assert same_figures(whole, here)
    for name, stamp in stamps.items():
        assert (here / "study" / "runs" / name / "metrics.parquet").stat().st_mtime_ns == stamp


def workers_of(group, parent):
    """Worker processes: those whose parent is the server that they are forked from."""
    found = {}
    for pid in processes_of(group):
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            found[pid] = int(file.read().rpartition(")")[2].split()[1])
    servers = [pid for pid, above in found.items() if above == parent]
    return [pid for pid, above in found.items() if above in servers and pid != parent]


def test_kill_9_of_a_worker_costs_nothing(whole, here):
    from agents.registry import kinds
    from scenarios import load
    from sim.studies import execute, load_design

    killed = []

    def kill_one(status):
        if status.done >= RUNS // 3 and not killed:
            killed.append(workers_of(os.getpgrp(), os.getpid())[0])
            os.kill(killed[0], signal.SIGKILL)

    design = load_design(load(fragile(pause_seconds=PAUSE), {}, kinds()), runs=RUNS)
    result = execute(design, here / "study", workers=2, progress=kill_one)
    assert killed
    assert (result.done, result.failed, result.state) == (RUNS, 0, "done")
    assert same_figures(whole, here)


def test_ctrl_c_once_finishes_what_runs_and_resuming_goes_on(whole, here, capsys):
    write(here, pause_seconds=PAUSE)
    running = start(here)
    until(lambda: len(finished(here)) >= 2, running)
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "Traceback" not in err
    assert "--resume goes on" in err
    done = len(finished(here))
    assert 2 <= done < RUNS
    assert f"{done} of {RUNS} runs done, 0 failed" in out
    runs, *_, state = tables(here)
    assert state == "interrupted"
    assert runs["state"].value_counts().to_dict() == {"done": done, "missing": RUNS - done}
    assert main(arguments("--resume")) == 0
    assert f"{done} of {RUNS} runs are there already" in capsys.readouterr().err
    assert same_figures(whole, here)


def test_ctrl_c_twice_stops_now(here):
    write(here, pause_seconds=1.0)
    running = start(here)
    until(lambda: (here / "study" / "runs").is_dir() and len(workers_of(running.pid, running.pid)) == 2, running)
    time.sleep(0.5)
    os.killpg(running.pid, signal.SIGINT)
    time.sleep(0.6)
    began = time.monotonic()
    os.killpg(running.pid, signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert time.monotonic() - began < 6  # a run takes 10 s
    assert running.returncode == 130
    assert "Traceback" not in err
    assert finished(here) == []
    assert json.loads((here / "study" / "manifest.json").read_text())["state"] == "interrupted"


# ---------------------------------------------------------------------- the command
def test_failed_runs_are_3_and_replay_shows_why(here, capsys):
    write(here, failing=[2])
    assert main(arguments()) == 3
    told = capsys.readouterr()
    assert f"{RUNS - 1} of {RUNS} runs done, 1 failed" in told.out
    assert "failures.jsonl" in told.err
    assert "1 failed" in told.err
    assert told.err.count(" of 10 runs,") == 10  # a line for every tenth
    assert main(["replay", "study", "--run", "1", "--no-report"]) == 1
    assert "planted for seed 2" in capsys.readouterr().err
    assert main(["replay", "study", "--run", "2", "--no-report"]) == 0
    assert "events, metrics equal to the study's" in capsys.readouterr().out
    assert main(["replay", "study", "--run", "99"]) == 65


def test_json_says_only_json(here, capsys):
    assert main(["batch", "cascade-by-hand", "--runs", "1", "--workers", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["done"], told["failed"], told["left"], told["state"]) == (1, 0, 0, "done")
    assert told["folder"] == str((here / "out" / "cascade-by-hand-study").resolve())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--grid", "run.sede=1,2"], "did you mean 'seed'"),
        (["--grid", "outside.fast_share=1:0:0.1"], "the range is empty"),
        (["--grid", "outside.fast_share"], "FIELD="),
        (["--lhs", "4"], "--vary"),
        (["--keep", "evnts"], "metrics, events"),
        (["--set", "run.sede=1"], "did you mean 'seed'"),
    ],
)
def test_bad_input_is_65_and_nothing_is_written(options, words, here, capsys):
    assert main(["batch", "cascade-by-hand", "--runs", "2", *options]) == 65
    told = capsys.readouterr()
    assert words in told.err
    assert told.err.count("undertow: ") == 1
    assert "Traceback" not in told.err
    assert told.out == ""
    assert not list(here.iterdir())
