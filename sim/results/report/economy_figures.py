"""Figures of reserves, gas and agents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from sim.results import wording as w
from sim.results.facts import kink
from sim.results.report import charts
from sim.results.report import frames as f
from sim.results.report.figure import Figure, Source, asset_colours

MOST_LINES = 8


def utilisation_figure(source: Source) -> Figure | None:
    """Utilisation of each reserve, its kink dashed."""
    entries = source.values["utilisation"]
    if not entries:
        return None
    names = _most(entries, "peak_ratio")
    frame = f.long(source.metrics, f.per_name(source.metrics, "utilisation", names))
    bends = {name: kink(source.manifest, name) for name in names}
    rules = pd.DataFrame([{"series": name, "value": bend} for name, bend in bends.items() if bend is not None])
    top = max(entries, key=lambda name: entries[name]["peak_ratio"])
    title = f"{top} reached {w.percent(entries[top]['peak_ratio'])} utilisation"
    above = entries[top]["seconds_above_kink"]
    bend = bends[top]
    if bend is not None:
        kinked = f"its kink of {w.percent(bend, 0)}"
        title += f" and spent {w.seconds(above)} above {kinked}" if above else f", under {kinked}"
    caption = "Debt divided by cash plus debt. Dashed: the kink, above which the borrow rate climbs steeply."
    caption += _left_out(names, entries)
    high = max(1.0, float(frame["value"].max()))

    def draw(width: int | str) -> Any:
        fixed = asset_colours(source)
        return charts.lines(frame, width, title="utilisation", shape="%", rules=rules, domain=[0.0, high], fixed=fixed)

    return Figure("utilisation", title, caption, frame, draw)


def _most(entries: Mapping[str, Any], key: str) -> list[str]:
    """The reserves to draw, in recorded order: those with the highest figure, as many as there are colours."""
    kept = sorted(entries, key=lambda name: -entries[name][key])[:MOST_LINES]
    return [name for name in entries if name in kept]


def _left_out(names: list[str], entries: Mapping[str, Any]) -> str:
    return f" Drawn: the {len(names)} highest of {len(entries)} reserves." if len(names) < len(entries) else ""


def rates_figure(source: Source) -> Figure | None:
    """Borrow rate of each reserve."""
    used = source.values["utilisation"]
    entries = {name: entry for name, entry in used.items() if "peak_borrow_rate_per_year" in entry}
    if not entries:
        return None
    names = _most(entries, "peak_borrow_rate_per_year")
    frame = f.long(source.metrics, f.per_name(source.metrics, "borrow_rate", names))
    top = max(names, key=lambda name: entries[name]["peak_borrow_rate_per_year"])
    title = f"Borrowing {top} cost up to {w.percent(entries[top]['peak_borrow_rate_per_year'])} a year"
    title += f" ({w.moment(entries[top]['peak_borrow_rate_at'])})"
    caption = f"Variable borrow rate per year.{_left_out(names, entries)}"

    def draw(width: int | str) -> Any:
        title = "borrow rate, per year"
        return charts.lines(frame, width, title=title, shape=charts.PERCENT, zero=True, fixed=asset_colours(source))

    return Figure("rates", title, caption, frame, draw)


def waiting_figure(source: Source) -> Figure | None:
    """Withdrawals that lenders wait for."""
    column = "waiting_withdrawals_usd"
    if column not in source.metrics or not np.nanmax(source.metrics[column].to_numpy(dtype=float), initial=0.0) > 0:
        return None
    values = source.metrics[column].to_numpy(dtype=float)
    frame = f.long(source.metrics, {"waiting": values})
    title = f"Lenders waited for up to {w.usd(float(np.nanmax(values)))} that they could not withdraw"
    caption = "Withdrawals asked for and not paid, for lack of cash in the reserve."
    return Figure("waiting", title, caption, frame, _dollars(source, frame, "waiting, USD"))


def deficit_figure(source: Source) -> Figure | None:
    """Bad debt in USD."""
    series = f.deficits_usd(source.metrics)
    if not series:
        return None
    frame = f.long(source.metrics, series)
    total = source.values["deficit"]["total_usd"]
    title = f"{w.usd(total)} of bad debt is left in {w.joined(list(series))}"
    caption = "Debt written off because its owner has no collateral left (deficit of the reserve), at oracle prices."
    return Figure("deficit", title, caption, frame, _dollars(source, frame, "bad debt, USD", steps=True))


def solvency_figure(source: Source) -> Figure | None:
    """Solvency gap of each reserve in USD."""
    series = {
        name: values
        for name, values in f.in_usd(source.metrics, "solvency_gap").items()
        if np.nanmax(np.abs(values), initial=0.0) >= 1.0
    }
    if not series:
        return None
    frame = f.long(source.metrics, series)
    low = min(series, key=lambda name: float(np.nanmin(series[name])))
    least = float(np.nanmin(series[low]))
    title = f"Cash and loans exceed what suppliers may claim by at least {w.usd(least)}"
    if least < -0.5:
        title = f"Suppliers of {low} claim up to {w.usd(-least)} more than cash and loans cover"
    elif least < 0.5:
        title = "Cash and loans cover what suppliers may claim"
    caption = (
        "Cash + debt + deficit − supply − treasury, in USD. It is not zero in the real contracts either: "
        "debt compounds and supply does not. The gap recorded is the contracts' own."
    )
    return Figure("solvency", title, caption, frame, _dollars(source, frame, "solvency gap, USD"))


def _dollars(source: Source, frame: pd.DataFrame, axis: str, steps: bool = False) -> Callable[[int | str], Any]:
    def draw(width: int | str) -> Any:
        fixed = asset_colours(source)
        return charts.lines(frame, width, title=axis, shape=charts.USD, zero=True, steps=steps, height=220, fixed=fixed)

    return draw


def fee_figure(source: Source) -> Figure | None:
    """Base fee."""
    gas = source.values["gas"]
    if "median_base_fee_gwei" not in gas:
        return None
    values = source.metrics["base_fee_gwei"].to_numpy(dtype=float)
    frame = f.long(source.metrics, {"base fee": values})
    lowest = float(np.nanmin(values))
    log = lowest > 0 and float(np.nanmax(values)) / lowest > 20
    median, peak = w.gwei(gas["median_base_fee_gwei"]), w.gwei(gas["peak_base_fee_gwei"])
    title = f"The base fee was {median} in the median and {peak} at most"
    caption = f"Base fee per unit of gas{', logarithmic' if log else ''}."

    def draw(width: int | str) -> Any:
        return charts.lines(frame, width, title="base fee, gwei", shape=charts.PLAIN, log=log, zero=not log, height=220)

    return Figure("base-fee", title, caption, frame, draw)


def profit_figure(source: Source) -> Figure | None:
    """What each kind of agent gained or lost apart from price changes."""
    by_kind = source.values["agents"]["by_kind"]
    if not len(source.agents) or not by_kind:
        return None
    frame = f.profit_by_kind(source.agents)
    if not len(frame) or not frame["value"].abs().max() > 0:
        return None
    best = max(by_kind, key=lambda kind: by_kind[kind]["earned_usd"])
    worst = min(by_kind, key=lambda kind: by_kind[kind]["earned_usd"])
    title = f"By what they did, {best}s gained {w.usd(by_kind[best]['earned_usd'])}"
    if by_kind[worst]["earned_usd"] < 0:
        title += f" and {worst}s lost {w.usd(-by_kind[worst]['earned_usd'])}"
    caption = "Sum over all agents of a kind: liquidations, trades, interest and gas. "
    caption += "Diamond: together. Price changes of what they held are left out."
    return Figure("profit", title, caption, frame, lambda width: charts.profits(frame, width))
