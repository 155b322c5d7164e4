"""The oracle's feeds, and the gas market with the ordering of transactions."""

from __future__ import annotations

from typing import Literal

from scenarios.schema.base import Section, Table, Whole, empty_table, field, source_field


class Feed(Section):
    """One price feed of the oracle."""

    kind: Literal["market", "ratio", "fixed"] = field(
        "market", "`market`: follows the outside price; `ratio`: base feed x redemption ratio; `fixed`: never moves"
    )
    deviation_ratio: float = field(
        0.005,
        "Relative difference between market and feed that triggers a report (`market`)",
        source="Chainlink: ETH/USD 0.5 % (wise-foundation/lending-audit#172), USDC/USD 0.25 % (yearn/monitoring#310)",
        ge=0,
        le=1,
    )
    heartbeat_seconds: Whole = field(
        3_600,
        "Longest time between two reports (`market`)",
        unit="s",
        source="Chainlink: ETH/USD, BTC/USD 3,600 s, USDC/USD 86,400 s (kestra.io: price-feed-staleness-guard)",
        ge=1,
    )
    price_usd: float | None = field(None, "Price of a `fixed` feed", unit="USD", gt=0)
    base: str | None = field(
        None, "Asset whose feed is multiplied (`ratio`); omitted: the asset's own base", refers_to="asset"
    )
    ratio: float | None = field(
        None,
        "Ratio of a `ratio` feed, constant; omitted: the asset's own ratio as it grows",
        unit="base per token",
        gt=0,
    )
    source: str = source_field()


class Oracle(Section):
    """Feeds and the time a report needs to take effect."""

    latency_blocks: Whole = field(
        1,
        "Blocks between reading the market and the report taking effect",
        unit="blocks",
        source="assumption: read in one block, included in the next",
        plausible=(0, 5),
        ge=0,
        le=1_000,
    )
    report_gas: Whole = field(
        250_000,
        "Block space a report takes",
        unit="gas",
        source="assumption: order of magnitude of a report signed by many nodes",
        plausible=(150_000, 400_000),
        ge=0,
    )
    feeds: Table[str, Feed] = field(None, "One feed for each asset", refers_to="asset", factory=empty_table)
    source: str = source_field()


class OperationGas(Section):
    """Gas of one call of each kind; a transaction costs the sum of its calls."""

    supply: Whole = field(
        200_000,
        "Supplying to the pool",
        unit="gas",
        source="assumption: order of magnitude of such calls on mainnet",
        plausible=(150_000, 300_000),
        ge=21_000,
    )
    withdraw: Whole = field(
        250_000,
        "Withdrawing from the pool",
        unit="gas",
        source="assumption: order of magnitude of such calls on mainnet",
        plausible=(150_000, 350_000),
        ge=21_000,
    )
    repay: Whole = field(
        200_000,
        "Repaying",
        unit="gas",
        source="assumption: order of magnitude of such calls on mainnet",
        plausible=(150_000, 300_000),
        ge=21_000,
    )
    swap: Whole = field(
        150_000,
        "A swap in an AMM",
        unit="gas",
        source="assumption: order of magnitude of such calls on mainnet",
        plausible=(100_000, 250_000),
        ge=21_000,
    )
    liquidation: Whole = field(
        500_000,
        "A liquidation with flash loan and swap",
        unit="gas",
        source="assumption: documentation of Aave V1 lists 180,000 to 600,000 by function",
        plausible=(300_000, 800_000),
        ge=21_000,
    )


class Gas(Section):
    """Block space, base fee (EIP-1559) and who is served first.

    Outside demand at base fee b, with s = sigma_1h / reference volatility:
    target x s^(volatility_exponent x elasticity) x (b / reference_gwei)^(-elasticity).
    """

    price_asset: str = field("WETH", "Asset at whose price gas (ETH) is valued", refers_to="asset")
    block_gas_limit: Whole = field(
        45_000_000,
        "Gas limit of a block; half of it is the target",
        unit="gas",
        source="10M Mar 2020, 15M May 2021 (MyCrypto); 30M to Feb 2025, then 36M, 45M from 22 July 2025 (The Block)",
        ge=1_000_000,
        le=2_000_000_000,
    )
    base_fee_gwei: float | None = field(
        None, "Base fee of the first block; omitted: the reference", unit="gwei", ge=0, le=1e6
    )
    reference_gwei: float = field(
        3.3,
        "Base fee at which outside demand fills the target when volatility is at its reference",
        unit="gwei",
        source="median of the daily mean gas prices of Ethereum, 3 June - 2 July 2025",
        gt=0,
        le=1e6,
    )
    min_base_fee_gwei: float = field(0.0, "Lowest base fee", unit="gwei", ge=0, le=1e6)
    demand_elasticity: float = field(
        1.0,
        "epsilon: outside demand falls as base fee to the power -epsilon",
        source="assumption: unit elasticity, no estimate found",
        plausible=(0.3, 2.0),
        ge=0,
        le=10,
    )
    volatility_exponent: float = field(
        0.7,
        "zeta: equilibrium base fee rises as volatility to the power zeta",
        source="measured: daily gas and ETH volatility, 9 crashes of 2020-23 (r = .79); not visible in 4 of 2024-25",
        ge=0,
        le=5,
    )
    tip_gwei: float = field(
        0.1,
        "Tip of ordinary transactions",
        unit="gwei",
        source="assumption: small against the base fee",
        plausible=(0.0, 2.0),
        ge=0,
        le=1e6,
    )
    ordering: Literal["private", "public"] = field(
        "private",
        "`private`: liquidations are auctioned, losers pay nothing (2021 on); `public`: by tip, losers pay gas",
    )
    expiry_blocks: Whole = field(
        25,
        "Blocks after which a waiting transaction is dropped",
        unit="blocks",
        source="assumption: about five minutes",
        plausible=(5, 100),
        ge=1,
    )
    operations: OperationGas = field(None, "Gas of each kind of call", factory=OperationGas)
    source: str = source_field()
