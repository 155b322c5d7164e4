"""Exogenous prices: a recorded path, a random process, a CSV path or constants, and shocks on top of any of them."""

from __future__ import annotations

from typing import Literal

from scenarios.schema.base import Section, Sequence, Table, Whole, empty_table, field, source_field


class Shock(Section):
    """A lasting relative price change laid over the process: price x (1 + change_ratio x progress), progress 0 to 1."""

    asset: str = field(..., "Asset whose price is changed; `ratio` assets follow their base", refers_to="asset")
    at_seconds: Whole = field(..., "When the change begins, after the start of the run", unit="s", ge=0)
    change_ratio: float = field(..., "Relative change, -0.30 is a fall of 30 %", gt=-1, le=100)
    over_seconds: Whole = field(0, "Time over which it builds up in a straight line (0: at once)", unit="s", ge=0)


class Prices(Section):
    """Which process makes the exogenous prices."""

    process: Literal["constant", "gbm", "historical", "csv"] = field(
        "constant",
        "`historical`: hourly open, high, low, close with a bridge in between; `csv`: a path of prices;"
        " `gbm`: geometric Brownian motion (for exact tests and shocks, it has no clustering); `constant`",
    )
    file: str | None = field(
        None, "Path file of `historical` and `csv`, relative to the scenario file or among the paths that are shipped"
    )
    scale: Literal["snapshot", "absolute"] = field(
        "snapshot",
        "`snapshot`: the path's relative moves start from the assets' prices; `absolute`: its prices as they are",
    )
    columns: Table[str, str] = field(
        None,
        "Column (or prefix of open, high, low, close columns) of the file for each asset",
        refers_to="asset",
        factory=empty_table,
    )
    volatility_per_year: Table[str, float] = field(
        None,
        "Volatility of log prices for each asset under `gbm`; others stay constant",
        unit="1/sqrt(year)",
        refers_to="asset",
        factory=empty_table,
    )
    drift_per_year: Table[str, float] = field(
        None,
        "Growth of the expected price for each asset under `gbm`",
        unit="1/year",
        refers_to="asset",
        factory=empty_table,
    )
    correlation: float = field(
        0.83,
        "Correlation of log returns between any two assets under `gbm`: the weight of the one factor they share",
        source="ETH-BTC, hourly returns 2019-2025 (Binance, 60,635 hours)",
        ge=0,
        le=1,
    )
    shocks: Sequence[Shock] = field((), "Changes laid over the process")
    source: str = source_field()
