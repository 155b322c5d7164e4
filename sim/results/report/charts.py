"""DataFrame to chart. Every function takes the outer width in pixels (or "container") and gives an Altair chart.

All charts are single or layered views, so that they can be stretched; bars are binned beforehand (`bin="binned"` and an
end). Times are milliseconds on a UTC scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from sim.results.report import style as s
from sim.results.report.frames import HEALTH_HIGH, HEALTH_LOW

Width = int | str
HEALTH_RANGE = [HEALTH_LOW, HEALTH_HIGH]
USD = "$.3~s"
PERCENT = ".3~%"
PLAIN = "plain"
BILLIONS = f"replace(format(datum.value, '{USD}'), 'G', 'B')"
CLOCK = (
    "utcseconds(datum.value) != 0 ? utcFormat(datum.value, '%H:%M:%S')"
    " : utchours(datum.value) == 0 && utcminutes(datum.value) == 0 ? utcFormat(datum.value, '%-d %b')"
    " : utcFormat(datum.value, '%H:%M')"
)


def _narrow(width: Width) -> bool:
    return isinstance(width, int) and width < 480


def _time(field: str, width: Width, **more: Any) -> alt.X:
    axis = alt.Axis(
        title="time (UTC)", tickCount=4 if _narrow(width) else 9, grid=False, labelExpr=CLOCK, titlePadding=5
    )
    return alt.X(f"{field}:T", scale=alt.Scale(type="utc", nice=False), axis=axis, **more)


def _value(title: str, shape: str, *, zero: bool = False, log: bool = False, **more: Any) -> alt.Y:
    scale = alt.Scale(type="log", nice=False) if log else alt.Scale(zero=zero, nice=True)
    return alt.Y("value:Q", title=title, axis=_axis(shape), scale=scale, **more)


def _axis(shape: str) -> alt.Axis:
    # The renderer sets the precision of a number format itself, and then writes 200 as 2e+2: plain numbers go round it.
    if shape == PLAIN:
        return alt.Axis(tickCount=5, labelExpr="format(datum.value, ',.4~r')")
    if shape == USD:
        return alt.Axis(tickCount=5, labelExpr=BILLIONS)
    return alt.Axis(format=shape, tickCount=5)


def _colour(names: Sequence[str], width: Width, fixed: dict[str, str] | None = None, legend: bool = True) -> alt.Color:
    given = [s.ink(width) if colour == s.BLACK else colour for colour in s.colours(list(names), fixed)]
    scale = alt.Scale(domain=list(names), range=given)
    key = alt.Legend(orient="top", title=None, columns=s.legend_columns(width)) if legend else None
    return alt.Color("series:N", scale=scale, sort=list(names), legend=key)


def _names(frame: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(frame["series"])) if "series" in frame else []


def lines(
    frame: pd.DataFrame,
    width: Width,
    *,
    title: str,
    shape: str,
    height: int = 260,
    fixed: dict[str, str] | None = None,
    zero: bool = False,
    log: bool = False,
    steps: bool = False,
    rules: pd.DataFrame | None = None,
    domain: list[float] | None = None,
) -> Any:
    """Lines of `time`, `series`, `value`; dashed `rules` (`series`, `value`) in the colour of their line."""
    names = _names(frame)
    y = _value(title, shape, zero=zero, log=log)
    if domain is not None:
        y = alt.Y("value:Q", title=title, axis=_axis(shape), scale=alt.Scale(domain=domain))
    colour = _colour(names, width, fixed, legend=len(names) > 1)
    chart = (
        alt.Chart(frame)
        .mark_line(strokeWidth=1.6, interpolate="step-after" if steps else "linear")
        .encode(_time("time", width), y, colour, detail="series:N")
    )
    if rules is not None and len(rules):
        dashed = alt.Chart(rules).mark_rule(strokeDash=[5, 4], strokeWidth=1.2).encode(alt.Y("value:Q"), colour)
        chart = chart + dashed
    if not zero and not log and domain is None and len(frame) and frame["value"].min() < 0 < frame["value"].max():
        chart = alt.Chart(pd.DataFrame({"value": [0.0]})).mark_rule(color="#9aa0a6").encode(alt.Y("value:Q")) + chart
    return s.dressed(chart, width, height)


def prices(frame: pd.DataFrame, marks: pd.DataFrame, width: Width, *, asset: str, height: int = 320) -> Any:
    """Price asked (dashed) against prices reached, with the liquidations as circles of an area in proportion to USD."""
    return s.dressed(price_layers(frame, marks, width, asset), width, height)


def price_layers(frame: pd.DataFrame, marks: pd.DataFrame, width: Width, asset: str) -> Any:
    """The same, not dressed, so that it can be joined with another chart."""
    order = [name for name in ("AMM", "outside market", "oracle", "asked") if name in set(frame["series"])]
    colour = _colour(order, width, s.PRICES)
    layers = []
    shapes: tuple[tuple[str, float, list[int], Any], ...] = (
        ("AMM", 1.2, [1, 0], "linear"),
        ("outside market", 2.6, [1, 0], "linear"),
        ("oracle", 1.6, [1, 0], "step-after"),
        ("asked", 1.2, [4, 3], "linear"),
    )
    for name, stroke, dash, shape in shapes:
        rows = frame[frame["series"] == name]
        if len(rows):
            line = alt.Chart(rows).mark_line(strokeWidth=stroke, strokeDash=dash, interpolate=shape)
            layers.append(line.encode(_time("time", width), _value(f"{asset}, USD", "$,.4~r"), colour))
    if len(marks):
        size = alt.Size("usd:Q", scale=alt.Scale(range=[12, 500], domainMin=0), legend=None)
        tips = [
            alt.Tooltip("usd:Q", title="debt repaid, USD", format=USD),
            alt.Tooltip("count:Q", title="liquidations"),
        ]
        circles = alt.Chart(marks).mark_circle(color=s.VERMILION, opacity=0.55, stroke="white", strokeWidth=0.5)
        layers.append(circles.encode(_time("time", width), alt.Y("value:Q"), size, tooltip=tips))
    return alt.layer(*layers)


def bars_with_total(
    bars: pd.DataFrame, total: pd.DataFrame, width: Width, *, height: int = 280, fixed: dict[str, str] | None = None
) -> Any:
    """Stacked bars per stretch of time (left axis) and the running total as a line (right axis)."""
    return s.dressed(bar_layers(bars, total, width, fixed), width, height)


def bar_layers(bars: pd.DataFrame, total: pd.DataFrame, width: Width, fixed: dict[str, str] | None = None) -> Any:
    """The same, not dressed, so that it can be joined with another chart."""
    names = _names(bars)
    names = [name for name in fixed or {} if name in names] + [name for name in names if name not in (fixed or {})]
    columns = (
        alt.Chart(bars)
        .mark_bar(binSpacing=1)
        .encode(
            _time("start", width, bin="binned"),
            alt.X2("end"),
            _value("debt repaid in the interval", USD, zero=True, stack="zero"),
            _colour(names, width, fixed, legend=len(names) > 1),
        )
    )
    axis = alt.Axis(labelExpr=BILLIONS, tickCount=5, orient="right", grid=False)
    line = (
        alt.Chart(total)
        .mark_line(color=s.ink(width), strokeWidth=1.6, interpolate="step-after")
        .encode(_time("time", width), alt.Y("value:Q", title="total so far (line)", axis=axis))
    )
    return alt.layer(columns, line).resolve_scale(y="independent")


def stock_and_flow(stock: pd.DataFrame, flow: pd.DataFrame, width: Width, *, height: int = 240) -> Any:
    """Debt that was liquidated per stretch of time (bars) and the most that could be at one time in it (line)."""
    could, was = "could be liquidated", "was liquidated"
    colour = _colour([could, was], width, {could: s.VERMILION, was: s.BLUE})
    y = _value("debt, USD", USD, zero=True, stack=None)
    bars = alt.Chart(flow.assign(series=was)).mark_bar(binSpacing=1)
    bars = bars.encode(_time("start", width, bin="binned"), alt.X2("end"), y, colour)
    ends = stock.iloc[[-1]].assign(start=stock["end"].iloc[-1])
    line = alt.Chart(pd.concat([stock, ends], ignore_index=True).assign(series=could))
    line = line.mark_line(interpolate="step-after", strokeWidth=1.8).encode(_time("start", width), y, colour)
    return s.dressed(bars + line, width, height)


def health(frame: pd.DataFrame, width: Width, *, height: int = 280) -> Any:
    """Debt by health factor: the first snapshot as bars, the worst and the last as outlines."""
    words = {"first": "at the start", "worst": "at the worst moment", "last": "at the end"}
    frame = frame.assign(series=frame["when"].map(words))
    names = _names(frame)
    fixed = {"at the start": "#b8c0cc", "at the worst moment": s.VERMILION, "at the end": s.BLUE}
    colour = _colour(names, width, fixed)
    axis = alt.Axis(format=".1f", grid=False, tickCount=5 if _narrow(width) else 10)
    x: dict[str, Any] = {"title": "health factor", "axis": axis, "scale": alt.Scale(domain=HEALTH_RANGE, nice=False)}
    y = _value("debt, USD", USD, zero=True, stack=None)
    layers = []
    first = frame[frame["when"] == "first"]
    if len(first):
        bars = alt.Chart(first).mark_bar(binSpacing=1)
        layers.append(bars.encode(alt.X("low:Q", bin="binned", **x), alt.X2("high"), y, colour))
    for when in ("worst", "last"):
        rows = frame[frame["when"] == when]
        if len(rows):
            ends = rows.iloc[[-1]].assign(low=rows["high"].iloc[-1])
            outline = alt.Chart(pd.concat([rows, ends], ignore_index=True))
            outline = outline.mark_line(interpolate="step-after", strokeWidth=2)
            layers.append(outline.encode(alt.X("low:Q", **x), y, colour))
    one = alt.Chart(pd.DataFrame({"low": [1.0]})).mark_rule(color=s.ink(width), strokeDash=[4, 3])
    return s.dressed(alt.layer(*layers, one.encode(alt.X("low:Q", **x))), width, height)


def ladder(frame: pd.DataFrame, falls: pd.DataFrame, width: Width, *, height: int = 280) -> Any:
    """Debt newly liquidatable by fall of the prices (bars) and in total (line); `falls` (`fall`, `series`) as rules."""
    x: dict[str, Any] = {"title": "fall of the prices", "axis": alt.Axis(format="%", grid=False, tickCount=7)}
    bars = alt.Chart(frame).mark_bar(color=s.SKY, binSpacing=1)
    y = _value("newly liquidatable", USD, zero=True)
    bars = bars.encode(alt.X("low:Q", bin="binned", **x), alt.X2("high"), y)
    axis = alt.Axis(labelExpr=BILLIONS, orient="right", grid=False, tickCount=5)
    total = alt.Chart(frame).mark_line(color=s.ink(width), strokeWidth=1.6)
    total = total.encode(alt.X("high:Q", **x), alt.Y("total:Q", title="in total (line)", axis=axis))
    layers: list[Any] = [bars, total]
    names = _names(falls)
    colour = _colour(names, width, {"asked": s.BLACK, "reached in the oracle": s.VERMILION})
    for name in names:
        rule = alt.Chart(falls[falls["series"] == name])
        rule = rule.mark_rule(strokeWidth=1.8, strokeDash=[4, 3] if name == "asked" else [1, 0])
        layers.append(rule.encode(alt.X("fall:Q", **x), colour))
    return s.dressed(alt.layer(*layers).resolve_scale(y="independent"), width, height)


def profits(frame: pd.DataFrame, width: Width) -> Any:
    """What each kind of agent gained and lost, by part, as bars from zero."""
    frame = frame.rename(columns={"part": "series"})
    names = _names(frame)
    fixed = {"liquidations": s.VERMILION, "trades": s.BLUE, "interest": s.GREEN, "gas": s.GREY}
    chart = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            alt.X(
                "value:Q",
                title="gained or lost, USD",
                axis=alt.Axis(labelExpr=BILLIONS, tickCount=4 if _narrow(width) else 6),
            ),
            alt.Y("kind:N", title=None, axis=alt.Axis(labelLimit=110)),
            _colour(names, width, fixed),
        )
    )
    zero = alt.Chart(pd.DataFrame({"value": [0.0]})).mark_rule(color="#555").encode(alt.X("value:Q"))
    total = frame.groupby("kind", sort=False)["value"].sum().reset_index()
    mark = alt.Chart(total).mark_point(shape="diamond", size=70, filled=True, color=s.ink(width), stroke="white")
    mark = mark.encode(alt.X("value:Q"), alt.Y("kind:N"))
    return s.dressed(chart + zero + mark, width, 90 + 30 * frame["kind"].nunique())
