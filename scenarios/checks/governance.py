"""Rules about governance: every change fits the parameters as the changes before it have left them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scenarios.checks.common import Data, number, problem_at, section
from scenarios.checks.markets import thresholds
from scenarios.errors import Problem, listing
from scenarios.schema.governance import EMODE_PARAMETERS, RESERVE_PARAMETERS


def changes(data: Data) -> Iterator[Problem]:
    """Each entry names one target and something to change; thresholds, bonus and rates still go together afterwards."""
    entries = data.get("governance")
    if not isinstance(entries, list | tuple):
        return
    places = {"reserve": section(data, "pool", "reserves"), "emode": section(data, "pool", "emodes")}
    state = {
        (kind, str(name)): dict(entry)
        for kind, table in places.items()
        for name, entry in table.items()
        if isinstance(entry, Mapping)
    }
    horizon = number(section(data, "run"), "horizon_seconds")
    known = [(index, entry) for index, entry in enumerate(entries) if isinstance(entry, Mapping)]
    for index, entry in sorted(known, key=lambda item: number(item[1], "at_seconds") or 0):
        path = f"governance.{index}"
        at = number(entry, "at_seconds")
        if at is not None and horizon is not None and at > horizon:
            yield problem_at(
                f"{path}.at_seconds", at, f"0 to run.horizon_seconds ({horizon:g})", "lies after the end of the run"
            )
        targets = [kind for kind in ("reserve", "emode") if entry.get(kind) is not None]
        if len(targets) != 1:
            given = " and ".join(f"{kind} {entry[kind]}" for kind in targets) or "nothing"
            yield problem_at(path, given, "one of reserve and emode", "must name what is changed")
            continue
        yield from _one(path, targets[0], entry, state)


def _one(path: str, kind: str, entry: Data, state: dict[tuple[str, str], dict[str, Any]]) -> Iterator[Problem]:
    allowed = RESERVE_PARAMETERS if kind == "reserve" else EMODE_PARAMETERS
    given = {name: entry[name] for name in RESERVE_PARAMETERS if entry.get(name) is not None}
    if not given:
        yield problem_at(path, "no parameter", listing(allowed, 20), "changes nothing")
    for name in given:
        if name not in allowed:
            yield problem_at(f"{path}.{name}", given[name], listing(allowed), "is not a parameter of an e-mode")
    target = state.get((kind, str(entry[kind])))
    if target is None:  # told as an unknown name
        return
    target.update((name, value) for name, value in given.items() if name in allowed)
    beside = {"pool": {"reserves" if kind == "reserve" else "emodes": {"1": target}}}
    for problem in thresholds(beside):
        name = problem.path.rpartition(".")[2]
        yield problem._replace(path=f"{path}.{name}", message=f"{problem.message}, as things stand then")
    slopes = [number(target, f"slope{k}_per_year") for k in (1, 2)]
    if any(name.startswith("slope") for name in given) and None not in slopes and slopes[0] > slopes[1]:  # type: ignore[operator]
        yield problem_at(
            f"{path}.slope2_per_year", slopes[1], f"slope1_per_year ({slopes[0]:g}) or more", "is below slope 1"
        )
