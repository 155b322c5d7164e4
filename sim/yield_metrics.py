"""What staking, redemption and liquidity provision add to the tables: only where a scenario has them."""

from __future__ import annotations

from typing import Any

import numpy as np

DAY_SECONDS = 86_400.0


class YieldMetrics:
    """Columns of discounts, redemption queues and providers; `names` and `row()` have the same order.

    `causes` are the causes of price moves that come with them.
    """

    def __init__(self, economy: Any) -> None:
        world = economy.world
        self.ratios = world.ratios
        self.queues = world.queues
        self.units = {name: float(economy.ledger.tokens[queue.base].unit) for name, queue in self.queues.items()}
        self.pools = {
            name: amm
            for name, amm in economy.amms.items()
            for queue in self.queues.values()
            if {amm.token0, amm.token1} == {queue.token, queue.base}
        }
        self.staked = {queue.token for queue in self.queues.values()}
        self.providers = [p for p in economy.populations.values() if "loss_usd" in p.columns]
        farming = self.queues or any(p.agent_class.mechanism == "farmers" for p in economy.populations.values())
        self.causes = (("farming",) if farming else ()) + (("liquidity",) if self.providers else ())
        self.names = [f"discount.{name}" for name in self.pools]
        for name in self.queues:
            self.names += [f"queue_backlog.{name}", f"queue_wait_days.{name}"]
        for population in self.providers:
            self.names += [f"liquidity_fees_usd.{population.name}", f"liquidity_loss_usd.{population.name}"]

    def row(self) -> list[float]:
        """The numbers of the step that has just been executed."""
        values = [self.discount(amm) for amm in self.pools.values()]
        for name, queue in self.queues.items():
            values += (queue.backlog() / self.units[name], queue.wait_seconds() / DAY_SECONDS)
        for population in self.providers:
            values += (float(population.columns["fees_usd"].sum()), float(population.columns["loss_usd"].sum()))
        return values

    def discount(self, amm: Any) -> float:
        """1 - price / par of the staked token in a pool."""
        price = amm.price() / self.ratios.par(amm.token0, amm.token1)
        return 1.0 - (price if amm.token0 in self.staked else 1.0 / price)


def add_claims(world: Any, held: np.ndarray) -> None:
    """Add to `held` [token, account], whole tokens, what accounts have in redemption queues and liquidity positions."""
    tokens = world.ledger.tokens
    for queue in world.queues.values():
        for request in queue.requests.values():
            held[queue.base, request.owner] += request.base_amount / tokens[queue.base].unit
    provision = world.provision
    for name, positions in provision.held.items():
        amm = provision.amms[name]
        for account, number in positions.items():
            amount0, amount1 = amm.worth(number)
            held[amm.token0, account] += amount0 / tokens[amm.token0].unit
            held[amm.token1, account] += amount1 / tokens[amm.token1].unit
