"""Charts for a page: the report's own, as wide as the page and in its theme."""

from __future__ import annotations

from typing import Any

from sim.results.report.figure import Figure


def page_chart(figure: Figure) -> Any:
    """The chart of a figure, as wide as its container; colours of lines and bars are those of the report."""
    return figure.draw("container")


def csv(figure: Figure) -> str:
    """The data behind a figure as CSV text; times are in milliseconds since 1970 UTC."""
    return figure.data.to_csv(index=False)
