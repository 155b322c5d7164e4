"""Screening: who may have crossed a health-factor trigger, found at the cost of what happens and not of what exists."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.screening.book import Entry, LiquidationBook
    from sim.screening.calendar import Calendar
    from sim.screening.columns import Columns, health_factors, values_usd
    from sim.screening.exhaustive import ExhaustiveScreen
    from sim.screening.groups import GroupScreen
    from sim.screening.plain import PlainScreen
    from sim.screening.screen import Screen, open_screen

_HOMES = {
    "Calendar": "calendar",
    "Columns": "columns",
    "Entry": "book",
    "ExhaustiveScreen": "exhaustive",
    "GroupScreen": "groups",
    "LiquidationBook": "book",
    "PlainScreen": "plain",
    "Screen": "screen",
    "health_factors": "columns",
    "open_screen": "screen",
    "values_usd": "columns",
}

__all__ = [
    "Calendar",
    "Columns",
    "Entry",
    "ExhaustiveScreen",
    "GroupScreen",
    "LiquidationBook",
    "PlainScreen",
    "Screen",
    "health_factors",
    "open_screen",
    "values_usd",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
