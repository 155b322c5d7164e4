"""The economy: a Mesa model whose step is one block (or several) of the chain."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Mapping
from typing import Any

import mesa

import scenarios
from agents.registry import kinds
from scenarios import Scenario
from sim.auditing import Audits
from sim.building import World, build
from sim.chain.transaction import Receipt, Transaction
from sim.events import EventRecorder
from sim.liquidatable import Liquidatable
from sim.metrics import Metrics
from sim.population import Owners
from sim.results import Recorder
from sim.screening import ExhaustiveScreen, Screen, open_screen
from sim.screening.screen import Side
from sim.snapshots import Snapshots
from sim.view import View
from sim.waking import Waking

WAD = 10**18

#: Health factors from here on are those of accounts without debt.
NO_DEBT = 2**255

#: The arithmetic of V3.6 truncates no average, so float and integer health factors differ by rounding only; the slack
#: covers the rounding of small amounts, with room for prices to rise threefold.
MARGIN = 1e-6
LEAST_SLACK_USD = 0.003

#: From this many agents on the collector's passes over them cost more than keeping them out of its sight.
FREEZE_FROM = 5_000


class Economy(mesa.Model):
    """A DeFi protocol economy that runs from a scenario.

    `scenario` is a name, a file or a loaded `Scenario`; `seed` defaults to the scenario's own; further keyword
    arguments are dotted overrides with `__` for the dot (`run__step_seconds=60`), or one mapping `overrides`.
    Use it as a context manager, or call `close()`: that is the one way to end a run and free its memory.

    >>> with Economy("demo", seed=1) as economy:
    ...     economy.run()
    """

    def __init__(
        self,
        scenario: str | Scenario = "calm",
        seed: int | None = None,
        rng: Any = None,
        overrides: Mapping[str, Any] | None = None,
        **dotted_overrides: Any,
    ) -> None:
        changes = {key.replace("__", "."): value for key, value in dotted_overrides.items()} | dict(overrides or {})
        if isinstance(scenario, str):
            scenario = scenarios.load(scenario, changes, kinds=kinds())
        elif changes:
            raise ValueError("overrides need a scenario's name or file, not a loaded scenario")
        if seed is None and isinstance(rng, int):
            seed = rng  # Mesa's other name for it
        chosen = scenario.run.seed if seed is None else int(seed)
        super().__init__(rng=chosen)
        self.settings = scenario
        self.chosen_seed = chosen
        self._frozen = False
        collecting = gc.isenabled()
        gc.disable()
        try:
            self.world: World = build(scenario, chosen)
            self._adopt(self.world)
            self._found_agents()
        finally:
            if collecting:
                gc.enable()
        if len(self.agents) >= FREEZE_FROM:
            gc.freeze()
            self._frozen = True
        self._open_records()

    # ------------------------------------------------------------------ construction
    def _adopt(self, world: World) -> None:
        self.randomness = world.randomness
        self.clock = world.clock
        self.ledger = world.ledger
        self.pool = world.pool
        self._audits = Audits(world.ledger, world.pool, world.queues.values(), self.settings.run.audit_every_steps)
        self.amms = world.amms
        self.venues = world.venues
        self.outside = world.outside
        self.oracle = world.oracle
        self.gas = world.gas
        self.mempool = world.mempool
        self.executor = world.executor
        self.populations = world.populations
        run = self.settings.run
        self.steps_planned = run.steps
        self.blocks_per_step = run.blocks_per_step
        self.expiry_steps = max(1, self.settings.gas.expiry_blocks // self.blocks_per_step)
        self.liquidatable = Liquidatable(
            self.pool, self._screen(lambda account: self.pool.health_factor(account) < WAD), self.blocks_per_step
        )
        self.view = View(
            ledger=self.ledger,
            pool=self.pool,
            venues=self.venues,
            outside=self.outside,
            book=self.liquidatable.book,
            randomness=self.randomness,
            operations=self.settings.gas.operations,
            tip_gwei=self.settings.gas.tip_gwei if self.settings.mechanisms.gas else 0.0,
            private=self.settings.gas.ordering == "private",
            blocks_per_step=self.blocks_per_step,
            exogenous=world.exogenous,
            ratios=world.ratios,
            queues=world.queues,
            loops=world.loops,
            step_seconds=run.step_seconds,
        )

    def _screen(self, decide: Callable[[int], bool], side: Side = "below") -> Screen:
        """A screen of the kind the scenario asks for, over the pool's columns."""
        run = self.settings.run
        if run.wake == "all" or not self.pool.reserves:
            return ExhaustiveScreen(self.pool, decide, side=side)
        pool = self.pool
        coarsest_usd = max(
            price * 1e-8 / reserve.unit for price, reserve in zip(pool.prices, pool.reserves, strict=True)
        )
        return open_screen(
            run.screen,
            pool,
            decide,
            expected_accounts=len(self.ledger.owners),
            side=side,
            margin=MARGIN,
            slack_usd=max(LEAST_SLACK_USD, 6.0 * coarsest_usd),
            units=[1.0 / reserve.unit for reserve in pool.reserves],
        )

    def _alarm_screen(self) -> Screen:
        """Owners who have an alarm: crossed when the integers put the health factor under it."""
        owners = Owners(p for p in self.populations.values() if p.agent_class.wake == "alarm")

        def under_alarm(account: int) -> bool:
            population = owners[account]
            alarm = population.columns["alarm"][account - population.first]
            return bool(self.pool.health_factor(account) < int(alarm * WAD))

        return self._screen(under_alarm)

    def _upper_screen(self, purpose: str) -> Screen:
        """Owners with a trigger above: crossed when the integers put the health factor of a debtor over it."""
        owners = Owners(p for p in self.populations.values() if purpose in p.agent_class.above)

        def over_trigger(account: int) -> bool:
            population = owners[account]
            trigger = population.columns[f"{purpose}_trigger"][account - population.first]
            health = self.pool.health_factor(account)
            return bool(health < NO_DEBT and health > int(trigger * WAD))

        return self._screen(over_trigger, "above")

    def _found_agents(self) -> None:
        self.waking = Waking(self, self._alarm_screen(), max(60.0, self.settings.run.step_seconds), self._upper_screen)
        now = self.clock.timestamp
        for population in self.populations.values():
            agent_class = population.agent_class
            population.agents = [agent_class(self, population, row) for row in range(len(population))]
            agent_class.opened(population, self.pool, now)
            self.waking.add(population, now)
        self.liquidatable.arm(range(self.world.first_agent_account, len(self.ledger.owners)))
        self.pool.drain_touched()

    def _open_records(self) -> None:
        self.metrics = Metrics(self)
        self.recorder = Recorder(self.metrics.columns, self.steps_planned)
        self.events = EventRecorder(self, self.recorder)
        self.snapshots = Snapshots(self, self.recorder)
        self.receipts: list[Receipt] = []
        self.snapshots.take("first")
        self.opening = self.snapshots.opening()
        self.datacollector = mesa.DataCollector(model_reporters=self.metrics.reporters())

    # ------------------------------------------------------------------ one block
    def step(self) -> None:
        """One block: prices, oracle, decisions on one view, mempool, execution, settlement, record."""
        self._advance_clock()
        self.outside.begin_step(self.world.exogenous[self.clock.step], self.clock.timestamp)
        self.world.ratios.follow()
        self.world.meter.follow(self.clock.timestamp)
        self.gas.begin_step(self.clock.timestamp)
        self._govern()
        self._update_oracle()
        factors = self.pool.factors()
        self.liquidatable.look(self.clock.step, factors)
        woken = self.waking.open(self.clock.timestamp, factors)
        self._open_view()
        self.mempool.submit(self._decisions(woken), self.clock.step, self.expiry_steps)
        gas_used = self._execute()
        self.gas.end_step(gas_used, self.world.volatility_ratio())
        self._settle()
        self._record()

    @property
    def _eth_usd(self) -> float:
        return self.outside.prices[self.world.gas_price_token]

    def _advance_clock(self) -> None:
        clock = self.clock
        clock.step += 1
        clock.block += self.blocks_per_step
        clock.timestamp += self.settings.run.step_seconds

    def _govern(self) -> None:
        """Decisions of governance that take effect now, before anything reads the pool's parameters."""
        self.receipts.clear()
        if self.world.governance is None:
            return
        for decision in self.world.governance.due(self.clock.timestamp):
            self.receipts.append(self.executor.execute(decision, 0))
            self.liquidatable.parameters_changed()

    def _update_oracle(self) -> None:
        for report in self.oracle.step(self.clock.block, self.clock.timestamp, self._space_for_reports()):
            self.events.report(report)

    def _space_for_reports(self) -> Callable[[float], int] | None:
        """Room in the step for reports that offer a ratio above the going price of gas; None where space is free."""
        gas = self.gas
        if not gas.enabled:
            return None
        volatility = self.world.volatility_ratio()
        going = gas.base_fee_gwei
        own = going if gas.first_price else 0.0
        return lambda ratio: gas.capacity_gas(volatility, own + ratio * going)

    def _open_view(self) -> None:
        clock, gas = self.clock, self.gas
        settings = self.settings.gas
        space_tip = gas.space_tip_gwei(self.world.volatility_ratio())
        tip = settings.tip_gwei if gas.enabled else 0.0
        if gas.first_price and gas.enabled:
            tip = gas.base_fee_gwei * (1.0 + settings.offer_margin_ratio)
        self.view.open(
            step=clock.step,
            block=clock.block,
            timestamp=clock.timestamp,
            base_fee_gwei=gas.base_fee_gwei,
            eth_usd=self._eth_usd,
            space_tip_gwei=space_tip,
            first_price=gas.first_price,
            tip_gwei=tip,
        )

    def _decisions(self, woken: Mapping[str, list[int]]) -> list[Transaction]:
        view = self.view
        everybody = self.settings.run.wake == "all"
        decided: list[Transaction] = []
        for population in self.populations.values():
            agents = population.agents
            if everybody:
                rows: Any = range(len(agents))
            else:
                wake = population.agent_class.wake
                if wake in ("book", "step"):
                    candidates: Any = range(len(agents))
                else:
                    candidates = woken.get(population.name, ())
                rows = population.agent_class.due(population, candidates, view) if candidates else ()
            for row in rows:
                decided.extend(agents[row].act(view))
        if view.space_tip_gwei:
            # Builders include a private transaction only if it pays for the outsiders that it displaces.
            for transaction in decided:
                if transaction.private:
                    transaction.tip_gwei = max(transaction.tip_gwei, view.space_tip_gwei)
        return decided

    def _execute(self) -> int:
        execute = self.executor.execute
        receipts = self.receipts
        gas = self.gas
        base_fee_wei = gas.charged_base_fee_wei
        # Reports stand at the top of the block: they are in use already.
        gas_used = self.oracle.included * self.oracle.bid.gas
        volatility = self.world.volatility_ratio()
        whole = gas.capacity_gas(volatility) if not gas.enabled else gas.block_gas_limit * self.blocks_per_step
        reported = gas_used

        def room(tip_gwei: float) -> int:
            return gas.capacity_gas(volatility, tip_gwei) - reported

        if gas.enabled:  # where gas costs nothing, nobody is stopped by a bid
            self.mempool.bid_up()
        for transaction in self.mempool.select(self.clock.step, base_fee_wei * 1e-9, room, whole - reported):
            receipt = execute(transaction, base_fee_wei)
            gas_used += receipt.gas_used
            receipts.append(receipt)
        return gas_used

    def _settle(self) -> None:
        self.liquidatable.set_aside(self.view.unprofitable(), self.clock.step)
        touched = self.pool.drain_touched()
        if touched:
            self.liquidatable.touch(touched)
            self.waking.touch(touched)
            self.snapshots.touch(touched)
        self.waking.close(self.clock.timestamp)
        self._audits.on_schedule(self.clock.step)

    def _record(self) -> None:
        self.events.receipts(self.receipts)
        self.snapshots.follow()
        self.recorder.row(self.clock.step, self.metrics.row())
        self.datacollector.collect(self)
        self.running = self.clock.step < self.steps_planned

    # ------------------------------------------------------------------ whole runs
    def run(self, progress: Callable[[int, int], None] | None = None) -> None:
        """All steps of the scenario that are still to come; `progress(done, total)` is called after each."""
        for done in range(self.clock.step, self.steps_planned):
            self.step()
            if progress is not None:
                progress(done + 1, self.steps_planned)

    def audit(self) -> None:
        """Full sums: base tokens in the ledger, scaled balances and cash in the pool. Raises if one unit is amiss."""
        self._audits.now()

    @property
    def audits(self) -> int:
        """How many times everything has been summed so far."""
        return self._audits.done

    def deficit_usd(self) -> float:
        """Bad debt written off so far, at the pool's prices, USD."""
        pool = self.pool
        return math.fsum(
            pool.deficit(asset) / reserve.unit * pool.prices[asset] * 1e-8
            for asset, reserve in enumerate(pool.reserves)
        )

    def bad_debt_usd(self) -> float:
        """Debt that nobody will repay: deficits booked, and what standing debts exceed their collateral by, USD.

        Standing debts count at the pool's prices; only those of liquidatable accounts can exceed the collateral.
        """
        standing = []
        for account in self.liquidatable.debts_usd:
            data = self.pool.account_data(account)
            standing.append(max(data.total_debt_base - data.total_collateral_base, 0) * 1e-8)
        return self.deficit_usd() + math.fsum(standing)

    def finish(self) -> dict[str, Any]:
        """Close the books after the last step: final audit, last snapshot, agents' profit; the tables by name."""
        self.audit()
        self.snapshots.take("last")
        self.recorder.agents = self.snapshots.agents(self.opening)
        return self.recorder.tables()

    def close(self) -> None:
        """End the run and free its memory (agents, columns, Mesa's own registers)."""
        large = self._frozen
        if self._frozen:
            gc.unfreeze()
            self._frozen = False
        self.remove_all_agents()
        registers = getattr(mesa.Agent, "_ids", None)
        if registers is not None:
            registers.pop(self, None)
        for population in self.populations.values():
            population.agents.clear()
        if large:
            gc.collect()  # a small economy is left to the collector's own rhythm: a full pass costs as much as its run

    def __enter__(self) -> Economy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
