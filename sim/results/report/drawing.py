"""Charts as SVG text, made by the chart library's own renderer in this process: no browser, no network, no script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_IDS = re.compile(r'(?<=id=")[A-Za-z_][\w-]*(?=")|(?<=url\(#)[A-Za-z_][\w-]*(?=\))')
_SPARE = re.compile(r'\s(?:xmlns:xlink="[^"]*"|version="1\.1"|class="marks"|pointer-events="none")')
_LONG_NUMBER = re.compile(r"(?<=[\d])\.(\d{2})\d+")
_PATH = re.compile(r'(?<=\sd=")[^"]*(?=")')


def svg(chart: Any, prefix: str) -> str:
    """The chart as an `<svg>` element to stand in a page beside others: `prefix` makes its identifiers its own."""
    import vl_convert

    drawn = vl_convert.vegalite_to_svg(chart.to_dict(validate=False))
    drawn = _IDS.sub(lambda found: f"{prefix}-{found.group()}", drawn)
    drawn = _SPARE.sub("", drawn, count=0)
    return _PATH.sub(lambda found: _LONG_NUMBER.sub(r".\1", found.group()), drawn)


def png(chart: Any, scale: float = 2.0) -> bytes:
    """The chart as a PNG picture."""
    import vl_convert

    return bytes(vl_convert.vegalite_to_png(chart.to_dict(validate=False), scale=scale))


def pair(draw: Any, key: str, widths: Sequence[int] = (820, 350)) -> tuple[str, str]:
    """One figure drawn for a wide and for a narrow screen."""
    return svg(draw(widths[0]), f"{key}-w"), svg(draw(widths[1]), f"{key}-n")
