"""Exogenous prices: a recorded path, a random process, a CSV path or constants, and shocks on top of any of them."""

from __future__ import annotations

from typing import Literal

from scenarios.schema.base import Section, Sequence, Table, Whole, empty_table, field, source_field
from scenarios.schema.processes import Bootstrap, Garch, Jumps, StochasticVolatility


class Shock(Section):
    """A lasting relative price change laid over the process: price x (1 + change_ratio x progress), progress 0 to 1."""

    asset: str = field(..., "Asset whose price is changed; `ratio` assets follow their base", refers_to="asset")
    at_seconds: Whole = field(..., "When the change begins, after the start of the run", unit="s", ge=0)
    change_ratio: float = field(..., "Relative change, -0.30 is a fall of 30 %", gt=-1, le=100)
    over_seconds: Whole = field(0, "Time over which it builds up in a straight line (0: at once)", unit="s", ge=0)


Process = Literal[
    "constant",
    "gbm",
    "jump_diffusion",
    "stochastic_volatility",
    "garch",
    "historical",
    "daily",
    "csv",
    "bootstrap",
]

_MATRIX = frozenset({"correlations", "correlation_file", "correlation_names"})
_MOVES = frozenset({"volatility_per_year", "drift_per_year"})
_RECORD = frozenset({"file", "columns", "scale"})

#: The fields that each process reads; shocks may be laid over all of them.
PROCESS_FIELDS: dict[str, frozenset[str]] = {
    "constant": frozenset(),
    "gbm": _MOVES | {"correlation"},
    "jump_diffusion": _MOVES | _MATRIX | {"correlation", "jumps"},
    "stochastic_volatility": _MOVES | _MATRIX | {"stochastic_volatility", "jumps"},
    "garch": _MOVES | _MATRIX | {"garch"},
    "historical": _RECORD,
    "csv": _RECORD,
    "daily": frozenset({"files", "columns", "scale"}),
    "bootstrap": frozenset({"files", "columns", "bootstrap"}),
}

#: What says the same under every process that reads it, so that a file which names another process inherits it.
LASTING_FIELDS = _MOVES | _MATRIX | {"correlation", "jumps"}


class Prices(Section):
    """Which process makes the exogenous prices."""

    process: Process = field(
        "constant",
        "`historical`: hourly open, high, low, close with a bridge in between; `daily`: the same from daily bars;"
        " `csv`: a path of prices; `bootstrap`: new paths from blocks of recorded bars; `gbm`: geometric Brownian"
        " motion (for exact tests and shocks, it has no clustering); `jump_diffusion`: with Merton's jumps;"
        " `stochastic_volatility`: two speeds, heavy tails, jumps; `garch`: GARCH-t; `constant`",
    )
    file: str | None = field(
        None, "Path file of `historical` and `csv`, relative to the scenario file or among the paths that are shipped"
    )
    files: Table[str, str] = field(
        None,
        "File of each asset under `daily` (daily bars) and `bootstrap` (hourly or daily bars), found as `file` is",
        refers_to="asset",
        factory=empty_table,
    )
    scale: Literal["snapshot", "absolute"] = field(
        "snapshot",
        "`snapshot`: the path's relative moves start from the assets' prices; `absolute`: its prices as they are",
    )
    columns: Table[str, str] = field(
        None,
        "Column (or prefix of open, high, low, close columns) of the file for each asset; with `files` only where the"
        " columns have a prefix",
        refers_to="asset",
        factory=empty_table,
    )
    volatility_per_year: Table[str, float] = field(
        None,
        "Volatility of log prices for each asset under the random processes; others stay constant",
        unit="1/sqrt(year)",
        refers_to="asset",
        factory=empty_table,
    )
    drift_per_year: Table[str, float] = field(
        None,
        "Growth of the expected price for each asset under the random processes",
        unit="1/year",
        refers_to="asset",
        factory=empty_table,
    )
    correlation: float = field(
        0.83,
        "Correlation of log returns between any two assets under `gbm` and `jump_diffusion`: the weight of the one"
        " factor they share",
        source="ETH-BTC, hourly returns 2019-2025 (Binance, 60,635 hours)",
        ge=0,
        le=1,
    )
    correlations: Table[str, Table[str, float]] = field(
        None,
        "Matrix in place of the one number, each pair once: asset -> asset -> correlation; assets that it does not"
        " name are independent (`jump_diffusion`, `stochastic_volatility`, `garch`)",
        refers_to="asset",
        factory=empty_table,
    )
    correlation_file: str | None = field(
        None, "Such a matrix from a CSV table whose first row and column name its entries, found as `file` is"
    )
    correlation_names: Table[str, str] = field(
        None, "Name in that table of each asset", refers_to="asset", factory=empty_table
    )
    jumps: Jumps = field(None, "Jumps", factory=Jumps)
    stochastic_volatility: StochasticVolatility = field(None, "Stochastic volatility", factory=StochasticVolatility)
    garch: Garch = field(None, "GARCH", factory=Garch)
    bootstrap: Bootstrap = field(None, "Bootstrap", factory=Bootstrap)
    shocks: Sequence[Shock] = field((), "Changes laid over the process")
    source: str = source_field()
