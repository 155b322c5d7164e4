"""What is wrong with a price path: every problem of a file with its row, column, what was given and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class PathProblem(NamedTuple):
    """One thing that is wrong: `row` counts lines of the file from 1 (the header), 0 stands for the file as a whole."""

    file: str
    row: int
    column: str
    given: str
    allowed: str

    def __str__(self) -> str:
        place = [self.file]
        if self.row:
            place.append(f"row {self.row}")
        if self.column:
            place.append(f"column {self.column}")
        return f"{', '.join(place)}: given {self.given}; allowed: {self.allowed}"


class PathError(ValueError):
    """A price path cannot be used; carries all problems of the file, not only the first."""

    def __init__(self, problems: Iterable[PathProblem]) -> None:
        self.problems = list(problems)
        super().__init__(self.problems)

    def __reduce__(self) -> tuple[type[PathError], tuple[list[PathProblem]]]:
        return (type(self), (self.problems,))

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))
