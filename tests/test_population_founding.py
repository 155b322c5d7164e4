"""Founding: what every row receives, independence from how many rows there are, scale, utilisation, lenders' sizes."""

from __future__ import annotations

import math
from statistics import NormalDist, median

import numpy as np
import pytest

import scenarios
from agents.lender import _least
from agents.registry import kinds
from scenarios import ScenarioError
from sim.building import build
from sim.founding import AssetFacts, Founding
from sim.population import Population
from sim.randomness import Randomness

KINDS = kinds()
POPULATIONS = (
    "holders",
    "managers",
    "loopers",
    "stable_loopers",
    "lenders",
    "rest",
    "liquidators",
    "arbitrageurs",
    "traders",
)


#: Lenders who do nothing and are cut as finely as the borrowers.
PLAIN_LENDERS = {
    f"populations.{name}.{field}": value
    for name in ("lenders", "rest")
    for field, value in (("kind", "lender"), ("scaled", True))
}


def world(seed=1, scenario="demo", **overrides):
    changes = PLAIN_LENDERS | {key.replace("__", "."): value for key, value in overrides.items()}
    return build(scenarios.load(scenario, changes, KINDS), seed)


def rows_of(built, name):
    """Everything that the rows of a population have, row by row."""
    population = built.populations[name]
    pool, ledger = built.pool, built.ledger
    lists = [*pool.scaled_supplies, *pool.scaled_debts, pool.flags, pool.emode_of, *ledger.balances]
    columns = [column.tolist() for column in population.columns.values()]
    return [
        (*(values[account] for values in lists), *(column[row] for column in columns))
        for row, account in enumerate(population.accounts)
    ]


def reserve_totals(built):
    return [
        (totals.scaled_supply, totals.scaled_debt) for totals in map(built.pool.totals, range(len(built.pool.reserves)))
    ]


# ---------------------------------------------------------------------- nothing depends on how many there are
@pytest.mark.parametrize("name", [name for name in POPULATIONS if name not in ("lenders", "rest")])
@pytest.mark.parametrize("more", [1, 40])
def test_more_rows_change_nobody(name, more):
    few = world()
    count = len(few.populations[name])
    many = world(**{f"populations__{name}__count": count + more})
    assert len(rows_of(many, name)) == count + more
    for other in POPULATIONS:
        # `rest` supplies what all others leave missing: that is its definition.
        if other != "rest":
            assert rows_of(many, other)[: len(few.populations[other])] == rows_of(few, other), other


def test_a_lender_more_changes_nothing_but_the_share_of_the_others():
    few, many = world(), world(populations__lenders__count=16)
    for other in POPULATIONS:
        if other not in ("lenders", "rest"):
            assert rows_of(many, other) == rows_of(few, other), other
    for asset in map(few.pool.asset, ("USDC", "USDT", "WETH", "WBTC", "wstETH")):
        before, after = (
            [built.pool.scaled_supplies[asset][k] for k in built.populations["lenders"].accounts]
            for built in (few, many)
        )
        cap = 0.15 * sum(before)
        ratios = [b / a for a, b in zip(before, after, strict=False) if max(a, b) < 0.9 * cap]
        assert len(ratios) >= 10
        assert ratios == pytest.approx([ratios[0]] * len(ratios), rel=1e-6)
        assert 0.8 < ratios[0] < 1.0


@pytest.mark.parametrize("name", POPULATIONS)
def test_the_name_of_a_population_makes_its_draws_its_own(name):
    """Two populations with the same parameters are not copies of each other."""
    scenario = scenarios.load("demo", {}, KINDS).as_dict()
    scenario["populations"]["twin"] = scenario["populations"][name]
    built = build(scenarios.load(scenario, {}, KINDS), 1)
    alike = name in ("rest", "arbitrageurs", "traders")  # these kinds draw nothing when they are founded
    assert (rows_of(built, "twin") == rows_of(built, name)) == (alike and name != "rest")


def test_nobody_depends_on_the_order_of_the_populations():
    data = scenarios.load("demo", PLAIN_LENDERS, KINDS).as_dict()
    data["populations"] = dict(reversed(data["populations"].items()))
    turned, straight = build(scenarios.load(data, {}, KINDS), 1), world()
    for name in POPULATIONS:
        assert rows_of(turned, name) == rows_of(straight, name), name


# ---------------------------------------------------------------------- scale
@pytest.mark.parametrize("scale", [0.5, 2.0, 4.0])
def test_scale_multiplies_counts_divides_sizes_and_keeps_totals(scale):
    counts = {f"populations__{name}__count": 1_000 for name in ("holders", "managers", "loopers", "stable_loopers")}
    one, scaled = world(**counts), world(populations__scale=scale, **counts)
    for name in ("holders", "managers", "loopers", "stable_loopers", "lenders", "rest"):
        assert len(scaled.populations[name]) == int(len(one.populations[name]) * scale + 0.5)
    for before, after in zip(reserve_totals(one), reserve_totals(scaled), strict=True):
        # Books are stratified; a supply is the product of three attributes, and sizes are very unequal.
        assert after == (pytest.approx(before[0], rel=0.2), pytest.approx(before[1], rel=0.1))
    assert rows_of(scaled, "arbitrageurs") == rows_of(one, "arbitrageurs")
    assert rows_of(scaled, "traders") == rows_of(one, "traders")
    assert rows_of(scaled, "liquidators") == rows_of(one, "liquidators")


@pytest.mark.parametrize("name", ["holders", "managers", "loopers", "traders"])
def test_scale_divides_every_amount_and_leaves_health_factors_and_gas(name):
    cut = {} if name == "traders" else {f"populations__{name}__debt_usd_largest": 300_000.0}
    one, double = world(**cut), world(populations__scale=2.0, **cut)
    gas = one.gas_token
    for before, after in zip(rows_of(one, name), rows_of(double, name), strict=False):
        for place, (amount, halved) in enumerate(zip(before[:12], after[:12], strict=True)):
            assert abs(amount - 2 * halved) <= 2 + 1e-12 * amount, place
        assert before[12:14] == after[12:14]  # flags and e-mode
        assert before[14 + gas] == after[14 + gas] > 0
        assert before[21:] == after[21:]  # columns: targets, alarms, times


def test_totals_vary_little_over_seeds():
    """Stratified sizes: the debt of 1,000 borrowers is within a tenth of its mean although sizes vary hundredfold."""
    worlds = [world(seed, populations__holders__count=1_000) for seed in range(1, 9)]
    debts = [built.pool.totals(3).scaled_debt + built.pool.totals(4).scaled_debt for built in worlds]
    assert max(debts) / min(debts) < 1.1


# ---------------------------------------------------------------------- opening utilisation
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("count", [1, 3, 7])
def test_the_opening_utilisation_is_met(seed, count):
    built = world(seed, "aave-v3-ethereum", populations__scale=0.05, populations__rest__count=20 * count)
    pool = built.pool
    assert len(built.populations["rest"]) == count
    for symbol, utilisation in (("USDC", 0.89), ("USDT", 0.69), ("WETH", 0.71)):
        assert pool.utilisation_ratio(pool.asset(symbol)) == pytest.approx(utilisation, abs=1e-9)
    pool.audit()
    built.ledger.audit()


@pytest.mark.parametrize("count", [1, 3, 7])
def test_a_reserve_may_open_with_everything_lent(count):
    built = world(populations__rest__count=count, populations__rest__opening_utilisation__USDC=1.0)
    usdc = built.pool.asset("USDC")
    assert 0 <= built.pool.available_liquidity(usdc) < count
    assert built.pool.utilisation_ratio(usdc) == pytest.approx(1.0, abs=1e-12)


def test_where_others_supply_more_nobody_is_asked_to_take_back():
    built = world(populations__lenders__supply_usd={"USDC": 1e9})
    usdc = built.pool.asset("USDC")
    assert {built.pool.scaled_supplies[usdc][account] for account in built.populations["rest"].accounts} == {0}
    assert built.pool.utilisation_ratio(usdc) < 0.2


# ---------------------------------------------------------------------- lenders
@pytest.mark.parametrize("alpha", [1.05, 1.1, 1.5, 3.0])
@pytest.mark.parametrize(("count", "share"), [(7, 0.15), (15, 0.15), (100, 0.05), (500, 0.3), (500, 1.0)])
def test_lenders_sizes_have_the_mean_and_the_cap_asked_for(alpha, count, share):
    """The mean of min(X, cap) over the quantiles of a Pareto law, worked out numerically."""
    mean, cap = 1.0, share * count
    least = _least(alpha, mean, cap)
    assert 0.0 < least <= mean
    n = 400_000
    u = (np.arange(n) + 0.5) / n
    sizes = np.minimum(least * (1.0 - u) ** (-1.0 / alpha), cap)
    assert sizes.mean() == pytest.approx(mean, rel=2e-3)


def test_lenders_supply_the_stated_total_and_nobody_more_than_his_share():
    totals, largest = [], []
    for seed in range(1, 13):
        built = world(seed, populations__lenders__count=64)
        weth = built.pool.asset("WETH")
        supplies = [built.pool.scaled_supplies[weth][k] for k in built.populations["lenders"].accounts]
        price = built.outside.prices[0]
        totals.append(sum(supplies) / 1e18 * price)
        largest.append(max(supplies) / 1e18 * price)
    assert np.mean(totals) == pytest.approx(1e6, rel=0.05)
    assert max(largest) <= 0.15e6 * (1 + 1e-12)


@pytest.mark.parametrize("count", [1, 2, 5, 6])
def test_too_few_lenders_for_the_largest_share_supply_equal_parts(count):
    built = world(populations__lenders__count=count)
    wsteth = built.pool.asset("wstETH")
    supplies = [built.pool.scaled_supplies[wsteth][k] for k in built.populations["lenders"].accounts]
    assert len(set(supplies)) == 1
    assert sum(supplies) / 1e18 * built.outside.prices[1] == pytest.approx(1e6, rel=1e-12)


# ---------------------------------------------------------------------- borrowers
@pytest.mark.parametrize("name", ["holders", "managers", "loopers"])
def test_every_position_opens_at_its_own_health_factor(name):
    built = world(3, **{f"populations__{name}__count": 400})
    pool, population = built.pool, built.populations[name]
    p = population.parameters
    excess = []
    for account in population.accounts:
        data = pool.account_data(account)
        assert len(pool.debt_assets(account)) == 1
        assert len(pool.collateral_assets(account)) == 1
        excess.append(data.health_factor / 1e18 - 1.0)
        assert pool.emode(account) == p.emode
        assert data.total_debt_base * 1e-8 <= p.debt_usd_largest * (1 + 1e-9)
    assert min(excess) > p.health_factor_least_excess - 1e-4
    middle = p.health_factor_median_excess
    spread = p.health_factor_log_sd / math.sqrt(len(excess))
    assert abs(math.log(median(excess) / middle)) < 4.0 * 1.2533 * spread
    if name != "holders":
        target = population.columns["target"]
        assert target - 1.0 == pytest.approx(excess, abs=1e-4)
        alarm = population.columns["alarm"]
        assert (alarm <= target).all()
        assert (alarm > 1.0).all()


def test_sizes_follow_the_stated_law():
    built = world(populations__holders__count=2_000, populations__holders__debt_usd_log_sd=1.0)
    sizes = [built.pool.account_data(k).total_debt_base * 1e-8 for k in built.populations["holders"].accounts]
    z = [math.log(size / 250_000) for size in sizes]
    assert abs(np.mean(z)) < 0.01
    assert np.std(z) == pytest.approx(1.0, abs=0.01)


def test_collateral_is_chosen_in_the_stated_proportions():
    built = world(populations__holders__count=3_000)
    chosen = [built.pool.collateral_assets(account)[0] for account in built.populations["holders"].accounts]
    for symbol, share in (("WETH", 0.60), ("WBTC", 0.25), ("wstETH", 0.15)):
        found = chosen.count(built.pool.asset(symbol)) / len(chosen)
        assert abs(found - share) < 4.0 * math.sqrt(share * (1 - share) / len(chosen))


# ---------------------------------------------------------------------- founding itself
class NoPool:
    """A pool with thresholds by reserve and nothing else."""

    def liquidation_threshold_ratio(self, reserve, emode):
        return (0.8, 0.0)[reserve]


def founding(**prices):
    assets = {
        symbol: AssetFacts(symbol, k, 10**6, price, k if k < 2 else None)
        for k, (symbol, price) in enumerate((prices or {"A": 2.0, "B": 0.5, "C": 1.0}).items())
    }
    return Founding(Randomness(1), assets, NoPool(), {"A-C": ("A", "C"), "B-C": ("B", "C")})


def people(count, name="people"):
    return Population(name, object, None, range(10, 10 + count))


def test_a_population_knows_its_rows():
    population = people(5)
    assert (len(population), population.first, population.row(12)) == (5, 10, 2)


def test_amounts_are_rounded_down_to_units():
    f = founding()
    assert f.amount("A", 3.0000009) == 1_500_000
    assert f.amount("B", 0.5) == 1_000_000


def test_choices_follow_the_weights_and_never_one_of_weight_zero():
    f = founding()
    many = people(5_000)
    picks = f.choose(many, "debt", {"zero": 0.0, "one": 1.0, "three": 3.0, "none": 0.0})
    assert set(picks.tolist()) == {1, 2}
    assert abs((picks == 2).mean() - 0.75) < 0.025
    again = f.choose(people(50), "debt", {"zero": 0.0, "one": 10.0, "three": 30.0, "none": 0.0})
    assert again.tolist() == picks[:50].tolist()
    assert f.choose(people(3), "debt", {"only": 0.1}).tolist() == [0] * 3


def test_stratified_choices_keep_their_share_of_every_part_of_the_sizes():
    """Size in base 2 and choice in base 3: of the largest tenth, too, a quarter falls to either side."""
    f = founding()
    many = people(5_000)
    sizes = np.array(f.log_normal(many, "size", 50.0, 2.1, 2))
    picks = f.choose(many, "debt", {"one": 1.0, "three": 3.0}, 3)
    largest = np.argsort(sizes)[-500:]
    assert abs((picks == 1).mean() - 0.75) < 0.002
    assert abs((picks[largest] == 1).mean() - 0.75) < 0.02
    assert f.choose(people(50), "debt", {"one": 1.0, "three": 3.0}, 3).tolist() == picks[:50].tolist()


@pytest.mark.parametrize("base", [0, 2, 5])
def test_log_normal_draws_have_their_median_and_spread(base):
    values = founding().log_normal(people(4_000), "size", 50.0, 0.7, base)
    z = np.array([math.log(value / 50.0) / 0.7 for value in values])
    tolerance = 0.005 if base else 4.0 / math.sqrt(4_000)
    assert abs(z.mean()) < tolerance
    assert abs(z.std() - 1.0) < max(tolerance, 0.01)
    assert founding().log_normal(people(7), "size", 50.0, 0.7, base) == values[:7]
    assert values == [50.0 * math.exp(0.7 * NormalDist().inv_cdf(u)) for u in _uniforms(base)]


def _uniforms(base):
    draws, rows = Randomness(1), np.arange(4_000)
    chosen = draws.stratified_array("people.size", rows, base) if base else draws.uniform_array("people.size", rows)
    return chosen.tolist()


def test_traded_assets_are_those_of_the_named_pools_in_the_scenarios_order():
    f = founding()
    assert f.traded_assets(()) == ["A", "B", "C"]
    assert f.traded_assets(("B-C",)) == ["B", "C"]
    assert f.traded_assets(("B-C", "A-C")) == ["A", "B", "C"]


def test_what_cannot_be_is_collected_and_told_once():
    f = founding()
    people_ = people(3)
    assert f.choose(people_, "collateral", {"A": 0.0, "B": 0.0}).tolist() == [0, 0, 0]
    assert f.threshold(people_, "A", 0) == 0.8
    assert f.threshold(people_, "B", 0) == f.threshold(people_, "B", 0) == 1.0
    f.borrow(people_, "A", [1, 2, 3])
    f.supply(people_, "A", [1, 2, 2])
    f.check_lending()
    f.check_lending()
    assert [problem.path for problem in f.problems] == [
        "populations.people.collateral",
        "populations.people.collateral.B",
        "pool.reserves.A",
    ]
    with pytest.raises(ValueError, match="C is no reserve"):
        f.supply(people_, "C", [1, 1, 1])


def test_wallets_gas_and_positions_come_from_outside_and_are_counted():
    built = world()
    for token, (inflow, outflow) in enumerate(zip(built.ledger.inflows, built.ledger.outflows, strict=True)):
        assert inflow - outflow == sum(built.ledger.balances[token])
    traders = built.populations["traders"]
    assert {built.ledger.balances[built.gas_token][account] for account in traders.accounts} == {50 * 10**18}
    assert not built.ledger.journal.entries


# ---------------------------------------------------------------------- what a world refuses to be built with
REFUSED = {
    "more debt than supply": ({"populations.rest.count": 0}, {"pool.reserves.USDC", "pool.reserves.USDT"}),
    "no lenders at all": (
        {"populations.rest.count": 0, "populations.lenders.count": 0},
        {"pool.reserves.USDC", "pool.reserves.USDT"},
    ),
    "weights of nothing": (
        {"populations.holders.debt": {"USDC": 0.0, "USDT": 0.0}, "populations.loopers.collateral.wstETH": 0.0},
        {"populations.holders.debt", "populations.loopers.collateral"},
    ),
    "collateral that counts for nothing": (
        {"pool.reserves.WBTC.ltv": 0.0, "pool.reserves.WBTC.liquidation_threshold": 0.0},
        {"populations.holders.collateral.WBTC", "populations.managers.collateral.WBTC"},
    ),
    "a bonus of nothing": (
        {"pool.reserves.WETH.liquidation_bonus": 0.0, "pool.reserves.WBTC.liquidation_bonus": 0.0},
        {"pool.reserves.WETH", "pool.reserves.WBTC"},
    ),
    "an e-mode without LTV": ({"pool.emodes.1.ltv": 0.0}, {"pool.emodes.1"}),
    "pools without a unit of liquidity": (
        {"amms.WETH-USDC.liquidity_usd": 1e-9, "amms.WBTC-WETH.liquidity_usd": 1e-9},
        {"amms.WETH-USDC", "amms.WBTC-WETH"},
    ),
    "a pool named as another market": (
        {
            "amms.outside": {
                "kind": "constant_product", "token0": "WETH", "token1": "USDC", "fee_pips": 3_000, "liquidity_usd": 1e6
            }
        },
        {"amms.outside"},
    ),
    "drift beyond all numbers": (
        {
            "prices.drift_per_year": {"WETH": 100.0},
            "prices.shocks": [],
            "run.horizon_seconds": 3_600 * 24 * 3_650,
            "run.step_seconds": 3_600 * 24,
        },
        {"prices"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_built_is_a_problem_of_the_scenario(case):
    overrides, paths = REFUSED[case]
    scenario = scenarios.load("demo", overrides, KINDS)
    with pytest.raises(ScenarioError) as caught:
        build(scenario, 1)
    assert {problem.path for problem in caught.value.problems} == paths
    for problem in caught.value.problems:
        assert problem.file == "--set" or case == "collateral that counts for nothing"
        assert problem.message
        assert problem.given
        assert problem.allowed


@pytest.mark.parametrize("name", POPULATIONS)
def test_a_population_of_nobody_and_one_of_one_can_be_built(name):
    lenders = {"populations.rest.opening_utilisation": {"USDC": 0.9, "USDT": 0.7}} if name != "rest" else {}
    supply = {"populations.lenders.supply_usd": {"USDC": 9e7, "USDT": 9e7}} if name == "rest" else {}
    for count in (0, 1):
        overrides = {f"populations.{name}.count": count} | lenders | supply
        built = build(scenarios.load("demo", overrides, KINDS), 1)
        assert len(built.populations[name]) == count
