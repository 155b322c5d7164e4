"""Snapshots: all positions at a moment, and what every account is worth."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.pictures import Picture
from sim.screening import values_usd
from sim.yield_metrics import add_claims

#: The worst block is taken anew only when the liquidatable debt is this much above the last one taken.
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
        self._first: Picture | None = None
        self._worst: Picture | None = None
        self._changed: set[int] = set()
        keep = economy.settings.results.keep
        self.keeps_positions = "positions" in keep
        self.first = economy.world.first_agent_account
        names = list(economy.populations)
        self.owner = np.zeros(len(economy.ledger.owners), dtype=np.int16)
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

    def touch(self, accounts: list[int]) -> None:
        """Balances of these accounts have changed."""
        if self._worst is not None:
            self._changed.update(accounts)

    def take(self, when: str, key: tuple[Any, ...] | None = None) -> None:
        """Every account that has collateral, supply or debt, as it stands now."""
        if not self.keeps_positions:
            return
        if when == "first":
            self._first = picture = self._picture()
            self.recorder.positions.put_later((when,), lambda: self._block(picture, when))
        elif when == "worst":
            self._take_worst()
        else:
            self.recorder.positions.put(key or (when,), **self._block(self._picture(), when))

    def _take_worst(self) -> None:
        """The newest takes the place of the one before; the table is made at the end, from the last of them."""
        economy = self.economy
        if self._worst is None:
            self._worst = self._picture()
        else:
            self._worst.renew(economy.pool, self._changed, economy.clock.step)
        self._changed.clear()
        worst = self._worst
        self.recorder.positions.put_later(("worst",), lambda: self._block(worst, "worst"))

    def _picture(self) -> Picture:
        return Picture(self.economy.pool, len(self.owner), self.economy.clock.step)

    def _block(self, picture: Picture, when: str) -> dict[str, Any]:
        """The columns of one snapshot."""
        held = np.asarray(((picture.supply_column > 0.0) | (picture.debt_column > 0.0)).any(axis=0))
        held[: self.first] = False
        accounts = np.flatnonzero(held)
        weighted, owed_usd = values_usd(picture, accounts, *picture.factors)
        health = np.full(len(accounts), np.inf)
        np.divide(weighted, owed_usd, out=health, where=owed_usd > 0.0)
        collateral = picture.collateral_column
        collateral_usd = np.zeros(len(accounts))
        columns: dict[str, Any] = {}
        for asset, symbol in enumerate(self.symbols):
            price, income = picture.prices_usd[asset], picture.incomes[asset]
            collateral_usd += collateral[asset, accounts] * (income * price)
            columns[f"supply.{symbol}"] = picture.supply_column[asset, accounts] * income
            columns[f"debt.{symbol}"] = picture.debt_column[asset, accounts] * picture.interests[asset]
        owner = self.owner[accounts]
        return {
            "when": when,
            "step": picture.step,
            "account": accounts,
            "population": [self.names[k] for k in owner.tolist()],
            "kind": [self.kinds[k] for k in owner.tolist()],
            "health_factor": health,
            "collateral_usd": collateral_usd,
            "debt_usd": owed_usd,
            "emode": picture.emode_column[accounts].astype(np.int64),
            **columns,
        }

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
        picture = self._first or self._picture()
        return {
            "holdings": self.holdings(),
            "supply": picture.supply_column,
            "debt": picture.debt_column,
            "income": np.array(picture.incomes),
            "interest": np.array(picture.interests),
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
