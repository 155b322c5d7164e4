"""Lenders who compare: supply follows the spread to an outside yield, and leaves when they fear for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from agents.base import AgentParameters
from agents.elastic_lender_parameters import ElasticLenderParameters
from agents.elasticity import supply_target
from agents.lender import Lender, missing_supply, pareto_sizes
from sim.chain.transaction import Call, Transaction
from sim.distress import Distress
from sim.founding import Founding
from sim.population import Population
from sim.view import View

_LN2 = math.log(2.0)

#: A move smaller than this share of the supply is rounding; a withdrawal that lacks less than `_SERVED` is served.
_ROUNDING = 1e-9
_SERVED = 1e-3


class ElasticLender(Lender):
    """Supplies more where the reserve pays more than the outside, less where it pays less, and runs from distress.

    At a look, a time drawn ahead, he leaves with probability 1 - exp(-integral of h since his last look),

        h = h0 + h1 1(U > .99) + h2 (deficit + rumour) / supply,

    decided by a draw keyed by (row, look): the times are independent of the state, only the judgement is not. Distress
    makes him look more often. Who stays moves his supply towards S* = S0 exp(eta_S (r_s - r_out)): of the gap a share
    1 - exp(-time since the last look / adjustment time) is closed, so that it decays with that time constant however
    often he looks; a move that does not pay for its gas is left. Nobody adds to a reserve in distress. Who wants out
    and finds no liquidity takes what there is, waits, and tries again.
    """

    kind: ClassVar[str] = "elastic_lender"
    wake: ClassVar[str] = "never"
    timetables: ClassVar[tuple[str, ...]] = ("supply",)
    mechanism: ClassVar[str] = "lender_flight"
    notices: ClassVar[bool] = True
    queues: ClassVar[bool] = True
    Parameters: ClassVar[type[AgentParameters]] = ElasticLenderParameters

    # ------------------------------------------------------------------ founding
    @classmethod
    def found(cls, population: Population, founding: Founding) -> None:
        """Pareto sizes; a stationary share of the rows is away at the opening, so that nothing drifts in calm."""
        p = population.parameters
        away_share = _away_share(p)
        opening: dict[str, list[int]] = {}
        for symbol in dict.fromkeys((*p.supply_usd, *p.opening_utilisation)):
            away = founding.uniform(population, f"{symbol}.away") < away_share
            population.columns[f"away.{symbol}"] = away
            opening[symbol] = [0] * len(population)
            if symbol in p.supply_usd:
                sizes = pareto_sizes(population, founding, symbol, p.supply_usd[symbol] / (1.0 - away_share))
                opening[symbol] = [founding.amount(symbol, size) for size in sizes]
                inside = [0 if gone else size for size, gone in zip(opening[symbol], away.tolist(), strict=True)]
                founding.supply(population, symbol, inside, collateral=False)
        population.memory["opening"] = opening

    @classmethod
    def balance(cls, population: Population, founding: Founding) -> None:
        """Supply what brings reserves to their opening utilisation; then what each lender holds elsewhere."""
        p = population.parameters
        opening: dict[str, list[int]] = population.memory["opening"]
        for symbol, amounts in opening.items():
            away = population.columns[f"away.{symbol}"].tolist()
            utilisation = p.opening_utilisation.get(symbol)
            if utilisation is not None:
                each = missing_supply(founding, symbol, utilisation, away.count(False))
                founding.supply(population, symbol, [0 if gone else each for gone in away], collateral=False)
                amounts = opening[symbol] = [amount + each for amount in amounts]
            spare = [
                int(amount * p.spare_ratio) + (amount if gone else 0)
                for amount, gone in zip(amounts, away, strict=True)
            ]
            founding.hold(population, symbol, spare)

    @classmethod
    def opened(cls, population: Population, pool: Any, now: int) -> None:
        """Anchors S0, outside rates, and what each row has seen so far: nothing."""
        p = population.parameters
        opening = population.memory.setdefault("opening", {})  # a population of nobody was never founded
        assets: dict[str, int] = {symbol: pool.asset(symbol) for symbol in opening}
        outside: dict[int, float] = {}
        for symbol, asset in assets.items():
            amounts = opening[symbol]
            unit = pool.reserves[asset].unit
            population.columns[f"anchor.{symbol}"] = np.array([amount / unit for amount in amounts])
            population.columns[f"goal.{symbol}"] = np.full(len(population), np.inf)
            population.columns[f"seen_at.{symbol}"] = np.full(len(population), float(now))
            population.columns[f"crowded_seen.{symbol}"] = np.zeros(len(population))
            population.columns[f"loss_seen.{symbol}"] = np.zeros(len(population))
            stated = p.outside_rate_per_year.get(symbol)
            outside[asset] = pool.liquidity_rate(asset) * 1e-27 if stated is None else stated
        population.memory["assets"] = assets
        population.memory["outside"] = outside
        population.memory["waiting"] = {}
        population.memory["distress"] = Distress(
            pool,
            tuple(assets.values()),
            p.crowded_utilisation,
            {pool.asset(symbol): usd for symbol, usd in p.rumour_usd.items()},
            now + p.rumour_at_seconds,
            now + p.rumour_at_seconds + p.rumour_for_seconds,
            now,
        )

    # ------------------------------------------------------------------ times
    @classmethod
    def look_mean_seconds(cls, population: Population, purpose: str, row: int) -> float:
        """Calm, alarmed, or waiting for liquidity; infinite for a row that has nothing to supply."""
        p = population.parameters
        distress: Distress = population.memory["distress"]
        mean = math.inf
        for symbol, asset in population.memory["assets"].items():
            columns = population.columns
            if columns[f"anchor.{symbol}"][row] <= 0.0:
                continue
            mean = min(mean, p.look_seconds)
            if distress.distressed(asset):
                mean = min(mean, p.look_seconds_alarm)
            goal = float(columns[f"goal.{symbol}"][row])
            pool = distress.pool
            if pool.atoken_balance(asset, population.first + row) > goal * (1.0 + _SERVED) * pool.reserves[asset].unit:
                mean = min(mean, p.retry_seconds)
        return mean

    @classmethod
    def noticed(cls, population: Population, pool: Any, now: int) -> tuple[str, Sequence[int]]:
        """Distress is public: whoever supplies a reserve that has come into it looks sooner."""
        newly = population.memory["distress"].advance(now)
        if not newly:
            return "supply", ()
        held = np.zeros(len(population), dtype=bool)
        for symbol, asset in population.memory["assets"].items():
            if asset in newly:
                held |= population.columns[f"anchor.{symbol}"] > 0.0
        return "supply", held.nonzero()[0].tolist()

    @classmethod
    def due(cls, population: Population, rows: Sequence[int], view: View) -> list[int]:
        """Rows whose time of looking has come."""
        look_at = population.columns["supply_at"]
        now = view.timestamp
        return [row for row in rows if look_at[row] <= now]

    # ------------------------------------------------------------------ deciding
    def act(self, view: View) -> list[Transaction]:
        """Stay, move towards the target, leave, come back: one transaction for each reserve in which something is."""
        if not self.is_due(view):
            return []
        found: list[Transaction] = []
        for symbol, asset in self.population.memory["assets"].items():
            if self.population.columns[f"anchor.{symbol}"][self.row] > 0.0:
                call = self._decide(view, symbol, asset)
                if call is not None:
                    kind = "supply" if call.market == "pool" else "withdrawal"
                    found.append(Transaction(self.account, (call,), kind, tip_gwei=view.tip_gwei))
        return found

    def _decide(self, view: View, symbol: str, asset: int) -> Call | None:
        columns, row = self.population.columns, self.row
        pool = view.pool
        reserve = pool.reserves[asset]
        own = pool.atoken_balance(asset, self.account) / reserve.unit
        wallet = view.ledger.balances[reserve.token][self.account] / reserve.unit
        elapsed = self._judge(view, symbol, asset)
        columns[f"goal.{symbol}"][row] = math.inf
        if columns[f"away.{symbol}"][row]:
            wanted = 0.0
        else:
            # Where moving everything does not pay for the gas, moving a part does not either.
            gas = min(view.operations.supply, view.operations.withdraw)
            if not self._worthwhile(view, asset, max(own, wallet), gas):
                return None
            target = supply_target(
                pool,
                asset,
                own,
                float(columns[f"anchor.{symbol}"][row]),
                self.parameters.elasticity,
                self.population.memory["outside"][asset],
                own + wallet,
            )
            wanted = own + (target - own) * (1.0 - math.exp(-elapsed / self.parameters.adjustment_seconds))
        if wanted > own:
            return self._supply(view, asset, wanted - own, wallet)
        return self._withdraw(view, symbol, asset, own, wanted)

    def _judge(self, view: View, symbol: str, asset: int) -> float:
        """Whether he leaves, or comes back; what has been seen is seen. Returns the time since his last look."""
        columns, row, p = self.population.columns, self.row, self.parameters
        distress: Distress = self.population.memory["distress"]
        elapsed = view.timestamp - float(columns[f"seen_at.{symbol}"][row])
        crowded = distress.crowded_seconds[asset] - float(columns[f"crowded_seen.{symbol}"][row])
        lost = distress.loss_seconds[asset] - float(columns[f"loss_seen.{symbol}"][row])
        columns[f"seen_at.{symbol}"][row] = view.timestamp
        columns[f"crowded_seen.{symbol}"][row] = distress.crowded_seconds[asset]
        columns[f"loss_seen.{symbol}"][row] = distress.loss_seconds[asset]
        number = int(columns["supply_number"][row])
        draw = view.randomness.uniform(f"{self.population.name}.{symbol}.flight", row, number)
        if columns[f"away.{symbol}"][row]:
            if not distress.distressed(asset) and draw < 1.0 - math.exp(-elapsed / p.return_seconds):
                columns[f"away.{symbol}"][row] = False
            return elapsed
        hazard = _LN2 * (
            elapsed / p.calm_half_life_seconds
            + crowded / p.crowded_half_life_seconds
            + lost / 0.01 / p.loss_half_life_seconds
        )
        if draw < 1.0 - math.exp(-hazard):
            columns[f"away.{symbol}"][row] = True
        return elapsed

    def _supply(self, view: View, asset: int, more: float, wallet: float) -> Call | None:
        pool = view.pool
        if self.population.memory["distress"].distressed(asset):
            return None
        unit = pool.reserves[asset].unit
        amount = int(min(more, wallet) * unit)
        room = pool.supply_room(asset)
        if room is not None:
            amount = min(amount, room)
        if amount <= 0 or not self._worthwhile(view, asset, amount / unit, view.operations.supply):
            return None
        return Call("pool", "supply", (asset, amount), view.operations.supply)

    def _withdraw(self, view: View, symbol: str, asset: int, own: float, wanted: float) -> Call | None:
        pool = view.pool
        columns = self.population.columns
        away = bool(columns[f"away.{symbol}"][self.row])
        less = own - wanted
        if less <= own * _ROUNDING or self._secures_debt(pool, asset):
            return None
        gas = view.operations.withdraw
        if away:
            if view.gas_usd(gas, view.tip_gwei) > less * view.oracle_usd(asset):
                return None
        elif not self._worthwhile(view, asset, less, gas):
            return None
        columns[f"goal.{symbol}"][self.row] = wanted
        self.population.memory["waiting"][symbol] = None
        if pool.available_liquidity(asset) <= 0:
            return None
        held = pool.atoken_balance(asset, self.account)
        amount = held if wanted <= 0.0 else min(held, int(less * pool.reserves[asset].unit))
        return Call("periphery", "withdraw_available", (asset, amount), gas)

    def _secures_debt(self, pool: Any, asset: int) -> bool:
        return pool.is_collateral(asset, self.account) and bool(pool.debt_assets(self.account))

    def _worthwhile(self, view: View, asset: int, tokens: float, gas: int) -> bool:
        """Whether the gain from moving `tokens` over the horizon pays for the gas."""
        spread = abs(view.pool.liquidity_rate(asset) * 1e-27 - self.population.memory["outside"][asset])
        years = self.parameters.horizon_seconds / 31_536_000.0
        return tokens * view.oracle_usd(asset) * spread * years > view.gas_usd(gas, view.tip_gwei)


def _away_share(p: ElasticLenderParameters) -> float:
    """Share of lenders who are away when leaving at h0 and coming back balance."""
    leaving = _LN2 / p.calm_half_life_seconds
    return leaving / (leaving + 1.0 / p.return_seconds)
