"""One picture of a run: price asked and reached above, liquidations below, for a README or a talk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sim.results.errors import ResultsError
from sim.results.reading import load

WIDTH = 860


def write_picture(folder: str | os.PathLike[str], path: str | os.PathLike[str], width: int = WIDTH) -> Path:
    """Draw the headline picture of a run into an .svg or .png file."""
    from sim.results.report.drawing import png, svg

    target = Path(path)
    kind = target.suffix.lower()
    if kind not in (".svg", ".png"):
        raise ResultsError(f"{target}: a picture ends in .svg or .png")
    chart = picture(load(folder), width)
    try:
        if kind == ".svg":
            target.write_text(svg(chart, "undertow"), encoding="utf-8")
        else:
            target.write_bytes(png(chart))
    except OSError as error:
        raise ResultsError(f"{target} cannot be written: {error.strerror or error}") from error
    return target


def picture(run: Any, width: int = WIDTH) -> Any:
    """The headline picture of a `Run` as a chart: the asset that fell most, and the debt repaid by liquidators."""
    import altair as alt

    from sim.results.report import charts
    from sim.results.report import frames as f
    from sim.results.report.cascade_figures import liquidated_figure, price_figure
    from sim.results.report.figure import asset_colours, source_of
    from sim.results.report.figures import shown_assets
    from sim.results.report.style import configured
    from sim.results.summary import caption_line, summarise

    summary = summarise(run)
    source = source_of(run, summary.values)
    assets = shown_assets(source)
    if not assets or len(run.metrics) < 2:
        raise ResultsError(f"{run.folder}: no price moved in this run, so there is nothing to draw")
    above = price_figure(source, assets[0])
    marks = f.liquidation_marks(source.metrics, source.events, [assets[0]], assets[0])
    rows = [_titled(charts.price_layers(above.data, marks, width, assets[0]), above.title, width, 300)]
    below = liquidated_figure(source)
    if below is not None:
        total = f.running_total(source.metrics, below.data)
        bars = charts.bar_layers(below.data, total, width, asset_colours(source))
        rows.append(_titled(bars, below.title, width, 160))
    name = run.manifest.get("title") or run.manifest.get("name")
    title = alt.Title(str(name), subtitle=caption_line(run.manifest), fontSize=16, subtitleFontSize=11, anchor="start")
    joined = (
        alt.vconcat(*rows, spacing=26).resolve_scale(color="independent", size="independent").properties(title=title)
    )
    return configured(joined).properties(background="white", padding=12)


def _titled(chart: Any, title: str, width: int, height: int) -> Any:
    import altair as alt

    words = alt.Title(title, fontSize=12, fontWeight="bold", anchor="start", frame="group", offset=8, limit=width + 80)
    return chart.properties(title=words, width=width - 130, height=height)
