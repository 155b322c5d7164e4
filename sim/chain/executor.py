"""The executor: runs one transaction at a time, all or nothing, and turns it into a receipt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.chain.transaction import Receipt, Transaction
from sim.ledger import Ledger

#: Why a transaction that cannot pay for its gas is not included at all.
NO_FUNDS_FOR_GAS = "insufficient funds for gas"

WEI_PER_GWEI = 1_000_000_000


class Executor:
    """Charges gas, executes the calls against the markets, undoes everything if one of them reverts.

    The base fee is burnt (it leaves the economy), the tip goes to `builder` (EIP-1559); in a first-price market the
    base fee is 0 and the tip the whole price. A reverted public transaction pays for the gas it used; a reverted
    private one is left out of the block and pays nothing, as builders do with bundles that fail in simulation. No
    `Revert` leaves this class.
    """

    def __init__(
        self, ledger: Ledger, clock: Clock, markets: Mapping[str, Any], *, gas_token: int, builder: int
    ) -> None:
        self.ledger = ledger
        self.journal = ledger.journal
        self.clock = clock
        self.markets = markets
        self.gas_token = gas_token
        self.builder = builder
        self.next_event_id = 0
        self._operations: dict[tuple[str, str], Any] = {}

    def execute(self, transaction: Transaction, base_fee_wei: int) -> Receipt:
        """Execute `transaction` at the given base fee (wei per gas unit); `gas_used` 0 means it was not included."""
        journal = self.journal
        entries = journal.entries
        entries.clear()
        sender = transaction.sender
        gas = 0
        results: list[Any] = []
        operations = self._operations
        reason = ""
        ok = True
        tip_wei = int(transaction.tip_gwei * WEI_PER_GWEI)
        price_wei = base_fee_wei + tip_wei
        if price_wei and self.ledger.balances[self.gas_token][sender] < transaction.gas * price_wei:
            return self._receipt(transaction, False, NO_FUNDS_FOR_GAS, 0, 0, [])
        try:
            for call in transaction.calls:
                gas += call.gas
                market, operation, arguments, _ = call
                method = operations.get((market, operation))
                if method is None:
                    method = operations[market, operation] = getattr(self.markets[market], operation)
                results.append(method(sender, *arguments))
            if transaction.bid_usd > 0.0 and transaction.profit_token >= 0:
                amount = int(transaction.bid_usd / transaction.profit_unit_usd)
                self.ledger.transfer(transaction.profit_token, sender, self.builder, amount)
        except Revert as refusal:
            ok = False
            reason = refusal.reason
            journal.undo()
            results = []
            if transaction.private:
                return self._receipt(transaction, False, reason, 0, 0, [])
            if transaction.revert_gas >= 0:
                gas = min(gas, transaction.revert_gas)
        fee_wei = gas * price_wei
        if fee_wei:
            # Checked above against the full gas before anything ran; spending ETH is not an operation of any market.
            self.ledger.outflow(self.gas_token, sender, gas * base_fee_wei)
            if tip_wei:
                self.ledger.transfer(self.gas_token, sender, self.builder, gas * tip_wei)
        entries.clear()
        return self._receipt(transaction, ok, reason, gas, fee_wei, results)

    def _receipt(
        self, transaction: Transaction, ok: bool, reason: str, gas_used: int, fee_wei: int, results: list[Any]
    ) -> Receipt:
        clock = self.clock
        event_id = self.next_event_id
        self.next_event_id = event_id + 1
        return Receipt(
            event_id, clock.step, clock.block, clock.timestamp, transaction, ok, reason, gas_used, fee_wei, results
        )
