"""What a population of farmers is like: sizes, patience, fears and thresholds (docs/model.md 20)."""

from __future__ import annotations

from agents.base import NonNegative
from agents.borrower import BorrowerParameters
from scenarios.schema.base import REQUIRED, Table, field


class FarmerParameters(BorrowerParameters):
    """Loops of one staked asset against its base, and when their owners act (docs/model.md 20)."""

    collateral: Table[str, NonNegative] = field(
        REQUIRED,
        "The staked asset of the loops, one",
        unit="weight",
        source="choice",
        refers_to="reserve",
        min_length=1,
        max_length=1,
    )
    debt: Table[str, NonNegative] = field(
        REQUIRED,
        "What is borrowed against it: the asset it is redeemed for, one",
        unit="weight",
        source="choice",
        refers_to="reserve",
        min_length=1,
        max_length=1,
    )
    health_factor_median_excess: float = field(
        0.08,
        "Median of health factor - 1",
        unit="1",
        source="assumption: as other e-mode loops: about 2 % of them below 1.0286, as on 10 March 2026 "
        "(docs/model.md 10)",
        plausible=(0.04, 0.16),
        gt=0,
        le=100,
    )
    health_factor_log_sd: float = field(
        0.5,
        "Standard deviation of the logarithm of (health factor - 1)",
        unit="1",
        source="assumption: as other e-mode loops: about 2 % of them below 1.0286, as on 10 March 2026 "
        "(docs/model.md 10)",
        plausible=(0.3, 0.8),
        ge=0,
        le=5,
    )
    health_factor_least_excess: float = field(
        0.0215,
        "Smallest health factor - 1 of a loop: LT / LTV - 1 of the e-mode",
        unit="1",
        source="snapshot: e-mode 1 (.95 / .93)",
        ge=0,
        le=10,
    )
    spare_share_ratio: float = field(
        0.05,
        "Debt tokens in the wallet, as a share of the equity",
        unit="ratio",
        source="assumption: a loop is meant to use its funds; what is left pays costs and small repairs",
        plausible=(0.0, 0.3),
        ge=0,
        le=10,
    )
    outside_share_ratio: float = field(
        0.1,
        "Share of the rows that begin outside, their equity in the wallet, waiting for the carry to pay",
        unit="ratio",
        source="assumption: some wait for the carry at any time; more than a third would be no farmers",
        plausible=(0.0, 0.3),
        ge=0,
        le=1,
    )
    queue: str | None = field(
        None, "Redemption queue they may leave through; omitted: the pools only", source="choice", refers_to="queue"
    )
    look_seconds: float = field(
        43_200.0,
        "Mean time between two looks of one owner while the carry is not negative",
        unit="s",
        source="assumption: attention when calm",
        plausible=(14_400.0, 129_600.0),
        gt=0,
        le=1e9,
    )
    look_seconds_alarm: float = field(
        14_400.0,
        "Mean time between two looks while borrowing costs more than staking earns",
        unit="s",
        source="assumption: six times a day while it costs money; automated ones in half an hour, idle "
        "ones in half a day",
        plausible=(1_800.0, 43_200.0),
        gt=0,
        le=1e9,
    )
    horizon_days_median: float = field(
        30.0,
        "Median of the time over which an owner weighs a loss against the cost of leaving",
        unit="days",
        source="assumption: a month: a negative carry of 5 % on tenfold leverage costs 4 % of equity in "
        "it; a week to a quarter",
        plausible=(7.0, 90.0),
        gt=0,
        le=3_650,
    )
    horizon_log_sd: float = field(
        0.7,
        "Standard deviation of its logarithm",
        unit="1",
        source="assumption: two thirds between two weeks and two months: some leave at once, some wait it out",
        plausible=(0.3, 1.2),
        ge=0,
        le=5,
    )
    hurdle_per_year: float = field(
        0.02,
        "Net carry of the equity, all costs spread over the horizon, from which an owner enters",
        unit="1/year",
        source="assumption: two points above doing nothing pay for the risk; none to ten",
        plausible=(0.0, 0.10),
        ge=-1,
        le=10,
    )
    discount_limit_median: float = field(
        0.05,
        "Median of the discount beyond which an owner fears for the peg and leaves whatever the carry",
        unit="ratio",
        source="assumption: 6.9 % was reached in June 2022",
        plausible=(0.02, 0.15),
        gt=0,
        lt=1,
    )
    discount_limit_log_sd: float = field(
        0.5,
        "Standard deviation of its logarithm",
        unit="1",
        source="assumption: limits differ by about two thirds either way, so that exits come in waves and not at once",
        plausible=(0.2, 1.0),
        ge=0,
        le=5,
    )
    alarm_share: float = field(
        0.5,
        "Part of the opening (health factor - 1) under which an owner reduces his loop to his target",
        unit="ratio",
        source="assumption: half-way to liquidation, as managers have it",
        plausible=(0.25, 0.9),
        gt=0,
        lt=1,
    )
    exit_health_least: float = field(
        1.015,
        "Health factor down to which collateral is withdrawn for the queue",
        unit="1",
        source="assumption: what is left above 1 is more than a month of interest at 18 % takes",
        plausible=(1.005, 1.05),
        gt=1,
        le=10,
    )
    least_queue_share: float = field(
        0.02,
        "Least part of a loop worth handing in to the queue at once",
        unit="ratio",
        source="assumption: fifty requests at most for a whole loop",
        plausible=(0.005, 0.1),
        gt=0,
        le=1,
    )
    least_equity_usd: float = field(
        1_000.0,
        "Equity in the wallet below which nobody opens a loop",
        unit="USD",
        source="assumption: below, a loop earns less in a year than opening it costs in gas on a busy day",
        plausible=(100.0, 10_000.0),
        ge=0,
        le=1e9,
    )
    idle_share_ratio: float = field(
        0.25,
        "Tokens in the wallet, as a share of a loop's equity, from which its owner thinks of enlarging it",
        unit="ratio",
        source="assumption: below a quarter of the equity enlarging hardly changes what a loop earns",
        plausible=(0.1, 1.0),
        ge=0,
        le=1e6,
    )
    max_slippage_ratio: float = field(
        0.01,
        "Loss against his quote at which a sale or purchase is given up; who fears for the peg sells no part of his"
        " loop that costs this much more than the discount he sees",
        unit="ratio",
        source="assumption: at tenfold leverage a percent of the whole is a tenth of the equity",
        plausible=(0.002, 0.03),
        gt=0,
        lt=1,
    )
