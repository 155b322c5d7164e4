"""Rules about gas and about what can go wrong with feeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from scenarios.checks.common import Data, number, problem_at, section, tables
from scenarios.eras import usual_gwei
from scenarios.errors import Problem


def gas(data: Data) -> Iterator[Problem]:
    """First-price markets need demand that falls with the price; terms by date need a date in the table."""
    settings = section(data, "gas")
    elasticity = number(settings, "demand_elasticity")
    by_date = settings.get("era") == "date"
    if elasticity == 0 and (by_date or settings.get("fee_market") == "first_price"):
        yield problem_at(
            "gas.demand_elasticity",
            elasticity,
            "above 0",
            "leaves a first-price market without a clearing price",
        )
    if by_date:
        try:
            start = datetime.fromisoformat(str(section(data, "run").get("start")))
        except ValueError:
            return
        try:
            usual_gwei(start.date())
        except LookupError as error:
            yield problem_at(
                "gas.era", "date", "stated, or a start of the run that the table covers", str(error.args[0])
            )
    horizon = number(section(data, "run"), "horizon_seconds")
    yield from _late("gas.surges", settings.get("surges"), horizon)


def faults(data: Data) -> Iterator[Problem]:
    """Faults lie within the run and mean something for the kind of their feed."""
    horizon = number(section(data, "run"), "horizon_seconds")
    for symbol, feed in tables(data, "oracle", "feeds"):
        path = f"oracle.feeds.{symbol}"
        yield from _late(f"{path}.faults", feed.get("faults"), horizon)
        if feed.get("kind") in ("market", "fixed"):
            for key in ("cap_growth_per_year", "cap_ratio"):
                if feed.get(key) is not None:
                    yield problem_at(
                        f"{path}.{key}", feed[key], 'leave it out, or kind = "ratio"', "caps the ratio of a ratio feed"
                    )
        alone = feed.get("cap_ratio") is not None and feed.get("cap_growth_per_year") is None
        if feed.get("kind") == "ratio" and alone:
            yield problem_at(
                f"{path}.cap_ratio", feed["cap_ratio"], "cap_growth_per_year beside it", "caps nothing on its own"
            )
        for index, fault in _entries(feed.get("faults")):
            where = f"{path}.faults.{index}"
            if feed.get("kind") == "fixed" and fault.get("kind") in ("venue", "stale"):
                yield problem_at(f"{where}.kind", str(fault["kind"]), "factor", "cannot befall a fixed feed")
            if fault.get("kind") in ("factor", "venue") and number(fault, "factor") == 1:
                yield problem_at(f"{where}.factor", 1.0, "a number other than 1", "changes nothing")


def _entries(value: Any) -> list[tuple[int, Data]]:
    if not isinstance(value, list | tuple):
        return []
    return [(index, entry) for index, entry in enumerate(value) if isinstance(entry, Mapping)]


def _late(path: str, value: Any, horizon: float | None) -> Iterator[Problem]:
    for index, entry in _entries(value):
        at = number(entry, "at_seconds")
        if at is not None and horizon is not None and at > horizon:
            yield problem_at(
                f"{path}.{index}.at_seconds",
                at,
                f"0 to run.horizon_seconds ({horizon:g})",
                "lies after the end of the run",
            )
