"""Distress of reserves: what a lender fears, and how long it has lasted.

For each reserve two integrals over time, in seconds, so that somebody who looks now and then can tell what has
happened since: A = integral of 1(U > threshold), D = integral of (deficit + rumour) / supply.
"""

from __future__ import annotations

from typing import Any

RAY = 10**27


class Distress:
    """Crowding and feared losses of some reserves of a pool, as one population of lenders sees them.

    `rumours[asset]` is the loss talked about, in USD, between `rumour_from` and `rumour_until` (seconds, absolute).
    """

    def __init__(
        self,
        pool: Any,
        assets: tuple[int, ...],
        crowded_utilisation: float,
        rumours: dict[int, float],
        rumour_from: float,
        rumour_until: float,
        now: int,
    ) -> None:
        self.pool = pool
        self.assets = assets
        self.crowded_utilisation = crowded_utilisation
        self.rumours = rumours
        self.rumour_from = rumour_from
        self.rumour_until = rumour_until
        self.crowded = dict.fromkeys(assets, False)
        self.loss_ratio = dict.fromkeys(assets, 0.0)
        self.crowded_seconds = dict.fromkeys(assets, 0.0)
        self.loss_seconds = dict.fromkeys(assets, 0.0)
        self._now = now

    def distressed(self, asset: int) -> bool:
        """Whether a reserve is crowded, or a loss is feared in it."""
        return self.crowded[asset] or self.loss_ratio[asset] > 0.0

    def advance(self, now: int) -> list[int]:
        """What held since the last call is added up; then look. Returns the reserves that have come into distress."""
        elapsed = now - self._now
        self._now = now
        newly: list[int] = []
        crowded, loss_ratio = self.crowded, self.loss_ratio
        for asset in self.assets:
            before = crowded[asset] or loss_ratio[asset] > 0.0
            if before:
                self.crowded_seconds[asset] += elapsed if crowded[asset] else 0
                self.loss_seconds[asset] += loss_ratio[asset] * elapsed
            self._look(asset, now)
            if not before and (crowded[asset] or loss_ratio[asset] > 0.0):
                newly.append(asset)
        return newly

    def _look(self, asset: int, now: int) -> None:
        pool = self.pool
        cash = pool.available_liquidity(asset)
        debt = pool.total_debt(asset)
        self.crowded[asset] = debt > 0 and debt > self.crowded_utilisation * (debt + cash)
        lost = float(pool.deficit(asset))
        if self.rumour_from <= now < self.rumour_until and asset in self.rumours:
            lost += self.rumours[asset] / (pool.prices[asset] * 1e-8) * pool.reserves[asset].unit
        supply = pool.total_supply(asset) if lost > 0.0 else 0
        self.loss_ratio[asset] = lost / supply if supply else 0.0
