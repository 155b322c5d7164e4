"""Tables that fit: columns are narrowed by folding words, and where that is not enough each row becomes a paragraph."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_NUMBER = re.compile(r"^([-+]?\$?[\d,.]+( ([kMBT%]|points|gwei|ETH))?|–)$")

_UNIT = re.compile(r"(?<=\d) (?=[kMBT]\b|%)")


def print_table(
    console: Console, headers: Sequence[str], rows: Iterable[Sequence[Any]], right: Iterable[int] | None = None
) -> None:
    """Print rows under headers without borders; the columns `right` (found, if None) hold numbers, set flush right.

    The first column and numbers are never folded.
    """
    cells = [[cell if isinstance(cell, Text) else Text(str(cell)) for cell in row] for row in rows]
    if not cells:
        return
    numbers = set(numeric_columns(cells) if right is None else right)
    fixed = {0, *numbers}
    for gap in (2, 1):
        widths = _widths(headers, cells, fixed, console.width - gap * (len(headers) - 1))
        if widths is not None:
            console.print(_table(headers, cells, numbers, widths, gap))
            return
    _print_paragraphs(console, headers, cells)


def numeric_columns(cells: Sequence[Sequence[Text]]) -> list[int]:
    """Columns that hold nothing but numbers with their unit: $1.23 M, 45 %, 1,200."""
    columns = zip(*cells, strict=True)
    return [place for place, column in enumerate(columns) if all(_NUMBER.match(cell.plain) for cell in column)]


def _widths(headers: Sequence[str], cells: Sequence[Sequence[Text]], fixed: set[int], room: int) -> list[int] | None:
    """Widths that fit the room, the widest foldable columns narrowed first; None if even the narrowest do not fit."""
    columns = list(zip(*cells, strict=True))
    wide = [
        max(1, len(head), *(cell.cell_len for cell in column)) for head, column in zip(headers, columns, strict=True)
    ]
    least = [
        max(_longest_word(head), *(c.cell_len if place in fixed else _longest_word(c.plain) for c in column))
        for place, (head, column) in enumerate(zip(headers, columns, strict=True))
    ]
    narrowest = [min(low, max(12, room // len(wide))) if place not in fixed else low for place, low in enumerate(least)]
    while (excess := sum(wide) - room) > 0:
        slack = [width - low for width, low in zip(wide, narrowest, strict=True)]
        widest = max((width for width, spare in zip(wide, slack, strict=True) if spare > 0), default=0)
        if not widest:
            return None
        place = next(p for p, width in enumerate(wide) if width == widest and slack[p] > 0)
        others = [width for p, width in enumerate(wide) if slack[p] > 0 and width < widest]
        wide[place] -= max(1, min(excess, slack[place], widest - max(others, default=0)))
    return wide


def _longest_word(text: str) -> int:
    return max(map(len, _bound(text).split(" ")), default=0)


def _bound(text: str) -> str:
    """The text with blanks between a number and its unit that no line is broken at."""
    return _UNIT.sub("\u00a0", text)


def _folded(cell: Text, width: int) -> Text:
    """The cell in lines of at most that width, numbers kept together with their unit."""
    lines = textwrap.wrap(_bound(cell.plain), width) or [""]
    return Text("\n".join(lines).replace("\u00a0", " "), style=cell.style)


def _table(
    headers: Sequence[str], cells: Sequence[Sequence[Text]], numbers: set[int], widths: Sequence[int], gap: int
) -> Table:
    made = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), show_header=any(headers), header_style="dim")
    for place, (header, width) in enumerate(zip(headers, widths, strict=True)):
        justify: Any = "right" if place in numbers else "left"
        made.add_column(header, justify=justify, overflow="fold", width=width, vertical="top")
    for row in cells:
        made.add_row(*(_folded(cell, width) for cell, width in zip(row, widths, strict=True)))
    return made


def _print_paragraphs(console: Console, headers: Sequence[str], cells: Sequence[Sequence[Text]]) -> None:
    for name, *values in cells:
        console.print(name)
        named = zip(headers[1:], values, strict=True)
        pairs = [f"{header} {value.plain}".strip() for header, value in named if value.plain]
        console.print(Padding(Text("; ".join(pairs)), (0, 0, 0, 2)))
