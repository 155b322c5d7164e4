"""`LendingPool`: a multi-reserve lending pool with the rules of Aave V3.6, in exact integers.

The pool puts its parts together; each lives in a file of its own:

    state        per-account lists, per-reserve totals, journaled writes    columns      float mirrors for looking
    accrual      indexes and treasury share over time                       rates        utilisation -> rates
    health       collateral, debt, health factor                            emode        efficiency modes
    supplying    supply, withdraw, collateral flag, aToken transfer         borrowing    borrow, repay
    liquidation  close factor, dust and seizing, as arithmetic              liquidating  liquidate and its preview
    flash        flash loans, treasury                                      admin        parameter changes
    listing      reserves and e-modes                                       loading      whole populations at once
    readers      balances, rates, factors                                   standing     an account's assets, audit

Every operation has one shape: bring the reserve to now, convert amount to scaled units, validate, write state and
rates, move tokens, check health. It returns what happened, or raises `Revert`; the caller undoes it through the
journal.

Not modelled: isolation mode, siloed borrowing, credit delegation, permits, incentives, the sequencer sentinel, the
liquidation grace period, position managers, the elimination of deficits. Amounts beyond 2^120 units are refused by the
contract's narrower storage and not here. Operations on one reserve use its token in the ledger; all reserves' cash lies
on one account of the pool.
"""

from __future__ import annotations

from sim.markets.lending.admin import AdminOperations
from sim.markets.lending.borrowing import BorrowOperations
from sim.markets.lending.emode import EModeOperations
from sim.markets.lending.flash import FlashOperations
from sim.markets.lending.liquidating import LiquidationOperations
from sim.markets.lending.loading import BulkLoading
from sim.markets.lending.readers import Readers
from sim.markets.lending.standing import Standing
from sim.markets.lending.supplying import SupplyOperations


class LendingPool(
    SupplyOperations,
    BorrowOperations,
    LiquidationOperations,
    EModeOperations,
    FlashOperations,
    AdminOperations,
    BulkLoading,
    Readers,
    Standing,
):
    """A lending pool over a ledger's tokens.

    `prices[asset]` is the list the oracle writes: USD with 8 decimals for one whole token of reserve `asset`. `rules`
    ("3.6", "3.0", "2") choose close factor, dust and bad-debt rules; the arithmetic is V3.6's for all. Reserves are
    added with `add_reserve`, e-modes with `add_emode`; `account` holds the cash, `treasury` the protocol's aTokens.
    """
