"""Where text goes: results to stdout, progress and remarks to stderr; width and colour as the terminal can take."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from rich.console import Console
from rich.text import Text

#: Width of text that goes to a file or another program.
WITHOUT_TERMINAL = 100


def stdout() -> Console:
    return _console(sys.stdout)


def stderr() -> Console:
    return _console(sys.stderr)


class _Trimmed:
    """A stream without the blanks that tables are filled up with at the end of a line."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        self.stream.write("\n".join(line.rstrip() for line in text.split("\n")))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def _console(stream: Any) -> Console:
    terminal = stream.isatty()
    stream = stream if terminal else _Trimmed(stream)
    width = None if terminal or "COLUMNS" in os.environ else WITHOUT_TERMINAL
    return Console(file=stream, width=width, highlight=False, soft_wrap=False, emoji=False, markup=False)


def print_json(value: Any) -> None:
    """The value as JSON on stdout."""
    sys.stdout.write(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def remark(text: str) -> None:
    """A line for people on stderr."""
    print(text, file=sys.stderr, flush=True)


def heading(console: Console, text: str) -> None:
    """A heading with a blank line before it."""
    console.print()
    console.print(Text(text, style="bold"))
