"""`undertow scenario …`"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from scenarios import Problem, ScenarioError, field_table, json_schema, library_names, load
from sim.cli.console import print_json, stdout
from sim.cli.errors import BAD_DATA, DONE
from sim.cli.tables import print_table


def list_command(as_json: bool) -> int:
    """Names, titles and sizes of the library."""
    found: list[dict[str, Any]] = []
    for name in library_names():
        scenario = load(name)
        found.append(
            {
                "name": name,
                "title": scenario.label,
                "why": " ".join(scenario.why.split()),
                "horizon_seconds": scenario.run.horizon_seconds,
                "step_seconds": scenario.run.step_seconds,
                "agents": sum(map(scenario.scaled_count, scenario.populations.tables)),
            }
        )
    if as_json:
        print_json(found)
        return DONE
    from sim.results.wording import number, seconds

    console = stdout()
    rows = [
        (
            row["name"],
            row["title"],
            number(row["agents"]),
            seconds(row["horizon_seconds"]),
            seconds(row["step_seconds"]),
        )
        for row in found
    ]
    print_table(console, ("scenario", "what it is", "agents", "time", "step"), rows, right=(2, 3, 4))
    console.print("\nundertow scenario show NAME says what is in one, undertow run NAME runs it.")
    return DONE


def show_command(name: str, sets: Sequence[str], values: bool, toml: bool, as_json: bool) -> int:
    """One scenario: an overview, every value, a file of its own, or JSON."""
    from sim.cli.loading import load_checked

    scenario = load_checked(name, sets)
    if as_json:
        print_json(scenario.as_dict())
    elif toml:
        sys.stdout.write(scenario.to_toml())
    else:
        from sim.cli.scenario_view import print_overview, print_values

        (print_values if values else print_overview)(stdout(), scenario)
    return DONE


def validate_command(names: Sequence[str], sets: Sequence[str], as_json: bool) -> int:
    """Check each scenario and build its world, as a run would; the problems of all of them are told."""
    from sim.cli.loading import load_checked, rehearse

    results: list[tuple[str, list[Problem]]] = []
    notes: dict[str, str] = {}
    for name in names:
        try:
            notes[name] = rehearse(load_checked(name, sets), name, sets)
            results.append((name, []))
        except ScenarioError as error:
            results.append((name, error.problems))
    if as_json:
        print_json(
            [{"scenario": name, "ok": not found, "problems": [p._asdict() for p in found]} for name, found in results]
        )
    else:
        for name, found in results:
            if found:
                print(ScenarioError(found), file=sys.stderr)
            else:
                print(f"{name}: ok{notes[name]}")
    return BAD_DATA if any(found for _, found in results) else DONE


def schema_command(as_table: bool, assumptions: bool, markdown: bool) -> int:
    """All fields, for programs or for people."""
    from agents.registry import kinds

    if not as_table:
        print_json(json_schema(kinds()))
        return DONE
    rows = [row for row in field_table(kinds()) if row.assumption or not assumptions]
    if markdown:
        from sim.cli.documentation import parameters, schema_assumptions

        sys.stdout.write(schema_assumptions(rows) if assumptions else parameters(rows))
        return DONE
    from sim.cli.scenario_view import print_fields

    print_fields(stdout(), rows)
    return DONE
