"""The redemption queue of a staked token: request, wait, claim at par.

After Lido's withdrawal queue (`WithdrawalQueueERC721`, open since May 2023; exits from the beacon chain since the
Shapella upgrade of 12 April 2023). Deviations: one request may be of any size, a request waits on its own in the order
of requests (no batches), claims pay the ratio at the time of the request, and part of the churn is not taken by others:
their exits are the opening backlog.
"""

from __future__ import annotations

from typing import NamedTuple

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.ledger import Ledger
from sim.markets.ratios import WAD, RedemptionRatios
from sim.randomness import Randomness

DAY_SECONDS = 86_400

NOT_OPEN = "WITHDRAWALS_NOT_OPEN"
NOT_FINALIZED = "REQUEST_NOT_FINALIZED"
NOT_OWNER = "NOT_OWNER"
NOT_FOUND = "REQUEST_NOT_FOUND"
ZERO = "REQUEST_AMOUNT_TOO_SMALL"
NO_STAKE = "ZERO_DEPOSIT"


class Request(NamedTuple):
    """One request: `amount` of the staked token for `base_amount` of its base, payable from `claimable_at` on."""

    number: int
    owner: int
    amount: int
    base_amount: int
    requested_at: int
    claimable_at: int


class Claimed(NamedTuple):
    """A request paid out; amounts in smallest units."""

    number: int
    amount: int
    base_amount: int
    waited_seconds: int


class StakedNow(NamedTuple):
    """Base tokens turned into staked ones at par; smallest units."""

    base_amount: int
    amount: int


class RedemptionQueue:
    """Redeems `token` for its base at par, after

        T = backlog / churn + delay,   delay uniform between `delay_days_least` and `delay_days_most`,

    where the backlog (the request itself included) melts by `churn_per_day` (smallest units of the base a day) and the
    delay is a draw keyed by (owner, number of his request). Tokens wait in the queue's account and are burnt at the
    claim, which brings the base tokens into the economy. Staking goes the other way at once. Before `opens_at` only
    staking is possible.
    """

    def __init__(
        self,
        name: str,
        ledger: Ledger,
        clock: Clock,
        randomness: Randomness,
        ratios: RedemptionRatios,
        token: int,
        *,
        churn_per_day: int,
        opening_backlog: int = 0,
        delay_days_least: float = 1.0,
        delay_days_most: float = 4.0,
        opens_at: int = 0,
        request_gas: int = 180_000,
        claim_gas: int = 120_000,
    ) -> None:
        if churn_per_day <= 0:
            raise ValueError(f"queue {name!r}: churn {churn_per_day} a day; allowed: above 0")
        if not 0.0 <= delay_days_least <= delay_days_most:
            raise ValueError(f"queue {name!r}: delays {delay_days_least} to {delay_days_most} days; allowed: 0 or more")
        if token not in ratios.staked:
            raise ValueError(f"queue {name!r}: token {token} has no redemption ratio")
        self.name = name
        self.ledger = ledger
        self.clock = clock
        self.journal = ledger.journal
        self.randomness = randomness
        self.ratios = ratios
        self.token = token
        self.base = ratios.staked[token].base
        self.churn_per_day = churn_per_day
        self.delay_days = (delay_days_least, delay_days_most)
        self.opens_at = opens_at
        self.request_gas = request_gas
        self.claim_gas = claim_gas
        self._units = (ledger.tokens[token].unit, ledger.tokens[self.base].unit)
        self.requests: dict[int, Request] = {}
        self.held: dict[int, tuple[int, ...]] = {}
        #: Requests an account has made so far: the counter of its draws.
        self.made: dict[int, int] = {}
        self._state = {"next": 1, "backlog": opening_backlog, "seen_at": clock.timestamp}
        self.account = ledger.open_account(name)

    # ------------------------------------------------------------------ operations
    def request(self, sender: int, amount: int) -> Request:
        """Hand in `amount` of the staked token; it is worth the ratio of now, rounded down.

        Reverts `WITHDRAWALS_NOT_OPEN`, `REQUEST_AMOUNT_TOO_SMALL` for nothing, the ledger's for a short wallet.
        """
        now = self.clock.timestamp
        if not self.is_open():
            raise Revert(NOT_OPEN)
        base_amount = self.par(amount)
        if base_amount <= 0:
            raise Revert(ZERO)
        put, state = self.journal.put, self._state
        number, made = state["next"], self.made.get(sender, 0)
        backlog = self.backlog() + base_amount
        least, most = self.delay_days
        delay_days = least + (most - least) * self.randomness.uniform(
            "redemption.delay", self.ledger.identity(sender), made
        )
        waiting = -(-backlog * DAY_SECONDS // self.churn_per_day)
        opened = Request(number, sender, amount, base_amount, now, now + waiting + int(delay_days * DAY_SECONDS))
        self.ledger.transfer(self.token, sender, self.account, amount)
        put(state, "next", number + 1)
        put(state, "backlog", backlog)
        put(state, "seen_at", now)
        put(self.made, sender, made + 1)
        put(self.requests, number, opened)
        put(self.held, sender, (*self.held.get(sender, ()), number))
        return opened

    def claim(self, sender: int, number: int) -> Claimed:
        """Take what an own request is worth; reverts `REQUEST_NOT_FINALIZED` before its time, `NOT_OWNER`."""
        request = self.requests.get(number)
        if request is None:
            raise Revert(NOT_FOUND)
        if request.owner != sender:
            raise Revert(NOT_OWNER)
        now = self.clock.timestamp
        if now < request.claimable_at:
            raise Revert(NOT_FINALIZED)
        self.ledger.outflow(self.token, self.account, request.amount)
        self.ledger.inflow(self.base, sender, request.base_amount)
        self.journal.remove(self.requests, number)
        self.journal.put(self.held, sender, tuple(other for other in self.held[sender] if other != number))
        return Claimed(number, request.amount, request.base_amount, now - request.requested_at)

    def stake(self, sender: int, base_amount: int) -> StakedNow:
        """Turn base tokens into staked ones at the ratio of now, rounded down; reverts `ZERO_DEPOSIT` for nothing."""
        amount = self.staked_for(base_amount)
        if amount <= 0:
            raise Revert(NO_STAKE)
        self.ledger.outflow(self.base, sender, base_amount)
        self.ledger.inflow(self.token, sender, amount)
        return StakedNow(base_amount, amount)

    # ------------------------------------------------------------------ readers
    def is_open(self) -> bool:
        """Whether requests are taken."""
        return self.clock.timestamp >= self.opens_at

    def par(self, amount: int) -> int:
        """What `amount` of the staked token is worth in its base now, rounded down."""
        unit, base_unit = self._units
        return amount * self.ratios.ratio_wad(self.token) * base_unit // (WAD * unit)

    def staked_for(self, base_amount: int) -> int:
        """What staking `base_amount` gives now, rounded down."""
        unit, base_unit = self._units
        return base_amount * WAD * unit // (self.ratios.ratio_wad(self.token) * base_unit)

    def backlog(self) -> int:
        """Base tokens requested, by anybody, that have not passed the churn yet."""
        state = self._state
        passed = self.churn_per_day * (self.clock.timestamp - state["seen_at"]) // DAY_SECONDS
        return max(0, state["backlog"] - passed)

    def wait_seconds(self, base_amount: int = 0) -> float:
        """T_q: how long a request of this size, made now, is expected to wait."""
        least, most = self.delay_days
        return ((self.backlog() + base_amount) / self.churn_per_day + 0.5 * (least + most)) * DAY_SECONDS

    def requests_of(self, account: int) -> tuple[Request, ...]:
        """An account's requests that are not claimed yet, oldest first."""
        return tuple(self.requests[number] for number in self.held.get(account, ()))

    def claimable(self, account: int) -> tuple[Request, ...]:
        """Those of them that can be claimed now."""
        held = self.held.get(account)
        if not held:
            return ()
        now = self.clock.timestamp
        return tuple(request for request in map(self.requests.__getitem__, held) if request.claimable_at <= now)

    def audit(self) -> None:
        """The tokens in the queue's account are those of the open requests; raises if one unit is amiss."""
        waiting = sum(request.amount for request in self.requests.values())
        held = self.ledger.balances[self.token][self.account]
        if waiting != held:
            raise AssertionError(f"queue {self.name!r}: requests of {waiting}, holds {held}")
