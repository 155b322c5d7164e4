"""What a figure is, and what figures are made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sim.results.facts import names
from sim.results.report import style


@dataclass(frozen=True)
class Figure:
    """One figure: `title` states the finding, `caption` says what is drawn, `draw(width)` gives the chart."""

    key: str
    title: str
    caption: str
    data: pd.DataFrame
    draw: Callable[[int | str], Any]


@dataclass(frozen=True)
class Source:
    """What figures are made from: the tables, the manifest and the figures of the summary."""

    metrics: pd.DataFrame
    events: pd.DataFrame
    positions: pd.DataFrame
    agents: pd.DataFrame
    manifest: Mapping[str, Any]
    values: Mapping[str, Any]


def asset_colours(source: Source) -> dict[str, str]:
    """The colour of each asset in this run's figures."""
    return style.asset_colours(names(source.metrics, "exogenous_usd") or names(source.metrics, "cash"))


def source_of(run: Any, values: Mapping[str, Any]) -> Source:
    """The parts of a `Run` that figures need; a table that is not there is empty."""
    held = set(run.tables)
    tables = {
        name: getattr(run, name) if name in held else pd.DataFrame() for name in ("events", "positions", "agents")
    }
    return Source(run.metrics, tables["events"], tables["positions"], tables["agents"], run.manifest, values)
