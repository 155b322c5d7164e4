"""Colours and chart settings shared by the report, the pictures and the page."""

from __future__ import annotations

from typing import Any

# Okabe and Ito's palette: told apart with every common kind of colour blindness, and in print.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, YELLOW, BLACK = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#F0E442",
    "#000000",
)
GREY = "#8A8F98"
SERIES = [BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK, GREY]
PRICES = {"asked": BLACK, "outside market": BLUE, "oracle": ORANGE, "AMM": GREEN}
CAUSES = {
    "liquidation": VERMILION,
    "deleveraging": ORANGE,
    "trading": SKY,
    "arbitrage": GREEN,
    "farming": PURPLE,
    "liquidity": BLUE,
    "perpetual": YELLOW,
    "whale": "#7A5C2E",
    "outside": GREY,
    "together": BLACK,
}
# The plain family name is measured with the renderer's own font: the same layout whatever fonts a machine has, in half
# the time. Paddings leave room for browsers that show a wider one.
FONT = "sans-serif"


def colours(names: list[str], fixed: dict[str, str] | None = None) -> list[str]:
    """A colour for each name: the fixed one, else the next of the palette that no fixed name takes."""
    taken = {(fixed or {}).get(name) for name in names}
    free = [colour for colour in SERIES if colour not in taken] or SERIES
    given: list[str] = []
    for name in names:
        if fixed and name in fixed:
            given.append(fixed[name])
        else:
            given.append(free[sum(1 for n in names[: len(given)] if not fixed or n not in fixed) % len(free)])
    return given


def asset_colours(assets: list[str]) -> dict[str, str]:
    """A colour for each asset, the same in every figure of a run."""
    return {asset: SERIES[place % len(SERIES)] for place, asset in enumerate(assets)}


def ink(width: int | str) -> str:
    """Black on the report's white; a grey that shows on light and dark where the page around sets the background."""
    return "#7d838c" if width == "container" else BLACK


def legend_columns(width: int | str) -> int:
    """How many entries of a legend stand in one row."""
    if width == "container":
        return 3
    return 2 if isinstance(width, int) and width < 480 else 6


def dressed(chart: Any, width: int | str, height: int) -> Any:
    """The chart at its outer size with the common settings; one as wide as its "container" takes that page's theme."""
    if width == "container":
        return chart.properties(width="container", height=height)
    fit = {"type": "fit", "contains": "padding"}
    room = {"left": 12, "right": 10, "top": 5, "bottom": 5}
    chart = chart.properties(width=width, height=height, autosize=fit, padding=room, background="white")
    return configured(chart)


def configured(chart: Any) -> Any:
    """The common settings: font, axes, legend."""
    return (
        chart.configure(font=FONT)
        .configure_axis(
            labelFontSize=11,
            titleFontSize=11,
            titleFontWeight="normal",
            titleColor="#333",
            labelColor="#333",
            gridColor="#e6e8eb",
            domainColor="#9aa0a6",
            tickColor="#9aa0a6",
            labelOverlap="greedy",
            labelSeparation=6,
            titlePadding=13,
        )
        .configure_legend(labelFontSize=11, symbolStrokeWidth=3, labelLimit=200, labelColor="#222", columnPadding=26)
        .configure_view(strokeWidth=0)
    )
