"""Populations larger than memory allows are refused before anything is founded, with the estimate."""

from __future__ import annotations

import pytest
from test_bad_input import told_once

import scenarios
import sim.memory
from agents.registry import kinds
from scenarios import ScenarioError
from sim.cli import main
from sim.economy import Economy
from sim.memory import USABLE_RATIO, available_bytes, bytes_per_agent, estimated_bytes


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine whose memory is what the test writes into its files."""
    monkeypatch.setattr(sim.memory, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(sim.memory, "_GROUPS", tmp_path / "groups")
    monkeypatch.setattr(sim.memory, "_address_space", lambda: iter(()))

    def write(**files):
        for name, text in files.items():
            file = tmp_path / name.replace("__", "/").replace("DOT", ".")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    return write


def meminfo(size):
    return f"MemTotal:  99999999 kB\nMemAvailable: {size // 1024} kB\n"


def test_what_is_left_is_the_least_of_what_the_kernel_and_the_groups_say(machine):
    machine(proc__meminfo=meminfo(8 << 30), proc__self__cgroup="0::/user/run\n")
    assert available_bytes() == 8 << 30
    machine(groups__user__memoryDOTmax="max\n", groups__user__memoryDOTcurrent="5\n")
    assert available_bytes() == 8 << 30
    machine(
        groups__user__run__memoryDOTmax=f"{3 << 30}\n",
        groups__user__run__memoryDOTcurrent=f"{2 << 30}\n",
        groups__user__run__memoryDOTstat=f"anon 7\ninactive_file {1 << 29}\n",
    )
    assert available_bytes() == (1 << 30) + (1 << 29)
    machine(groups__user__memoryDOTmax=f"{1 << 30}\n", groups__user__memoryDOTcurrent=f"{1 << 30}\n")
    assert available_bytes() == 0


def test_groups_of_the_first_version_count_as_well(machine):
    machine(
        proc__meminfo=meminfo(8 << 30),
        proc__self__cgroup="5:cpu,cpuacct:/\n4:memory:/box\n",
        groups__memory__memoryDOTlimit_in_bytes="9223372036854771712\n",
        groups__memory__memoryDOTusage_in_bytes="1000\n",
        groups__memory__box__memoryDOTlimit_in_bytes="5000\n",
        groups__memory__box__memoryDOTusage_in_bytes="3000\n",
        groups__memory__box__memoryDOTstat="total_inactive_file 500\n",
    )
    assert available_bytes() == 2_500


def test_a_platform_that_tells_nothing_refuses_nothing(machine, monkeypatch):
    assert available_bytes() == sim.memory.os.sysconf("SC_PHYS_PAGES") * sim.memory.os.sysconf("SC_PAGE_SIZE")
    monkeypatch.delattr(sim.memory.os, "sysconf")
    assert available_bytes() is None
    refusals = sim.memory.Refusals(scenario(scale=1e4))
    sim.memory.check_memory(refusals.scenario, refusals)
    assert refusals.problems == []


def test_this_machine_has_some_memory_left():
    assert 10**7 < available_bytes() < 10**15


def scenario(**overrides):
    names = {key.replace("__", "."): value for key, value in overrides.items()}
    return scenarios.load("calm", {f"populations.{name}": value for name, value in names.items()}, kinds=kinds())


def refused(monkeypatch, available, **overrides):
    monkeypatch.setattr(sim.memory, "available_bytes", lambda: available)
    # Nothing may be founded: not even prices are drawn.
    monkeypatch.setattr("sim.building.Randomness", None)
    with pytest.raises(ScenarioError) as caught:
        Economy(scenario(**overrides))
    (problem,) = caught.value.problems
    return problem


def test_a_scale_too_large_names_field_estimate_and_what_would_do(monkeypatch):
    problem = refused(monkeypatch, 4 * 10**9, scale=1_000.0)
    assert problem.path == "populations.scale"
    assert problem.file == "--set"
    assert problem.given == "1000"
    total = 10_000_000 + 600 + 20 + 3 + 20  # borrowers alone are scaled
    needed = estimated_bytes(scenario(scale=1_000.0))
    assert needed == pytest.approx(total * bytes_per_agent(scenario()), rel=0.01)
    assert f"{needed / 1e9:,.1f} GB" in problem.message
    assert "4.0 GB are left" in problem.message
    most = float(problem.allowed.removeprefix("at most about "))
    assert most == pytest.approx(1_000.0 * USABLE_RATIO * 4e9 / needed, rel=0.06)


def test_a_count_or_slots_too_large_names_that_population(monkeypatch):
    problem = refused(monkeypatch, 10**9, holders__count=5_000_000)
    assert (problem.path, problem.given) == ("populations.holders.count", "5,000,000")
    allowed = int(problem.allowed.removeprefix("at most about ").replace(",", ""))
    assert estimated_bytes(scenario(holders__count=allowed)) <= USABLE_RATIO * 10**9
    assert estimated_bytes(scenario(holders__count=allowed + 2)) > USABLE_RATIO * 10**9
    problem = refused(monkeypatch, 10**9, managers__slots=3_000_000)
    assert (problem.path, problem.given) == ("populations.managers.slots", "3,000,000")


def test_the_command_says_it_once_and_leaves_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sim.memory, "available_bytes", lambda: 10**9)
    status = main(["run", "calm", "--set", "populations.scale=500", "--out", "results"])
    assert status == 65
    message = told_once(capsys.readouterr())
    assert "populations.scale" in message
    assert "GB of memory" in message
    assert list(tmp_path.iterdir()) == []


def test_what_fits_runs(monkeypatch):
    monkeypatch.setattr(sim.memory, "available_bytes", lambda: 10**7)
    with Economy("demo") as economy:  # few agents are never worth the look
        economy.step()
