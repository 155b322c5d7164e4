"""`HourlyDiffusion`: log prices that are Brownian within each hour, with an hourly variance that a model provides."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping

import numpy as np

from sim.prices.bridge import brownian_bridge
from sim.prices.correlation import CorrelatedNormals, Correlation, mixing
from sim.prices.jumps import JumpModel, jump_log_moves, resolved_jumps
from sim.prices.process import FINE_SECONDS, YEAR_SECONDS, PriceProcess, checked_grid, checked_prices
from sim.randomness import Randomness

HOUR_SECONDS = 3_600
HOURS_PER_YEAR = YEAR_SECONDS / HOUR_SECONDS

#: Log price relative to the start beyond which a path is refused: beyond it floats cannot hold the price.
_LARGEST_LOG = 600.0


class HourlyDiffusion(PriceProcess):
    """ln S_t - ln S_0 = (mu - c) t + sum of hours (sqrt(V_h) eps_h - V_h / 2) + jumps until t.

    V_h is the variance of the h-th hour's log return (no unit), known before eps_h is drawn; c compensates the jumps.
    So E[S_t] = S_0 exp(mu t) exactly, whatever the model of V. Hours count from the start of the run. Within an hour
    the log price is a Brownian bridge of variance V_h between the hour's ends, correlated across assets as eps is.

    Steps that are multiples of 12 s, and whole hours, see one and the same path; a step that 12 s does not divide sees
    the same full hours with another path in between. Only steps shorter than an hour pay for that path.

    `volatility_per_year` (1/sqrt(year)), `drift_per_year` mu (1/year) by asset; an asset without volatility moves by
    its drift and its jumps alone. `correlation` of the shocks eps: see `sim.prices.correlation.mixing`.
    """

    def __init__(
        self,
        price_usd: Mapping[str, float],
        volatility_per_year: Mapping[str, float],
        *,
        drift_per_year: Mapping[str, float] | None,
        correlation: Correlation,
        jumps: JumpModel,
    ) -> None:
        self.price_usd = checked_prices(price_usd)
        self.symbols = tuple(self.price_usd)
        self.volatility_per_year = self._known("volatility_per_year", volatility_per_year, "a finite number, 0 or more")
        self.drift_per_year = self._known("drift_per_year", drift_per_year or {}, "a finite number")
        self.moving = tuple(asset for asset in self.symbols if self.volatility_per_year.get(asset, 0.0) > 0.0)
        self.jumps = resolved_jumps(jumps, self.volatility_per_year, self.symbols)
        self._mixing = mixing(correlation, self.moving, self.symbols)

    @abstractmethod
    def _variances(self, randomness: Randomness, shocks: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """V_h of every moving asset, given the shocks eps; V_h may depend on eps of earlier hours only."""

    def paths(self, randomness: Randomness, start_timestamp: int, steps: int, step_seconds: int) -> np.ndarray:
        """Prices at every step, USD; see `PriceProcess.paths`."""
        checked_grid(steps, step_seconds)
        seconds = np.arange(steps + 1) * step_seconds
        logs = self._diffusion(randomness, steps, step_seconds)
        matrix = np.empty((steps + 1, len(self.symbols)))
        for place, asset in enumerate(self.symbols):
            drift = self.drift_per_year.get(asset, 0.0)
            log_moves = np.zeros(steps + 1)
            if self.jumps is not None:
                drift -= self.jumps.compensation_per_year(asset)
                log_moves = jump_log_moves(randomness, self.jumps, asset, seconds)
            log_moves = log_moves + drift * (seconds / YEAR_SECONDS)
            if asset in logs:
                log_moves = log_moves + logs[asset]
            self._check_range(asset, log_moves)
            start = self.price_usd[asset]
            matrix[:, place] = [start * math.exp(move) for move in log_moves.tolist()]
        return matrix

    # ------------------------------------------------------------------ the part without drift and jumps
    def _diffusion(self, randomness: Randomness, steps: int, step_seconds: int) -> dict[str, np.ndarray]:
        hours = -(-steps * step_seconds // HOUR_SECONDS)
        shocks = CorrelatedNormals(randomness, "hourly shocks", self._mixing).draw(hours)
        variances = self._variances(randomness, shocks)
        deviations = {asset: np.sqrt(variance) for asset, variance in variances.items()}
        knots = {
            asset: np.concatenate([[0.0], np.cumsum(deviations[asset] * shocks[asset] - 0.5 * variance)])
            for asset, variance in variances.items()
        }
        if step_seconds % HOUR_SECONDS == 0:
            every = step_seconds // HOUR_SECONDS
            return {asset: path[::every] for asset, path in knots.items()}
        return self._within_hours(randomness, knots, deviations, steps, step_seconds)

    def _within_hours(
        self,
        randomness: Randomness,
        knots: Mapping[str, np.ndarray],
        deviations: Mapping[str, np.ndarray],
        steps: int,
        step_seconds: int,
    ) -> dict[str, np.ndarray]:
        """Bridges between the hours' ends, kept where a step falls."""
        fine = math.gcd(FINE_SECONDS, step_seconds)
        points = HOUR_SECONDS // fine
        normals = CorrelatedNormals(randomness, "within the hour", self._mixing)
        found = {asset: np.zeros(steps + 1) for asset in knots}
        for hour in range(-(-steps * step_seconds // HOUR_SECONDS)):
            drawn = normals.draw(points)
            begin = hour * HOUR_SECONDS
            first = -(-begin // step_seconds)
            after = min(-(-(begin + HOUR_SECONDS) // step_seconds), steps + 1)
            picked = (np.arange(first, after) * step_seconds - begin) // fine
            for asset, path in knots.items():
                start, end = float(path[hour]), float(path[hour + 1])
                line = np.empty(points)
                line[0] = start
                line[1:] = brownian_bridge(start, end, drawn[asset], float(deviations[asset][hour]) / math.sqrt(points))
                found[asset][first:after] = line[picked]
        if steps * step_seconds % HOUR_SECONDS == 0:
            for asset, path in knots.items():
                found[asset][steps] = path[-1]
        return found

    # ------------------------------------------------------------------ checks
    def _known(self, name: str, values: Mapping[str, float], allowed: str) -> dict[str, float]:
        for asset, value in values.items():
            if asset not in self.price_usd:
                raise ValueError(f"{name}: given asset {asset}; allowed: {', '.join(self.symbols)}")
            if not math.isfinite(value) or (value < 0.0 and name == "volatility_per_year"):
                raise ValueError(f"{name} of {asset}: given {value!r}; allowed: {allowed}")
        return dict(values)

    def _check_range(self, asset: str, log_moves: np.ndarray) -> None:
        farthest = float(np.abs(log_moves).max())
        if not farthest <= _LARGEST_LOG:
            volatility = self.volatility_per_year.get(asset, 0.0)
            drift = self.drift_per_year.get(asset, 0.0)
            raise ValueError(
                f"volatility_per_year, drift_per_year and jumps of {asset}: given {volatility!r}, {drift!r} and"
                f" {self.jumps!r}; allowed: values that keep the price within exp(-600) to exp(600) times its start"
            )


def tail_factors(randomness: Randomness, purpose: str, hours: int, degrees: float | None) -> np.ndarray | None:
    """Factors w of each hour's variance, common to all assets, that make its shock a Student t of unit variance.

    w = (degrees - 2) / chi^2(degrees), E[w] = 1: a normal of variance w is a scaled t, several a multivariate t.
    """
    if degrees is None:
        return None
    gamma = randomness.stream("prices", purpose).standard_gamma(0.5 * degrees, hours)
    return (degrees - 2.0) / (2.0 * gamma)


def checked_tails(degrees: float | None) -> float | None:
    """The degrees of freedom, refused unless the variance exists."""
    if degrees is not None and not 2.0 < degrees < math.inf:
        raise ValueError(
            f"tail_degrees: given {degrees!r}; allowed: a finite number above 2, or None for normal shocks"
        )
    return degrees


def checked_start(ratio: float | None) -> float | None:
    """The volatility at the start over the long-run one, refused unless it is above zero."""
    if ratio is not None and not 0.0 < ratio <= 100.0:
        raise ValueError(f"start_volatility_ratio: given {ratio!r}; allowed: above 0 to 100, or None to draw it")
    return ratio
