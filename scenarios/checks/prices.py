"""Rules about assets, shocks of their prices, the outside market and the oracle's feeds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from scenarios.checks.common import Data, number, problem_at, section, tables
from scenarios.errors import Problem


def assets(data: Data) -> Iterator[Problem]:
    for symbol, asset in tables(data, "assets"):
        path = f"assets.{symbol}"
        if asset.get("kind") == "market":
            if "price_usd" in asset and asset["price_usd"] is None:
                yield problem_at(
                    f"{path}.price_usd", "nothing", "a price in USD above 0", 'is needed by an asset of kind "market"'
                )
            for key in ("base", "ratio"):
                if asset.get(key) is not None:
                    yield problem_at(
                        f"{path}.{key}",
                        asset[key],
                        'leave it out, or kind = "ratio"',
                        'means nothing for kind "market"',
                    )
        elif asset.get("kind") == "ratio":
            for key, allowed in (("base", "the symbol of an asset"), ("ratio", "a number above 0")):
                if key in asset and asset[key] is None:
                    yield problem_at(f"{path}.{key}", "nothing", allowed, 'is needed by an asset of kind "ratio"')
            if asset.get("price_usd") is not None:
                yield problem_at(
                    f"{path}.price_usd",
                    asset["price_usd"],
                    "leave it out: it is ratio x price of the base",
                    'cannot be set for kind "ratio"',
                )
        if asset.get("depth_2pct") is not None and asset.get("impact_per_unit") is not None:
            yield problem_at(
                f"{path}.impact_per_unit",
                asset["impact_per_unit"],
                "one of depth_2pct and impact_per_unit",
                "says the same twice",
            )
    bases = {symbol: asset.get("base") for symbol, asset in tables(data, "assets") if asset.get("kind") == "ratio"}
    yield from _circles(bases, "assets.{}.base")


def _circles(bases: Mapping[str, Any], path: str) -> Iterator[Problem]:
    told: list[str] = []
    for start in bases:
        chain = [start]
        while (following := bases.get(chain[-1])) is not None and following not in chain:
            chain.append(following)
        if following == start and start not in told:
            told.extend(chain)
            yield problem_at(
                path.format(start),
                bases[start],
                "a chain that ends at a market price",
                f"goes round: {' -> '.join([*chain, start])}",
            )


def shocks(data: Data) -> Iterator[Problem]:
    horizon = number(section(data, "run"), "horizon_seconds")
    shocks = section(data, "prices").get("shocks")
    for index, shock in enumerate(shocks if isinstance(shocks, list | tuple) else []):
        if not isinstance(shock, Mapping):
            continue
        symbol, path = shock.get("asset"), f"prices.shocks.{index}"
        if isinstance(symbol, str) and section(data, "assets", symbol).get("kind") == "ratio":
            yield problem_at(f"{path}.asset", symbol, 'assets of kind "market"', "follows its base: change that one")
        at = number(shock, "at_seconds")
        if at is not None and horizon is not None and at > horizon:
            yield problem_at(
                f"{path}.at_seconds", at, f"0 to run.horizon_seconds ({horizon})", "lies after the end of the run"
            )


def outside(data: Data) -> Iterator[Problem]:
    shares = [number(section(data, "outside"), f"{name}_share") for name in ("permanent", "fast", "slow")]
    known = [share for share in shares if share is not None]
    if len(known) == 3 and abs(math.fsum(known) - 1) > 1e-9:
        yield problem_at(
            "outside.permanent_share",
            " + ".join(f"{share:g}" for share in known),
            "permanent_share + fast_share + slow_share = 1",
            f"the shares add to {math.fsum(known):.6g}",
        )


def feeds(data: Data) -> Iterator[Problem]:
    assets, feeds = section(data, "assets"), section(data, "oracle", "feeds")
    bases: dict[str, Any] = {}
    for symbol in assets:
        if symbol not in feeds and "feeds" in section(data, "oracle"):
            yield problem_at(
                f"oracle.feeds.{symbol}", "nothing", "a feed for every asset", f"asset {symbol} has no feed"
            )
    for symbol, feed in tables(data, "oracle", "feeds"):
        path, asset = f"oracle.feeds.{symbol}", section(assets, symbol)
        if feed.get("kind") == "fixed" and "price_usd" in feed and feed["price_usd"] is None:
            yield problem_at(
                f"{path}.price_usd", "nothing", "a price in USD above 0", 'is needed by a feed of kind "fixed"'
            )
        if feed.get("kind") != "ratio" or not asset:
            continue
        for key, allowed in (("base", "the symbol of an asset"), ("ratio", "a number above 0")):
            # A ratio asset that lacks base or ratio has been told so already.
            if asset.get("kind") == "market" and key in feed and feed[key] is None:
                yield problem_at(
                    f"{path}.{key}", "nothing", allowed, f"is needed: asset {symbol} has no {key} of its own"
                )
        bases[symbol] = feed.get("base") or asset.get("base")
        if bases[symbol] in assets and bases[symbol] not in feeds and feed.get("base"):
            yield problem_at(f"{path}.base", str(bases[symbol]), "an asset with a feed", "has no feed to multiply")
    yield from _circles(bases, "oracle.feeds.{}.base")
