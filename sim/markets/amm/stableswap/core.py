"""State and writing of a stable pool: balances, shares, amplification, fee and rates, all through the undo journal.

Balancer V2 `StablePool` and `MetaStablePool` 2.0.0, with the vault's part. Governance operations are open to every
sender: who may call them is the economy's business. Deviations: a fee of zero is allowed at the start (for exact
solutions), a ramp may begin later than now, rates are read afresh instead of from a cache, there is no protocol fee.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.ledger import Ledger
from sim.markets.amm.stableswap import curve
from sim.markets.amm.stableswap.amplification import check_steepness, check_target, ramped
from sim.markets.amm.stableswap.constants import (
    AMP_PRECISION,
    FEE_TOO_HIGH,
    FEE_TOO_LOW,
    MAX_AMPLIFICATION,
    MAX_FEE_PIPS,
    MAX_RATE_WAD,
    MAX_RESERVE,
    MAX_TOKENS,
    MIN_AMPLIFICATION,
    MIN_FEE_PIPS,
    MIN_TOKENS,
    NO_RAMP,
    PIP_WAD,
    RAMP_ONGOING,
    RATE_OVERFLOW,
    RESERVE_OVERFLOW,
    SHARES_EXCEED_BALANCE,
)
from sim.markets.amm.stableswap.fixed_point import ONE
from sim.markets.amm.stableswap.invariant import invariant
from sim.markets.amm.stableswap.records import Ramp, StableSwapState
from sim.markets.amm.stableswap.scaling import decimal_factor, scaled_balances


class StableSwapCore:
    """Two to five tokens of like worth on one curve.

    `amplification` is A as pools quote it, 1 to 5000; `fee_pips` (0.0001 %) up to 10 %. `rates` are redemption rates,
    18-decimal numbers, one a token: with 1.2 and 1 the pool trades the first token around 1.2 of the second. The list
    is kept, not copied: whoever grows a rate writes it there, or through `set_rate`. Tokens sent to the pool without
    an operation are not counted.
    """

    def __init__(
        self,
        name: str,
        ledger: Ledger,
        clock: Clock,
        tokens: Sequence[int],
        amplification: int,
        fee_pips: int,
        rates: list[int] | None = None,
    ) -> None:
        _check(name, tokens, amplification, fee_pips, rates)
        self.name = name
        self.ledger = ledger
        self.journal = ledger.journal
        self.clock = clock
        self._units = [decimal_factor(ledger.tokens[token].decimals) for token in tokens]
        self.account = ledger.open_account(name)
        self.tokens = tuple(tokens)
        self.indices = {token: index for index, token in enumerate(tokens)}
        self.balances = [0] * len(tokens)
        self.rates = [ONE] * len(tokens) if rates is None else rates
        self.fee_ratio = fee_pips / 1_000_000.0
        self.state = StableSwapState(amplification * AMP_PRECISION, fee_pips * PIP_WAD, clock.timestamp)
        self._slots = vars(self.state)
        self.shares: dict[int, int] = {}
        #: Marginal prices by (token, token) for the balances, rates and amplification they were worked out for.
        self._priced: tuple[object, dict[tuple[int, int], float]] = (None, {})

    # ------------------------------------------------------------------ governance
    def start_ramp(
        self, sender: int, end_amplification: int, end_timestamp: int, start_timestamp: int | None = None
    ) -> Ramp:
        """Move A in a line from what it is to `end_amplification`, from now or a later `start_timestamp` on.

        Reverts BAL#318 while a ramp runs or waits, BAL#317 for less than a day, BAL#319 for more than a factor of two
        a day, BAL#300 and BAL#301 outside 1 to 5000.
        """
        now = self.clock.timestamp
        start = now if start_timestamp is None else max(start_timestamp, now)
        end_milli = check_target(end_amplification, end_timestamp - start)
        if now < self.state.end_timestamp:
            raise Revert(RAMP_ONGOING)
        current = self.state.end_milli
        check_steepness(current, end_milli, end_timestamp - start)
        return self._set_ramp(Ramp(current, end_milli, start, end_timestamp))

    def stop_ramp(self, sender: int) -> Ramp:
        """Keep A where it is; reverts BAL#320 if no ramp runs or waits."""
        now = self.clock.timestamp
        if now >= self.state.end_timestamp:
            raise Revert(NO_RAMP)
        current = self.amplification_milli()
        return self._set_ramp(Ramp(current, current, now, now))

    def set_fee(self, sender: int, fee_pips: int) -> None:
        """Set the swap fee in millionths; reverts BAL#203 under 1 (0.0001 %), BAL#202 over 100000 (10 %)."""
        if fee_pips < MIN_FEE_PIPS:
            raise Revert(FEE_TOO_LOW)
        if fee_pips > MAX_FEE_PIPS:
            raise Revert(FEE_TOO_HIGH)
        self._set("fee_wad", fee_pips * PIP_WAD)
        self.journal.put(vars(self), "fee_ratio", fee_pips / 1_000_000.0)

    def set_rate(self, sender: int, token: int, rate_wad: int) -> None:
        """Set a token's redemption rate (18 decimals); reverts BAL#329 beyond 128 bits."""
        if rate_wad <= 0:
            raise ValueError(f"pool {self.name!r}: rate {rate_wad} of token {token} must be positive")
        if rate_wad > MAX_RATE_WAD:
            raise Revert(RATE_OVERFLOW)
        self.journal.put(self.rates, self.index_of(token), rate_wad)

    def transfer_shares(self, sender: int, receiver: int, amount: int) -> None:
        """Move shares; reverts BAL#416 when the sender has less."""
        if amount < 0:
            raise ValueError(f"negative amount {amount}")
        shares, put = self.shares, self.journal.put
        held = shares.get(sender, 0)
        if amount > held:
            raise Revert(SHARES_EXCEED_BALANCE)
        put(shares, sender, held - amount)
        put(shares, receiver, shares.get(receiver, 0) + amount)

    # ------------------------------------------------------------------ readers
    def amplification_milli(self) -> int:
        """A in thousandths at the present time."""
        state, now = self.state, self.clock.timestamp
        if now >= state.end_timestamp:
            return state.end_milli
        return ramped(state.start_milli, state.end_milli, state.start_timestamp, state.end_timestamp, now)

    def amplification(self) -> float:
        """A at the present time, as pools quote it."""
        return self.amplification_milli() / AMP_PRECISION

    def reserves(self) -> tuple[int, int]:
        """Tokens held, (token0, token1) in smallest units; `balances` lists every token of a larger pool."""
        return self.balances[0], self.balances[1]

    def factors(self) -> list[int]:
        """Scaling factor of every token: 10^(18 − decimals) · rate."""
        return [unit * rate for unit, rate in zip(self._units, self.rates, strict=True)]

    def scaled(self) -> list[int]:
        """Balances in 18 decimals times their rates, rounded down."""
        return scaled_balances(self.balances, self.factors())

    def invariant(self) -> int:
        """D of the present balances, 18 decimals, rounded down; reverts as `stableswap.invariant.invariant` does."""
        return invariant(self.amplification_milli(), self.scaled(), False)

    def share_worth(self) -> float:
        """Invariant per share: 1 at the first deposit, growing with fees and rates; `ValueError` without shares."""
        if not self.state.total_shares:
            raise ValueError(f"pool {self.name!r} is empty: its shares have no worth")
        return curve.invariant(self._slope(), self._floats()) / self.state.total_shares

    def index_of(self, token: int) -> int:
        """Place of a token in the pool's order; `ValueError` for a token that it does not trade."""
        index = self.indices.get(token)
        if index is None:
            raise ValueError(f"pool {self.name!r} trades tokens {', '.join(map(str, self.tokens))}, not {token}")
        return index

    def _slope(self) -> float:
        """a = A·n of the curve in floats."""
        return self.amplification_milli() * len(self.tokens) / AMP_PRECISION

    def _floats(self) -> list[float]:
        """Scaled balances as floats; `ValueError` for an empty pool."""
        scaled = self.scaled()
        if 0 in scaled:
            raise ValueError(f"pool {self.name!r} is empty: it has no price")
        return [float(balance) for balance in scaled]

    # ------------------------------------------------------------------ writing
    def _set(self, name: str, value: int) -> None:
        slots = self._slots
        self.journal.entries.append((slots, name, slots[name]))
        slots[name] = value

    def _set_ramp(self, ramp: Ramp) -> Ramp:
        for name, value in ramp._asdict().items():
            self._set(name, value)
        return ramp

    def _receive(self, sender: int, index: int, amount: int) -> None:
        balances = self.balances
        held = balances[index]
        if held + amount > MAX_RESERVE:
            raise Revert(RESERVE_OVERFLOW)
        self.journal.entries.append((balances, index, held))
        balances[index] = held + amount
        self.ledger.transfer(self.tokens[index], sender, self.account, amount)

    def _pay(self, receiver: int, index: int, amount: int) -> None:
        balances = self.balances
        held = balances[index]
        self.journal.entries.append((balances, index, held))
        balances[index] = held - amount
        self.ledger.transfer(self.tokens[index], self.account, receiver, amount)


def _check(name: str, tokens: Sequence[int], amplification: int, fee_pips: int, rates: list[int] | None) -> None:
    if not MIN_TOKENS <= len(tokens) <= MAX_TOKENS:
        raise ValueError(f"pool {name!r}: {len(tokens)} tokens; allowed: {MIN_TOKENS} to {MAX_TOKENS}")
    if len({*tokens}) != len(tokens):
        raise ValueError(f"pool {name!r}: a token is named twice in {list(tokens)}")
    if not MIN_AMPLIFICATION <= amplification <= MAX_AMPLIFICATION:
        raise ValueError(
            f"pool {name!r}: amplification {amplification}; allowed: {MIN_AMPLIFICATION} to {MAX_AMPLIFICATION}"
        )
    if not 0 <= fee_pips <= MAX_FEE_PIPS:
        raise ValueError(f"pool {name!r}: fee_pips {fee_pips}; allowed: 0 to {MAX_FEE_PIPS}")
    if rates is not None:
        if len(rates) != len(tokens):
            raise ValueError(f"pool {name!r}: {len(rates)} rates for {len(tokens)} tokens")
        if not all(0 < rate <= MAX_RATE_WAD for rate in rates):
            raise ValueError(f"pool {name!r}: rates {rates} must be positive 18-decimal numbers of 128 bits at most")
