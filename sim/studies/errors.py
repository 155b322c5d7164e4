"""The one error of studies: a design, an expression or a folder that cannot be used."""

from __future__ import annotations

BAD_DATA = 65


class StudyError(ValueError):
    """What is wrong with a study: `file`, `field`, what was `given`, and what is `allowed`, in words.

    `exit_code` is what a command that ends on this error should return to the shell.
    """

    exit_code = BAD_DATA

    def __init__(self, file: str = "", field: str = "", given: str = "", allowed: str = "") -> None:
        self.file, self.field, self.given, self.allowed = file, field, given, allowed
        super().__init__(file, field, given, allowed)

    def __str__(self) -> str:
        head = ": ".join(part for part in (self.file, self.field) if part) or "study"
        lines = [f"  given:   {self.given}"] if self.given and self.given != self.field else []
        lines += [f"  allowed: {self.allowed}"] if self.allowed else []
        return "\n".join([head, *lines])
