"""Every code block of the README and of docs/ that a reader may copy is executed here, with `demo` for `march-2020`."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from sim.cli import main

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

#: Lines that set up an environment; executing them is what a fresh clone is for.
SET_UP = ("python3 -m venv", "pip install", ". .venv/bin/activate")


def blocks(page: str) -> list[tuple[str, str]]:
    """(language, text) of every fenced block, in order."""
    text = (ROOT / page).read_text(encoding="utf-8").replace("march-2020", "demo")
    return re.findall(r"(?ms)^```(\w+)\n(.*?)^```$", text)


def run_line(line: str) -> None:
    """One line of a shell block."""
    words = shlex.split(line, comments=True)
    if not words or line.startswith(SET_UP):
        return
    if words[0] == "make":
        assert re.search(rf"(?m)^{words[1]}:", MAKEFILE), line
        return
    assert words[0] == "undertow", line
    if words[1] == "batch" and "--runs" in words:
        words[words.index("--runs") + 1] = "2"
        words += ["--set", "run.horizon_seconds=3600"] if words[2] == "demo" else []
    if words[1] in ("run", "replay") and Path("out").exists() and "--no-report" not in words:
        words.append("--no-report")  # one report is enough
    with pytest.MonkeyPatch.context() as undrawn:
        if words[1] == "report":  # the run above has drawn its own; the page is made all the same
            undrawn.setattr("sim.results.report.drawing.pair", lambda _draw, key: (f"<svg id={key}></svg>",) * 2)
        assert main(words[1:]) == 0, line


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One working folder for the whole page: later blocks read what earlier ones leave."""
    return tmp_path_factory.mktemp("reader")


def execute(language: str, text: str, folder: Path) -> None:
    if language == "sh":
        for line in text.splitlines():
            run_line(line)
    elif language == "python":
        exec(compile(text, "block", "exec"), {})
    elif language == "toml":
        (folder / "mine.toml").write_text(text, encoding="utf-8")
    elif language == "sql":
        import duckdb

        assert duckdb.sql(text).fetchall()
    else:
        assert language == "text"


@pytest.mark.parametrize("page", ["README.md", "docs/results.md", "docs/studies.md", "docs/developing.md"])
def test_every_block_runs(page, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    found = blocks(page)
    assert found
    for language, text in found:
        execute(language, text, folder)
    told = capsys.readouterr()
    if page == "README.md":
        assert {language for language, _ in found} == {"sh", "python", "toml", "text"}
        assert "mine.toml: ok" in told.out
        assert (folder / "out" / "demo-1" / "report.html").is_file()
        assert (folder / "out" / "mine-1" / "manifest.json").is_file()


def test_commands_in_running_text_exist(capsys):
    """`undertow word` in running text names a command that is there."""
    for page in [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]:
        for words in re.findall(r"`undertow ([a-z]+)", " ".join(page.read_text(encoding="utf-8").split())):
            assert main([words, "--help"]) == 0, words
    capsys.readouterr()
