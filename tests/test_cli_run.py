"""`undertow run` and `undertow report`: what is handed to the simulator, what is printed, and every way to fail."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sim.cli import main

SHORT = ["--set", "run.horizon_seconds=5400"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_run_writes_and_tells(here, capsys):
    assert main(["run", "demo", "--seed", "3", "--no-report", *SHORT]) == 0
    told = capsys.readouterr()
    assert "seed 3" in told.out
    assert "Liquidations" in told.out
    assert "90 steps of 60 s, seed 3" in told.err
    manifest = json.loads((here / "out" / "demo-3" / "manifest.json").read_text())
    assert (manifest["state"], manifest["seed"], manifest["scenario"]["run"]["horizon_seconds"]) == ("done", 3, 5_400)
    assert not (here / "out" / "demo-3" / "report.html").exists()


def test_run_as_json_says_only_json(here, capsys):
    assert main(["run", "demo", "--json", "--no-report", "--out", "here", *SHORT]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["run"]["name"] == "demo"
    assert values["run"]["seed"] == 1
    assert values["content_hash"]


def test_report_of_a_run(here, capsys):
    assert main(["run", "demo", "--no-report", "--out", "here", *SHORT]) == 0
    capsys.readouterr()
    assert main(["report", "here"]) == 0
    written = Path(capsys.readouterr().out.strip())
    assert written.name == "report.html"
    assert written.stat().st_size > 1_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["demoo"], "did you mean 'demo'"),
        (["nowhere.toml"], "does not exist"),
        (["demo", "--set", "run.sede=1"], "did you mean 'seed'"),
        (["demo", "--set", "pool.reserves.WETH.ltv=0.9"], "is above the liquidation threshold"),
        (["demo", "--set", "assets.WETH.price_usd=nan"], "is not a finite number"),
        (["demo", "--set", "nothing"], "sets nothing"),
        (["march-2020", "--set", "run.start=2021-01-01"], "which the file covers"),
        (["march-2020", "--set", "prices.columns.WETH=ethh"], "no such column"),
        (["march-2020", "--set", "prices.file=nowhere.csv"], "does not exist"),
        (["."], "is a folder"),
    ],
)
def test_bad_scenarios_are_65_and_nothing_is_written(arguments, words, here, capsys):
    assert main(["run", *arguments]) == 65
    told = capsys.readouterr()
    assert words in told.err
    assert "Traceback" not in told.err
    assert told.out == ""
    assert not list(here.iterdir())


def test_an_output_folder_with_something_else_is_65(here, capsys):
    (here / "mine").mkdir()
    (here / "mine" / "thesis.txt").write_text("years of work")
    assert main(["run", "demo", "--out", "mine", *SHORT]) == 65
    assert "thesis.txt" in capsys.readouterr().err
    assert [file.name for file in (here / "mine").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("folder", ["nowhere", "."])
def test_report_of_nothing_is_65(folder, here, capsys):
    assert main(["report", folder]) == 65
    assert capsys.readouterr().err.startswith("undertow: ")


def test_an_interrupted_run_tells_what_it_has_and_is_130(here, monkeypatch, capsys):
    import sim.run

    finished = sim.run.run_scenario

    def interrupted(*arguments, **options):
        result = finished(*arguments, **options)
        return dataclasses.replace(result, state="interrupted")

    monkeypatch.setattr(sim.run, "run_scenario", interrupted)
    assert main(["run", "demo", "--no-report", "--out", "here", *SHORT]) == 130
    told = capsys.readouterr()
    assert "Liquidations" in told.out
    assert "interrupted: what was recorded is in" in told.err


def test_ctrl_c_keeps_what_was_recorded(here):
    script = "import sys; from sim.cli import main; sys.exit(main())"
    arguments = ["run", "demo", "--no-report", "--out", "here", "--set", "run.horizon_seconds=8640000"]
    with subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and running.poll() is None:
            progress = here / "here" / "progress.json"
            if progress.exists() and json.loads(progress.read_text()).get("done", 0) > 20:
                break
            time.sleep(0.05)
        os.kill(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "Traceback" not in err
    assert "interrupted" in out
    assert json.loads((here / "here" / "manifest.json").read_text())["state"] == "interrupted"
