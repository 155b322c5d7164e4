"""A scenario for people: an overview that fits a screen or two, and the table of every value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from scenarios import Scenario
from scenarios.describing import number as describe_number
from scenarios.fields import Field, Value, resolved_table
from sim.cli.console import heading
from sim.cli.tables import print_table
from sim.results.wording import number, percent, price, seconds, usd


def print_overview(console: Console, scenario: Scenario) -> None:
    """Title, purpose, time, assets, reserves, pools, agents, and how much of it is assumption."""
    console.print(Text(scenario.label, style="bold"))
    for text in (scenario.why, scenario.source and f"Source: {scenario.source}"):
        if text:
            console.print(" ".join(text.split()))
    run, gas = scenario.run, scenario.gas
    heading(console, "Run")
    facts = [
        ("starts", run.start),
        ("length", f"{seconds(run.horizon_seconds)} in {number(run.steps)} steps of {seconds(run.step_seconds)}"),
        ("prices", _price_words(scenario)),
        ("rules", f"Aave {scenario.pool.rules}"),
        (
            "gas",
            f"{number(gas.block_gas_limit)} a block, {gas.reference_gwei:g} gwei, {gas.ordering} ordering",
        ),
    ]
    off = [name for name, on in scenario.mechanisms.model_dump().items() if not on]
    print_table(console, ("", ""), [*facts, *([("switched off", ", ".join(off))] if off else [])])
    heading(console, "Assets")
    print_table(
        console,
        ("asset", "price", "2 % depth outside", "oracle feed"),
        [_asset(scenario, name) for name in scenario.assets],
        (1, 2),
    )
    if scenario.pool.reserves:
        _print_reserves(console, scenario)
    if scenario.amms:
        heading(console, "AMMs")
        rows = [
            (name, amm.kind.replace("_", " "), f"{amm.fee_pips / 10_000:g} %", usd(amm.liquidity_usd))
            for name, amm in scenario.amms.items()
        ]
        print_table(console, ("pool", "kind", "fee", "value"), rows, (2, 3))
    _print_agents(console, scenario)
    values = resolved_table(scenario)
    assumed = sum(1 for value in values if value.source.startswith("assumption"))
    changed = [value for value in values if value.origin == "override"]
    if changed:
        heading(console, "Changed with --set")
        print_table(console, ("field", "value"), [(value.path, value_words(value.value)) for value in changed])
    console.print(
        f"\n{len(values)} values, {assumed} of them assumptions; "
        f"undertow scenario show {scenario.name} --values lists them."
    )


def _price_words(scenario: Scenario) -> str:
    prices = scenario.prices
    moves = ", ".join(f"{name} {percent(value, 0)}" for name, value in prices.volatility_per_year.items())
    scale = "relative moves" if prices.scale == "snapshot" else "absolute"
    files = ", ".join(dict.fromkeys(prices.files.values()))
    words = {
        "constant": "constant",
        "gbm": f"geometric Brownian motion ({moves} a year)",
        "jump_diffusion": f"jump diffusion ({moves} a year, {prices.jumps.per_year:g} jumps a year)",
        "stochastic_volatility": f"stochastic volatility ({moves} a year, {prices.jumps.per_year:g} jumps a year)",
        "garch": f"GARCH ({moves} a year)",
        "historical": f"historical path {prices.file}, {scale}",
        "csv": f"csv path {prices.file}, {scale}",
        "daily": f"daily bars of {files}, {scale}",
        "bootstrap": f"bars of {files} in blocks of {prices.bootstrap.mean_block_days:g} days on average",
    }[prices.process]
    for shock in prices.shocks:
        words += f"; {shock.asset} {shock.change_ratio:+.0%} after {seconds(shock.at_seconds)}"
        words += f" over {seconds(shock.over_seconds)}" if shock.over_seconds else ""
    return words


def _asset(scenario: Scenario, name: str) -> tuple[str, ...]:
    asset, feed = scenario.assets[name], scenario.oracle.feeds[name]
    worth = price(asset.price_usd) if asset.kind == "market" else f"{asset.ratio:g} {asset.base}"
    if asset.impact_per_unit is not None:
        depth = f"lambda {asset.impact_per_unit:g}"
    elif asset.depth_2pct is None:
        depth = "unlimited"
    else:
        depth = usd(asset.depth_2pct) if asset.depth_unit == "usd" else f"{number(asset.depth_2pct)} {name}"
    if feed.kind == "market":
        words = f"{percent(feed.deviation_ratio)} or {seconds(feed.heartbeat_seconds)}"
    elif feed.kind == "ratio":
        words = f"ratio x {feed.base or asset.base}"
    else:
        words = f"fixed at {price(feed.price_usd)}"
    return name, worth, depth, words


def _print_reserves(console: Console, scenario: Scenario) -> None:
    heading(console, "Lending pool")
    rows = [
        (
            name,
            percent(reserve.ltv),
            percent(reserve.liquidation_threshold),
            percent(reserve.liquidation_bonus),
            percent(reserve.optimal_utilisation, 0),
            f"{reserve.slope1_per_year:.2%}, {reserve.slope2_per_year:.0%}",
            number(reserve.supply_cap_tokens) if reserve.supply_cap_tokens else "none",
        )
        for name, reserve in scenario.pool.reserves.items()
    ]
    headers = ("reserve", "LTV", "LT", "bonus", "kink", "slopes a year", "supply cap")
    print_table(console, headers, rows, range(1, len(headers)))
    for number_, emode in scenario.pool.emodes.items():
        console.print(
            f"e-mode {number_} {emode.label}: LTV {percent(emode.ltv)}, LT {percent(emode.liquidation_threshold)}, "
            f"bonus {percent(emode.liquidation_bonus)}; {', '.join(emode.collateral)} for {', '.join(emode.borrowable)}"
        )


def _print_agents(console: Console, scenario: Scenario) -> None:
    heading(console, "Agents")
    rows = []
    for name, population in scenario.populations.tables.items():
        rows.append((name, population.kind, number(scenario.scaled_count(name)), population.source))
    print_table(console, ("population", "kind", "number", "source"), rows, (2,))


def print_values(console: Console, scenario: Scenario) -> None:
    """Every value with its unit and where it was set, table by table, each with the sources that are stated for it."""
    groups: dict[str, list[Value]] = {}
    for value in resolved_table(scenario):
        groups.setdefault(value.path.rpartition(".")[0], []).append(value)
    for group, values in groups.items():
        heading(console, group)
        rows = [
            (_tail(v), value_words(v.value), v.field.unit, v.where.removesuffix(" (library)") or "default")
            for v in values
        ]
        print_table(console, ("", "", "", ""), rows)
        stated: dict[str, list[str]] = {}
        for value in values:
            if value.source:
                stated.setdefault(value.source, []).append(_tail(value))
        for source, fields in stated.items():
            whose = "all" if len(fields) == len(values) else ", ".join(fields)
            console.print(Text(f"{whose}: {source}", style="dim"))


def _tail(value: Value) -> str:
    return value.path.rpartition(".")[2]


def print_fields(console: Console, fields: Sequence[Field]) -> None:
    """The field table, one paragraph a field: path and unit, range and default, meaning, source."""
    for row in fields:
        path, unit, default, allowed, meaning, source = field_cells(row)
        console.print(Text(f"{path}  [{unit}]" if unit else path, style="bold"))
        default = f"; default {default}" if default not in ("", "required") else ", required" if default else ""
        console.print(Padding(Text(f"{allowed}{default}"), (0, 0, 0, 4)))
        console.print(Padding(Text(meaning), (0, 0, 0, 4)))
        if source:
            console.print(Padding(Text(f"source: {source}", style="dim"), (0, 0, 0, 4)))


def field_cells(row: Field) -> tuple[str, ...]:
    """A row of the field table as text: path, unit, default, allowed, meaning, source."""
    path = row.path.replace("NAME", row.kind.upper(), 1) if row.kind else row.path
    allowed = row.allowed
    if row.plausible is not None:
        allowed += f" (plausible {describe_number(row.plausible[0])} to {describe_number(row.plausible[1])})"
    default = "required" if row.required else "" if row.default in (None, "", [], {}) else value_words(row.default)
    return path, row.unit, default, allowed, row.meaning, row.source


def value_words(value: Any) -> str:
    """A value as people read it: 43,200; true; text without quotes; anything else as in the file."""
    from scenarios.writing import toml_value

    if isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer():
        return describe_number(value)
    return value if isinstance(value, str) else toml_value(value)
