"""Rules that tie several fields together. They read plain data with the defaults filled in.

A value that is missing or was already refused is left out of the data, so every rule that can be judged is judged and
all problems of a file are told at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from scenarios.errors import Problem, listing, nearest
from scenarios.schema.walk import Reference, references

Data = Mapping[str, Any]
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_+-]{0,39}$")
MOST_STEPS = 5_000_000


def cross_field_problems(data: Data, parameters: Mapping[str, type[BaseModel]] | None = None) -> list[Problem]:
    """All broken rules; `parameters` are the classes of each population's own parameters, where they are known."""
    found: list[Problem] = []
    for rule in RULES:
        found.extend(rule(data))
    found.extend(_unknown_names(data, parameters or {}))
    return found


def _problem(path: str, given: Any, allowed: str, message: str) -> Problem:
    return Problem("", path, given if isinstance(given, str) else show(given), allowed, message)


def show(value: Any) -> str:
    """A value as it would stand in the file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 60 else f'"{value[:57]}..."'
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _section(data: Any, *keys: str) -> Data:
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def _tables(data: Data, *keys: str) -> Iterator[tuple[str, Data]]:
    for name, entry in _section(data, *keys).items():
        if isinstance(entry, Mapping):
            yield str(name), entry


def _number(data: Data, key: str) -> float | None:
    value = data.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _time(data: Data) -> Iterator[Problem]:
    run = _section(data, "run")
    horizon, step, block = (_number(run, f"{name}_seconds") for name in ("horizon", "step", "block"))
    if step and block and step % block:
        yield _problem(
            "run.step_seconds", step, f"a multiple of run.block_seconds ({block})", "does not hold whole blocks"
        )
    if horizon and step and horizon % step:
        yield _problem(
            "run.horizon_seconds", horizon, f"a multiple of run.step_seconds ({step})", "does not hold whole steps"
        )
    if horizon and step and horizon // step > MOST_STEPS:
        yield _problem(
            "run.horizon_seconds", horizon, f"at most {MOST_STEPS:,} steps", f"is {horizon // step:,.0f} steps"
        )
    every = _number(_section(data, "results"), "positions_every_seconds")
    if every and step and every % step:
        yield _problem(
            "results.positions_every_seconds",
            every,
            f"0 or a multiple of run.step_seconds ({step})",
            "falls between steps",
        )


def _names_are_plain(data: Data) -> Iterator[Problem]:
    for section in ("assets", "amms", "populations"):
        for name, _ in _tables(data, section):
            if not NAME.match(name):
                yield _problem(
                    f"{section}.{name}",
                    name,
                    "letters, digits, _, + and -, at most 40, a letter or digit first",
                    "is not a usable name",
                )


def _assets(data: Data) -> Iterator[Problem]:
    for symbol, asset in _tables(data, "assets"):
        path = f"assets.{symbol}"
        if asset.get("kind") == "market":
            if "price_usd" in asset and asset["price_usd"] is None:
                yield _problem(
                    f"{path}.price_usd", "nothing", "a price in USD above 0", 'is needed by an asset of kind "market"'
                )
            for key in ("base", "ratio"):
                if asset.get(key) is not None:
                    yield _problem(
                        f"{path}.{key}",
                        asset[key],
                        'leave it out, or kind = "ratio"',
                        'means nothing for kind "market"',
                    )
        elif asset.get("kind") == "ratio":
            for key, allowed in (("base", "the symbol of an asset"), ("ratio", "a number above 0")):
                if key in asset and asset[key] is None:
                    yield _problem(f"{path}.{key}", "nothing", allowed, 'is needed by an asset of kind "ratio"')
            if asset.get("price_usd") is not None:
                yield _problem(
                    f"{path}.price_usd",
                    asset["price_usd"],
                    "leave it out: it is ratio x price of the base",
                    'cannot be set for kind "ratio"',
                )
        if asset.get("depth_2pct") is not None and asset.get("impact_per_unit") is not None:
            yield _problem(
                f"{path}.impact_per_unit",
                asset["impact_per_unit"],
                "one of depth_2pct and impact_per_unit",
                "says the same twice",
            )
    bases = {symbol: asset.get("base") for symbol, asset in _tables(data, "assets") if asset.get("kind") == "ratio"}
    yield from _circles(bases, "assets.{}.base")


def _circles(bases: Mapping[str, Any], path: str) -> Iterator[Problem]:
    told: list[str] = []
    for start in bases:
        chain = [start]
        while (following := bases.get(chain[-1])) is not None and following not in chain:
            chain.append(following)
        if following == start and start not in told:
            told.extend(chain)
            yield _problem(
                path.format(start),
                bases[start],
                "a chain that ends at a market price",
                f"goes round: {' -> '.join([*chain, start])}",
            )


def _prices(data: Data) -> Iterator[Problem]:
    prices, assets = _section(data, "prices"), _section(data, "assets")
    process = prices.get("process")
    if process in ("historical", "csv"):
        if "file" in prices and not prices["file"]:
            yield _problem("prices.file", "nothing", "the name of a path file", f'is needed by process "{process}"')
        if "columns" in prices and not prices["columns"]:
            yield _problem(
                "prices.columns",
                "nothing",
                'a column for each asset that follows the file, {WETH = "eth"}',
                f'is needed by process "{process}"',
            )
    for table in ("columns", "volatility_per_year", "drift_per_year"):
        for symbol in _section(prices, table):
            if _section(assets, symbol).get("kind") == "ratio":
                yield _problem(
                    f"prices.{table}.{symbol}",
                    symbol,
                    'assets of kind "market"',
                    "follows its base, it has no path of its own",
                )
    for symbol, value in _section(prices, "volatility_per_year").items():
        if isinstance(value, float | int) and not 0 <= value <= 20:
            yield _problem(f"prices.volatility_per_year.{symbol}", value, "0 to 20", "is out of range")
    yield from _correlation(prices)
    yield from _shocks(data)


def _correlation(prices: Data) -> Iterator[Problem]:
    moving = len(_section(prices, "volatility_per_year"))
    correlation = _number(prices, "correlation")
    if prices.get("process") == "gbm" and moving > 1 and correlation is not None and correlation < -1 / (moving - 1):
        yield _problem(
            "prices.correlation",
            correlation,
            f"{-1 / (moving - 1):g} to 1",
            f"is impossible between {moving} assets at once",
        )


def _shocks(data: Data) -> Iterator[Problem]:
    horizon = _number(_section(data, "run"), "horizon_seconds")
    shocks = _section(data, "prices").get("shocks")
    for index, shock in enumerate(shocks if isinstance(shocks, list | tuple) else []):
        if not isinstance(shock, Mapping):
            continue
        symbol, path = shock.get("asset"), f"prices.shocks.{index}"
        if isinstance(symbol, str) and _section(data, "assets", symbol).get("kind") == "ratio":
            yield _problem(f"{path}.asset", symbol, 'assets of kind "market"', "follows its base: change that one")
        at = _number(shock, "at_seconds")
        if at is not None and horizon is not None and at > horizon:
            yield _problem(
                f"{path}.at_seconds", at, f"0 to run.horizon_seconds ({horizon})", "lies after the end of the run"
            )


def _outside(data: Data) -> Iterator[Problem]:
    shares = [_number(_section(data, "outside"), f"{name}_share") for name in ("permanent", "fast", "slow")]
    known = [share for share in shares if share is not None]
    if len(known) == 3 and abs(math.fsum(known) - 1) > 1e-9:
        yield _problem(
            "outside.permanent_share",
            " + ".join(f"{share:g}" for share in known),
            "permanent_share + fast_share + slow_share = 1",
            f"the shares add to {math.fsum(known):.6g}",
        )


def _feeds(data: Data) -> Iterator[Problem]:
    assets, feeds = _section(data, "assets"), _section(data, "oracle", "feeds")
    bases: dict[str, Any] = {}
    for symbol in assets:
        if symbol not in feeds and "feeds" in _section(data, "oracle"):
            yield _problem(f"oracle.feeds.{symbol}", "nothing", "a feed for every asset", f"asset {symbol} has no feed")
    for symbol, feed in _tables(data, "oracle", "feeds"):
        path, asset = f"oracle.feeds.{symbol}", _section(assets, symbol)
        if feed.get("kind") == "fixed" and "price_usd" in feed and feed["price_usd"] is None:
            yield _problem(
                f"{path}.price_usd", "nothing", "a price in USD above 0", 'is needed by a feed of kind "fixed"'
            )
        if feed.get("kind") != "ratio" or not asset:
            continue
        for key, allowed in (("base", "the symbol of an asset"), ("ratio", "a number above 0")):
            # A ratio asset that lacks base or ratio has been told so already.
            if asset.get("kind") == "market" and key in feed and feed[key] is None:
                yield _problem(
                    f"{path}.{key}", "nothing", allowed, f"is needed: asset {symbol} has no {key} of its own"
                )
        bases[symbol] = feed.get("base") or asset.get("base")
        if bases[symbol] in assets and bases[symbol] not in feeds and feed.get("base"):
            yield _problem(f"{path}.base", str(bases[symbol]), "an asset with a feed", "has no feed to multiply")
    yield from _circles(bases, "oracle.feeds.{}.base")


def _thresholds(data: Data) -> Iterator[Problem]:
    places = [*((f"pool.reserves.{name}", entry) for name, entry in _tables(data, "pool", "reserves"))]
    places += [(f"pool.emodes.{name}", entry) for name, entry in _tables(data, "pool", "emodes")]
    for path, entry in places:
        ltv, threshold, bonus = (_number(entry, key) for key in ("ltv", "liquidation_threshold", "liquidation_bonus"))
        if ltv is not None and threshold is not None and (ltv > threshold or ltv == threshold != 0):
            yield _problem(
                f"{path}.ltv",
                ltv,
                f"below liquidation_threshold ({threshold:g}); both may be 0",
                "is above the liquidation threshold" if ltv > threshold else "equals the liquidation threshold",
            )
        if threshold is not None and bonus is not None and threshold * (1 + bonus) > 1 + 1e-12:
            yield _problem(
                f"{path}.liquidation_bonus",
                bonus,
                f"liquidation_threshold x (1 + bonus) of at most 1, so at most {1 / threshold - 1:.4f}",
                f"{threshold} x (1 + {bonus}) = {threshold * (1 + bonus):.4f}: more than the collateral",
            )
    for name in _section(data, "pool", "emodes"):
        if not (str(name).isdecimal() and 1 <= int(name) <= 255):
            yield _problem(f"pool.emodes.{name}", str(name), "a whole number from 1 to 255", "is not a category number")


def _amms(data: Data) -> Iterator[Problem]:
    for name, amm in _tables(data, "amms"):
        path, kind = f"amms.{name}", amm.get("kind")
        if amm.get("token0") is not None and amm.get("token0") == amm.get("token1"):
            yield _problem(f"{path}.token1", str(amm["token1"]), "an asset other than token0", "is the same as token0")
        fee, protocol = _number(amm, "fee_pips"), _number(amm, "fee_protocol")
        if kind == "constant_product" and fee is not None and fee % 100:
            yield _problem(
                f"{path}.fee_pips",
                fee,
                "a multiple of 100 (whole basis points)",
                "is not possible in a constant-product pool",
            )
        if kind in ("constant_product", "concentrated") and protocol is not None:
            allowed = (0, 6) if kind == "constant_product" else (0, 4, 5, 6, 7, 8, 9, 10)
            if protocol not in allowed:
                yield _problem(f"{path}.fee_protocol", protocol, listing(map(str, allowed)), "is not possible")
        ranges = amm.get("ranges")
        if kind == "constant_product" and ranges:
            yield _problem(
                f"{path}.ranges", f"{len(ranges)} bands", "leave it out", "means nothing in a constant-product pool"
            )
        elif ranges:
            shares = [_number(band, "share") for band in ranges if isinstance(band, Mapping)]
            known = [share for share in shares if share is not None]
            if len(known) == len(ranges) and abs(math.fsum(known) - 1) > 1e-9:
                yield _problem(
                    f"{path}.ranges",
                    " + ".join(f"{s:g}" for s in known),
                    "shares that add to 1",
                    f"the shares add to {math.fsum(known):.6g}",
                )


RULES: tuple[Callable[[Data], Iterator[Problem]], ...] = (
    _time,
    _names_are_plain,
    _assets,
    _prices,
    _outside,
    _feeds,
    _thresholds,
    _amms,
)


def _unknown_names(data: Data, parameters: Mapping[str, type[BaseModel]]) -> Iterator[Problem]:
    from scenarios.schema.scenario import Scenario

    known = {
        "asset": list(_section(data, "assets")),
        "reserve": list(_section(data, "pool", "reserves")),
        "amm": list(_section(data, "amms")),
        "emode": [str(key) for key in _section(data, "pool", "emodes")],
    }
    found: list[Reference] = list(references(Scenario, data))
    for name, table in _tables(data, "populations"):
        if name in parameters:
            found.extend(references(parameters[name], table, f"populations.{name}."))
    without_gas = _section(data, "mechanisms").get("gas") is False
    for path, name, target in found:
        if name in known[target] or (path == "gas.price_asset" and without_gas):
            continue
        guess = nearest(name, known[target])
        noun = {"asset": "asset", "reserve": "reserve of the pool", "amm": "AMM", "emode": "e-mode category"}[target]
        yield _problem(
            path,
            name,
            listing(known[target]),
            f"there is no {noun} {name!r}" + (f"; did you mean {guess!r}?" if guess else ""),
        )
