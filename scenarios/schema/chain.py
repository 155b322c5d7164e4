"""The oracle's feeds, and the gas market with the ordering of transactions."""

from __future__ import annotations

from typing import Literal

from scenarios.schema.base import Section, Sequence, Table, Whole, empty_table, field, source_field


class Fault(Section):
    """A fault of one feed, for a time."""

    kind: Literal["factor", "venue", "stale"] = field(
        ...,
        "`factor`: the price in use is multiplied, at once; `venue`: the market it reads is off, reported by its rule;"
        " `stale`: no report is sent",
    )
    at_seconds: Whole = field(..., "When it begins, after the start of the run", unit="s", ge=0)
    for_seconds: Whole = field(..., "How long it lasts", unit="s", ge=1)
    factor: float = field(1.0, "What price (`factor`) or reading (`venue`) is multiplied by", gt=0, le=1e6)


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
    cap_growth_per_year: float | None = field(
        None,
        "Growth cap of a `ratio` feed: the ratio used is at most cap_ratio x (1 + growth x years since the start);"
        " omitted: no cap",
        unit="1/year",
        ge=0,
        le=10,
    )
    cap_ratio: float | None = field(
        None,
        "Ratio from which the cap grows; omitted: the feed's ratio at the start",
        unit="base per token",
        gt=0,
    )
    faults: Sequence[Fault] = field((), "Faults of this feed")
    source: str = source_field()


class Oracle(Section):
    """Feeds and the time a report needs to take effect."""

    latency_blocks: Whole = field(
        1,
        "Blocks between reading the market and the report taking effect; in longer steps the nearest number of steps",
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
    report_tip_ratio: float = field(
        0.1,
        "What a report offers above the going price of gas, as a ratio to it",
        source="assumption: nodes bid a little over the going price; the same as ordinary senders to twice it",
        plausible=(0.0, 1.0),
        ge=0,
        le=1_000,
    )
    report_raise_ratio: float = field(
        0.125,
        "Rise of that ratio with every block in which the report finds no room",
        source="assumption: as the raise that replaces a waiting transaction (gas.raise_ratio); none to a half",
        plausible=(0.0, 0.5),
        ge=0,
        le=10,
    )
    report_ceiling_ratio: float = field(
        3.0,
        "Highest such ratio",
        source="assumption: limits set ahead by the operators: half to ten times over the going price",
        plausible=(0.5, 10.0),
        ge=0,
        le=10_000,
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
    borrow: Whole = field(
        300_000,
        "Borrowing from the pool",
        unit="gas",
        source="assumption: order of magnitude of such calls on mainnet",
        plausible=(200_000, 400_000),
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
    liquidation_reverted: Whole = field(
        100_000,
        "A public liquidation that comes too late: it looks first and gives up",
        unit="gas",
        source="assumption: a call, some reads of storage and the revert; 30,000 if it reads one slot only",
        plausible=(30_000, 300_000),
        ge=21_000,
    )


class Surge(Section):
    """A time in which outsiders want more (or less) block space than volatility explains."""

    at_seconds: Whole = field(..., "When it begins, after the start of the run", unit="s", ge=0)
    for_seconds: Whole = field(..., "How long it lasts", unit="s", ge=1)
    demand_ratio: float = field(..., "What outside demand is multiplied by", gt=0, le=1e4)


class Gas(Section):
    """Block space, its price and who is served first.

    Outside demand at base fee b, with s = sigma_1h / reference volatility:
    target x s^(volatility_exponent x elasticity) x (b / reference_gwei)^(-elasticity);
    in a first-price market the limit stands for the target, and the price offered for the base fee.
    """

    era: Literal["stated", "date"] = field(
        "stated",
        "`date`: gas limit, fee market and reference price are those of the run's dates, as they change, in place of"
        " block_gas_limit, fee_market, reference_gwei and base_fee_gwei",
    )
    fee_market: Literal["eip1559", "first_price"] = field(
        "eip1559",
        "`eip1559`: base fee, burnt, plus tip (from August 2021); `first_price`: the price offered, in whole, to the"
        " builder",
    )
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
    offer_margin_ratio: float = field(
        0.2,
        "`first_price`: what ordinary transactions offer above the price that cleared the last block",
        source="assumption: wallets' faster settings",
        plausible=(0.05, 0.5),
        ge=0,
        le=10,
    )
    raise_ratio: float = field(
        0.125,
        "`public`: a bid is replaced by one dearer by at least this",
        source="12.5 % in a widely used client: recollection",
        ge=0.001,
        le=10,
    )
    raise_rounds_per_block: Whole = field(
        20,
        "`public`: how often bidders for one subject look at each other within a block",
        unit="count",
        source="assumption (raises within a second were seen in 2019: Daian et al., arXiv 1904.05234)",
        plausible=(1, 50),
        ge=0,
        le=1_000,
    )
    surges: Sequence[Surge] = field((), "Times of more outside demand than volatility explains")
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
