"""Rules about the process that makes the exogenous prices: what it needs, what it does not read, and correlations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from scenarios.checks.common import Data, number, problem_at, section
from scenarios.errors import Problem, listing
from scenarios.schema.prices import PROCESS_FIELDS, Prices
from scenarios.schema.processes import Garch, StochasticVolatility
from scenarios.schema.walk import with_defaults

#: Fields without which a process has nothing to go by, and what they may look like.
_NEEDED = {
    "historical": ("file", "columns"),
    "csv": ("file", "columns"),
    "daily": ("files",),
    "bootstrap": ("files",),
    "jump_diffusion": ("volatility_per_year",),
    "stochastic_volatility": ("volatility_per_year",),
    "garch": ("volatility_per_year",),
}
_EXAMPLES = {
    "file": "the name of a path file",
    "columns": 'a column for each asset that follows the file, {WETH = "eth"}',
    "files": 'a file for each asset that follows one, {WETH = "paths/market/ethusdt_1d_2019_2025.csv"}',
    "volatility_per_year": "a number above 0 for each asset that moves, {WETH = 0.8}",
}

#: Ranges of the entries of tables, by table: lowest, highest, whether the lowest itself is refused.
_RANGES = {
    "volatility_per_year": (0.0, 20.0, True),
    "drift_per_year": (-100.0, 100.0, False),
    "jumps.mean_log": (-5.0, 5.0, False),
    "jumps.sd_log": (0.0, 5.0, False),
    "bootstrap.log_growth_per_year": (-100.0, 100.0, False),
}

#: Tables by asset: assets that follow another one have no place in them.
_BY_ASSET = (*_RANGES, "columns", "files", "correlations", "correlation_names")


def process(data: Data) -> Iterator[Problem]:
    """What the process needs is there, what it does not read is left out, and every entry is in range."""
    prices = section(data, "prices")
    name = prices.get("process")
    if not isinstance(name, str) or name not in PROCESS_FIELDS:
        return
    unread = list(_unread(prices, name))
    yield from unread
    for field in _NEEDED.get(name, ()):
        if field in prices and not prices[field]:
            yield problem_at(f"prices.{field}", "nothing", _EXAMPLES[field], f'is needed by process "{name}"')
    told = {problem.path.split(".")[1] for problem in unread}
    yield from (problem for problem in _entries(data) if problem.path.split(".")[1] not in told)
    if name in ("daily", "bootstrap") and section(prices, "files"):
        yield from _have_files(prices)
    if not told:
        yield from _matrix(data)
    if name == "garch":
        yield from _stationary(section(prices, "garch"))


def _unread(prices: Data, name: str) -> Iterator[Problem]:
    """Fields that differ from their default although the process does not read them."""
    own = PROCESS_FIELDS[name]
    readers: dict[str, list[str]] = {}
    for process, fields in PROCESS_FIELDS.items():
        for field in sorted(fields):
            readers.setdefault(field, []).append(process)
    for field in (key for key in Prices.model_fields if key in readers and key not in own and key in prices):
        for place, value in _differences(field, prices[field]):
            yield problem_at(
                f"prices.{place}",
                value,
                f"leave it out, or process = {' or '.join(map(_quoted, readers[field]))}",
                f'means nothing for process "{name}"',
            )


def _differences(field: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The field, or the fields of a section, that are set to something else than the default."""
    default = with_defaults(Prices, {"process": "constant"})[field]
    info = Prices.model_fields[field].annotation
    if isinstance(info, type) and issubclass(info, BaseModel):
        for key, given in (value if isinstance(value, Mapping) else {}).items():
            if key != "source" and given != default.get(key):
                yield f"{field}.{key}", given
    elif value != default:
        yield field, value


def _entries(data: Data) -> Iterator[Problem]:
    prices, assets = section(data, "prices"), section(data, "assets")
    for table in _BY_ASSET:
        lowest, highest, above = _RANGES.get(table, (0.0, 0.0, False))
        for symbol, value in section(prices, *table.split(".")).items():
            path = f"prices.{table}.{symbol}"
            if section(assets, symbol).get("kind") == "ratio":
                yield problem_at(path, symbol, 'assets of kind "market"', "follows its base, it has no path of its own")
                continue
            outside = isinstance(value, float | int) and (not lowest <= value <= highest or (above and value == lowest))
            if table in _RANGES and outside:
                words = f"above {lowest:g}, at most {highest:g}" if above else f"{lowest:g} to {highest:g}"
                yield problem_at(path, value, words, "is out of range")


def _have_files(prices: Data) -> Iterator[Problem]:
    files = section(prices, "files")
    for table in ("columns", "bootstrap.log_growth_per_year"):
        for symbol, value in section(prices, *table.split(".")).items():
            if symbol not in files:
                yield problem_at(f"prices.{table}.{symbol}", value, listing(files), f"asset {symbol} has no file")


def _stationary(garch: Data) -> Iterator[Problem]:
    shock, memory = number(garch, "shock_weight"), number(garch, "memory_weight")
    if shock is not None and memory is not None and shock + memory >= 1.0:
        yield problem_at(
            "prices.garch.shock_weight",
            f"{shock:g} + {memory:g}",
            "shock_weight + memory_weight below 1",
            "leaves the variance without a long-run mean",
        )


def _matrix(data: Data) -> Iterator[Problem]:
    prices = section(data, "prices")
    given = section(prices, "correlations")
    file, names = prices.get("correlation_file"), section(prices, "correlation_names")
    if file and not names and "correlation_names" in prices:
        yield problem_at(
            "prices.correlation_names",
            "nothing",
            'the name in the table of each asset, {WETH = "ETH"}',
            "is needed with correlation_file",
        )
    if names and not file and "correlation_file" in prices:
        yield problem_at("prices.correlation_file", "nothing", "the file of the table", "is needed by the names")
    if given and file:
        yield problem_at("prices.correlation_file", file, "one of correlations and correlation_file", "says it twice")
    if given or file:
        yield from _numbers_beside_a_matrix(prices)
    yield from _entries_of_matrix(given, section(data, "assets"))


def _numbers_beside_a_matrix(prices: Data) -> Iterator[Problem]:
    """The one number for all pairs, where a matrix takes its place."""
    for model, path in (
        (Prices, "correlation"),
        (StochasticVolatility, "stochastic_volatility.shock_correlation"),
        (Garch, "garch.shock_correlation"),
    ):
        *keys, name = path.split(".")
        stated = number(section(prices, *keys), name)
        if stated is not None and stated != model.model_fields[name].default:
            yield problem_at(f"prices.{path}", stated, "leave it out beside a matrix", "says it twice")


def _entries_of_matrix(given: Data, assets: Data) -> Iterator[Problem]:
    rows = {asset: row for asset, row in given.items() if isinstance(row, Mapping)}
    named = list(dict.fromkeys([*rows, *(other for row in rows.values() for other in row)]))
    for asset, row in rows.items():
        for other, value in row.items():
            path = f"prices.correlations.{asset}.{other}"
            if other not in assets:
                yield problem_at(path, other, listing(assets), f"there is no asset {other!r}")
            elif section(assets, other).get("kind") == "ratio":
                yield problem_at(path, other, 'assets of kind "market"', "follows its base, it has no path of its own")
            elif isinstance(value, float | int):
                # A pair that is stated both ways is told once, where it comes last.
                mirrored = section(rows, other).get(asset, value) if named.index(other) < named.index(asset) else value
                yield from _entry(path, asset, other, value, mirrored)
    for place, asset in enumerate(named):
        for other in named[place + 1 :]:
            if other not in section(rows, asset) and asset not in section(rows, other):
                path = f"prices.correlations.{asset}.{other}"
                yield problem_at(path, "nothing", "-1 to 1", "is missing: a matrix names every pair of its assets")


def _entry(path: str, asset: str, other: str, value: float, mirrored: Any) -> Iterator[Problem]:
    if not -1.0 <= value <= 1.0:
        yield problem_at(path, value, "-1 to 1", "is out of range")
    elif asset == other and value != 1.0:
        yield problem_at(path, value, "1, or leave it out", "is the correlation of an asset with itself")
    elif value != mirrored:
        yield problem_at(path, value, f"{mirrored}, as for {other} and {asset}", "is stated twice, differently")


def _quoted(word: str) -> str:
    return f'"{word}"'
