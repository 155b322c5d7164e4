"""The redemption queue: waits, par, staking; and stable pools that follow the ratio."""

from __future__ import annotations

import copy
import math

import pytest

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.ledger import Ledger
from sim.markets.ratios import RedemptionRatios, Staked
from sim.markets.redemption import NOT_FINALIZED, NOT_OPEN, NOT_OWNER, RedemptionQueue
from sim.prices.ratio import Ratio
from sim.randomness import Randomness

START = 1_752_537_600
DAY = 86_400
UNIT = 10**18


def market(ratio=1.25, growth=0.0, **options):
    ledger = Ledger()
    clock = Clock(START)
    staked, base = ledger.add_token("wstETH", 18), ledger.add_token("WETH", 18)
    owner, other = ledger.open_accounts(["owner", "other"])
    for account in (owner, other):
        for token in (staked, base):
            ledger.inflow(token, account, 1_000 * UNIT)
    ratios = RedemptionRatios(clock, [Staked(staked, base, Ratio("WETH", ratio, growth))])
    queue = RedemptionQueue(
        "queue", ledger, clock, Randomness(7), ratios, staked, **{"churn_per_day": 100 * UNIT} | options
    )
    return queue, clock, owner, other


def test_wait_is_backlog_over_churn_and_a_delay():
    queue, clock, owner, _ = market(opening_backlog=200 * UNIT, delay_days_least=2.0, delay_days_most=2.0)
    request = queue.request(owner, 80 * UNIT)
    # 80 at 1.25 are 100 of the base: (200 + 100) / 100 a day = 3 days, and 2 days of delay.
    assert request.base_amount == 100 * UNIT
    assert request.claimable_at - START == 5 * DAY
    assert queue.backlog() == 300 * UNIT
    assert queue.wait_seconds(100 * UNIT) == (4 + 2) * DAY
    clock.timestamp += DAY
    assert queue.backlog() == 200 * UNIT
    assert queue.request(owner, 80 * UNIT).claimable_at - clock.timestamp == 5 * DAY
    clock.timestamp += 30 * DAY
    assert queue.backlog() == 0
    assert queue.wait_seconds() == 2 * DAY


def test_delays_lie_between_their_bounds_and_belong_to_the_owner():
    queue, _, owner, other = market(churn_per_day=10**9 * UNIT)
    alone = [queue.request(owner, UNIT).claimable_at - START for _ in range(50)]
    assert all(1 * DAY <= wait <= 4 * DAY + 1 for wait in alone)
    assert max(alone) - min(alone) > DAY
    queue, _, owner, other = market(churn_per_day=10**9 * UNIT)
    mixed = []
    for _ in range(50):
        queue.request(other, UNIT)
        mixed.append(queue.request(owner, UNIT).claimable_at - START)
    assert all(abs(a - b) <= 1 for a, b in zip(alone, mixed, strict=True))


def test_claim_pays_par_once_and_only_to_its_owner():
    queue, clock, owner, other = market(growth=0.05)
    ledger = queue.ledger
    request = queue.request(owner, 8 * UNIT)
    queue.audit()
    assert ledger.balances[queue.token][queue.account] == 8 * UNIT
    with pytest.raises(Revert, match=NOT_FINALIZED):
        queue.claim(owner, request.number)
    clock.timestamp = request.claimable_at
    with pytest.raises(Revert, match=NOT_OWNER):
        queue.claim(other, request.number)
    # The ratio has grown in the meantime; the claim pays what it was at the request.
    assert queue.par(8 * UNIT) > request.base_amount == 10 * UNIT
    claimed = queue.claim(owner, request.number)
    assert claimed.base_amount == 10 * UNIT
    assert ledger.balances[queue.base][owner] == 1_010 * UNIT
    assert ledger.balances[queue.token][owner] == 992 * UNIT
    with pytest.raises(Revert):
        queue.claim(owner, request.number)
    queue.audit()
    ledger.audit()


def test_before_it_opens_only_staking_is_possible():
    queue, clock, owner, _ = market(opens_at=START + DAY)
    with pytest.raises(Revert, match=NOT_OPEN):
        queue.request(owner, UNIT)
    assert queue.stake(owner, 10 * UNIT).amount == 8 * UNIT
    clock.timestamp += DAY
    assert queue.request(owner, UNIT).base_amount == 5 * UNIT // 4


def test_staking_and_redeeming_never_gains():
    queue, _, owner, _ = market(ratio=1.234567890123)
    for amount in (1, 3, 10**9 + 7, 123_456_789 * 10**10 + 1):
        tokens = queue.stake(owner, amount).amount if queue.staked_for(amount) else 0
        assert queue.par(tokens) <= amount


@pytest.mark.parametrize("at", range(1, 12))
def test_undo_at_every_write(at):
    queue, clock, owner, _ = market()
    first = queue.request(owner, UNIT)
    clock.timestamp = first.claimable_at
    queue.journal.clear()

    class Failing(list):
        def append(self, entry):
            if len(self) + 1 == at:
                raise Revert("at this write")
            super().append(entry)

    def picture():
        ledger = queue.ledger
        return copy.deepcopy(
            (queue.requests, queue.held, queue.made, queue._state, ledger.balances, ledger.inflows, ledger.outflows)
        )

    before = picture()
    queue.journal.entries = Failing()
    try:
        with queue.journal.atomic():
            queue.request(owner, 2 * UNIT)
            queue.claim(owner, first.number)
    except Revert:
        queue.journal.undo()
        assert picture() == before


def test_bad_parameters_are_refused():
    for options in ({"churn_per_day": 0}, {"delay_days_least": 3.0, "delay_days_most": 2.0}):
        with pytest.raises(ValueError, match="queue"):
            market(**options)


def test_ratio_grows_as_the_exogenous_price_does():
    queue, clock, _, _ = market(growth=0.03)
    clock.timestamp += 365 * DAY
    assert queue.ratios.ratio(queue.token) == pytest.approx(1.25 * math.exp(0.03), rel=1e-15)
    assert queue.ratios.ratio(queue.base) == 1.0
    assert queue.ratios.yield_per_year(queue.token) == 0.03
    assert queue.ratios.related(queue.token, queue.base)
