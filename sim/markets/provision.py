"""Provision: how providers put liquidity into concentrated pools, take it out and move it, each in one transaction.

It plays the part of a provider's helper contract over the position manager: no right that the sender does not have. It
keeps who holds which position, and what each provider has collected in fees.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sim.chain.revert import Revert
from sim.ledger import Ledger
from sim.markets.routes import Leg
from sim.markets.venues import Venues

#: The cause under which providers' own swaps move prices.
LIQUIDITY = "liquidity"

NO_POSITION = "NO_POSITION"
HAS_POSITION = "HAS_POSITION"
NOTHING_TO_PROVIDE = "NOTHING_TO_PROVIDE"


class Provided(NamedTuple):
    """Liquidity put into a range, or taken out of it (`added` false): amounts in smallest units, fees apart."""

    pool: str
    added: bool
    position: int
    liquidity: int
    amount0: int
    amount1: int
    fees0: int
    fees1: int


class Provision:
    """One position an account and pool; `held[pool][account]` is its id, `fees[pool][account]` what it collected."""

    def __init__(self, ledger: Ledger, venues: Venues, amms: Mapping[str, Any]) -> None:
        self.name = "provision"
        self.ledger = ledger
        self.journal = ledger.journal
        self.venues = venues
        self.amms = {name: amm for name, amm in amms.items() if hasattr(amm, "positions")}
        self.held: dict[str, dict[int, int]] = {name: {} for name in self.amms}
        self.fees: dict[str, dict[int, tuple[int, int]]] = {name: {} for name in self.amms}

    # ------------------------------------------------------------------ operations
    def provide(
        self, sender: int, pool: str, lower_price: float, upper_price: float, most0: int, most1: int, balance: bool
    ) -> Provided:
        """Open a position in a range with at most the given amounts of the sender's tokens.

        With `balance`, what one token has too much of is first swapped on the pool itself. Reverts `HAS_POSITION`, and
        `NOTHING_TO_PROVIDE` where the amounts buy no liquidity.
        """
        amm = self.amms[pool]
        if sender in self.held[pool]:
            raise Revert(HAS_POSITION)
        lower, upper = amm.usable_range(lower_price, upper_price)
        amount0, amount1 = most0, most1
        if balance:
            amount0, amount1 = self._balance(sender, pool, lower, upper, amount0, amount1)
        amount0 = min(amount0, self.ledger.balances[amm.token0][sender])
        amount1 = min(amount1, self.ledger.balances[amm.token1][sender])
        if amm.liquidity_for(lower, upper, amount0, amount1) <= 0:
            raise Revert(NOTHING_TO_PROVIDE)
        opened = amm.mint(sender, lower, upper, amount0, amount1)
        self.journal.put(self.held[pool], sender, opened.position)
        return Provided(pool, True, opened.position, opened.liquidity, opened.amount0, opened.amount1, 0, 0)

    def withdraw(self, sender: int, pool: str) -> Provided:
        """Take everything out: liquidity, and the fees it earned. Reverts `NO_POSITION`."""
        amm = self.amms[pool]
        position = self.held[pool].get(sender)
        if position is None:
            raise Revert(NO_POSITION)
        held = amm.positions[position]
        taken = amm.decrease(sender, position, held.liquidity)
        paid = amm.collect(sender, position)
        amm.burn(sender, position)
        fees0, fees1 = paid.amount0 - taken.amount0, paid.amount1 - taken.amount1
        before0, before1 = self.fees[pool].get(sender, (0, 0))
        self.journal.put(self.fees[pool], sender, (before0 + fees0, before1 + fees1))
        self.journal.remove(self.held[pool], sender)
        return Provided(pool, False, position, held.liquidity, taken.amount0, taken.amount1, fees0, fees1)

    def move(self, sender: int, pool: str, lower_price: float, upper_price: float, most0: int, most1: int) -> Provided:
        """Take a position out and put what it held, and at most the given amounts in all, into another range."""
        self.withdraw(sender, pool)
        return self.provide(sender, pool, lower_price, upper_price, most0, most1, True)

    # ------------------------------------------------------------------ readers
    def position(self, pool: str, account: int) -> Any:
        """The account's position record, None without one."""
        number = self.held[pool].get(account)
        return None if number is None else self.amms[pool].positions[number]

    def amounts(self, pool: str, account: int) -> tuple[int, int, int, int]:
        """(token0, token1) in the position and (fees0, fees1) it has earned and not collected; zeros without one."""
        number = self.held[pool].get(account)
        if number is None:
            return 0, 0, 0, 0
        amm = self.amms[pool]
        whole0, whole1 = amm.worth(number)
        held0, held1 = amm.principal(number)
        return held0, held1, whole0 - held0, whole1 - held1

    # ------------------------------------------------------------------ inside
    def _balance(self, sender: int, pool: str, lower: int, upper: int, amount0: int, amount1: int) -> tuple[int, int]:
        """Swap what is too much of one token, so that both are used up at about the present price.

        With w the share of a range's value that is token0 and V the value of both amounts, w V should be token0. The
        pool moves by the swap itself, so a little of one token stays over.
        """
        amm = self.amms[pool]
        need0, need1 = amm.range_amounts(lower, upper, 1 << 100)
        price0 = amm.state.sqrt_price_x96
        # Values in units of token1 · 2^192: integers, so that every machine swaps the same amount.
        worth0, worth1 = need0 * price0 * price0, need1 << 192
        have0, have1 = amount0 * price0 * price0, amount1 << 192
        wanted0 = (have0 + have1) * worth0 // (worth0 + worth1)
        if have0 > wanted0:
            token_in, token_out, amount = amm.token0, amm.token1, (have0 - wanted0) // (price0 * price0)
        else:
            token_in, token_out, amount = amm.token1, amm.token0, (wanted0 - have0) >> 192
        if amount <= 0 or amm.quote_exact_in(token_in, amount) <= 0:
            return amount0, amount1
        received = self.venues.exchange(sender, Leg(pool, token_in, token_out), amount, LIQUIDITY)
        if token_in == amm.token0:
            return amount0 - amount, amount1 + received
        return amount0 + received, amount1 - amount
