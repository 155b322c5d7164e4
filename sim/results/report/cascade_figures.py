"""Figures of prices, liquidations and positions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from sim.results import wording as w
from sim.results.facts import price_at
from sim.results.report import charts, style
from sim.results.report import frames as f
from sim.results.report.figure import Figure, Source, asset_colours
from sim.results.report.ladder import STEP, falling_assets, ladder
from sim.results.summary import worst_asset


def price_figure(source: Source, asset: str) -> Figure:
    """Price asked by the scenario against prices reached, liquidations marked."""
    entry = source.values["prices"][asset]
    series = f.price_series(source.metrics, source.manifest, asset)
    frame = f.long(source.metrics, series)
    marks = f.liquidation_marks(source.metrics, source.events, _moving_with(source, asset), asset)
    title = f"{asset} was asked to fall {w.percent(entry['asked_drawdown_ratio'])}"
    reached = entry.get("outside_drawdown_ratio")
    if reached is not None:
        extra = reached - entry["asked_drawdown_ratio"]
        more = "as much" if abs(extra) < 5e-5 else f"{abs(extra) * 100:.2f} points {'more' if extra > 0 else 'less'}"
        title += f" and fell {w.percent(reached)}: {more}"
    caption = f"Price of {asset} in USD. Asked: the scenario's path before any trade of this economy."
    if "AMM" in series:
        caption += " AMM: price in the pool at the outside price of its other token."
    if len(marks):
        caption += (
            " Circles: liquidations that seized it (or an asset priced by it), area in proportion to debt repaid."
        )
    return Figure(
        f"price-{asset}", title, caption, frame, lambda width: charts.prices(frame, marks, width, asset=asset)
    )


def gap_figure(source: Source) -> Figure | None:
    """How far the oracle and the AMM stood from the outside market."""
    asset = worst_asset(source.values)
    if asset is None:
        return None
    series = f.price_series(source.metrics, source.manifest, asset)
    outside = series.pop("outside market", None)
    series.pop("asked", None)
    if outside is None or not series:
        return None
    gaps = {name: values / outside - 1.0 for name, values in reversed(series.items())}
    frame = f.long(source.metrics, gaps)
    said = []
    for name, values in gaps.items():
        most, least = float(np.nanmax(values)), float(np.nanmin(values))
        high = most >= -least
        said.append(f"the {name} up to {w.percent(most if high else -least)} {'above' if high else 'below'}")
    title = f"{asset} against the outside market: {w.joined(said)}"
    caption = "Price divided by the outside price, less one. The pool reads the oracle: above zero, it lags a fall."

    def draw(width: int | str) -> Any:
        return charts.lines(frame, width, title="against outside", shape=charts.PERCENT, fixed=style.PRICES, height=220)

    return Figure("gap", title, caption, frame, draw)


def _moving_with(source: Source, asset: str) -> list[str]:
    assets = (source.manifest.get("scenario") or {}).get("assets") or {}
    return [asset, *(name for name, entry in assets.items() if (entry or {}).get("base") == asset)]


def liquidated_figure(source: Source) -> Figure | None:
    """Debt repaid by liquidators per stretch of time, and in total."""
    bars = f.liquidation_bars(source.metrics, source.events)
    if not len(bars):
        return None
    total = f.running_total(source.metrics, bars)
    size = f.bar_seconds(source.metrics)
    by_time = bars.groupby("start")["value"].sum()
    worst = int(np.argmax(by_time.to_numpy()))
    when = w.moment(float(by_time.index[worst]) / 1000.0)
    title = f"{w.usd(by_time.sum())} of debt was repaid by liquidators, "
    title += f"{w.usd(by_time.iloc[worst])} of it within {w.seconds(size)} (from {when})"
    caption = f"Debt repaid per {w.seconds(size)}, by the collateral seized, at oracle prices. Line: total so far."

    def draw(width: int | str) -> Any:
        return charts.bars_with_total(bars, total, width, fixed=asset_colours(source))

    return Figure("liquidated", title, caption, bars, draw)


def liquidatable_figure(source: Source) -> Figure | None:
    """Debt that could be liquidated against debt that was."""
    metrics, done = source.metrics, source.values["liquidations"]
    if not done.get("peak_liquidatable_usd") or "liquidated_usd" not in metrics:
        return None
    stock, flow = f.stretches(metrics, "liquidatable_usd", "max"), f.stretches(metrics, "liquidated_usd", "sum")
    open_steps = int(np.count_nonzero(metrics["liquidatable_usd"].to_numpy(dtype=float) > 0))
    share = open_steps / len(metrics)
    title = f"At the worst moment {w.usd(done['peak_liquidatable_usd'])} could be liquidated; "
    title += f"in {w.percent(share, 0)} of the steps something was left to liquidate"
    size = w.seconds(f.bar_seconds(metrics))
    caption = f"Per {size}: the most debt that stood under a health factor of 1 at the end of a step, and debt repaid."
    return Figure("liquidatable", title, caption, stock, lambda width: charts.stock_and_flow(stock, flow, width))


def ladder_figure(source: Source) -> Figure | None:
    """Debt newly liquidatable by fall of the prices, from the first snapshot."""
    if not len(source.positions) or "when" not in source.positions:
        return None
    frame = ladder(source.positions, source.metrics, source.manifest)
    if frame is None or frame["total"].iloc[-1] <= 0:
        return None
    falling = falling_assets(source.metrics, source.manifest)
    falls = _falls(source, falling)
    deepest = float(frame["high"].iloc[-1])
    mark = float(falls["fall"].max()) if len(falls) else 0.2
    at = frame.iloc[min(int(np.searchsorted(frame["high"], mark)), len(frame) - 1)]
    title = f"A fall of {w.percent(at['high'], 0)} makes {w.usd(at['total'])} of debt liquidatable, "
    if at["total"] <= 0:
        first = float(frame.loc[frame["total"] > 0, "high"].iloc[0])
        title = f"No debt becomes liquidatable before the prices fall {w.percent(first - STEP, 0)}, "
    title += f"{w.percent(deepest, 0)} makes it {w.usd(frame['total'].iloc[-1])}"
    caption = f"Positions at the start, {w.joined(falling)} falling together, before anybody reacts."
    if len(falls):
        caption += f" Lines down: largest fall of {worst_asset(source.values)}, asked and reached."
    return Figure("ladder", title, caption, frame, lambda width: charts.ladder(frame, falls, width))


def _falls(source: Source, falling: list[str]) -> pd.DataFrame:
    worst = worst_asset(source.values)
    if worst is None or worst not in falling:
        return pd.DataFrame({"fall": [], "series": []})
    entry = source.values["prices"][worst]
    start = price_at(source.metrics, worst, 0)
    rows = [("asked", 1.0 - entry["asked_low_usd"] / start)]
    if "oracle_low_usd" in entry:
        rows.append(("reached in the oracle", 1.0 - entry["oracle_low_usd"] / start))
    return pd.DataFrame(
        [{"series": name, "fall": fall} for name, fall in rows if 0 < fall < 0.6], columns=["series", "fall"]
    )


def health_figure(source: Source) -> Figure | None:
    """Debt by health factor, at the start, at the worst moment and at the end."""
    if not len(source.positions) or "when" not in source.positions:
        return None
    frame = f.health_by_value(source.positions)
    if not len(frame) or frame["value"].sum() <= 0:
        return None
    held = set(source.positions["when"])
    words = {"first": "at the start", "worst": "at the worst moment", "last": "at the end"}
    parts = [
        f"{w.usd(f.debt_at(source.positions, when, 0.0, 1.0))} {said}" for when, said in words.items() if when in held
    ]
    title = f"Debt with a health factor under 1: {w.joined(parts)}"
    caption = f"Debt in USD by health factor of its owner, in steps of {f.HEALTH_WIDTH}. "
    caption += "Left of the dashed line: liquidatable."
    above = f.debt_at(source.positions, "first", f.HEALTH_HIGH, math.inf)
    if above > 0:
        caption += f" Not drawn: {w.usd(above)} of debt above {f.HEALTH_HIGH:g} at the start."
    return Figure("health", title, caption, frame, lambda width: charts.health(frame, width))


def _moved(asset: str, displacement: np.ndarray) -> str:
    low, high = math.expm1(float(np.nanmin(displacement))), math.expm1(float(np.nanmax(displacement)))
    if high < -low / 4:
        return f"pushed {asset} down by at most {w.percent(-low)}"
    if -low < high / 4:
        return f"pushed {asset} up by at most {w.percent(high)}"
    return f"moved {asset} by {w.percent(low)} at one time and by +{w.percent(high)} at another"


def impact_figure(source: Source) -> Figure | None:
    """How far this economy's own trades pushed the outside price, by cause."""
    best: tuple[float, str, dict[str, np.ndarray]] | None = None
    for asset in source.values["prices"]:
        causes = f.impact_by_cause(source.metrics, asset)
        size = max((float(np.nanmax(np.abs(values))) for values in causes.values()), default=0.0)
        if size > 0 and (best is None or size > best[0]):
            best = (size, asset, causes)
    if best is None:
        return None
    _, asset, causes = best
    together = np.sum(list(causes.values()), axis=0)
    frame = f.long(source.metrics, causes | ({"together": together} if len(causes) > 1 else {}))
    main = max(causes, key=lambda cause: float(np.nanmax(np.abs(causes[cause]))))
    title = f"{main.capitalize()} {_moved(asset, causes[main])}"
    caption = (
        f"Displacement of the outside price of {asset} (log) by whose trades caused it; it decays as the market "
        "recovers. Together they are the difference between price asked and price reached."
    )

    def draw(width: int | str) -> Any:
        return charts.lines(frame, width, title="log displacement", shape=charts.PERCENT, fixed=style.CAUSES)

    return Figure("impact", title, caption, frame, draw)
