"""Borrowers who never look at their position again."""

from __future__ import annotations

from typing import ClassVar

from agents.borrower import Borrower


class Holder(Borrower):
    """Opens a position and does not watch it: 40 % of owners never look (an assumption, docs/model.md 10)."""

    kind: ClassVar[str] = "holder"
    wake: ClassVar[str] = "never"
