"""The mempool: which transactions a step includes, and in which order.

The order is total, so a run never depends on who was asked first: private transactions come first, by what they bid
(ties by a keyed hash); public ones follow by tip, ties by the same hash of (sender, nonce). A private transaction is
a sealed second-price bid for its subject (Mamageishvili et al. 2024, arXiv 2407.07474: the winner can keep at most
his marginal value): the highest value wins and pays the builder the second highest; losers pay nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sim.chain.transaction import Transaction
from sim.randomness import Randomness


class Mempool:
    """Pending public transactions, and the selection of a step's transactions.

    What does not fit is carried over until its `expires_step`. `lost` counts the private bids that lost their auction
    in the last selection, `expired` the public transactions that ran out of time.
    """

    def __init__(self, randomness: Randomness) -> None:
        self._randomness = randomness
        self._pending: list[Transaction] = []
        self._nonces: dict[int, int] = {}
        self.lost = 0
        self.expired = 0

    def __len__(self) -> int:
        return len(self._pending)

    def submit(self, transactions: Iterable[Transaction], step: int, expiry_steps: int) -> None:
        """Take in transactions; each gets its sender's next nonce and the hash that breaks ties."""
        nonces = self._nonces
        for transaction in transactions:
            nonce = nonces.get(transaction.sender, 0)
            nonces[transaction.sender] = nonce + 1
            transaction.nonce = nonce
            transaction.order_key = self._randomness.bits("order", transaction.sender, nonce)
            transaction.submitted_step = step
            transaction.expires_step = step + expiry_steps
            self._pending.append(transaction)

    def select(self, step: int, base_fee_gwei: float, capacity_gas: int, private_gas: int) -> list[Transaction]:
        """The transactions of this step, in order; the others that may still be included stay pending.

        Winners of auctions outbid anybody outside, so up to `private_gas` they find room; public ones share what
        those who pay more than their tip, winners and outsiders, leave: `capacity_gas` less the winners' gas.
        """
        self.lost = self.expired = 0
        pending = self._pending
        if not pending:
            return []
        private = [t for t in pending if t.private]
        public = [t for t in pending if not t.private]
        winners = self._auction(private)
        winners.sort(key=lambda t: (-t.value_usd, t.order_key))
        public.sort(key=lambda t: (-t.tip_gwei, t.order_key))
        chosen: list[Transaction] = []
        kept: list[Transaction] = []
        room = capacity_gas
        for transaction in winners:
            # A private bid is for one block only; who finds no room bids again on the next view.
            if transaction.gas <= private_gas:
                private_gas -= transaction.gas
                room -= transaction.gas
                chosen.append(transaction)
        for transaction in public:
            if transaction.max_fee_gwei >= base_fee_gwei and transaction.gas <= room:
                room -= transaction.gas
                chosen.append(transaction)
            elif transaction.expires_step > step:
                kept.append(transaction)
            else:
                self.expired += 1
        self._pending = kept
        return chosen

    def _auction(self, bids: list[Transaction]) -> list[Transaction]:
        """Of the bids for one subject keep the most valuable, made to pay the second most valuable's worth."""
        best: dict[int, Transaction] = {}
        second: dict[int, float] = {}
        alone: list[Transaction] = []
        for bid in bids:
            if bid.subject < 0:
                alone.append(bid)
                continue
            leader = best.get(bid.subject)
            if leader is None:
                best[bid.subject] = bid
                second[bid.subject] = 0.0
                continue
            self.lost += 1
            if (bid.value_usd, -bid.order_key) > (leader.value_usd, -leader.order_key):
                best[bid.subject] = bid
                second[bid.subject] = max(second[bid.subject], leader.value_usd)
            else:
                second[bid.subject] = max(second[bid.subject], bid.value_usd)
        return alone + [replace(bid, bid_usd=max(second[subject], 0.0)) for subject, bid in best.items()]
