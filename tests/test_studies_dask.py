"""Studies on a Dask cluster: a real scheduler and workers, each a process of its own, on the loopback."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time

import pandas as pd
import pytest
from study_kinds import environment, fragile

from agents.registry import kinds
from scenarios import load
from sim.cli import main
from sim.studies import StudyError, execute, load_design
from sim.studies.execution import Here

pytest.importorskip("distributed")

RUNS = 8


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture(scope="module", autouse=True)
def cluster(tmp_path_factory):
    """Address of a scheduler, and its two worker processes; they start while the tests without them run."""
    place = tmp_path_factory.mktemp("cluster")
    address = f"tcp://127.0.0.1:{free_port()}"
    common = [sys.executable, "-m", "distributed.cli"]
    quiet = {"cwd": place, "env": environment(), "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    here = ["--host", "127.0.0.1", "--port", address.rpartition(":")[2], "--no-dashboard"]
    scheduler = subprocess.Popen([*common[:-1], "distributed.cli.dask_scheduler", *here], **quiet)
    options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(place)]
    options += ["--preload", "sim.studies.task"]  # else each imports the simulator with its first run
    worker = [*common[:-1], "distributed.cli.dask_worker", address, *options]
    workers = [subprocess.Popen(worker, **quiet) for _ in range(2)]
    try:
        yield address, workers
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


def ready(address, workers):
    from distributed import Client

    with Client(address, timeout=60, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=60)


def tables(folder):
    runs = pd.read_parquet(folder / "runs.parquet").drop(columns="wall_seconds")
    manifest = json.loads((folder / "manifest.json").read_text())
    said = manifest["content_hash"], json.loads((folder / "summary.json").read_text())
    return runs, pd.read_parquet(folder / "fans.parquet"), said


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:{port}", "127.0.0.1:{port}", "nonsense://x", "tcp://no.such.host.invalid:8786"]
)
def test_an_unreachable_address_is_named_within_ten_seconds(address, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sim.studies.lanes.DASK_SECONDS", 1.0)
    address = address.format(port=free_port())
    began = time.monotonic()
    assert main(["batch", "cascade-by-hand", "--runs", "2", "--dask", address]) == 65
    assert time.monotonic() - began < 10
    told = capsys.readouterr()
    assert address in told.err
    assert "no Dask scheduler answers there" in told.err
    assert "Traceback" not in told.err
    assert not list(tmp_path.iterdir())


def test_without_distributed_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(StudyError, match=r"undertow\[cluster\]"):
        execute(load_design("cascade-by-hand", runs=1), tmp_path / "study", dask="tcp://127.0.0.1:1")


@pytest.mark.filterwarnings("default")  # the cluster's own
def test_a_study_on_a_cluster_with_one_of_two_workers_killed_on_the_way(cluster, tmp_path):
    address, workers = cluster
    ready(address, 2)
    design, unhurried = (
        load_design(load(fragile(pause_seconds=seconds), {}, kinds()), runs=RUNS) for seconds in (0.0, 0.02)
    )
    killed = []

    def kill_one(status):
        if status.done >= 2 and not killed:
            workers[0].kill()
            killed.append(status.done)

    result = execute(unhurried, tmp_path / "cluster", dask=address, progress=kill_one)
    assert killed
    assert (result.done, result.failed, result.state) == (RUNS, 0, "done")
    assert workers[0].wait() != 0
    assert workers[1].poll() is None

    execute(design, tmp_path / "here", executor=Here())
    for one, other in zip(tables(tmp_path / "cluster")[:2], tables(tmp_path / "here")[:2], strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert tables(tmp_path / "cluster")[2] == tables(tmp_path / "here")[2]
