"""Arrivals: the door through which people bring capital into this economy and take it out again."""

from __future__ import annotations

from typing import NamedTuple

from sim.ledger import Ledger


class CapitalMoved(NamedTuple):
    """Tokens that crossed the border, in smallest units: (token, amount), amounts taken out are negative."""

    moved: tuple[tuple[int, int], ...]


class Arrivals:
    """Inflow and outflow of the ledger as operations, so that whoever arrives or leaves only sends transactions.

    What a borrower spends elsewhere leaves the economy, what he repays with comes from elsewhere; the ledger counts
    both, and an agent's profit leaves them out.
    """

    def __init__(self, ledger: Ledger, gas_token: int) -> None:
        self.name = "arrivals"
        self.ledger = ledger
        self.gas_token = gas_token

    def bring(self, sender: int, token: int, amount: int) -> CapitalMoved:
        """Bring `amount` of a token in from outside."""
        self.ledger.inflow(token, sender, amount)
        return CapitalMoved(((token, amount),))

    def take_out(self, sender: int, token: int, amount: int) -> CapitalMoved:
        """Take `amount` of a token out; reverts when the sender has less."""
        self.ledger.outflow(token, sender, amount)
        return CapitalMoved(((token, -amount),))

    def take_rest_out(self, sender: int, token: int, keep: int = 0) -> CapitalMoved:
        """Take out whatever the sender holds of a token beyond `keep`."""
        amount = max(0, self.ledger.balances[token][sender] - keep)
        self.ledger.outflow(token, sender, amount)
        return CapitalMoved(((token, -amount),))

    def refuel(self, sender: int, amount: int) -> CapitalMoved:
        """Bring the sender's ETH for gas up to `amount`."""
        missing = max(0, amount - self.ledger.balances[self.gas_token][sender])
        self.ledger.inflow(self.gas_token, sender, missing)
        return CapitalMoved(((self.gas_token, missing),))
