"""The part of a study's report that says which fields move what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from sim.results.report import style as s
from sim.results.report.charts import PERCENT, PLAIN, USD, Width
from sim.results.report.figure import Figure
from sim.results.report.page import escape, section_block
from sim.studies.cases import short_names
from sim.studies.measures import written
from sim.studies.reading import Study
from sim.studies.report.charts import value_axis
from sim.studies.sensitivity.analysis import Analysis, analyse
from sim.studies.sensitivity.plan import plan_of
from sim.studies.sensitivity.words import MOST, headline, indices_section, kept_figures, tornado_section

#: Bars of a tornado; the others are in the table.
BARS = 12


def analyses(study: Study) -> list[Analysis]:
    """The analysis of each figure that was last asked for; nothing for a study that is none of sensitivity."""
    return analyse(study, kept_figures(study.folder)) if plan_of(study.manifest) is not None else []


def blocks(found: Sequence[Analysis]) -> str:
    """The tables of every figure."""
    parts = []
    for one in found:
        parts += [f"<h2>What moves {escape(one.figure)}</h2>", f"<p>{escape(headline(one))}</p>"]
        parts += [section_block(section) for section in (indices_section(one), tornado_section(one)) if section.rows]
    return "\n".join(parts)


def figures(found: Sequence[Analysis]) -> list[Figure]:
    """The tornado of every figure that anything moves."""
    made = [tornado_figure(one) for one in found]
    return [figure for figure in made if figure is not None]


def tornado_figure(one: Analysis) -> Figure | None:
    """The figure at both ends of each field's range, longest bar first; None where no bar has a length."""
    bars = [bar for bar in one.tornado if bar.swing > 0.0][:BARS]
    if one.base is None or not bars:
        return None
    names = short_names([bar.field for bar in one.tornado])
    rows = []
    for bar in bars:
        for end, setting, value in (("low end", bar.low, bar.at_low), ("high end", bar.high, bar.at_high)):
            rows.append((names[bar.field], end, setting, one.base, value))
    frame = pd.DataFrame(rows, columns=["field", "end", "setting", "base", "value"])
    key = "tornado-" + "".join(letter if letter.isalnum() else "-" for letter in one.figure)
    title = f"{names[bars[0].field]} alone moves {one.figure} by {written(one.figure, bars[0].swing)}"
    caption = (
        f"Each field at the low and the high end of its range, all others as in the scenario, on the same seeds. The"
        f" line: the scenario as it is, {written(one.figure, one.base)}. At most {BARS} bars; the table has {MOST}."
    )
    return Figure(key, title, caption, frame, lambda width: tornado(frame, width, one.figure))


def _shape(figure: str) -> str:
    if figure.startswith("probability("):
        return PERCENT
    return USD if "_usd" in figure else PLAIN


def tornado(frame: pd.DataFrame, width: Width, title: str) -> Any:
    """Bars from `base` to `value` for each field and end."""
    order = list(dict.fromkeys(frame["field"]))
    narrow = isinstance(width, int) and width < 480
    room = min(165 if narrow else 340, round(6.4 * max(map(len, order))))
    rows = alt.Y("field:N", sort=order, title=None, axis=alt.Axis(labelLimit=room, minExtent=room, labelFontSize=10))
    x: dict[str, Any] = {"title": title, "axis": value_axis(_shape(title), 4 if narrow else 6)}
    x["scale"] = alt.Scale(zero=False)
    ends = alt.Scale(domain=["low end", "high end"], range=[s.SKY, s.VERMILION])
    colour = alt.Color("end:N", scale=ends, legend=alt.Legend(orient="top", title=None))
    bars = alt.Chart(frame).mark_bar(opacity=0.85).encode(alt.X("base:Q", **x), alt.X2("value"), rows, colour)
    line = alt.Chart(frame.head(1)).mark_rule(color="#555").encode(alt.X("base:Q", **x))
    return s.dressed(bars + line, width, 70 + 26 * len(order))
