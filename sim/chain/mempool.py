"""The mempool: which transactions a step includes, and in which order.

The order is total, so a run never depends on who was asked first: private transactions come first, by what they bid
(ties by a keyed hash); public ones follow by tip, ties by the same hash of (sender, nonce). A private transaction is
a sealed second-price bid for its subject (Mamageishvili et al. 2024, arXiv 2407.07474: the winner can keep at most
his marginal value): the highest value wins and pays the builder the second highest; losers pay nothing.
Public bids for one subject see each other and raise their tips (Daian et al. 2019, arXiv 1904.05234: priority gas
auctions); all of them may be included, and whoever comes too late pays for a reverted transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from sim.chain.transaction import Transaction
from sim.randomness import Randomness

#: From so many transactions on, drawing all hashes in one array is faster than one by one.
MANY = 12

#: The least tip that can be raised: one wei per unit of gas.
WEI_GWEI = 1e-9


class Mempool:
    """Pending public transactions, and the selection of a step's transactions.

    What does not fit is carried over until its `expires_step`. `lost` counts the private bids that lost their auction
    in the last selection, `expired` the public transactions that ran out of time, `raised` the replacements of public
    bids by dearer ones. A replacement costs `raise_ratio` more than what it replaces and keeps its nonce; between two
    selections bidders look at each other `raise_rounds` times.
    """

    def __init__(
        self,
        randomness: Randomness,
        *,
        identity: Callable[[int], int] = int,
        raise_ratio: float = 0.125,
        raise_rounds: int = 20,
    ) -> None:
        self._randomness = randomness
        self._identity = identity
        self._pending: list[Transaction] = []
        self._nonces: dict[int, int] = {}
        self.raise_factor = 1.0 + raise_ratio
        self.raise_rounds = raise_rounds
        self.lost = 0
        self.expired = 0
        self.raised = 0

    def __len__(self) -> int:
        return len(self._pending)

    def submit(self, transactions: Iterable[Transaction], step: int, expiry_steps: int) -> None:
        """Take in transactions; each gets its sender's next nonce and the hash that breaks ties.

        A public bid for a subject for which the sender has one pending replaces it, if it is dear enough, under the
        nonce of the old one; otherwise the old one stands.
        """
        nonces = self._nonces
        fresh: list[Transaction] = []
        bids = {(t.sender, t.subject): place for place, t in enumerate(self._pending) if t.subject >= 0}
        for transaction in transactions:
            place = None if transaction.private else bids.get((transaction.sender, transaction.subject))
            if place is not None:
                self._replace(place, transaction, step, expiry_steps)
                continue
            nonce = nonces.get(transaction.sender, 0)
            nonces[transaction.sender] = nonce + 1
            transaction.nonce = nonce
            transaction.submitted_step = step
            transaction.expires_step = step + expiry_steps
            fresh.append(transaction)
        self._draw_order(fresh)
        self._pending.extend(fresh)

    def _draw_order(self, transactions: list[Transaction]) -> None:
        """The hash of (sender, nonce) that breaks ties."""
        if len(transactions) < MANY:
            for t in transactions:
                t.order_key = self._randomness.bits("order", self._identity(t.sender), t.nonce)
            return
        identities = [self._identity(t.sender) for t in transactions]
        keys = self._randomness.bits_array("order", identities, [t.nonce for t in transactions])
        for transaction, key in zip(transactions, keys.tolist(), strict=True):
            transaction.order_key = key

    def _replace(self, place: int, transaction: Transaction, step: int, expiry_steps: int) -> None:
        old = self._pending[place]
        if transaction.tip_gwei < old.tip_gwei * self.raise_factor:
            return
        transaction.nonce = old.nonce
        transaction.order_key = old.order_key
        transaction.submitted_step = step
        transaction.expires_step = step + expiry_steps
        self._pending[place] = transaction
        self.raised += 1

    def bid_up(self) -> None:
        """Let public bidders for one subject raise their tips, step by step, up to their ceilings.

        In each round every bidder who is not in front, and whose ceiling allows it, replaces his bid by the cheapest
        one, in whole steps, that would be in front; if he cannot get there he stays where he is.
        """
        rivals: dict[int, list[Transaction]] = {}
        for transaction in self._pending:
            if transaction.subject >= 0 and not transaction.private and transaction.tip_ceiling_gwei > 0.0:
                rivals.setdefault(transaction.subject, []).append(transaction)
        for bids in rivals.values():
            for _ in range(self.raise_rounds if len(bids) > 1 else 0):
                leader = min(bids, key=_in_front)
                best = leader.tip_gwei
                moved = False
                for bid in bids:
                    tip = bid.tip_gwei if bid is leader else self._in_front_of(best, bid.tip_gwei)
                    if bid is not leader and tip <= bid.tip_ceiling_gwei:
                        bid.tip_gwei = tip
                        self.raised += 1
                        moved = True
                if not moved:
                    break

    def _in_front_of(self, best_gwei: float, tip_gwei: float) -> float:
        """The cheapest tip above `best_gwei` that whole raises of `tip_gwei` (at least a wei) lead to."""
        tip = max(tip_gwei, WEI_GWEI)
        while tip <= best_gwei:
            tip *= self.raise_factor
        return tip

    def select(
        self, step: int, base_fee_gwei: float, capacity_gas: int | Callable[[float], int], private_gas: int
    ) -> list[Transaction]:
        """The transactions of this step, in order; the others that may still be included stay pending.

        Winners of auctions outbid anybody outside, so up to `private_gas` they find room; public ones share what
        those who pay more than their tip, winners and outsiders, leave: `capacity_gas` (a number, or what it is at a
        given tip) less the winners' gas.
        """
        self.lost = self.expired = 0
        pending = self._pending
        if not pending:
            return []
        winners = self._auction([t for t in pending if t.private])
        winners.sort(key=lambda t: (-t.value_usd, t.order_key))
        public = [t for t in pending if not t.private]
        public.sort(key=_in_front)
        chosen: list[Transaction] = []
        kept: list[Transaction] = []
        used = 0
        for transaction in winners:
            # A private bid is for one block only; who finds no room bids again on the next view.
            gas = transaction.gas
            if used + gas <= private_gas:
                used += gas
                chosen.append(transaction)
        rooms: dict[float, int] = {}
        for transaction in public:
            tip, gas = transaction.tip_gwei, transaction.gas
            room = rooms.get(tip)
            if room is None:
                room = rooms[tip] = capacity_gas(tip) if callable(capacity_gas) else capacity_gas
            if transaction.max_fee_gwei >= base_fee_gwei and used + gas <= room:
                used += gas
                chosen.append(transaction)
            elif transaction.expires_step > step:
                kept.append(transaction)
            else:
                self.expired += 1
        self._pending = kept
        return chosen

    def _auction(self, bids: list[Transaction]) -> list[Transaction]:
        """Of the bids for one subject that were there first, in blocks, keep the most valuable.

        He is made to pay what the second most valuable is worth; a bid that comes blocks later finds nothing left.
        """
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
            if bid.ready_block != leader.ready_block:
                if bid.ready_block < leader.ready_block:
                    best[bid.subject] = bid
                    second[bid.subject] = 0.0
            elif (bid.value_usd, -bid.order_key) > (leader.value_usd, -leader.order_key):
                best[bid.subject] = bid
                second[bid.subject] = max(second[bid.subject], leader.value_usd)
            else:
                second[bid.subject] = max(second[bid.subject], bid.value_usd)
        return alone + [replace(bid, bid_usd=max(second[subject], 0.0)) for subject, bid in best.items()]


def _in_front(transaction: Transaction) -> tuple[float, int]:
    return -transaction.tip_gwei, transaction.order_key
