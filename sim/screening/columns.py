"""The float health factor of many accounts, read from a lending pool's mirrors.

The float only says where to look; integers decide. Against the pool's own health factor it errs by less than
1e-3 of its value, plus a few smallest units of a token on either side (see `sim.screening.screen`).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Columns(Protocol):
    """What a screen reads; a lending pool is one. Row = account; arrays may be replaced as accounts are opened."""

    @property
    def collateral_column(self) -> np.ndarray:
        """Scaled supply that counts as collateral, whole tokens, float64 [reserve, account]."""
        ...

    @property
    def debt_column(self) -> np.ndarray:
        """Scaled debt, whole tokens, float64 [reserve, account]."""
        ...

    @property
    def emode_column(self) -> np.ndarray:
        """E-mode category, int16 [account]; 0 is none."""
        ...


BAD_FACTOR = "a factor (price, index, threshold) is negative or not a number"


def values_usd(
    columns: Columns, accounts: np.ndarray, collateral_factors: np.ndarray, debt_factors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Threshold-weighted collateral and debt of each account, both in USD.

    collateral(a) = sum over r of collateral_column[r, a] * collateral_factors[emode[a], r]
    debt(a)       = sum over r of debt_column[r, a] * debt_factors[r]

    A collateral factor is price (USD) * income index * liquidation threshold, a debt factor price * debt index.
    """
    collateral = columns.collateral_column.take(accounts, axis=1)
    collateral *= collateral_factors.T.take(columns.emode_column.take(accounts), axis=1)
    debt = columns.debt_column.take(accounts, axis=1)
    debt *= debt_factors[:, None]
    return np.add.reduce(collateral, axis=0), np.add.reduce(debt, axis=0)


def health_factors(
    columns: Columns, accounts: np.ndarray, collateral_factors: np.ndarray, debt_factors: np.ndarray
) -> np.ndarray:
    """Health factor of each account as a float: weighted collateral / debt, infinite without debt."""
    collateral, debt = values_usd(columns, accounts, collateral_factors, debt_factors)
    result = np.full(len(collateral), np.inf)
    np.divide(collateral, debt, out=result, where=debt > 0.0)
    return result
