"""Running studies: the figures of our own runs for any number of workers, quarantine, resuming, full disks."""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from study_kinds import fragile

from agents.registry import kinds
from scenarios import load
from sim.results import load as load_run
from sim.run import run_scenario
from sim.studies import OUTCOMES, StudyError, evaluate, execute, load_design, replay
from sim.studies.design import design_of
from sim.studies.execution import Here
from sim.studies.folder import damage, read_failures

FALL = "prices.shocks.0.change_ratio"


def small(runs=3, **parameters):
    """Two design points of the scenario worked by hand, so many seeds each."""
    scenario = load(fragile(**parameters), {}, kinds())
    return design_of(scenario, [{}, {FALL: -0.2}], range(1, runs + 1))


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def tables(folder):
    """The study's tables; the time that runs took is no result."""
    runs = pd.read_parquet(folder / "runs.parquet").drop(columns="wall_seconds")
    said = manifest(folder)["content_hash"], json.loads((folder / "summary.json").read_text())
    return runs, pd.read_parquet(folder / "fans.parquet"), said


def same(first, second):
    for one, other in zip(tables(first)[:2], tables(second)[:2], strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    return tables(first)[2] == tables(second)[2]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted study of six runs, in this process."""
    folder = tmp_path_factory.mktemp("whole") / "study"
    result = execute(small(), folder, executor=Here())
    assert (result.done, result.failed, result.state) == (6, 0, "done")
    return folder


# ---------------------------------------------------------------------- the figures
def test_two_processes_give_the_same_tables(whole, tmp_path):
    assert execute(small(), tmp_path / "two", workers=2).done == 6
    assert same(whole, tmp_path / "two")


def test_a_member_is_our_own_run_with_that_seed(whole, tmp_path):
    scenario = load(fragile(), {FALL: -0.2}, kinds())
    run_scenario(scenario, seed=2, out=tmp_path / "alone", report=False)
    alone, member = load_run(tmp_path / "alone"), load_run(whole / "runs" / "000004")
    assert member.tables == ["events", "metrics"]
    for name in member.tables:
        assert member.arrow(name).equals(alone.arrow(name))
    assert member.manifest["study"]["set"] == {FALL: -0.2}
    assert member.manifest["seed"] == 2


def test_runs_table(whole):
    runs = pd.read_parquet(whole / "runs.parquet")
    assert runs["run"].tolist() == list(range(6))
    assert runs["point"].tolist() == [0, 0, 0, 1, 1, 1]
    assert runs["seed"].tolist() == [1, 2, 3, 1, 2, 3]
    assert runs["state"].unique().tolist() == ["done"]
    assert runs[f"set.{FALL}"].isna().tolist() == [True] * 3 + [False] * 3
    assert set(OUTCOMES) | {"drawdown.WETH"} <= set(runs.columns)
    assert "drawdown.USDC" not in runs
    assert all(runs[name].dtype == float for name in OUTCOMES)


def test_outcomes_are_what_the_tables_say(whole):
    runs = pd.read_parquet(whole / "runs.parquet").set_index("run")
    assert runs.loc[3:, "liquidated_usd"].min() > 0
    for run in range(6):
        member = load_run(whole / "runs" / f"{run:06d}")
        metrics, events = member.metrics, member.events
        done = events[(events["kind"] == "liquidation") & events["ok"].astype(bool)]
        said = runs.loc[run]
        assert said["liquidations"] == len(done) == metrics["liquidations"].sum()
        assert said["liquidated_usd"] == pytest.approx(done["debt_repaid_usd"].sum(), rel=1e-12)
        assert said["liquidated_accounts"] == done["account"].nunique()
        assert said["lost_to_liquidation_usd"] == pytest.approx(done["bonus_usd"].sum(), rel=1e-12, abs=1e-9)
        assert said["peak_utilisation"] == metrics["utilisation.USDC"].max()
        assert said["borrowed_end_usd"] == pytest.approx(metrics["debt.USDC"].iloc[-1], rel=1e-12)
        lent = metrics["supply.USDC"].iloc[-1] + metrics["supply.WETH"].iloc[-1] * metrics["oracle_usd.WETH"].iloc[-1]
        assert said["supplied_end_usd"] == pytest.approx(lent, rel=1e-12)
        price = metrics["outside_usd.WETH"]
        assert said["drawdown.WETH"] == pytest.approx((1 - price / price.cummax()).max(), rel=1e-12)


def test_deficits_and_bad_debt_by_rules():
    """A fall of 40 % leaves debt beyond the collateral: written off by V3.6, standing at the end under older rules."""
    base = {"extends": "cascade-by-hand", "name": "fall"}
    found = {}
    for rules in ("3.6", "2"):
        scenario = load(base, {FALL: -0.4, "pool.rules": rules}, kinds())
        found[rules] = evaluate(scenario, [{}], [1]).iloc[0]
    assert found["3.6"]["deficit_usd"] > 20_000
    assert found["3.6"]["bad_debt_usd"] < found["3.6"]["deficit_usd"]
    assert found["2"]["deficit_usd"] == found["2"]["bad_debt_usd"] > 20_000


def test_fans(whole):
    fans = pd.read_parquet(whole / "fans.parquet")
    assert {"point", "step", "seconds", "metric", "quantile", "value", "n"} == set(fans.columns)
    assert set(fans["n"]) == {3}
    row = fans.query("point == 1 and metric == 'liquidated_usd' and step == 10").set_index("quantile")["value"]
    paid = [load_run(whole / "runs" / f"{run:06d}").metrics["liquidated_usd"].sum() for run in (3, 4, 5)]
    assert row[0.5] == pytest.approx(sorted(paid)[1])
    assert row[0.05] == pytest.approx(sorted(paid)[0] + 0.1 * (sorted(paid)[1] - sorted(paid)[0]))
    assert fans.query("step == 10")["seconds"].unique().tolist() == [120.0]
    assert {"utilisation.USDC", "borrow_rate.USDC", "oracle_usd.WETH", "base_fee_gwei"} <= set(fans["metric"])
    assert "borrow_rate.WETH" not in set(fans["metric"])


def test_evaluate_gives_the_runs_table_without_a_folder(whole):
    design = small()
    found = evaluate(design.scenario, [point.overrides for point in design.points], design.seeds)
    written = pd.read_parquet(whole / "runs.parquet")
    leave = ["wall_seconds", "content_hash"]
    pd.testing.assert_frame_equal(found.drop(columns=leave), written.drop(columns=leave), check_exact=True)


def test_evaluate_in_two_processes(whole):
    design = small()
    found = evaluate(design.scenario, [{FALL: -0.2}], [2, 3], workers=2)
    written = pd.read_parquet(whole / "runs.parquet").iloc[4:]
    assert found["liquidated_usd"].tolist() == written["liquidated_usd"].tolist()


# ---------------------------------------------------------------------- what fails
def test_a_failed_run_is_set_aside_and_replays(tmp_path):
    folder = tmp_path / "study"
    result = execute(small(failing=[2]), folder, executor=Here())
    assert (result.done, result.failed, result.state) == (4, 2, "done")
    runs = pd.read_parquet(folder / "runs.parquet")
    assert runs["state"].tolist() == ["done", "failed", "done"] * 2
    assert math.isnan(runs.loc[1, "liquidated_usd"])
    told = read_failures(folder)
    assert list(told) == [1, 4]
    assert (told[4]["seed"], told[4]["point"], told[4]["set"]) == (2, 1, {FALL: -0.2})
    assert told[4]["error"] == "ArithmeticError: planted for seed 2"
    assert "in act" in told[4]["traceback"]
    assert told[4]["command"] == f"undertow replay {folder} --run 4"
    with pytest.raises(ArithmeticError, match="planted for seed 2"):
        replay(folder, 4, report=False)


def test_a_task_that_kills_its_worker_is_set_aside_and_the_rest_goes_on(tmp_path):
    result = execute(small(runs=4, deadly=[2]), tmp_path / "study", workers=2)
    assert (result.done, result.failed, result.state) == (6, 2, "done")
    told = read_failures(tmp_path / "study")
    assert list(told) == [1, 5]
    assert "worker process died 2 times" in told[1]["error"]


def test_a_worker_that_dies_once_costs_nothing(tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    result = execute(small(runs=4, deadly=[2], once=str(marks)), tmp_path / "study", workers=2)
    assert (result.done, result.failed) == (8, 0)
    assert [mark.name for mark in marks.iterdir()] == ["died-2"]


# ---------------------------------------------------------------------- resuming
def copy_without(whole, folder, *runs):
    shutil.copytree(whole, folder)
    for run in runs:
        shutil.rmtree(folder / "runs" / f"{run:06d}")
    return folder


def test_resuming_makes_what_is_missing_and_the_tables_are_equal(whole, tmp_path):
    folder = copy_without(whole, tmp_path / "study", 0, 4, 5)
    kept = (folder / "runs" / "000001" / "metrics.parquet").stat().st_mtime_ns
    (folder / "runs" / ".000004.99.partial").mkdir()
    result = execute(small(), folder, executor=Here(), resume=True)
    assert (result.done, result.damaged) == (6, ())
    assert same(whole, folder)
    assert (folder / "runs" / "000001" / "metrics.parquet").stat().st_mtime_ns == kept
    assert not list((folder / "runs").glob(".*"))


@pytest.mark.parametrize("how", ["cut off", "missing", "other values", "no manifest"])
def test_a_damaged_run_is_named_and_run_again(whole, how, tmp_path):
    folder = copy_without(whole, tmp_path / "study")
    run = folder / "runs" / "000002"
    file = run / "metrics.parquet"
    if how == "cut off":
        os.truncate(file, file.stat().st_size // 2)
    elif how == "missing":
        file.unlink()
    elif how == "other values":
        shutil.copy(folder / "runs" / "000004" / "metrics.parquet", file)
    else:
        (run / "manifest.json").unlink()
    assert damage(run)
    result = execute(small(), folder, executor=Here(), resume=True)
    assert len(result.damaged) == 1
    assert "000002" in result.damaged[0]
    assert same(whole, folder)


def test_failed_runs_are_tried_again_when_resumed(tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    design = small(failing=[2], once=str(marks))
    execute(design, tmp_path / "study", executor=Here())
    assert list(read_failures(tmp_path / "study")) == [1]
    result = execute(design, tmp_path / "study", executor=Here(), resume=True)
    assert (result.done, result.failed, result.state) == (6, 0, "done")
    assert read_failures(tmp_path / "study") == {}


def snapshot(folder):
    return {path: (path.stat().st_mtime_ns, path.is_file() and path.read_bytes()) for path in folder.rglob("*")}


def test_a_folder_with_something_else_is_refused_untouched(whole, tmp_path):
    scenario = load(fragile(), {}, kinds())
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    run_scenario(scenario, seed=1, out=tmp_path / "run", report=False)
    other_scenario = design_of(load(fragile(), {"run.horizon_seconds": 108}, kinds()), [{}], [1])
    older = copy_without(whole, tmp_path / "older")
    changed = manifest(older) | {"identity": "0" * 64}
    changed["versions"]["undertow"] = "0.0.9"
    (older / "manifest.json").write_text(json.dumps(changed))
    for design, folder, words in (
        (small(), mine, "thesis.txt"),
        (small(), tmp_path / "run", "holds a run"),
        (other_scenario, whole, "has other values"),
        (small(runs=4), whole, "2 points with 3 seeds"),
        (small(), older, r"undertow 0\.0\.9"),
        (small(), mine / "thesis.txt", "is a file"),
    ):
        before = snapshot(folder)
        with pytest.raises(StudyError, match=words):
            execute(design, folder, executor=Here(), resume=True)
        assert snapshot(folder) == before
    with pytest.raises(StudyError, match="--resume completes it"):
        execute(small(), whole, executor=Here())


def test_two_processes_do_not_work_in_one_folder(whole, tmp_path):
    import fcntl

    folder = copy_without(whole, tmp_path / "study", 3)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StudyError, match="being written by another process"):
            execute(small(), folder, executor=Here(), resume=True)
    assert execute(small(), folder, executor=Here(), resume=True).done == 6


# ---------------------------------------------------------------------- ending early
def test_max_minutes_ends_after_what_runs_and_resuming_goes_on(whole, tmp_path):
    folder = tmp_path / "study"
    told = []
    result = execute(small(), folder, executor=Here(), max_minutes=0.0, progress=told.append)
    assert (result.done, result.state, manifest(folder)["state"]) == (0, "interrupted", "interrupted")
    assert pd.read_parquet(folder / "runs.parquet")["state"].unique().tolist() == ["missing"]
    assert execute(small(), folder, executor=Here(), resume=True, progress=told.append).state == "done"
    assert same(whole, folder)
    assert (told[-1].done, told[-1].total, told[-1].seconds_left) == (6, 6, 0.0)
    progress = json.loads((folder / "progress.json").read_text())
    assert (progress["state"], progress["done"], progress["failed"], progress["unit"]) == ("done", 6, 0, "runs")


def test_a_full_disk_is_one_error_and_what_was_written_stays(whole, tmp_path, monkeypatch):
    import sim.results.files as files

    write = files._write_parquet

    def full(file, table):
        if "000002" in str(file):
            file.write_bytes(b"half of it")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
        write(file, table)

    monkeypatch.setattr(files, "_write_parquet", full)
    with pytest.raises(StudyError, match="No space left on device"):
        execute(small(), tmp_path / "study", executor=Here())
    held = sorted(path.name for path in (tmp_path / "study" / "runs").iterdir())
    assert held[:2] == ["000000", "000001"]
    assert "000002" not in held
    assert manifest(tmp_path / "study")["state"] == "interrupted"
    monkeypatch.setattr(files, "_write_parquet", write)
    execute(small(), tmp_path / "study", executor=Here(), resume=True)
    assert same(whole, tmp_path / "study")


def test_a_full_disk_while_the_tables_are_made(whole, tmp_path, monkeypatch):
    import sim.studies.collecting as collecting

    def full(file, table):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))

    write = collecting.write_table
    monkeypatch.setattr(collecting, "write_table", full)
    with pytest.raises(StudyError, match=r"runs\.parquet: No space left on device"):
        execute(small(), tmp_path / "study", executor=Here())
    monkeypatch.setattr(collecting, "write_table", write)
    assert execute(small(), tmp_path / "study", executor=Here(), resume=True).done == 6
    assert same(whole, tmp_path / "study")


def test_workers_that_write_elsewhere_are_noticed(tmp_path, monkeypatch):
    import sim.studies.execution as execution

    class Elsewhere(Here):
        """Workers of another machine, where the folder is another one."""

        def submit(self, fn, task):
            moved = execution.Task(
                task.run, task.point, 0, task.seed, {}, task.packet, str(tmp_path / "far" / "runs"), task.keep
            )
            return super().submit(fn, moved)

    with pytest.raises(StudyError, match="is not here"):
        execute(small(), tmp_path / "study", executor=Elsewhere())


# ---------------------------------------------------------------------- executors and replays
def test_any_executor_will_do(whole, tmp_path):
    with ThreadPoolExecutor(2) as threads:
        execute(small(), tmp_path / "study", workers=2, executor=threads)
    assert same(whole, tmp_path / "study")


def test_no_more_tasks_are_handed_over_than_twice_the_workers(tmp_path):
    held = most = 0

    class Counting(ThreadPoolExecutor):
        def submit(self, fn, *arguments):
            nonlocal held, most
            held += 1
            most = max(most, held)

            def counted(*inner):
                nonlocal held
                try:
                    time.sleep(0.002)
                    return fn(*inner)
                finally:
                    held -= 1

            return super().submit(counted, *arguments)

    with Counting(2) as threads:
        execute(small(runs=8), tmp_path / "study", workers=2, executor=threads)
    assert 2 <= most <= 4


def test_replay_compares_and_keeps_everything(whole, tmp_path):
    study = copy_without(whole, tmp_path / "study")
    again = replay(study, 4, report=False)
    assert (again.compared, again.different) == (("events", "metrics"), ())
    assert again.folder == (study / "replays" / "000004").resolve()
    assert load_run(again.folder).tables == ["agents", "events", "metrics", "positions", "reports"]
    shutil.copy(study / "runs" / "000001" / "metrics.parquet", study / "runs" / "000004" / "metrics.parquet")
    assert replay(study, 4, out=tmp_path / "again", report=False).different == ("metrics",)
    with pytest.raises(StudyError, match="0 to 5"):
        replay(study, 6)
    with pytest.raises(StudyError, match="not the folder of a study"):
        replay(tmp_path / "again", 0)


def test_one_point_more_changes_no_other_run(whole, tmp_path):
    design = small()
    points = [point.overrides for point in design.points]
    more = evaluate(design.scenario, [*points, {FALL: -0.1}], design.seeds)
    written = pd.read_parquet(whole / "runs.parquet")
    pd.testing.assert_frame_equal(more[list(OUTCOMES)].iloc[:6], written[list(OUTCOMES)], check_exact=True)


def test_nothing_to_run_is_refused():
    with pytest.raises(StudyError, match="at least one"):
        design_of(load("cascade-by-hand", {}, kinds()), [], [1])
    with pytest.raises(StudyError, match="at least 1"):
        execute(load_design("cascade-by-hand"), "nowhere", workers=0)
