"""The undo journal: every write of exact state goes through it, so a reverted transaction leaves no trace.

Exact state lives in lists (one integer per account) and in dictionaries (`vars(record)` for records). A write is

    entries.append((container, key, container[key]))
    container[key] = new

with `entries = journal.entries` fetched at the start of the operation. The journal can then undo any mixture of
writes, mirrors included, without knowing what they mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sim.chain.revert import Revert

#: Stands for "this key did not exist": undoing such a write deletes the key again.
ABSENT: Any = object()


class Journal:
    """An append-only list of (container, key, old value), undone from the end.

    Nested marks are allowed: `mark()` returns a position, `undo(position)` takes back everything after it.
    Keeping what was written costs nothing: `clear()` forgets the entries once a transaction is final.
    """

    __slots__ = ("entries",)

    def __init__(self) -> None:
        self.entries: list[tuple[Any, Any, Any]] = []

    def mark(self) -> int:
        """The position to hand to `undo`."""
        return len(self.entries)

    def undo(self, mark: int = 0) -> None:
        """Put back, newest first, every value overwritten since `mark`."""
        entries = self.entries
        while len(entries) > mark:
            container, key, old = entries.pop()
            if old is ABSENT:
                del container[key]
            else:
                container[key] = old

    def clear(self) -> None:
        """Forget the entries: what was written stays."""
        self.entries.clear()

    def put(self, container: Any, key: Any, value: Any) -> None:
        """Write `container[key] = value`, undoably (hot paths inline these two lines)."""
        if isinstance(container, dict):
            old = container.get(key, ABSENT)
        else:
            old = container[key]
        self.entries.append((container, key, old))
        container[key] = value

    def remove(self, mapping: dict[Any, Any], key: Any) -> None:
        """Delete a key of a dictionary, undoably."""
        self.entries.append((mapping, key, mapping[key]))
        del mapping[key]

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """All or nothing: a `Revert` (or any other exception) inside takes back what was written inside."""
        mark = len(self.entries)
        try:
            yield
        except BaseException:
            self.undo(mark)
            raise


__all__ = ["ABSENT", "Journal", "Revert"]
