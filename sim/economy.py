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
from sim.results import Recorder
from sim.screens import Screens
from sim.snapshots import Snapshots
from sim.view import View
from sim.waking import Waking

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
        self.screens = Screens(run, self.pool, self.ledger, self.populations)
        self.liquidatable = Liquidatable(self.pool, self.screens.unhealthy(), self.blocks_per_step)
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

    def _found_agents(self) -> None:
        page_seconds = max(60.0, self.settings.run.step_seconds)
        self.waking = Waking(self, self.screens.alarms(), page_seconds, self.screens.upper)
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
        # Reports stand at the top of the block: they are in use already.
        gas_used = self._execute(self.oracle.included * self.oracle.bid.gas)
        if self.blocks_per_step > 1:
            gas_used = self._later_blocks(gas_used)
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

    def _decisions(self, woken: Mapping[str, list[int]], later: bool = False) -> list[Transaction]:
        """What everybody due decides; in the `later` blocks of a step only kinds of every block, and who is named."""
        view = self.view
        everybody = self.settings.run.wake == "all"
        decided: list[Transaction] = []
        for population in self.populations.values():
            agents = population.agents
            if later and not population.agent_class.every_block:
                rows: Any = woken.get(population.name, ())
            elif everybody:
                rows = range(len(agents))
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

    def _execute(self, gas_used: int) -> int:
        """One block's transactions, in the room that `gas_used` leaves of the step; returns the gas used by then."""
        execute = self.executor.execute
        receipts = self.receipts
        gas = self.gas
        base_fee_wei = gas.charged_base_fee_wei
        volatility = self.world.volatility_ratio()
        whole = gas.capacity_gas(volatility) if not gas.enabled else gas.block_gas_limit * self.blocks_per_step
        before = gas_used

        def room(tip_gwei: float) -> int:
            return gas.capacity_gas(volatility, tip_gwei) - before

        if gas.enabled:  # where gas costs nothing, nobody is stopped by a bid
            self.mempool.bid_up()
        for transaction in self.mempool.select(self.clock.step, base_fee_wei * 1e-9, room, whole - before):
            receipt = execute(transaction, base_fee_wei)
            gas_used += receipt.gas_used
            receipts.append(receipt)
        return gas_used

    def _later_blocks(self, gas_used: int) -> int:
        """What the first of several blocks leaves to do, in the next ones; returns the gas used by the whole step.

        A pool that a sale has moved is brought back by arbitrage in the next block, and the next sale finds it there.
        If a step of k blocks did that once, its pools would take a k-th of what they take in single blocks. Impacts
        decay from block to block; clock, exogenous prices, oracle and base fee stay those of the step. Whose
        transaction failed, as others came first, decides anew. The last block is one in which nothing succeeds or for
        which nobody decides anything.
        """
        seen = 0
        clock, run = self.clock, self.settings.run
        for later in range(1, self.blocks_per_step):
            fresh = self.receipts[seen:]
            if not any(receipt.ok for receipt in fresh):
                break
            seen = len(self.receipts)
            failed: dict[str, list[int]] = {}
            for account in sorted({receipt.transaction.sender for receipt in fresh if not receipt.ok}):
                population = self.populations.get(self.ledger.owners[account])
                if population is not None:
                    failed.setdefault(population.name, []).append(account - population.first)
            if self._touch():
                self.liquidatable.look(clock.step, self.pool.factors())
            self.outside.begin_step(self.world.exogenous[clock.step], clock.timestamp + later * run.block_seconds)
            self._open_view()
            decided = self._decisions(failed, later=True)
            if not decided:
                break
            self.mempool.submit(decided, clock.step, self.expiry_steps)
            gas_used = self._execute(gas_used)
        return gas_used

    def _touch(self) -> bool:
        """Accounts whose balances changed go back to the screens; whether there are any."""
        touched = self.pool.drain_touched()
        if touched:
            self.liquidatable.touch(touched)
            self.waking.touch(touched)
            self.snapshots.touch(touched)
        return bool(touched)

    def _settle(self) -> None:
        self.liquidatable.set_aside(self.view.unprofitable(), self.clock.step)
        self._touch()
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
