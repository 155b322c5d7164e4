"""Listing reserves and e-modes, and what each asset counts for as collateral inside and outside of them."""

from __future__ import annotations

from sim.markets.lending.constants import MAX_RESERVES, RAY
from sim.markets.lending.records import EModeParameters, ReserveParameters, Totals
from sim.markets.lending.reserve import EMode, Reserve
from sim.markets.lending.state import PoolState, Risk


class Listing(PoolState):
    """Adding reserves and e-modes, part of setting up; the tables of LTV, threshold and bonus per e-mode."""

    def add_reserve(self, parameters: ReserveParameters) -> int:
        """List a reserve and return its id; both indexes start at 1 ray, the rates at those of an unused reserve.

        `ValueError` says which numbers do not go together. Listing is part of setting up and is not journaled.
        """
        token = self.ledger.tokens[parameters.token]
        problems = parameters.problems()
        if any(reserve.symbol == token.symbol for reserve in self.reserves):
            problems.append("is listed already")
        if len(self.reserves) >= MAX_RESERVES:
            problems.append(f"a pool holds at most {MAX_RESERVES} reserves")
        if problems:
            raise ValueError(f"reserve {token.symbol}: " + "; ".join(problems))
        asset = len(self.reserves)
        reserve = Reserve(asset, token.symbol, token.decimals, parameters)
        self.reserves.append(reserve)
        borrow_rate, liquidity_rate = reserve.rate_model.rates(0, 0, 0, reserve.reserve_factor_bps)
        totals: Totals = (RAY, RAY, liquidity_rate, borrow_rate, self.clock.timestamp, 0, 0, 0, 0, 0)
        self._totals.append(totals)
        self._accrued.append((totals, self.clock.timestamp, totals))
        self._incomes.append((totals, self.clock.timestamp, RAY))
        self._debt_indexes.append((totals, self.clock.timestamp, RAY))
        self._units.append(reserve.unit)
        self._inverse_units.append(1.0 / reserve.unit)
        for column in (self.scaled_supplies, self.scaled_debts):
            column.append([0] * len(self.flags))
        for category, risk in self._risk.items():
            risk.append(self._risk_of(category, asset))
            self._zero_ltv[category] = zero_ltv_flags(risk)
        self.columns.resize(len(self.reserves), len(self.flags), self.journal.entries)
        return asset

    def add_emode(self, parameters: EModeParameters) -> None:
        """List an e-mode over reserves already listed; `ValueError` says what is wrong. Not journaled."""
        problems = parameters.problems()
        if parameters.category in self.emodes:
            problems.append("is listed already")
        for asset in (*parameters.collateral, *parameters.borrowable):
            if not 0 <= asset < len(self.reserves):
                problems.append(f"there is no reserve {asset}")
        if problems:
            raise ValueError(f"e-mode {parameters.category}: " + "; ".join(problems))
        self.emodes[parameters.category] = EMode(parameters)
        category = parameters.category
        self._risk[category] = [self._risk_of(category, asset) for asset in range(len(self.reserves))]
        self._zero_ltv[category] = zero_ltv_flags(self._risk[category])

    def _risk_of(self, category: int, asset: int) -> Risk:
        """What a collateral counts with in an e-mode: the mode's own numbers for its assets, else the reserve's."""
        reserve = self.reserves[asset]
        emode = self.emodes.get(category)
        if emode is None or not emode.collateral >> asset & 1:
            return reserve.ltv_bps, reserve.liquidation_threshold_bps, reserve.liquidation_bonus_bps
        ltv_bps = 0 if emode.ltv_zero >> asset & 1 else emode.ltv_bps
        return ltv_bps, emode.liquidation_threshold_bps, emode.liquidation_bonus_bps

    def _renew_risk(self, asset: int) -> None:
        """Work out anew, undoably, what an asset counts for outside and inside every e-mode."""
        put = self.journal.put
        for category, risk in self._risk.items():
            put(risk, asset, self._risk_of(category, asset))
            put(self._zero_ltv, category, zero_ltv_flags(risk))


def zero_ltv_flags(risk: list[Risk]) -> int:
    """Flag bits of collateral whose LTV is zero."""
    flags = 0
    for asset, (ltv_bps, _, _) in enumerate(risk):
        if not ltv_bps:
            flags |= 2 << (2 * asset)
    return flags
