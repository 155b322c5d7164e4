"""Pieces that keep a million accounts cheap: each must equal what it stands for, one by one."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

import agents.trader
import sim.auditing
import sim.chain.mempool
import sim.waking
from agents.holder import Holder
from agents.manager import ManagerParameters, alarm_of
from sim.chain.journal import Journal
from sim.economy import Economy
from sim.ledger import Ledger, LedgerImbalance
from sim.normal import inverse_normal, inverse_normal_array
from sim.pictures import Picture
from sim.population import Owners, Population
from sim.randomness import Randomness
from sim.results.hashing import content_hash
from sim.results.recorder import Blocks
from sim.results.tables import to_arrow
from sim.standing_debts import StandingDebts


def uniforms():
    draws = Randomness(1).uniform_array("test", np.arange(20_000))
    return np.concatenate([draws, [1e-300, 1e-13, 0.075, np.nextafter(0.075, 1.0), 0.5, 0.925, 1.0 - 1e-13]])


def test_inverse_normal_array_equals_the_standard_librarys_to_the_bit():
    expected = [NormalDist().inv_cdf(u) for u in uniforms().tolist()]
    assert inverse_normal_array(uniforms()).tolist() == expected


def test_inverse_normal_of_one_equals_the_array():
    assert [inverse_normal(u) for u in uniforms().tolist()] == inverse_normal_array(uniforms()).tolist()


def test_keyed_normals_are_the_same_one_by_one():
    randomness = Randomness(3)
    one_by_one = [randomness.normal("size", row, 2) for row in range(2_000)]
    assert randomness.normal_array("size", np.arange(2_000), 2).tolist() == one_by_one


def test_keyed_exponentials_are_the_same_one_by_one():
    randomness = Randomness(3)
    one_by_one = [randomness.exponential("look", row, 0, 10.0 + row) for row in range(2_000)]
    means = 10.0 + np.arange(2_000)
    assert randomness.exponential_array("look", np.arange(2_000), 0, means).tolist() == one_by_one


def test_alarms_of_many_are_the_same_one_by_one():
    parameters = ManagerParameters(debt_usd_median=1.0, collateral={"WETH": 1.0}, debt={"USDC": 1.0})
    targets = 1.0 + np.linspace(0.001, 2.0, 500)
    assert alarm_of(targets, parameters).tolist() == [float(alarm_of(t, parameters)) for t in targets.tolist()]


def population(first, count):
    return Population(f"from {first}", Holder, None, range(first, first + count))


def test_owners_are_found_by_range():
    populations = [population(10, 5), population(2, 3), population(20, 1), population(15, 0)]
    owners = Owners(populations)
    expected = {account: p for p in populations for account in p.accounts}
    assert {account: owners[account] for account in expected} == expected


@pytest.mark.parametrize("account", [0, 1, 5, 9, 15, 19, 21])
def test_an_account_of_nobody_has_no_owner(account):
    owners = Owners([population(2, 3), population(10, 5), population(20, 1)])
    with pytest.raises(KeyError):
        owners[account]


def ledger(accounts=6):
    result = Ledger(Journal())
    result.add_token("WETH", 18)
    result.open_accounts(["somebody"] * accounts)
    return result


def test_inflows_of_many_equal_inflows_one_by_one():
    many, single = ledger(), ledger()
    for each in (many, single):
        each.inflow(0, 3, 7)
    many.inflow_many(0, range(2, 5), [10**20, 0, 5])
    for account, amount in zip(range(2, 5), [10**20, 0, 5], strict=True):
        single.inflow(0, account, amount)
    assert (many.balances, many.inflows) == (single.balances, single.inflows)
    many.audit()


def test_inflows_of_many_can_be_undone():
    many = ledger()
    many.inflow(0, 3, 7)
    many.journal.clear()
    many.inflow_many(0, range(2, 5), [1, 2, 3])
    many.journal.undo()
    assert (many.balances, many.inflows) == ([[0, 0, 0, 7, 0, 0]], [7])


@pytest.mark.parametrize("amounts", [[1, 2], [1, -1, 2]])
def test_inflows_of_many_refuse_what_does_not_fit(amounts):
    with pytest.raises(ValueError, match="amount"):
        ledger().inflow_many(0, range(2, 5), amounts)


def test_inflowing_amounts_stay_the_callers_list():
    amounts = [1, 2, 3]
    many = ledger()
    many.inflow_many(0, range(2, 5), amounts)
    many.transfer(0, 4, 0, 3)
    assert amounts == [1, 2, 3]


def test_draws_of_several_purposes_are_those_of_each():
    randomness = Randomness(3)
    rows, numbers = np.arange(50), np.arange(50) % 7
    together = randomness.uniform_arrays(("a", "b"), rows, numbers)
    assert together.tolist() == [randomness.uniform_array(p, rows, numbers).tolist() for p in ("a", "b")]


def test_keyed_uniforms_are_the_same_one_by_one():
    randomness = Randomness(3)
    rows = [0, 1, 5, 10**9, -1]
    assert randomness.uniform_array("a", rows, 4).tolist() == [randomness.uniform("a", row, 4) for row in rows]


def busy():
    """A world in which so many traders trade at once that their draws are made in arrays."""
    many = {"populations.traders.count": 60, "populations.traders.trades_per_day": 800}
    with Economy("demo", overrides=many) as economy:
        economy.run()
        tables = economy.finish()
    return content_hash({name: to_arrow(name, table) for name, table in tables.items()})


def test_draws_in_arrays_and_one_by_one_give_the_same_run(monkeypatch):
    in_arrays = busy()
    monkeypatch.setattr(agents.trader, "MANY", 10**9)
    monkeypatch.setattr(sim.waking, "MANY", 10**9)
    monkeypatch.setattr(sim.chain.mempool, "MANY", 10**9)
    assert busy() == in_arrays


def test_an_audit_column_by_column_finds_a_unit_created_anywhere(monkeypatch):
    monkeypatch.setattr(sim.auditing, "AT_ONCE", 0)
    with Economy("demo", overrides={"run.audit_every_steps": 100}) as economy:
        for _ in range(150):
            economy.step()
        assert economy.audits == 1
        economy.ledger.balances[0][5] += 1
        with pytest.raises(LedgerImbalance, match="WETH"):
            economy.run()


def test_a_renewed_picture_is_a_new_one():
    with Economy("demo") as economy:
        accounts = len(economy.ledger.owners)
        renewed = Picture(economy.pool, accounts, 0)
        changed: set[int] = set()
        drain = economy.pool.drain_touched

        def noting():
            touched = drain()
            changed.update(touched)
            return touched

        economy.pool.drain_touched = noting
        economy.run()
        renewed.renew(economy.pool, changed, economy.clock.step)
        fresh = Picture(economy.pool, accounts, economy.clock.step)
        assert 10 < len(changed) < accounts
        for name in ("supply_column", "debt_column", "collateral_column", "emode_column"):
            assert getattr(renewed, name).tolist() == getattr(fresh, name).tolist() != []
        assert fresh.collateral_column.tolist() == economy.pool.collateral_column[:, :accounts].tolist()


def test_a_block_put_for_later_is_the_same_table():
    at_once, later = Blocks(("a", "b")), Blocks(("a", "b"))
    at_once.put("x", a=[1, 2], b="c")
    later.put_later("x", lambda: {"a": [1, 2], "b": "c"})
    assert (later.table(), len(later)) == (at_once.table(), len(at_once))


def test_standing_debts_behave_like_a_dict_in_the_order_of_arrival():
    randomness = Randomness(7)
    debts, expected = StandingDebts(), {}
    for turn in range(3_000):
        account = randomness.bits("account", turn) % 400
        if account in expected:
            assert debts.take_out(account) == expected.pop(account)
        elif randomness.uniform("add", turn) < 0.7:
            expected[account] = randomness.uniform("debt", turn)
            debts.add(account, expected[account])
        assert debts.take_out(1_000) is None
        assert (len(debts), 5 in debts, list(debts)) == (len(expected), 5 in expected, list(expected))
        assert debts.total_usd() == float(np.array(list(expected.values())).sum())
    new = np.arange(len(expected)) * 0.1
    debts.replace(new)
    assert debts.accounts().tolist() == list(expected)
    assert debts.total_usd() == float(new.sum())
