"""What a population of liquidators is like: speed, capital, costs and settings."""

from __future__ import annotations

from typing import Literal

from agents.base import AgentParameters, NonNegative, gas_eth_field
from scenarios.schema.base import Table, Whole, empty_table, field


class LiquidatorParameters(AgentParameters):
    """How quick, how rich, how choosy."""

    latency_blocks_median: float = field(
        1.0,
        "Median time from a position becoming liquidatable to a liquidator noticing it",
        unit="blocks",
        source="assumption: at once (Perez et al. 2021) to within 10 blocks (Sentora, Oct 2025) for most",
        plausible=(0.0, 10.0),
        ge=0,
        le=1e6,
    )
    latency_log_sd: float = field(
        1.0,
        "Log standard deviation of that time over liquidators and positions together",
        unit="1",
        source="assumption: searchers differ in speed, no record of how much",
        plausible=(0.5, 1.5),
        ge=0,
        le=5,
    )
    latency_persistent_share: float = field(
        0.5,
        "Part of its variance that is a liquidator's own speed, which he keeps; the rest varies from one position to"
        " the next",
        source="assumption: no published figure found",
        plausible=(0.2, 0.8),
        ge=0,
        le=1,
    )
    uptime_ratio: float = field(
        1.0,
        "Share of the time a liquidator is at work",
        source="assumption: no published figure found",
        plausible=(0.5, 1.0),
        ge=0,
        le=1,
    )
    uptime_spell_seconds: float = field(
        3_600.0,
        "Time for which he stays at work, or away, until it is drawn again",
        unit="s",
        source="assumption: no published figure found",
        plausible=(600.0, 86_400.0),
        gt=0,
    )
    silent_share: float = field(
        0.0,
        "Share of liquidators who do nothing during the whole run",
        source="choice: for what-if comparisons",
        ge=0,
        le=1,
    )
    pairs_share: float = field(
        1.0,
        "Share of the pairs of collateral and debt that a liquidator serves, drawn for each of them",
        source="assumption: no published figure found",
        plausible=(0.3, 1.0),
        ge=0,
        le=1,
    )
    min_profit_usd: float = field(
        10.0,
        "Profit after gas below which a liquidator does not act",
        unit="USD",
        source="assumption: no record, of the order of the cost of a failed attempt",
        plausible=(0.0, 100.0),
        ge=0,
        le=1e9,
    )
    cost_share_median: float = field(
        0.05,
        "Median share of the gross profit that running the business costs",
        unit="ratio",
        source="assumption: no record of searchers' costs",
        plausible=(0.01, 0.3),
        ge=0,
        lt=1,
    )
    cost_share_log_sd: float = field(
        0.5,
        "Log standard deviation of that share over liquidators",
        unit="1",
        source="assumption: no record of searchers' costs",
        plausible=(0.0, 1.0),
        ge=0,
        le=5,
    )
    tip_share_low: float = field(
        0.5,
        "Public ordering: share of the profit up to which the least eager liquidator raises what he pays for gas",
        source="assumption: no published figure found",
        plausible=(0.1, 0.9),
        ge=0,
        le=1,
    )
    tip_share_high: float = field(
        0.95,
        "The same of the most eager",
        source="assumption: no published figure found",
        plausible=(0.5, 1.0),
        ge=0,
        le=1,
    )
    price_ceiling_gwei: float | None = field(
        None,
        "Public ordering: median price of gas above which a liquidator's settings do not let him go; omitted: none",
        unit="gwei",
        source="assumption: no published figure found",
        plausible=(20.0, 2_000.0),
        gt=0,
        le=1e6,
    )
    price_ceiling_log_sd: float = field(
        0.5,
        "Log standard deviation of it",
        unit="1",
        source="assumption: no published figure found",
        plausible=(0.0, 1.5),
        ge=0,
        le=5,
    )
    cost_opportunity_log_sd: float = field(
        0.6,
        "Log standard deviation of a liquidator's own cost share from one position to the next (route, inventory)",
        unit="1",
        source="assumption: no published figure found",
        plausible=(0.0, 1.0),
        ge=0,
        le=5,
    )
    bundles_per_step: Whole = field(
        8,
        "Transactions that a liquidator sends in one step",
        unit="count",
        source="assumption: no record, more than are liquidatable in most blocks",
        plausible=(1, 50),
        ge=1,
        le=10000,
    )
    plans_per_step: Whole = field(
        24,
        "Positions, most worthwhile first, that liquidators work out plans for in one step",
        unit="count",
        source="assumption: what lies beyond is worth less and its turn comes in the next step",
        plausible=(8, 200),
        ge=1,
        le=100000,
    )
    funding: Literal["flash", "capital"] = field(
        "flash", "Debt tokens lent by the pool for the call, or the liquidator's own", unit="", source="choice"
    )
    sale: Literal["amm", "outside"] = field("amm", "Where seized collateral is sold", unit="", source="choice")
    capital_usd: Table[str, NonNegative] = field(
        None,
        "Own tokens at the start, by asset, USD at the opening price",
        unit="USD",
        plausible=(0.0, 1e8),
        source="assumption: none where funding is flash",
        refers_to="asset",
        factory=empty_table,
    )
    capital_pareto_alpha: float | None = field(
        None,
        "Tail index of own tokens, Pareto over liquidators from `capital_usd` upwards; omitted: all alike",
        unit="1",
        source="assumption: 1",
        plausible=(0.8, 2.0),
        gt=0.1,
        le=100,
    )
    capital_largest_ratio: float = field(
        1_000.0,
        "Most that one of them has, as a multiple of the least",
        source="assumption: no published figure found",
        plausible=(100.0, 10_000.0),
        ge=1,
        le=1e9,
    )
    gas_eth: float = gas_eth_field(200.0)
