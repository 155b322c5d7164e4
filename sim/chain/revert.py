"""`Revert`: the one way an operation of a market or of the ledger refuses to happen."""

from __future__ import annotations

#: What a checked subtraction, addition or array access raises in Solidity >= 0.8 (`Panic(0x11)`).
ARITHMETIC = "ARITHMETIC_OVERFLOW_OR_UNDERFLOW"


class Revert(Exception):
    """An operation was refused; everything its transaction wrote is undone.

    `reason` is the contract's own name for the refusal (custom error, revert string, or `ARITHMETIC` for a
    checked-arithmetic panic), so that receipts and recorded traces can be compared to the letter.
    It never leaves `sim.chain`: the executor turns it into a failed receipt.
    """

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
