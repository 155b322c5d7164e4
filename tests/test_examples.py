"""The scripts in examples/ run, print what they promise, and leave nothing behind but what they say."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"

#: What each script prints, among other things.
PRINTED = {
    "run_and_read.py": ["the oracle's lowest price of WETH", "arbitrageur", "liquidator"],
    "compare_on_the_same_seeds.py": ["seed 5", "mean difference over 5 seeds: -"],
    "step_by_step.py": ["Liquidator      4", "under 1.1 owe", "manager: lowest health factor 1.0"],
    "own_agent.py": ["0 of 30 repaid", "24 of 30 repaid"],
}


def test_every_example_is_here():
    assert sorted(PRINTED) == sorted(path.name for path in EXAMPLES.glob("*.py"))


@pytest.mark.parametrize("name", PRINTED)
def test_example(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(EXAMPLES), *sys.path])  # as Python does for a script
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    told = capsys.readouterr().out
    for words in PRINTED[name]:
        assert words in told
    assert [path.name for path in tmp_path.iterdir()] == (["out"] if name == "run_and_read.py" else [])
    assert "…" not in told
