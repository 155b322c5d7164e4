"""DataFrame to chart, for many runs. Every function takes the outer width in pixels (or "container")."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from sim.results.report import style as s
from sim.results.report.charts import BILLIONS, PLAIN, USD, Width

#: How the axis of a fan counts time: longest span in seconds, seconds of one unit, its name.
_UNITS = ((7_200, 60.0, "minutes"), (4 * 86_400, 3_600.0, "hours"), (float("inf"), 86_400.0, "days"))


def value_axis(shape: str, ticks: int = 5, **more: Any) -> alt.Axis:
    """An axis in dollars, per cent or plain numbers."""
    if shape == USD:
        return alt.Axis(labelExpr=BILLIONS, tickCount=ticks, **more)
    if shape == PLAIN:
        return alt.Axis(labelExpr="format(datum.value, ',.4~r')", tickCount=ticks, **more)
    return alt.Axis(format=shape, tickCount=ticks, **more)


def fan(frame: pd.DataFrame, width: Width, *, title: str, shape: str, height: int = 260) -> Any:
    """Bands of 5 to 95 % and 25 to 75 % of the runs, and the median; `seconds` and one column a quantile."""
    span = float(frame["seconds"].max() - frame["seconds"].min())
    _, unit, name = next(one for one in _UNITS if span <= one[0])
    columns = {"0.05": "q05", "0.25": "q25", "0.5": "q50", "0.75": "q75", "0.95": "q95"}
    data = frame.rename(columns=columns).assign(at=frame["seconds"] / unit)
    x = alt.X("at:Q", title=f"{name} from the start", axis=alt.Axis(grid=False, tickCount=7), scale=_tight())

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", title=title, axis=value_axis(shape), scale=alt.Scale(zero=False))

    names = ["5 to 95 % of runs", "25 to 75 %", "median"]
    colour = alt.Color(
        "series:N",
        sort=names,
        scale=alt.Scale(domain=names, range=["#cfe3f2", "#8dbfe0", s.BLUE]),
        legend=alt.Legend(orient="top", title=None, columns=s.legend_columns(width), symbolType="square"),
    )
    layers = []
    for series, low, high in ((names[0], "q05", "q95"), (names[1], "q25", "q75")):
        band = alt.Chart(data.assign(series=series)).mark_area(opacity=0.9)
        layers.append(band.encode(x, y(low), alt.Y2(high), colour))
    median = alt.Chart(data.assign(series=names[2])).mark_line(strokeWidth=1.8)
    return s.dressed(alt.layer(*layers, median.encode(x, y("q50"), colour)), width, height)


def _tight() -> alt.Scale:
    return alt.Scale(nice=False, zero=False)


def distribution(
    bars: pd.DataFrame, lines: pd.DataFrame, width: Width, *, title: str, shape: str, log: bool, height: int = 280
) -> Any:
    """Runs by size of loss: bars (`low`, `high`, `count`), rules (`value`, `series`) with their intervals shaded."""
    scale = alt.Scale(type="log", nice=False) if log else alt.Scale(zero=False, nice=True)
    narrow = isinstance(width, int) and width < 480
    x: dict[str, Any] = {"title": title, "axis": value_axis(shape, 4 if narrow else 7, grid=False), "scale": scale}
    layers: list[Any] = []
    names = list(lines["series"])
    fixed = dict(zip(names, [s.VERMILION, s.PURPLE, s.GREEN, s.ink(width)], strict=False))
    palette = alt.Scale(domain=names, range=list(fixed.values()))
    legend = alt.Legend(orient="top", title=None, columns=1 if narrow else 2, labelLimit=340)
    colour = alt.Color("series:N", sort=names, scale=palette, legend=legend)
    for row in lines.dropna(subset=["low", "high"]).itertuples():
        band = alt.Chart(pd.DataFrame({"low": [row.low], "high": [row.high]}))
        band = band.mark_rect(opacity=0.13, color=fixed[str(row.series)])
        layers.append(band.encode(alt.X("low:Q", **x), alt.X2("high")))
    columns = alt.Chart(bars).mark_bar(color=s.SKY, binSpacing=1)
    count = alt.Y("count:Q", title="runs", axis=alt.Axis(tickCount=5, tickMinStep=1))
    layers.append(columns.encode(alt.X("low:Q", bin="binned", **x), alt.X2("high"), count))
    if len(lines):
        rules = alt.Chart(lines).mark_rule(strokeWidth=2)
        layers.append(rules.encode(alt.X("value:Q", **x), colour))
    return s.dressed(alt.layer(*layers), width, height)


def convergence(frame: pd.DataFrame, width: Width, *, title: str, shape: str, height: int = 240) -> Any:
    """An estimate (line) and its interval (band) over the number of runs that it rests on."""
    narrow = isinstance(width, int) and width < 480
    axis = alt.Axis(grid=False, tickCount=4 if narrow else 8, labelExpr="format(datum.value, ',')")
    x = alt.X("n:Q", title="runs", axis=axis, scale=alt.Scale(type="log", nice=False))

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", title=title, axis=value_axis(shape), scale=alt.Scale(zero=False))

    band = alt.Chart(frame.dropna(subset=["low", "high"])).mark_area(color="#cfe3f2")
    line = alt.Chart(frame).mark_line(color=s.BLUE, strokeWidth=1.8, point=alt.OverlayMarkDef(size=18, color=s.BLUE))
    layered = band.encode(x, y("low"), alt.Y2("high")) + line.encode(x, y("value"))
    return s.dressed(layered, width, height)


def differences(frame: pd.DataFrame, width: Width, *, title: str, shape: str) -> Any:
    """Paired difference of each case from the first: point and interval, with a rule at no difference."""
    order = list(frame["case"])
    lines = max((case.count(", ") + 1 for case in order), default=1)
    narrow = isinstance(width, int) and width < 480
    # Room for a browser's wider font: the renderer measures with its own.
    room = min(165 if narrow else 340, round(6.4 * max(len(line) for case in order for line in case.split(", "))))
    axis = alt.Axis(labelLimit=room, minExtent=room, labelExpr="split(datum.label, ', ')", labelFontSize=10)
    rows = alt.Y("case:N", sort=order, title=None, axis=axis)
    x: dict[str, Any] = {"title": title, "axis": value_axis(shape, 4 if narrow else 6)}
    zero = alt.Chart(pd.DataFrame({"value": [0.0]})).mark_rule(color="#555").encode(alt.X("value:Q", **x))
    reach = alt.Chart(frame).mark_rule(strokeWidth=2, color=s.BLUE).encode(alt.X("low:Q", **x), alt.X2("high"), rows)
    mark = alt.Chart(frame).mark_point(filled=True, size=60, color=s.BLUE, opacity=1)
    return s.dressed(
        zero + reach + mark.encode(alt.X("value:Q", **x), rows), width, 70 + (10 + 14 * lines) * len(frame)
    )
