"""`Tally`: counts the values compared with a recording and keeps the first difference in full.

Recordings write every integer as a decimal string, booleans as booleans and "absent" as null. A model hands back
Python integers, so the two sides are brought to one form before they are compared; there is no tolerance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Stands for a key or an element that one side does not have.
MISSING = "(missing)"


def plain(value: Any) -> Any:
    """One form for both sides: integers as `int`, also where the recording holds them as decimal strings.

    Strings that are not canonical decimal integers (revert reasons, symbols) stay as they are.
    """
    if isinstance(value, str):
        digits = value.removeprefix("-")
        if digits.isascii() and digits.isdigit() and (digits == "0" or digits[0] != "0"):
            return int(value)
    return value


class Tally:
    """How a replay compares with its recording.

    `operations` and `compared` count what was replayed and how many single values were compared, `differences` how
    many of these differ; `first_difference` names the first one with its path, the recorded and the computed value.
    """

    __slots__ = ("compared", "differences", "first_difference", "operations")

    def __init__(self) -> None:
        self.operations = 0
        self.compared = 0
        self.differences = 0
        self.first_difference: str | None = None

    def compare(self, path: str, expected: Any, got: Any) -> bool:
        """Compare one value; `path` says where it stands. True if equal.

        A boolean equals only a boolean: a flag recorded as `true` is not the number 1.
        """
        self.compared += 1
        wanted, found = plain(expected), plain(got)
        if wanted == found and isinstance(wanted, bool) == isinstance(found, bool):
            return True
        self.differences += 1
        if self.first_difference is None:
            self.first_difference = f"{path}: recorded {expected!r}, computed {got!r}"
        return False

    def compare_tree(self, path: str, expected: Any, got: Any) -> bool:
        """Compare nested mappings and sequences leaf by leaf; a key or element on one side only is a difference."""
        if isinstance(expected, Mapping) and isinstance(got, Mapping):
            equal = True
            for key, value in expected.items():
                equal &= self.compare_tree(f"{path}.{key}", value, got.get(key, MISSING))
            for key, value in got.items():
                if key not in expected:
                    equal &= self.compare(f"{path}.{key}", MISSING, value)
            return equal
        if _is_row(expected) and _is_row(got):
            equal = True
            for i in range(max(len(expected), len(got))):
                wanted = expected[i] if i < len(expected) else MISSING
                found = got[i] if i < len(got) else MISSING
                equal &= self.compare_tree(f"{path}[{i}]", wanted, found)
            return equal
        return self.compare(path, expected, got)


def _is_row(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
