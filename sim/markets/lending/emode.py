"""Entering and leaving an efficiency mode (Aave V3.6, `SupplyLogic.executeSetUserEMode`)."""

from __future__ import annotations

from sim.chain.revert import Revert
from sim.markets.lending.health import AccountHealth
from sim.markets.lending.reasons import INCONSISTENT_EMODE, INVALID_COLLATERAL_IN_EMODE, INVALID_DEBT_IN_EMODE
from sim.markets.lending.records import EModeSet


class EModeOperations(AccountHealth):
    """E-mode of an account: correlated collateral counts for more, and only the mode's assets may be owed."""

    def set_emode(self, sender: int, category: int) -> EModeSet:
        """Put the sender into an e-mode, 0 to leave.

        Reverts: InconsistentEModeCategory (no such mode), InvalidDebtInEmode (owes what may not be owed there),
        InvalidCollateralInEmode (collateral whose LTV would be zero), HealthFactorLowerThanLiquidationThreshold.
        """
        old = self.emode_of[sender]
        if old == category:
            return EModeSet(category)
        emode = self.emodes.get(category)
        if category and emode is None:
            raise Revert(INCONSISTENT_EMODE)
        collaterals, debts = self._used[self.flags[sender]]
        risk = self._risk[category]
        # Reserve by reserve, the debt before the collateral of each: the order decides which refusal is reported.
        for asset in sorted({*collaterals, *debts}):
            if asset in debts:
                allowed = emode.borrowable >> asset & 1 if emode else self.reserves[asset].borrowing_enabled
                if not allowed:
                    raise Revert(INVALID_DEBT_IN_EMODE)
            if asset in collaterals and not risk[asset][0]:
                raise Revert(INVALID_COLLATERAL_IN_EMODE)
        entries = self.journal.entries
        entries.append((self.emode_of, sender, old))
        self.emode_of[sender] = category
        view = self.columns.emode_view
        entries.append((view, sender, view[sender]))
        view[sender] = category
        self.touched.append(sender)
        self._require_healthy(sender, self.clock.timestamp)
        return EModeSet(category)
