"""What is wrong with a scenario: every problem with its file, field, what was given and what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong: `file` and dotted `path` of the field, what was `given`, what is `allowed`, in words."""

    file: str
    path: str
    given: str
    allowed: str
    message: str

    def __str__(self) -> str:
        head = self.path or "file"
        lines = [f"  {head}: {self.message}" if self.message else f"  {head}"]
        if self.given:
            lines.append(f"    given:   {self.given}")
        if self.allowed:
            lines.append(f"    allowed: {self.allowed}")
        return "\n".join(lines)


class ScenarioError(ValueError):
    """A scenario or path file cannot be used; carries all its problems, not only the first.

    The exit status of the command line for it is 65.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__(self.problems)

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[list[Problem]]]:
        return (type(self), (self.problems,))

    def __str__(self) -> str:
        blocks = []
        for file in dict.fromkeys(problem.file for problem in self.problems):
            own = [problem for problem in self.problems if problem.file == file]
            count = "1 problem" if len(own) == 1 else f"{len(own)} problems"
            blocks.append("\n".join([f"{file or 'scenario'}: {count}", *map(str, own)]))
        return "\n".join(blocks)


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word most like the given one, or an empty string."""
    candidates = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), list(candidates), n=1, cutoff=0.5)
    return candidates[found[0]] if found else ""


def listing(words: Iterable[str], limit: int = 12) -> str:
    """Words as a readable list, cut off after `limit`."""
    shown = list(words)
    if not shown:
        return "nothing is defined"
    extra = f" and {len(shown) - limit} more" if len(shown) > limit else ""
    return ", ".join(shown[:limit]) + extra
