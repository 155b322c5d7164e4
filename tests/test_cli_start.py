"""Starting the command line: fast, lazy, with help and exit statuses that programs can rely on."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from sim.cli import main

HEAVY = {"mesa", "pandas", "numpy", "streamlit", "scipy", "networkx", "altair", "pyarrow", "duckdb", "sim.economy"}


def process(*arguments, **options):
    script = "import sys; from sim.cli import main; sys.exit(main())"
    return subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, **options)


def test_help_appears_at_once():
    """Under 0.4 s of processor time: the clock on the wall also counts what others do on a shared machine."""

    def seconds():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert process("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(5)) < 0.4


@pytest.mark.parametrize("arguments", [["--help"], [], ["scenario"], ["scenario", "list"], ["run", "--help"]])
def test_light_commands_import_nothing_heavy(arguments):
    script = f"import sys; from sim.cli import main; main({arguments!r}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not set(done.stderr.split()) & HEAVY
    assert done.stdout


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "batch",
        "replay",
        "sensitivity",
        "recommend",
        "summary",
        "compare",
        "gate",
        "verify",
        "report",
        "doctor",
        "scenario",
    ],
)
def test_help_names_every_command(command, capsys):
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert f"\n  {command} " in told
    assert "..." not in told.replace("[ARGS]...", "")
    assert main([command, "--help"]) == 0
    assert f"Usage: undertow {command} " in capsys.readouterr().out


def test_version(capsys):
    from sim import __version__

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"undertow {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rn"], "No such command 'rn'"),
        (["run"], "SCENARIO"),
        (["run", "demo", "--sed", "1"], "No such option: --sed"),
        (["run", "demo", "--seed", "one"], "--seed"),
        (["run", "demo", "--seed", "-1"], "--seed"),
        (["run", "demo", "calm"], "unexpected extra argument"),
        (["run", "demo", "--set"], "--set"),
        (["report"], "DIR"),
        (["scenario", "shw"], "No such command 'shw'"),
        (["scenario", "validate"], "SCENARIO"),
    ],
)
def test_wrong_usage_is_2_and_points_to_help(arguments, message, capsys):
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert "--help" in told.err
    assert told.out == ""


def test_a_reader_that_has_enough_is_no_error():
    script = "import sys; from sim.cli import main; sys.exit(main(['scenario', 'schema']))"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdout.read(10)
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0


def test_a_terminal_that_knows_only_ascii():
    done = process("scenario", "show", "demo", env={"PYTHONIOENCODING": "ascii", "PATH": ""})
    assert (done.returncode, done.stderr) == (0, "")


def test_an_unexpected_error_is_1_without_a_trace(monkeypatch, capsys):
    import sim.cli.scenario_commands as commands

    def broken(as_json):
        raise RuntimeError("what nobody thought of")

    monkeypatch.setattr(commands, "list_command", broken)
    monkeypatch.delenv("UNDERTOW_DEBUG", raising=False)
    assert main(["scenario", "list"]) == 1
    told = capsys.readouterr().err
    assert "unexpected RuntimeError: what nobody thought of" in told
    assert "Traceback" not in told
    monkeypatch.setenv("UNDERTOW_DEBUG", "1")
    assert main(["scenario", "list"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_is_130(monkeypatch, capsys):
    import sim.cli.scenario_commands as commands

    def stopped(as_json):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "list_command", stopped)
    assert main(["scenario", "list"]) == 130
    assert "Traceback" not in capsys.readouterr().err
