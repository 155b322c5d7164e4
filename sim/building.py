"""Building a world from a scenario: ledger, pool, AMMs, outside market, oracle, gas, and the populations' accounts."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

from agents.registry import agent_class, unfit
from scenarios import Scenario, ScenarioError
from sim.building_amms import queues_of, ratios_of
from sim.building_chain import gas_market_of, oracle_of
from sim.building_prices import exogenous_prices
from sim.chain.clock import Clock
from sim.chain.executor import Executor
from sim.chain.gas import GasMarket
from sim.chain.mempool import Mempool
from sim.founding import AssetFacts, Founding
from sim.governance import GOVERNANCE, Governance
from sim.ledger import Ledger
from sim.markets.arrivals import Arrivals
from sim.markets.displacement import Displacement
from sim.markets.fee_meter import FeeMeter
from sim.markets.lending import LendingPool
from sim.markets.loops import Loops
from sim.markets.oracle import Oracle
from sim.markets.outside import OutsideMarket, OutsideToken
from sim.markets.periphery import Periphery
from sim.markets.provision import Provision
from sim.markets.ratios import RedemptionRatios
from sim.markets.redemption import RedemptionQueue
from sim.markets.venues import Venues
from sim.memory import check_memory
from sim.opening import open_amms, open_pool
from sim.population import Population
from sim.randomness import Randomness
from sim.refusals import Refusals

#: Symbol of the token that pays for gas; it has the price of the scenario's `gas.price_asset`.
GAS_SYMBOL = "ETH"

#: Its symbol where an asset of the scenario has that name already.
GAS_SYMBOL_BESIDE_ETH = "ETH for gas"


@dataclass(slots=True)
class World:
    """Everything that exists before the first block, apart from the agents themselves."""

    scenario: Scenario
    randomness: Randomness
    clock: Clock
    ledger: Ledger
    pool: LendingPool
    amms: dict[str, Any]
    venues: Venues
    ratios: RedemptionRatios
    queues: dict[str, RedemptionQueue]
    loops: Loops
    provision: Provision
    meter: FeeMeter
    outside: OutsideMarket
    oracle: Oracle
    gas: GasMarket
    mempool: Mempool
    executor: Executor
    governance: Governance | None
    populations: dict[str, Population]
    symbols: tuple[str, ...]
    exogenous: list[list[float]]
    gas_token: int
    gas_price_token: int
    first_agent_account: int

    def volatility_ratio(self) -> float:
        """Realised one-hour volatility of the gas asset's exogenous price over its reference."""
        return self.outside.volatility[self.gas_price_token].ratio

    def token_prices(self) -> list[float]:
        """Outside price of every base token, the gas token included, USD."""
        prices = self.outside.prices
        return [*prices[: len(self.symbols)], prices[self.gas_price_token]]


def build(scenario: Scenario, seed: int) -> World:
    """The world of a scenario, populated and loaded; nothing has happened yet.

    `ScenarioError` for what only shows when the parts are put together, such as more debt than supply.
    """
    refusals = Refusals(scenario)
    check_memory(scenario, refusals)
    refusals.check()
    randomness = Randomness(seed)
    clock = Clock(scenario.run.start_timestamp)
    ledger = Ledger()
    symbols = tuple(scenario.assets)
    tokens = {symbol: ledger.add_token(symbol, scenario.assets[symbol].decimals) for symbol in symbols}
    gas_token = ledger.add_token(GAS_SYMBOL_BESIDE_ETH if GAS_SYMBOL in tokens else GAS_SYMBOL, 18)
    exogenous = exogenous_prices(scenario, randomness)
    outside = _outside(scenario, ledger, clock, symbols, exogenous[0])
    oracle = oracle_of(scenario, outside, clock, symbols)
    pool = open_pool(scenario, ledger, clock, tokens, oracle, refusals)
    ratios = ratios_of(scenario, clock, tokens)
    amms = open_amms(scenario, ledger, clock, tokens, outside, ratios, refusals)
    venues = _venues(scenario, ledger, amms, outside)
    ratios.attach(amms, venues.displacements)
    queues = queues_of(scenario, ledger, clock, randomness, ratios, tokens)
    loops = Loops(ledger, pool, venues, queues)
    provision = Provision(ledger, venues, amms)
    periphery = Periphery(ledger, pool, venues)
    builder = ledger.open_account("block builder")
    governance = Governance(scenario, pool, ledger.open_account(GOVERNANCE)) if scenario.governance else None
    arrivals = Arrivals(ledger, gas_token)
    markets = {
        "pool": pool,
        "venues": venues,
        "periphery": periphery,
        "outside": outside,
        "arrivals": arrivals,
        "loops": loops,
        "provision": provision,
        **queues,
        **amms,
    }
    world = World(
        scenario=scenario,
        randomness=randomness,
        clock=clock,
        ledger=ledger,
        pool=pool,
        amms=amms,
        venues=venues,
        ratios=ratios,
        queues=queues,
        loops=loops,
        provision=provision,
        meter=FeeMeter(amms, outside),
        outside=outside,
        oracle=oracle,
        gas=gas_market_of(scenario),
        mempool=_mempool(scenario, randomness, ledger),
        executor=Executor(ledger, clock, markets, gas_token=gas_token, builder=builder),
        governance=governance,
        populations={},
        symbols=symbols,
        exogenous=exogenous,
        gas_token=gas_token,
        # Without gas nobody has to know its price.
        gas_price_token=tokens.get(scenario.gas.price_asset, 0),
        first_agent_account=len(ledger.owners),
    )
    _populate(world, tokens, refusals)
    ledger.journal.clear()
    return world


# ---------------------------------------------------------------------- venues, ordering
def _venues(scenario: Scenario, ledger: Ledger, amms: dict[str, Any], outside: OutsideMarket) -> Venues:
    displacements = {
        name: Displacement(ledger.journal, outside, amm.token0, amm.token1, amm.log_price())
        for name, amm in amms.items()
    }
    restored = frozenset() if scenario.mechanisms.liquidation_impact else frozenset({"liquidation"})
    return Venues(ledger, amms, outside, displacements, restored)


def _mempool(scenario: Scenario, randomness: Randomness, ledger: Ledger) -> Mempool:
    return Mempool(
        randomness,
        identity=ledger.identity,
        raise_ratio=scenario.gas.raise_ratio,
        raise_rounds=scenario.gas.raise_rounds_per_block * scenario.run.blocks_per_step,
    )


# ---------------------------------------------------------------------- the outside market
def _outside(
    scenario: Scenario, ledger: Ledger, clock: Clock, symbols: tuple[str, ...], opening: list[float]
) -> OutsideMarket:
    """The reference market at its opening prices; an asset without a stated depth is not moved by trades."""
    settings = scenario.outside
    tokens = {
        token: OutsideToken(
            depth_2pct=math.inf if asset.depth_2pct is None else asset.depth_2pct,
            depth_unit=asset.depth_unit,
            impact_per_unit=asset.impact_per_unit,
            base=None if asset.base is None else symbols.index(asset.base),
        )
        for token, asset in enumerate(scenario.assets.values())
    }
    outside = OutsideMarket(
        ledger,
        clock,
        tokens,
        permanent_share=settings.permanent_share,
        fast_share=settings.fast_share,
        slow_share=settings.slow_share,
        fast_seconds=settings.fast_seconds,
        slow_seconds=settings.slow_seconds,
        depth_volatility_exponent=settings.depth_volatility_exponent,
        depth_floor=settings.depth_floor,
        depth_cap=settings.depth_cap,
        reference_volatility_per_year=settings.reference_volatility_per_year,
        impact_off=() if scenario.mechanisms.liquidation_impact else ("liquidation",),
    )
    outside.begin_step(opening, clock.timestamp)
    return outside


# ---------------------------------------------------------------------- populations
def _populate(world: World, tokens: dict[str, int], refusals: Refusals) -> None:
    """Open the populations' accounts, let every kind endow its own, and load the endowments in bulk."""
    scenario = world.scenario
    pool = world.pool
    ledger = world.ledger
    for name, settings in scenario.populations.tables.items():
        if message := unfit(settings.kind):
            allowed = "a registered kind, or a class derived from agents.base.EconomicAgent"
            refusals.add(f"populations.{name}.kind", f'"{settings.kind}"', allowed, message)
    refusals.check()
    facts = {
        symbol: AssetFacts(
            symbol,
            tokens[symbol],
            10 ** scenario.assets[symbol].decimals,
            world.outside.prices[tokens[symbol]],
            pool.asset(symbol) if symbol in scenario.pool.reserves else None,
            scenario.assets[symbol].base,
        )
        for symbol in world.symbols
    }
    pairs = {name: (amm.token0, amm.token1) for name, amm in scenario.amms.items()}
    founding = Founding(world.randomness, facts, pool, pairs)
    for name, settings in scenario.populations.tables.items():
        count = scenario.scaled_count(name)
        slots = max(count, scenario.scaled(name, getattr(settings.parameters, "slots", 0)))
        accounts = ledger.open_accounts(list(itertools.repeat(name, slots)))
        size_ratio = 1.0 / scenario.populations.scale if settings.scaled else 1.0
        population = Population(
            name,
            agent_class(settings.kind),
            settings.parameters,
            accounts,
            size_ratio,
            count,
            ledger.identity(accounts.start) if accounts else None,
        )
        world.populations[name] = population
        if slots:
            population.agent_class.found(population, founding)
            founding.gas(population, settings.parameters.gas_eth)
    for population in world.populations.values():
        if len(population):
            population.agent_class.balance(population, founding)
    founding.check_lending()
    if founding.problems:
        # Who lends and who borrows is a matter of the populations, also where a reserve cannot have it.
        homes = [p.path if p.path.startswith("populations.") else "populations" for p in founding.problems]
        files = map(refusals.file_of, homes)
        raise ScenarioError([p._replace(file=file) for p, file in zip(founding.problems, files, strict=True)])
    founding.load(ledger, world.gas_token)
    for population in world.populations.values():
        if len(population):
            with refusals.at(f"populations.{population.name}"):
                population.agent_class.settle(population, world)
    refusals.check()
    ledger.journal.clear()
