"""Rules about the lending pool and the AMMs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from scenarios.checks.common import Data, number, problem_at, section, tables
from scenarios.errors import Problem, listing

_POOLS = {"constant_product": "constant-product", "stableswap": "stable"}

_DAY_SECONDS = 86_400


def thresholds(data: Data) -> Iterator[Problem]:
    places = [*((f"pool.reserves.{name}", entry) for name, entry in tables(data, "pool", "reserves"))]
    places += [(f"pool.emodes.{name}", entry) for name, entry in tables(data, "pool", "emodes")]
    for path, entry in places:
        ltv, threshold, bonus = (number(entry, key) for key in ("ltv", "liquidation_threshold", "liquidation_bonus"))
        if ltv is not None and threshold is not None and (ltv > threshold or ltv == threshold != 0):
            yield problem_at(
                f"{path}.ltv",
                ltv,
                f"below liquidation_threshold ({threshold:g}); both may be 0",
                "is above the liquidation threshold" if ltv > threshold else "equals the liquidation threshold",
            )
        if threshold is not None and bonus is not None and threshold * (1 + bonus) > 1 + 1e-12:
            yield problem_at(
                f"{path}.liquidation_bonus",
                bonus,
                f"liquidation_threshold x (1 + bonus) of at most 1, so at most {1 / threshold - 1:.4f}",
                f"{threshold} x (1 + {bonus}) = {threshold * (1 + bonus):.4f}: more than the collateral",
            )
    for name in section(data, "pool", "emodes"):
        if not (str(name).isdecimal() and 1 <= int(name) <= 255):
            yield problem_at(
                f"pool.emodes.{name}", str(name), "a whole number from 1 to 255", "is not a category number"
            )


def amms(data: Data) -> Iterator[Problem]:
    for name, amm in tables(data, "amms"):
        path, kind = f"amms.{name}", amm.get("kind")
        if amm.get("token0") is not None and amm.get("token0") == amm.get("token1"):
            yield problem_at(
                f"{path}.token1", str(amm["token1"]), "an asset other than token0", "is the same as token0"
            )
        fee, protocol = number(amm, "fee_pips"), number(amm, "fee_protocol")
        if kind == "constant_product" and fee is not None and fee % 100:
            yield problem_at(
                f"{path}.fee_pips",
                fee,
                "a multiple of 100 (whole basis points)",
                "is not possible in a constant-product pool",
            )
        if kind in ("constant_product", "concentrated") and protocol is not None:
            allowed = (0, 6) if kind == "constant_product" else (0, 4, 5, 6, 7, 8, 9, 10)
            if protocol not in allowed:
                yield problem_at(f"{path}.fee_protocol", protocol, listing(map(str, allowed)), "is not possible")
        ranges = amm.get("ranges")
        if kind in ("constant_product", "stableswap") and ranges:
            yield problem_at(
                f"{path}.ranges", f"{len(ranges)} bands", "leave it out", f"means nothing in a {_POOLS[kind]} pool"
            )
        elif ranges:
            shares = [number(band, "share") for band in ranges if isinstance(band, Mapping)]
            known = [share for share in shares if share is not None]
            if len(known) == len(ranges) and abs(math.fsum(known) - 1) > 1e-9:
                yield problem_at(
                    f"{path}.ranges",
                    " + ".join(f"{s:g}" for s in known),
                    "shares that add to 1",
                    f"the shares add to {math.fsum(known):.6g}",
                )


def stable_pools(data: Data) -> Iterator[Problem]:
    for name, amm in tables(data, "amms"):
        path, ramp = f"amms.{name}", section(amm, "ramp")
        if amm.get("kind") != "stableswap":
            if ramp:
                yield problem_at(f"{path}.ramp", "a ramp", 'leave it out, or kind = "stableswap"', "means nothing here")
            continue
        fee, protocol = number(amm, "fee_pips"), number(amm, "fee_protocol")
        if fee is not None and fee > 100_000:
            yield problem_at(f"{path}.fee_pips", fee, "at most 100000 (10 %)", "is more than a stable pool may take")
        if protocol:
            yield problem_at(f"{path}.fee_protocol", protocol, "0", "is not modelled for stable pools")
        begin, end = number(ramp, "from_seconds"), number(ramp, "to_seconds")
        start, target = number(amm, "amplification"), number(ramp, "to_amplification")
        if begin is None or end is None:
            continue
        if end - begin < _DAY_SECONDS:
            yield problem_at(
                f"{path}.ramp.to_seconds", end, f"at least a day after from_seconds ({begin})", "is too soon"
            )
        elif start and target and max(start, target) * _DAY_SECONDS > 2 * min(start, target) * (end - begin):
            yield problem_at(
                f"{path}.ramp.to_amplification",
                target,
                f"at most a factor of two a day from {start:g}",
                "is too far for the time it is given",
            )


def redemptions(data: Data) -> Iterator[Problem]:
    for name, queue in tables(data, "redemptions"):
        path = f"redemptions.{name}"
        if name in section(data, "amms"):
            yield problem_at(path, name, "a name that no AMM has", "is the name of an AMM")
        asset = queue.get("asset")
        if isinstance(asset, str) and section(data, "assets", asset).get("kind") == "market":
            yield problem_at(f"{path}.asset", asset, 'an asset of kind "ratio"', "has no ratio to be redeemed at")
        least, most = number(queue, "delay_days_least"), number(queue, "delay_days_most")
        if least is not None and most is not None and least > most:
            yield problem_at(
                f"{path}.delay_days_least", least, f"at most delay_days_most ({most:g})", "is above the longest wait"
            )
