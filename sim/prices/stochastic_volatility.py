"""`StochasticVolatility`: two-speed log-normal volatility with leverage, heavy tails and jumps."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from sim.prices.calibration import CALIBRATION
from sim.prices.correlation import CorrelatedNormals, Correlation, mixing
from sim.prices.hourly import HOURS_PER_YEAR, HourlyDiffusion, checked_start, checked_tails, tail_factors
from sim.prices.jumps import JumpModel
from sim.randomness import Randomness


class StochasticVolatility(HourlyDiffusion):
    """sigma_h = sigma exp(x_h + y_h - v), x and y Ornstein-Uhlenbeck, v = Var x + Var y: E[sigma_h^2] = sigma^2.

    x_(h+1) = a x_h + sqrt(1 - a^2) s eta_h with a = 2^(-1/half life): the exact transition of dx = -kappa x dt +
    xi dB, kappa = ln 2 / half life, vol-of-vol xi = s sqrt(2 kappa). `slow_log_sd`, `slow_half_life_hours` are x's
    s (no unit) and half life (h), `fast_...` those of y. A fall raises volatility through y: its shocks have the
    correlation `leverage` with the return of the hour before. What is left of the shocks is correlated across assets
    by `volatility_correlation`. The hour's variance is sigma_h^2 w_h / 8760 with w_h common to all assets and such that
    returns given sigma_h are Student t with `tail_degrees` degrees of freedom (None: normal). With jumps on top.

    Two assets' hourly returns, without jumps, have the correlation rho exp(-v (1 - k)), k being that of their x + y.

    Why log-normal and not Heston (1993): volatility stays above zero without truncation (whose full-truncation scheme,
    Lord, Koekkoek and van Dijk 2010, is biased just where Feller's condition fails), the hourly step is exact, and
    Heston's gamma-distributed variance cannot have the kurtosis of ETH without being near zero most of the time.
    Scott (1987), "Option pricing when the variance changes randomly", JFQA 22, has the one-factor model; Andersen,
    Bollerslev, Diebold and Labys (2001), JASA 96, find realised volatility close to log-normal; Alizadeh, Brandt and
    Diebold (2002), Journal of Finance 57, find two speeds: one cannot give the autocorrelation of |r| at 1 and at
    168 h. Deviation from the papers: volatility is constant within an hour, and the t factor belongs to the hour.

    `volatility_per_year` sigma (1/sqrt(year)) is the root mean square without jumps. `start_volatility_ratio` sets
    sigma_0 / sigma; None draws it from the stationary law. `jumps`: "market" gives `market_jumps`, None none. Defaults:
    `sim.prices.calibration`, fitted to ETH's hours.
    """

    def __init__(
        self,
        price_usd: Mapping[str, float],
        volatility_per_year: Mapping[str, float],
        *,
        drift_per_year: Mapping[str, float] | None = None,
        correlation: Correlation = CALIBRATION["correlation"].value,
        slow_log_sd: float = CALIBRATION["slow_log_sd"].value,
        slow_half_life_hours: float = CALIBRATION["slow_half_life_hours"].value,
        fast_log_sd: float = CALIBRATION["fast_log_sd"].value,
        fast_half_life_hours: float = CALIBRATION["fast_half_life_hours"].value,
        leverage: float = CALIBRATION["leverage"].value,
        volatility_correlation: float = CALIBRATION["volatility_correlation"].value,
        tail_degrees: float | None = CALIBRATION["stochastic_tail_degrees"].value,
        start_volatility_ratio: float | None = None,
        jumps: JumpModel = "market",
    ) -> None:
        super().__init__(
            price_usd,
            volatility_per_year,
            drift_per_year=drift_per_year,
            correlation=correlation,
            jumps=jumps,
        )
        for name, sd in (("slow_log_sd", slow_log_sd), ("fast_log_sd", fast_log_sd)):
            if not 0.0 <= sd <= 3.0:
                raise ValueError(f"{name}: given {sd!r}; allowed: 0 to 3")
        for name, hours in (
            ("slow_half_life_hours", slow_half_life_hours),
            ("fast_half_life_hours", fast_half_life_hours),
        ):
            if not 0.0 < hours < math.inf:
                raise ValueError(f"{name}: given {hours!r}; allowed: a finite number above 0 h")
        if not -1.0 <= leverage <= 1.0:
            raise ValueError(f"leverage: given {leverage!r}; allowed: -1 to 1")
        if not 0.0 <= volatility_correlation <= 1.0:
            raise ValueError(f"volatility_correlation: given {volatility_correlation!r}; allowed: 0 to 1")
        self.slow_log_sd, self.slow_half_life_hours = slow_log_sd, slow_half_life_hours
        self.fast_log_sd, self.fast_half_life_hours = fast_log_sd, fast_half_life_hours
        self.leverage = leverage
        self.volatility_correlation = volatility_correlation
        self.tail_degrees = checked_tails(tail_degrees)
        self.start_volatility_ratio = checked_start(start_volatility_ratio)
        self._volatility_mixing = mixing(volatility_correlation, self.moving, self.symbols)

    def _variances(self, randomness: Randomness, shocks: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        hours = max((len(normals) for normals in shocks.values()), default=0)
        slow = CorrelatedNormals(randomness, "slow volatility", self._volatility_mixing).draw(hours)
        fast = CorrelatedNormals(randomness, "fast volatility", self._volatility_mixing).draw(hours)
        slow_start, fast_start = self._starts(randomness)
        tails = tail_factors(randomness, "tails", hours, self.tail_degrees)
        log_variance = self.slow_log_sd**2 + self.fast_log_sd**2
        rest = math.sqrt(1.0 - self.leverage**2)
        found = {}
        for asset, normals in shocks.items():
            levered = self.leverage * normals + rest * fast[asset]
            slow_path = _reverting(slow_start[asset], slow[asset], self.slow_log_sd, self.slow_half_life_hours)
            fast_path = _reverting(fast_start[asset], levered, self.fast_log_sd, self.fast_half_life_hours)
            mean = self.volatility_per_year[asset] ** 2 / HOURS_PER_YEAR
            variance = np.array(
                [mean * math.exp(2.0 * (x + y - log_variance)) for x, y in zip(slow_path, fast_path, strict=True)]
            )
            found[asset] = variance if tails is None else variance * tails
        return found

    def _starts(self, randomness: Randomness) -> tuple[dict[str, float], dict[str, float]]:
        """x and y of every asset in the first hour."""
        if self.start_volatility_ratio is not None:
            level = math.log(self.start_volatility_ratio) + self.slow_log_sd**2 + self.fast_log_sd**2
            return dict.fromkeys(self.moving, level), dict.fromkeys(self.moving, 0.0)
        slow = CorrelatedNormals(randomness, "slow volatility at the start", self._volatility_mixing).draw(1)
        fast = CorrelatedNormals(randomness, "fast volatility at the start", self._volatility_mixing).draw(1)
        before = CorrelatedNormals(randomness, "shock before the start", self._mixing).draw(1)
        rest = math.sqrt(1.0 - self.leverage**2)
        return (
            {asset: self.slow_log_sd * float(slow[asset][0]) for asset in self.moving},
            {
                asset: self.fast_log_sd * (self.leverage * float(before[asset][0]) + rest * float(fast[asset][0]))
                for asset in self.moving
            },
        )


def _reverting(start: float, shocks: np.ndarray, sd: float, half_life_hours: float) -> list[float]:
    """Ornstein-Uhlenbeck process at hours 0, 1, ..., one for each shock; shock h acts on hour h + 1."""
    kept = math.exp(-math.log(2.0) / half_life_hours)
    spread = sd * math.sqrt(1.0 - kept * kept)
    level = start
    path = []
    for shock in shocks.tolist():
        path.append(level)
        level = kept * level + spread * shock
    return path
