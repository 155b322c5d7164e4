"""A borrower of one's own, in a file outside the package: run from a folder of one's own by the command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sim.results import load

ROOT = Path(__file__).parent.parent
TOML = """
extends = "demo"

[run]
horizon_seconds = 7200

[populations.cautious]
kind = "own_agent:Cautious"
count = 30
debt_usd_median = 200_000.0
health_factor_median_excess = 0.4
collateral = { WETH = 1.0 }
debt = { USDC = 1.0 }
"""


@pytest.fixture
def folder(tmp_path):
    shutil.copy(ROOT / "examples" / "own_agent.py", tmp_path)
    (tmp_path / "cautious.toml").write_text(TOML)
    return tmp_path


def undertow(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "sim.cli", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
    )


def test_it_is_checked_run_and_reported_from_another_folder(folder):
    checked = undertow(folder, "scenario", "validate", "cautious.toml")
    assert (checked.returncode, checked.stdout) == (0, "cautious.toml: ok\n"), checked.stderr
    done = undertow(folder, "run", "cautious.toml", "--out", "results", "--no-report")
    assert done.returncode == 0, done.stderr
    run = load(folder / "results")
    repaid = run.events.query("kind == 'repay' and ok")
    assert set(repaid["owner"]) == {"cautious"}
    assert repaid["sender"].nunique() > 20
    assert run.content_hash() == run.manifest["content_hash"]


def test_what_it_raises_is_told_with_its_file_and_line(folder):
    file = folder / "own_agent.py"
    file.write_text(file.read_text().replace("if not self.is_due(view):", "if 1 // 0:"))
    line = 1 + file.read_text().splitlines().index("        if 1 // 0:")
    done = undertow(folder, "run", "cautious.toml", "--out", "results", "--no-report")
    assert done.returncode == 1
    assert "unexpected ZeroDivisionError" in done.stderr
    assert f"Raised in own_agent.py, line {line}, which is no part of undertow" in done.stderr
    assert "Traceback" not in done.stderr
    assert load(folder / "results").manifest["state"] == "failed"


def test_its_parameters_are_checked_like_any_other(folder):
    done = undertow(folder, "scenario", "validate", "cautious.toml", "--set", "populations.cautious.repay_belw=1.5")
    assert done.returncode == 65
    for words in ("populations.cautious.repay_belw", "did you mean 'repay_below'?", "given:   1.5", "allowed: "):
        assert words in done.stderr
