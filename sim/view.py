"""The picture of a block that agents decide on: read-only, the same for all, with caches that live one step."""

from __future__ import annotations

from typing import Any

from sim.markets.venues import Venues


class View:
    """What everybody sees at the start of a step.

    `outside_usd[token]` are the outside market's prices, `oracle_usd(asset)` the pool's own. `base_fee_gwei` is the
    base fee (in a first-price market the price that cleared the last block, and `tip_gwei` the whole price to offer),
    `space_tip_gwei` the tip that outbids outsiders who fill the block, `eth_usd` what gas is valued at, and
    `operations` the gas of each kind of call. `book` holds the accounts that may be liquidated. `cache` is for plans
    that several agents share; it is emptied every step.
    """

    __slots__ = (
        "base_fee_gwei",
        "block",
        "blocks_per_step",
        "book",
        "cache",
        "eth_usd",
        "exogenous",
        "first_price",
        "ledger",
        "loops",
        "operations",
        "outside",
        "outside_usd",
        "pool",
        "prices",
        "private",
        "queues",
        "randomness",
        "ratios",
        "space_tip_gwei",
        "step",
        "step_seconds",
        "timestamp",
        "tip_gwei",
        "venues",
    )

    def __init__(
        self,
        *,
        ledger: Any,
        pool: Any,
        venues: Venues,
        outside: Any,
        book: Any,
        randomness: Any,
        operations: Any,
        tip_gwei: float,
        private: bool,
        blocks_per_step: int,
        exogenous: list[list[float]],
        step_seconds: int,
        ratios: Any = None,
        queues: Any = None,
        loops: Any = None,
    ) -> None:
        self.ratios = ratios
        self.queues = queues
        self.loops = loops
        self.exogenous = exogenous
        self.step_seconds = step_seconds
        self.ledger = ledger
        self.pool = pool
        self.venues = venues
        self.outside = outside
        self.book = book
        self.randomness = randomness
        self.operations = operations
        self.tip_gwei = tip_gwei
        self.private = private
        self.blocks_per_step = blocks_per_step
        self.cache: dict[Any, Any] = {}
        self.prices: list[int] = pool.prices
        self.outside_usd: list[float] = outside.prices
        self.step = 0
        self.block = 0
        self.timestamp = 0
        self.base_fee_gwei = 0.0
        self.space_tip_gwei = 0.0
        self.first_price = False
        self.eth_usd = 0.0

    def open(
        self,
        *,
        step: int,
        block: int,
        timestamp: int,
        base_fee_gwei: float,
        eth_usd: float,
        space_tip_gwei: float = 0.0,
        first_price: bool = False,
        tip_gwei: float | None = None,
    ) -> None:
        """Turn the page: the picture of a new step, with empty caches."""
        self.space_tip_gwei = space_tip_gwei
        self.first_price = first_price
        if tip_gwei is not None:
            self.tip_gwei = tip_gwei
        self.step = step
        self.block = block
        self.timestamp = timestamp
        self.base_fee_gwei = base_fee_gwei
        self.eth_usd = eth_usd
        self.cache.clear()

    def gas_usd(self, gas: int, tip_gwei: float | None = None) -> float:
        """Cost of `gas` units at this step's base fee plus a tip (first price: at the price that is the tip), in USD.

        Without a tip: at what it takes to find room in a block that outsiders may fill.
        """
        tip = self.space_tip_gwei if tip_gwei is None else tip_gwei
        price = max(tip, 0.0 if tip_gwei else self.base_fee_gwei) if self.first_price else self.base_fee_gwei + tip
        return gas * price * 1e-9 * self.eth_usd

    def oracle_usd(self, asset: int) -> float:
        """The pool's price of a reserve, USD per whole token."""
        return self.prices[asset] * 1e-8

    def past_return_ratio(self, token: int, seconds: float) -> float:
        """Relative change of an asset's exogenous price over the last `seconds`, or since the start of the run."""
        before = self.exogenous[max(0, self.step - int(seconds // self.step_seconds))][token]
        return self.exogenous[self.step][token] / before - 1.0

    def gaps(self) -> list[tuple[str, float]]:
        """Pools on which trading against the outside price pays after the fee: (name, price to move it to)."""
        found: list[tuple[str, float]] | None = self.cache.get("gaps")
        if found is None:
            found = []
            outside = self.outside_usd
            for name, amm in self.venues.amms.items():
                target = amm.arbitrage_target(outside[amm.token0] / outside[amm.token1])
                if target is not None:
                    found.append((name, target))
            self.cache["gaps"] = found
        return found

    def closing_trade(self, name: str, target: float) -> tuple[int, int]:
        """(token in, amount) that moves a pool to `target`; worked out once a step."""
        key = ("closing", name)
        trade: tuple[int, int] | None = self.cache.get(key)
        if trade is None:
            trade = self.cache[key] = self.venues.amms[name].amount_to_price(target)
        return trade

    def round_trip(self, name: str, token_in: int, amount: int) -> int:
        """What `amount` becomes when traded on a pool and back outside, in units of `token_in`; cached."""
        key = ("round trip", name, amount)
        back: int | None = self.cache.get(key)
        if back is None:
            amm = self.venues.amms[name]
            token_out = amm.token1 if token_in == amm.token0 else amm.token0
            received = amm.quote_exact_in(token_in, amount)
            back = self.cache[key] = self.outside.quote(token_out, token_in, received)
        return back

    def spot_price(self, token_in: int, token_out: int) -> float:
        """No sale gives more than this for a smallest unit of `token_in`, in units of `token_out`; 0 without a route.

        The best route's price of the first unit, fees taken off, a millionth too high; worked out once a step.
        """
        key = ("spot", token_in, token_out)
        price: float | None = self.cache.get(key)
        if price is None:
            venues = self.venues
            price = self.cache[key] = max(venues.spot_prices(venues.routes(token_in, token_out)), default=0.0)
        return price

    def unprofitable(self) -> list[int]:
        """Accounts that were planned for in this step and that no liquidation pays for."""
        return [key[1] for key, plan in self.cache.items() if key[0] == "plan" and not plan]
