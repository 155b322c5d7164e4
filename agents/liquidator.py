"""Liquidators: they watch the book of liquidatable positions and take what pays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from agents.base import AgentParameters, EconomicAgent, NonNegative
from agents.planning import Plan, all_plans, resized
from scenarios.schema.base import Table, Whole, empty_table, field
from sim.chain.transaction import Call, Transaction
from sim.founding import Founding
from sim.population import Population
from sim.view import View


class LiquidatorParameters(AgentParameters):
    """How quick, how rich, how choosy."""

    latency_blocks_median: float = field(
        1.0,
        "Median time from a position becoming liquidatable to a liquidator noticing it",
        unit="blocks",
        source="assumption: at once (Perez et al. 2021) to within 10 blocks (Sentora, Oct 2025) for most",
        plausible=(0.0, 10.0),
        ge=0,
        le=1e6,
    )
    latency_log_sd: float = field(
        1.0,
        "Log standard deviation of that time over liquidators and positions together",
        unit="1",
        source="assumption: searchers differ in speed, no record of how much",
        plausible=(0.5, 1.5),
        ge=0,
        le=5,
    )
    latency_persistent_share: float = field(
        0.5,
        "Part of its variance that is a liquidator's own speed, which he keeps; the rest varies from one position to"
        " the next",
        source="assumption: no published figure found",
        plausible=(0.2, 0.8),
        ge=0,
        le=1,
    )
    uptime_ratio: float = field(
        1.0,
        "Share of the time a liquidator is at work",
        source="assumption: no published figure found",
        plausible=(0.5, 1.0),
        ge=0,
        le=1,
    )
    uptime_spell_seconds: float = field(
        3_600.0,
        "Time for which he stays at work, or away, until it is drawn again",
        unit="s",
        source="assumption: no published figure found",
        plausible=(600.0, 86_400.0),
        gt=0,
    )
    silent_share: float = field(
        0.0,
        "Share of liquidators who do nothing during the whole run",
        source="choice: for what-if comparisons",
        ge=0,
        le=1,
    )
    pairs_share: float = field(
        1.0,
        "Share of the pairs of collateral and debt that a liquidator serves, drawn for each of them",
        source="assumption: no published figure found",
        plausible=(0.3, 1.0),
        ge=0,
        le=1,
    )
    min_profit_usd: float = field(
        10.0,
        "Profit after gas below which a liquidator does not act",
        unit="USD",
        source="assumption: no record, of the order of the cost of a failed attempt",
        plausible=(0.0, 100.0),
        ge=0,
        le=1e9,
    )
    cost_share_median: float = field(
        0.05,
        "Median share of the gross profit that running the business costs",
        unit="ratio",
        source="assumption: no record of searchers' costs",
        plausible=(0.01, 0.3),
        ge=0,
        lt=1,
    )
    cost_share_log_sd: float = field(
        0.5,
        "Log standard deviation of that share over liquidators",
        unit="1",
        source="assumption: no record of searchers' costs",
        plausible=(0.0, 1.0),
        ge=0,
        le=5,
    )
    tip_share_low: float = field(
        0.5,
        "Public ordering: share of the profit up to which the least eager liquidator raises what he pays for gas",
        source="assumption: no published figure found",
        plausible=(0.1, 0.9),
        ge=0,
        le=1,
    )
    tip_share_high: float = field(
        0.95,
        "The same of the most eager",
        source="assumption: no published figure found",
        plausible=(0.5, 1.0),
        ge=0,
        le=1,
    )
    price_ceiling_gwei: float | None = field(
        None,
        "Public ordering: median price of gas above which a liquidator's settings do not let him go; omitted: none",
        unit="gwei",
        source="assumption: no published figure found",
        plausible=(20.0, 2_000.0),
        gt=0,
        le=1e6,
    )
    price_ceiling_log_sd: float = field(
        0.5,
        "Log standard deviation of it",
        unit="1",
        source="assumption: no published figure found",
        plausible=(0.0, 1.5),
        ge=0,
        le=5,
    )
    cost_opportunity_log_sd: float = field(
        0.6,
        "Log standard deviation of a liquidator's own cost share from one position to the next (route, inventory)",
        unit="1",
        source="assumption: no published figure found",
        plausible=(0.0, 1.0),
        ge=0,
        le=5,
    )
    bundles_per_step: Whole = field(
        8,
        "Transactions that a liquidator sends in one step",
        unit="count",
        source="assumption: no record, more than are liquidatable in most blocks",
        plausible=(1, 50),
        ge=1,
        le=10000,
    )
    plans_per_step: Whole = field(
        24,
        "Positions, most worthwhile first, that liquidators work out plans for in one step",
        unit="count",
        source="assumption: what lies beyond is worth less and its turn comes in the next step",
        plausible=(8, 200),
        ge=1,
        le=100000,
    )
    funding: Literal["flash", "capital"] = field(
        "flash", "Debt tokens lent by the pool for the call, or the liquidator's own", unit="", source="choice"
    )
    sale: Literal["amm", "outside"] = field("amm", "Where seized collateral is sold", unit="", source="choice")
    capital_usd: Table[str, NonNegative] = field(
        None,
        "Own tokens at the start, by asset, USD at the opening price",
        unit="USD",
        plausible=(0.0, 1e8),
        source="assumption: none where funding is flash",
        refers_to="asset",
        factory=empty_table,
    )
    capital_pareto_alpha: float | None = field(
        None,
        "Tail index of own tokens, Pareto over liquidators from `capital_usd` upwards; omitted: all alike",
        unit="1",
        source="assumption: 1",
        plausible=(0.8, 2.0),
        gt=0.1,
        le=100,
    )
    capital_largest_ratio: float = field(
        1_000.0,
        "Most that one of them has, as a multiple of the least",
        source="assumption: no published figure found",
        plausible=(100.0, 10_000.0),
        ge=1,
        le=1e9,
    )
    gas_eth: float = field(
        200.0,
        "ETH in the wallet at the start, to pay for gas",
        unit="ETH",
        source="assumption: so much that gas is a cost and not a limit",
        plausible=(1.0, 1000.0),
        ge=0,
        le=1e9,
    )


#: Step at which a liquidator who never acts would notice a position.
NEVER = 1 << 60


class Liquidator(EconomicAgent):
    """A searcher who liquidates for profit after bonus, protocol fee, slippage, flash premium and gas.

    He notices a liquidatable position some blocks after it appeared: median x his speed x a draw per (liquidator,
    position, moment), both log-normal. He acts while he is at work, for pairs he serves, and with own capital as far
    as that goes. Private ordering: one sealed bid worth his profit after costs (`sim.chain.mempool`). Public ordering:
    a transaction whose tip he raises while others bid for the same position, up to his own share of the profit.
    """

    kind: ClassVar[str] = "liquidator"
    wake: ClassVar[str] = "book"
    Parameters: ClassVar[type[AgentParameters]] = LiquidatorParameters

    @classmethod
    def found(cls, population: Population, founding: Founding) -> None:
        """Own capital, costs of doing business, speed, eagerness and settings of each liquidator."""
        p = population.parameters
        rows = len(population)
        multiples = [1.0] * rows
        if p.capital_pareto_alpha is not None:
            draws = founding.uniform(population, "capital").tolist()
            multiples = [min(u ** (-1.0 / p.capital_pareto_alpha), p.capital_largest_ratio) for u in draws]
        for symbol, value_usd in p.capital_usd.items():
            least_usd = value_usd * population.size_ratio
            founding.hold(population, symbol, [founding.amount(symbol, least_usd * m) for m in multiples])
        shares = founding.log_normal(population, "cost", max(p.cost_share_median, 1e-12), p.cost_share_log_sd)
        columns = population.columns
        columns["cost_share"] = np.minimum(np.array(shares), 0.95)
        own_sd = p.latency_log_sd * math.sqrt(p.latency_persistent_share)
        columns["speed"] = np.array(founding.log_normal(population, "speed", 1.0, own_sd))
        columns["silent"] = founding.uniform(population, "silent") < p.silent_share
        eager = founding.uniform(population, "eager")
        columns["tip_share"] = p.tip_share_low + (p.tip_share_high - p.tip_share_low) * eager
        if p.price_ceiling_gwei is None:
            ceilings = [math.inf] * rows
        else:
            ceilings = founding.log_normal(population, "ceiling", p.price_ceiling_gwei, p.price_ceiling_log_sd)
        columns["price_ceiling_gwei"] = np.array(ceilings)

    @classmethod
    def due(cls, population: Population, rows: Sequence[int], view: View) -> list[int]:
        """Everybody who is at work, once something is liquidatable."""
        if not len(view.book):
            return []
        silent = population.columns["silent"]
        return [row for row in rows if not silent[row] and cls._at_work(population, row, view)]

    def act(self, view: View) -> list[Transaction]:
        """Bids for the most worthwhile positions he has noticed."""
        if not self.is_due(view):
            return []
        p = self.parameters
        row, step = self.row, view.step
        bids: list[Transaction] = []
        for plans, noticed in self.candidates(self.population, view):
            since = noticed[row] // view.blocks_per_step
            if since > step:
                continue
            plan = self._own_plan(view, plans)
            bid = None if plan is None else self._bid(view, plan)
            if bid is None:
                continue
            bid.ready_block = noticed[row] if since == step else step * view.blocks_per_step
            bids.append(bid)
            if len(bids) >= p.bundles_per_step:
                break
        return bids

    # ------------------------------------------------------------------ what all liquidators share
    @classmethod
    def candidates(cls, population: Population, view: View) -> list[tuple[tuple[Plan, ...], list[int]]]:
        """Plans for the most worthwhile positions, each with the block at which every row notices the position.

        Worked out once a step for the whole population; positions that nobody has noticed yet are not planned for.
        Blocks are counted from the start of the run.
        """
        key = ("candidates", population.name)
        found: list[tuple[tuple[Plan, ...], list[int]]] | None = view.cache.get(key)
        if found is None:
            found = []
            p = population.parameters
            planned = 0
            last_block = (view.step + 1) * view.blocks_per_step
            for entry in view.book.top(view.gas_usd(view.operations.liquidation) + p.min_profit_usd):
                noticed = cls._noticed(population, view, entry)
                if min(noticed) < last_block:
                    planned += 1
                    plans = all_plans(view, entry.account, p.funding == "flash", p.sale == "outside")
                    if plans:
                        found.append((plans, noticed))
                    if planned >= p.plans_per_step:
                        break
            view.cache[key] = found
        return found

    @classmethod
    def _noticed(cls, population: Population, view: View, entry: Any) -> list[int]:
        """For every row the block at which it notices an entry: a log-normal time after the entry appeared."""
        known = population.memory.get(entry.account)
        if known is None or known[0] != entry.since_step:
            p = population.parameters
            first = entry.since_step * view.blocks_per_step
            key = view.randomness.bits("notice", view.ledger.identity(entry.account), entry.since_step) >> 2
            draws = view.randomness.normal_array("latency", np.arange(len(population)) + population.key, key)
            median = p.latency_blocks_median
            log_sd = p.latency_log_sd * math.sqrt(1.0 - p.latency_persistent_share)
            blocks = [
                NEVER if silent else first + int(median * speed * math.exp(log_sd * z))
                for z, speed, silent in zip(
                    draws.tolist(),
                    population.columns["speed"].tolist(),
                    population.columns["silent"].tolist(),
                    strict=True,
                )
            ]
            known = population.memory[entry.account] = (entry.since_step, blocks)
        noticed: list[int] = known[1]
        return noticed

    @classmethod
    def _at_work(cls, population: Population, row: int, view: View) -> bool:
        p = population.parameters
        if p.uptime_ratio >= 1.0:
            return True
        spell = int(view.timestamp // p.uptime_spell_seconds)
        return view.randomness.uniform("uptime", population.key + row, spell) < p.uptime_ratio

    # ------------------------------------------------------------------ one liquidator's own
    def _serves(self, view: View, plan: Plan) -> bool:
        share = self.parameters.pairs_share
        pair = plan.collateral_asset << 16 | plan.debt_asset
        return bool(share >= 1.0 or view.randomness.uniform("pair served", self.identity, pair) < share)

    def _own_plan(self, view: View, plans: tuple[Plan, ...]) -> Plan | None:
        """The best plan for a pair he serves, cut to what he can pay."""
        plan = next((plan for plan in plans if self._serves(view, plan)), None)
        if plan is None or self.parameters.funding == "flash":
            return plan
        token = view.pool.reserves[plan.debt_asset].token
        own = view.ledger.balances[token][self.account]
        if own >= plan.debt_to_cover:
            return plan
        return resized(view, plan, own, False) if own > 0 else None

    def _cost_share(self, view: View, borrower: int) -> float:
        """His own cost of doing business, times what is peculiar to him and this position."""
        own = float(self.population.columns["cost_share"][self.row])
        log_sd = self.parameters.cost_opportunity_log_sd
        if log_sd:
            own *= math.exp(
                log_sd * view.randomness.normal("cost of a position", self.identity, view.ledger.identity(borrower))
            )
        return min(own, 0.95)

    def _bid(self, view: View, plan: Plan) -> Transaction | None:
        """His transaction for a plan; None if it is not worth his while, or dearer than his settings allow."""
        p, row = self.parameters, self.row
        columns = self.population.columns
        kept = 1.0 - self._cost_share(view, plan.borrower)
        gas = view.operations.liquidation
        tip = 0.0 if view.private else view.tip_gwei
        gas_usd = view.gas_usd(gas) if view.private else view.gas_usd(gas, tip)
        value_usd = plan.profit_usd * kept - gas_usd
        if value_usd < p.min_profit_usd:
            return None
        if view.private:
            return self._transaction(view, plan, value_usd)
        base_gwei = 0.0 if view.first_price else view.base_fee_gwei
        usd_per_gwei = gas * 1e-9 * view.eth_usd
        affordable = float(columns["tip_share"][row]) * plan.profit_usd / usd_per_gwei if usd_per_gwei else math.inf
        ceiling = min(affordable, float(columns["price_ceiling_gwei"][row])) - base_gwei
        if tip > ceiling:
            return None
        transaction = self._transaction(view, plan, value_usd)
        transaction.tip_gwei = tip
        transaction.tip_ceiling_gwei = ceiling
        transaction.revert_gas = view.operations.liquidation_reverted
        return transaction

    def _transaction(self, view: View, plan: Plan, value_usd: float) -> Transaction:
        token = view.pool.reserves[plan.debt_asset].token
        unit_usd = view.outside_usd[token] / view.ledger.tokens[token].unit
        flash = self.parameters.funding == "flash"
        arguments = (
            plan.borrower,
            plan.collateral_asset,
            plan.debt_asset,
            plan.debt_to_cover,
            plan.route,
            plan.profit // 2,
            flash,
        )
        return Transaction(
            self.account,
            (Call("periphery", "liquidate", arguments, view.operations.liquidation),),
            "liquidation",
            private=view.private,
            subject=plan.borrower,
            value_usd=value_usd,
            profit_token=token,
            profit_unit_usd=unit_usd,
        )
