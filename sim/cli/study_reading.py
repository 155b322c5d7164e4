"""`undertow summary`, `undertow compare` and `undertow gate`: what a study on disk says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from sim.cli.console import print_json, stdout
from sim.cli.errors import DONE, GATE_CLOSED
from sim.cli.running import print_summary


def summary_command(folder: Path, as_json: bool) -> int:
    """Print the summary of a study."""
    from sim.studies.summary import summarise

    print_summary(summarise(folder), as_json)
    return DONE


def compare_command(first: Path, second: Path, points: str, as_json: bool) -> int:
    """Print what differs between two studies, or two points."""
    from sim.studies.comparing import compare
    from sim.studies.errors import StudyError
    from sim.studies.reading import open_study

    found = re.fullmatch(r"\s*(\d{1,9})\s*,\s*(\d{1,9})\s*", points)
    if found is None:
        raise StudyError("--points", points, points, "two numbers with a comma, as in 0,3")
    chosen = int(found[1]), int(found[2])
    print_summary(compare(open_study(first), open_study(second), chosen), as_json)
    return DONE


def gate_command(folder: Path, conditions: Sequence[str], cautious: bool, as_json: bool) -> int:
    """Judge a study by conditions; the exit status says whether one holds."""
    from sim.studies.gate import judge
    from sim.studies.reading import open_study

    verdicts = judge(open_study(folder), conditions, cautious=cautious)
    failed = any(verdict.holds for verdict in verdicts)
    if as_json:
        print_json({"failed": failed, "conditions": [verdict.to_json() for verdict in verdicts]})
    else:
        console = stdout()
        console.print(Text("failed" if failed else "passed", style="bold"))
        for verdict in verdicts:
            console.print(Text(verdict.words))
    return GATE_CLOSED if failed else DONE
