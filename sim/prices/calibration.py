"""Default values of the random price processes, each with its unit, plausible range and source."""

from __future__ import annotations

from typing import NamedTuple


class Calibrated(NamedTuple):
    """A default: its value, the range worth varying it in, its unit, and where it comes from."""

    value: float
    low: float
    high: float
    unit: str
    source: str


_RECORD = "ETH, hourly returns 2019-2025 (Binance ETHUSDT)"
_FITTED = "fitted to " + _RECORD

#: What the defaults give, as medians over paths of 60,635 hours, against the record in brackets (Binance, ETHUSDT and
#: BTCUSDT, 2019-2025): excess kurtosis 30 (29), |r| autocorrelation .29, .17, .12 at 1, 24, 168 h (.27, .17, .13),
#: left tail index 2.8 (2.8), ETH-BTC .84 (.83) under stochastic volatility with `market_jumps`. Falls within 24 h are
#: milder than recorded: -14 % and -26 % at the 1 % and .1 % quantile (-17 and -32 %), the worst of all -37 % (-53 %):
#: for more, lay shocks over it or bootstrap. GARCH: 26; .24, .18, .03; 2.9; .87; -12, -23 and -41 %: with one speed of
#: decay it forgets a crash within days.
CALIBRATION = {
    "eth_volatility_per_year": Calibrated(0.81, 0.46, 1.10, "1/sqrt(year)", "measured: " + _RECORD + "; 2023 to 2021"),
    "eth_diffusive_volatility_per_year": Calibrated(
        0.80, 0.45, 1.09, "1/sqrt(year)", "0.81, that of the record, less the variance of the jumps"
    ),
    "btc_volatility_per_year": Calibrated(
        0.64, 0.42, 0.81, "1/sqrt(year)", "measured: daily bars 2019-2025; single years 2025 to 2020"
    ),
    "correlation": Calibrated(
        0.90, 0.80, 0.95, "ratio", "fitted to ETH-BTC, Binance: hourly .83, daily .83, hourly 2021-2023 .87"
    ),
    "slow_log_sd": Calibrated(0.52, 0.30, 0.70, "ratio", _FITTED + ": |r| autocorrelation at 24 and 168 h"),
    "slow_half_life_hours": Calibrated(
        720.0, 240.0, 2_160.0, "h", "measured: log of the daily range 2019-2025, autocorrelation from 7 to 60 days"
    ),
    "fast_log_sd": Calibrated(0.45, 0.30, 0.60, "ratio", _FITTED + ": |r| autocorrelation at 1 h, kurtosis"),
    "fast_half_life_hours": Calibrated(12.0, 4.0, 36.0, "h", _FITTED + ": |r| autocorrelation at 1 and 24 h"),
    "leverage": Calibrated(
        -0.40,
        -0.60,
        0.0,
        "ratio",
        _FITTED + ": worst falls within 24 h; measured: daily skewness -1.1, return and next day's log range -.08",
    ),
    "volatility_correlation": Calibrated(
        0.85, 0.60, 1.0, "ratio", "measured: log ranges of ETH and BTC, daily 2019-2025, .81 with the ranges' noise"
    ),
    "stochastic_tail_degrees": Calibrated(6.0, 4.5, 20.0, "degrees of freedom", _FITTED + ": kurtosis, tail index"),
    "garch_shock_weight": Calibrated(0.065, 0.04, 0.12, "ratio", _FITTED + ": kurtosis"),
    "garch_memory_weight": Calibrated(0.926, 0.86, 0.955, "ratio", _FITTED + ": |r| autocorrelation at 24 h"),
    "garch_tail_degrees": Calibrated(4.5, 3.5, 8.0, "degrees of freedom", _FITTED + ": kurtosis, tail index"),
    "jumps_per_year": Calibrated(6.0, 2.0, 24.0, "1/year", "assumption; bounded by the jumps' share of the variance"),
    "jump_sd_per_volatility": Calibrated(
        0.075,
        0.04,
        0.15,
        "sqrt(year)",
        "6 % for ETH: with 6 a year 4 % of the variance; measured in five-minute windows by bipower variation"
        " (Barndorff-Nielsen and Shephard 2004): 2 to 11 %",
    ),
    "jump_mean_per_volatility": Calibrated(
        -0.025, -0.06, 0.0, "sqrt(year)", "assumption: -2 % for ETH, for the negative skewness of daily returns"
    ),
    "jump_common_share": Calibrated(
        0.85, 0.5, 1.0, "ratio", "measured: BTC moved with 31 of ETH's 38 three-sigma days and 18 of 20 5-minute jumps"
    ),
    "jump_size_correlation": Calibrated(
        0.95, 0.7, 1.0, "ratio", "measured: ETH and BTC on those days, .94; in those 5 minutes, .98"
    ),
    "mean_block_days": Calibrated(7.0, 1.0, 30.0, "d", "assumption: longer than the fast decay of |r|"),
}
