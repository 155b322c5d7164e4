"""What single price processes need beyond volatility and correlation: jumps, two-speed volatility, GARCH, blocks."""

from __future__ import annotations

from scenarios.schema.base import Section, Table, empty_table, field, source_field

_FITTED = "fitted to ETH, hourly returns 2019-2025 (Binance ETHUSDT)"


class Jumps(Section):
    """Jumps of `jump_diffusion` and `stochastic_volatility`: Poisson arrivals, normal log sizes (Merton 1976).

    Unless stated, an asset with volatility jumps in proportion to it, one without does not jump.
    """

    per_year: float = field(
        6.0,
        "Jumps of each asset (0: none)",
        unit="1/year",
        source="assumption: bounded by the jumps' share of the variance",
        plausible=(2.0, 24.0),
        ge=0,
        le=10_000,
    )
    mean_per_volatility: float = field(
        -0.025,
        "Mean log size over the asset's volatility: -2 % for ETH",
        unit="sqrt(year)",
        source="assumption: for the negative skewness of daily returns",
        plausible=(-0.06, 0.0),
        ge=-2,
        le=2,
    )
    sd_per_volatility: float = field(
        0.075,
        "Standard deviation of log sizes over the asset's volatility: 6 % for ETH",
        unit="sqrt(year)",
        source="measured: 4 % of ETH's variance, in five-minute windows by bipower variation 2 to 11 %",
        plausible=(0.04, 0.15),
        ge=0,
        le=2,
    )
    mean_log: Table[str, float] = field(
        None, "Mean log size of an asset's jumps, in place of the proportion", refers_to="asset", factory=empty_table
    )
    sd_log: Table[str, float] = field(
        None,
        "Standard deviation of an asset's log sizes, in place of the proportion",
        refers_to="asset",
        factory=empty_table,
    )
    common_share: float = field(
        0.85,
        "Share of the jumps that hits all assets in the same moment",
        source="measured: BTC moved with 31 of ETH's 38 three-sigma days and 18 of 20 five-minute jumps",
        plausible=(0.5, 1.0),
        ge=0,
        le=1,
    )
    size_correlation: float = field(
        0.95,
        "Correlation of the sizes of a common jump",
        source="measured: ETH and BTC on those days .94, in those five minutes .98",
        plausible=(0.7, 1.0),
        ge=0,
        le=1,
    )
    source: str = source_field()


class StochasticVolatility(Section):
    """`stochastic_volatility`: volatility x exp(slow + fast), two Ornstein-Uhlenbeck processes, and heavy tails.

    `volatility_per_year` is its root mean square, jumps left out.
    """

    slow_log_sd: float = field(
        0.52,
        "Standard deviation of the slow part of log volatility",
        source=_FITTED + ": |r| autocorrelation at 24 and 168 h",
        plausible=(0.30, 0.70),
        ge=0,
        le=3,
    )
    slow_half_life_hours: float = field(
        720.0,
        "Half-life of the slow part",
        unit="h",
        source="measured: log of ETH's daily range 2019-2025, autocorrelation from 7 to 60 days",
        plausible=(240.0, 2_160.0),
        gt=0,
        le=1e6,
    )
    fast_log_sd: float = field(
        0.45,
        "Standard deviation of the fast part of log volatility",
        source=_FITTED + ": |r| autocorrelation at 1 h, kurtosis",
        plausible=(0.30, 0.60),
        ge=0,
        le=3,
    )
    fast_half_life_hours: float = field(
        12.0,
        "Half-life of the fast part",
        unit="h",
        source=_FITTED + ": |r| autocorrelation at 1 and 24 h",
        plausible=(4.0, 36.0),
        gt=0,
        le=1e6,
    )
    leverage_correlation: float = field(
        -0.40,
        "Correlation of a return with the fast part's next shock: below 0, a fall raises volatility",
        source=_FITTED + ": worst falls within 24 h",
        plausible=(-0.60, 0.0),
        ge=-1,
        le=1,
    )
    volatility_correlation: float = field(
        0.85,
        "Correlation of two assets' shocks of volatility",
        source="measured: log ranges of ETH and BTC, daily 2019-2025, .81 with the ranges' noise",
        plausible=(0.60, 1.0),
        ge=0,
        le=1,
    )
    shock_correlation: float = field(
        0.90,
        "Correlation of two assets' shocks, where no matrix is given; their returns have .84 with the other defaults",
        source="fitted to ETH-BTC, Binance: hourly .83, daily .83, hourly 2021-2023 .87",
        plausible=(0.80, 0.95),
        ge=0,
        le=1,
    )
    tail_degrees: float = field(
        6.0,
        "Degrees of freedom of the shocks (Student t; 1,000 is as good as normal)",
        unit="degrees of freedom",
        source=_FITTED + ": kurtosis, tail index",
        plausible=(4.5, 20.0),
        gt=2,
        le=1_000,
    )
    start_volatility_ratio: float | None = field(
        None, "Volatility at the start over the long-run one; left out: drawn from its stationary law", gt=0, le=100
    )
    source: str = source_field()


class Garch(Section):
    """`garch`: hourly GARCH(1,1) with Student t shocks, h' = (1 - a - b) h_mean + a r^2 + b h; without jumps."""

    shock_weight: float = field(
        0.065,
        "a: weight of the hour's squared shock in the next variance; a + b must stay below 1",
        source=_FITTED + ": kurtosis",
        plausible=(0.04, 0.12),
        ge=0,
        lt=1,
    )
    memory_weight: float = field(
        0.926,
        "b: weight of the hour's variance in the next one",
        source=_FITTED + ": |r| autocorrelation at 24 h",
        plausible=(0.86, 0.955),
        ge=0,
        lt=1,
    )
    shock_correlation: float = field(
        0.90,
        "Correlation of two assets' shocks, where no matrix is given; their returns have .87 with the other defaults",
        source="fitted to ETH-BTC, Binance: hourly .83, daily .83, hourly 2021-2023 .87",
        plausible=(0.80, 0.95),
        ge=0,
        le=1,
    )
    tail_degrees: float = field(
        4.5,
        "Degrees of freedom of the shocks (Student t; 1,000 is as good as normal)",
        unit="degrees of freedom",
        source=_FITTED + ": kurtosis, tail index",
        plausible=(3.5, 8.0),
        gt=2,
        le=1_000,
    )
    start_volatility_ratio: float | None = field(
        None, "Volatility at the start over the long-run one; left out: what 1,000 hours before leave", gt=0, le=100
    )
    source: str = source_field()


class Bootstrap(Section):
    """`bootstrap`: blocks of recorded bars, drawn alike for all assets (Politis and Romano 1994)."""

    mean_block_days: float = field(
        7.0,
        "Mean length of a block, one bar to the whole record",
        unit="d",
        source="assumption: longer than the fast decay of |r|",
        plausible=(1.0, 30.0),
        gt=0,
        le=10_000,
    )
    log_growth_per_year: Table[str, float] = field(
        None,
        "Mean growth of an asset's log price, in place of the record's",
        unit="1/year",
        refers_to="asset",
        factory=empty_table,
    )
    source: str = source_field()
