"""The table of benchmarks: verdicts are right, every part yields figures, every target of the book's size is there."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import benchmarks.scale
import benchmarks.screening
from benchmarks.screening import figures as screening_figures
from benchmarks.table import Figure, show, summary


@pytest.mark.parametrize(
    ("figure", "target", "verdict"),
    [
        (Figure("a", 3.0), "", ""),
        (Figure("a", 3.0, least=3), ">= 3", "met"),
        (Figure("a", 2.9, least=3), ">= 3", "MISSED"),
        (Figure("a", 3.1, most=3, aim="aim 1"), "<= 3, aim 1", "MISSED"),
        (Figure("a", 1_500.0, least=1_500, most=2_000), ">= 1,500, <= 2,000", "met"),
        (Figure("a", float("nan"), most=3), "<= 3", "MISSED"),
    ],
)
def test_verdicts(figure, target, verdict):
    assert (figure.target, figure.verdict) == (target, verdict)


def test_the_table_is_printed_as_it_is_measured_and_counted(capsys):
    shown = show(iter([Figure("fast", 9.0, least=3), Figure("slow", 1.0, least=3), Figure("told", 7.0)]), "speed")
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "== speed"
    assert [line.split()[-1] for line in out[1:]] == ["met", "MISSED", "7.000"]
    assert summary(shown) == "1 of 2 targets met; missed: slow"


def test_all_sizes_and_targets_are_measured(monkeypatch):
    asked = []

    def apart(what, *arguments):
        asked.append((what, *arguments))
        names = (
            "blocks_per_second longest_pause_ms set_up_seconds kb_each left_kb_each ms_per_block screening_share "
            "screening_ms"
        )
        return dict.fromkeys(names.split(), 1.0)

    monkeypatch.setattr(benchmarks.scale, "apart", apart)
    figures = {figure.name: figure for figure in benchmarks.scale.figures(100.0)}
    assert {call[1:3] for call in asked if call[0] == "crash"} >= {
        (scale, screen) for scale in (1.0, 10.0, 100.0) for screen in ("groups", "plain")
    }
    assert {call[1] for call in asked if call[0] == "calm"} == {1.0, 100.0}
    assert figures["100,000 borrowers, crash: share of screening and book"].most == 0.35
    assert figures["1,000,000 borrowers: set-up, seconds"].most == 20
    assert all(
        figures[f"{n} borrowers, crash: block with groups over plain"].most == 1.2 for n in ("10,000", "1,000,000")
    )


def test_a_process_of_its_own_measures_a_small_world():
    command = [sys.executable, "-m", "benchmarks.scale", "--measure", "calm", json.dumps([0.02, 20])]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["agents"] > 200
    assert figures["blocks_per_second"] > 0.0
    assert figures["longest_pause_ms"] > 0.0


def test_screening_of_small_books_yields_every_figure():
    measured = {size: dict.fromkeys([key for _, key, _ in benchmarks.screening.ROWS], 1e-3) for size in (100, 1_000)}
    figures = {figure.name: figure for figure in screening_figures((100, 1_000), measured)}
    assert figures["day of 1,000 accounts: screening over that of 100"].verdict == "met"
    assert figures["day of 1,000 accounts: screening over a plain pass"].verdict == "MISSED"
