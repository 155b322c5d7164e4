"""The one error of the results layer."""

from __future__ import annotations

BAD_DATA = 65


class ResultsError(Exception):
    """A results folder cannot be written or read; the message says which one, why, and what to do.

    `exit_code` is what a command that ends on this error should return to the shell.
    """

    def __init__(self, message: str, exit_code: int = BAD_DATA) -> None:
        super().__init__(message)
        self.exit_code = exit_code
