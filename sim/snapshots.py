"""Snapshots: all positions at a moment, and what every account is worth."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.yield_metrics import add_claims

#: The worst block is taken anew only when the liquidatable debt is this much above the last one taken, because
#: every snapshot copies all positions.
WORST_GROWTH = 1.01


class Snapshots:
    """Takes the `positions` snapshots (first, last, on schedule, worst) and works out the `agents` table.

    Values are in USD: health factors, collateral and debt at the pool's prices, net worth at outside prices.
    """

    def __init__(self, economy: Any, recorder: Any) -> None:
        self.economy = economy
        self.recorder = recorder
        pool = economy.pool
        self.tokens = [reserve.token for reserve in pool.reserves]
        self.symbols = [economy.ledger.tokens[token].symbol for token in self.tokens]
        every = economy.settings.results.positions_every_seconds
        self.every_steps = max(1, every // economy.settings.run.step_seconds) if every else 0
        self.worst_usd = 0.0
        keep = economy.settings.results.keep
        self.keeps_positions = "positions" in keep
        self.first = economy.world.first_agent_account
        names = list(economy.populations)
        self.owner = np.zeros(len(economy.ledger.owners), dtype=np.int64)
        for number, population in enumerate(economy.populations.values()):
            self.owner[population.first : population.first + len(population)] = number
        self.names = names
        self.kinds = [population.agent_class.kind or name for name, population in economy.populations.items()]

    def follow(self) -> None:
        """Take the snapshots that are due after a step: on schedule, and when the liquidatable debt peaks."""
        if not self.keeps_positions:
            return
        step = self.economy.clock.step
        if self.every_steps and step % self.every_steps == 0:
            self.take("schedule", key=("schedule", step))
        debt_usd = self.economy.liquidatable.debt_usd
        if debt_usd > self.worst_usd * WORST_GROWTH and debt_usd > 0.0:
            self.worst_usd = debt_usd
            self.take("worst")

    def take(self, when: str, key: tuple[Any, ...] | None = None) -> None:
        """Copy every account that has collateral, supply or debt."""
        if not self.keeps_positions:
            return
        pool = self.economy.pool
        accounts = np.arange(self.first, len(self.economy.ledger.owners))
        supply = pool.supply_column[:, accounts]
        debt = pool.debt_column[:, accounts]
        held = ((supply > 0.0) | (debt > 0.0)).any(axis=0)
        accounts = accounts[held]
        supply = supply[:, held]
        debt = debt[:, held]
        weighted, owed_usd = self._values(accounts)
        health = np.full(len(accounts), np.inf)
        np.divide(weighted, owed_usd, out=health, where=owed_usd > 0.0)
        collateral_usd = np.zeros(len(accounts))
        columns: dict[str, Any] = {}
        for asset, symbol in enumerate(self.symbols):
            price = pool.prices[asset] * 1e-8
            income = pool.normalized_income(asset) * 1e-27
            collateral_usd += pool.collateral_column[asset, accounts] * (income * price)
            columns[f"supply.{symbol}"] = supply[asset] * income
            columns[f"debt.{symbol}"] = debt[asset] * (pool.normalized_debt(asset) * 1e-27)
        owner = self.owner[accounts]
        self.recorder.positions.put(
            key or (when,),
            when=when,
            step=self.economy.clock.step,
            account=accounts,
            population=[self.names[k] for k in owner.tolist()],
            kind=[self.kinds[k] for k in owner.tolist()],
            health_factor=health,
            collateral_usd=collateral_usd,
            debt_usd=owed_usd,
            emode=pool.emode_column[accounts].astype(np.int64),
            **columns,
        )

    def _values(self, accounts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        from sim.screening import values_usd

        pool = self.economy.pool
        return values_usd(pool, accounts, *pool.factors())

    # ------------------------------------------------------------------ worth
    def holdings(self) -> np.ndarray:
        """Net whole tokens of every account, [token, account]: wallet + supply - debt + claims elsewhere."""
        economy = self.economy
        ledger = economy.ledger
        pool = economy.pool
        n = len(ledger.owners)
        held = np.empty((len(ledger.tokens), n))
        for token, column in enumerate(ledger.balances):
            amounts = np.fromiter(map(float, column), dtype=np.float64, count=len(column))
            held[token] = amounts / float(ledger.tokens[token].unit)
        for asset, token in enumerate(self.tokens):
            held[token] += pool.supply_column[asset, :n] * (pool.normalized_income(asset) * 1e-27)
            held[token] -= pool.debt_column[asset, :n] * (pool.normalized_debt(asset) * 1e-27)
        add_claims(economy.world, held)
        return held

    def opening(self) -> dict[str, np.ndarray]:
        """What the profit table compares with: holdings, scaled positions, indexes and prices at the start."""
        pool = self.economy.pool
        n = len(self.economy.ledger.owners)
        return {
            "holdings": self.holdings(),
            "supply": pool.supply_column[:, :n].copy(),
            "debt": pool.debt_column[:, :n].copy(),
            "income": np.array([pool.normalized_income(a) * 1e-27 for a in range(len(self.tokens))]),
            "interest": np.array([pool.normalized_debt(a) * 1e-27 for a in range(len(self.tokens))]),
            "prices": np.array(self.economy.world.token_prices()),
        }

    def agents(self, opening: dict[str, np.ndarray]) -> dict[str, Any]:
        """Profit of every agent, split.

        profit = end - start - capital brought in from outside (less what was taken out), at the prices of the moment;
        price = opening holdings * change of outside prices; interest = opening scaled positions * change of indexes, at
        closing prices; gas, liquidation and trading from the receipts; other = the rest (what holdings that changed
        on the way gained or lost in price and interest).
        """
        economy = self.economy
        prices = np.array(economy.world.token_prices())
        now = self.holdings()
        accounts = np.arange(self.first, len(economy.ledger.owners))
        start = np.add.reduce(opening["holdings"] * opening["prices"][:, None], axis=0)[accounts]
        end = np.add.reduce(now * prices[:, None], axis=0)[accounts]
        price = np.add.reduce(opening["holdings"] * (prices - opening["prices"])[:, None], axis=0)[accounts]
        interest = np.zeros(len(accounts))
        for asset, token in enumerate(self.tokens):
            earned = economy.pool.normalized_income(asset) * 1e-27 - opening["income"][asset]
            owed = economy.pool.normalized_debt(asset) * 1e-27 - opening["interest"][asset]
            interest += opening["supply"][asset, accounts] * (earned * prices[token])
            interest -= opening["debt"][asset, accounts] * (owed * prices[token])
        flows = economy.events.flows
        split = np.zeros((4, len(accounts)))
        for account, flow in flows.items():
            if account >= self.first:
                split[:, account - self.first] = (
                    flow.gas_usd,
                    flow.liquidation_usd,
                    flow.trading_usd,
                    flow.capital_usd,
                )
        owner = self.owner[accounts].tolist()
        profit = end - start - split[3]
        return {
            "account": accounts,
            "population": [self.names[k] for k in owner],
            "kind": [self.kinds[k] for k in owner],
            "start_usd": start,
            "end_usd": end,
            "profit_usd": profit,
            "interest_usd": interest,
            "gas_usd": split[0],
            "liquidation_usd": split[1],
            "trading_usd": split[2],
            "price_usd": price,
            "capital_usd": split[3],
            "other_usd": profit - (interest + split[0] + split[1] + split[2] + price),
        }
