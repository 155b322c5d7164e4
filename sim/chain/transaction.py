"""Transactions and receipts: what an agent wants done, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Call(NamedTuple):
    """One operation of one market: `markets[market].operation(sender, *arguments)`, at a cost of `gas` units."""

    market: str
    operation: str
    arguments: tuple[Any, ...]
    gas: int


@dataclass(slots=True)
class Transaction:
    """A list of calls by one sender, executed in order, all of them or none.

    `kind` names the motive (liquidation, deleveraging, top_up, arbitrage, trading, ...) and is the cause under which
    its trades are booked. `subject` is the account it acts upon, if that is not the sender: of several private
    transactions with the same subject a block includes one. `value_usd` is what inclusion is worth to the sender
    before any payment to the builder; what the auction makes it pay, `bid_usd`, leaves in `profit_token`, one smallest
    unit of which is worth `profit_unit_usd`. A public transaction pays base fee plus `tip_gwei` per gas unit; in a
    first-price market `tip_gwei` is the whole price it offers. While others bid for its subject, the sender raises the
    tip in steps up to `tip_ceiling_gwei`. `ready_block` is the first block of the step in which it can be included.
    A reverted one is charged `revert_gas` where that is stated, else all calls up to the one that failed.
    """

    sender: int
    calls: tuple[Call, ...]
    kind: str
    tip_gwei: float = 0.0
    max_fee_gwei: float = float("inf")
    tip_ceiling_gwei: float = 0.0
    ready_block: int = 0
    revert_gas: int = -1
    private: bool = False
    subject: int = -1
    value_usd: float = 0.0
    bid_usd: float = 0.0
    profit_token: int = -1
    profit_unit_usd: float = 0.0
    nonce: int = 0
    order_key: int = 0
    submitted_step: int = 0
    expires_step: int = 0
    cause_id: int = -1

    @property
    def gas(self) -> int:
        """Gas units of all calls together."""
        calls = self.calls
        return calls[0].gas if len(calls) == 1 else sum(call.gas for call in calls)


@dataclass(slots=True)
class Receipt:
    """What happened to a transaction that a block included.

    `results` holds what each call returned (empty after a revert); `reason` is the contract's word for the refusal.
    `fee_wei` is what the sender paid for gas: base fee (burnt) plus tip (to the block builder).
    """

    event_id: int
    step: int
    block: int
    timestamp: int
    transaction: Transaction
    ok: bool
    reason: str
    gas_used: int
    fee_wei: int
    results: list[Any] = field(default_factory=list)
