"""Redemption queues of staked tokens."""

from __future__ import annotations

from datetime import datetime

from scenarios.schema.base import Section, Whole, field, source_field
from scenarios.schema.run import Moment


class Redemption(Section):
    """A queue that redeems a `ratio` asset for its base at par.

    A request waits backlog / churn (its own size included) and then a delay drawn evenly between two bounds.
    """

    asset: str = field(..., "Asset redeemed; of kind `ratio`", refers_to="asset")
    churn_tokens_per_day: float = field(
        57_600.0,
        "Base tokens that leave the queue a day",
        unit="tokens/day",
        source="Ethereum since May 2025: 256 ETH an epoch, 225 epochs a day; before, 8 to 16 validators an epoch",
        plausible=(18_000.0, 115_200.0),
        gt=0,
        le=1e12,
    )
    opening_backlog_tokens: float = field(
        0.0,
        "Base tokens that others have requested before the run starts",
        unit="tokens",
        source="assumption: none when it is calm; nine days of churn in July 2025 (Blockworks), twelve "
        "as the upper end",
        plausible=(0.0, 700_000.0),
        ge=0,
        le=1e12,
    )
    delay_days_least: float = field(
        1.0,
        "Least wait beyond the backlog",
        unit="days",
        source="assumption: the chain needs 27 hours from exit to withdrawability, and buffers shorten it",
        plausible=(0.5, 2.0),
        ge=0,
        le=1e3,
    )
    delay_days_most: float = field(
        4.0,
        "Longest wait beyond the backlog",
        unit="days",
        source="assumption: exit, sweep and the daily report of the operator together; two days to a week",
        plausible=(2.0, 7.0),
        ge=0,
        le=1e3,
    )
    open_from: Moment = field(
        "2023-04-12T22:27:35Z",
        "Requests are taken from then on; staking is always possible",
        unit="UTC",
        source="Shapella upgrade of 12 April 2023: no withdrawals before",
    )
    request_gas: Whole = field(
        180_000,
        "Gas of a request",
        unit="gas",
        source="assumption: order of magnitude of a request on mainnet, which mints a receipt",
        plausible=(120_000, 300_000),
        ge=21_000,
    )
    claim_gas: Whole = field(
        120_000,
        "Gas of a claim",
        unit="gas",
        source="assumption: order of magnitude of a claim on mainnet",
        plausible=(80_000, 200_000),
        ge=21_000,
    )
    source: str = source_field()

    @property
    def open_timestamp(self) -> int:
        """Unix time from which requests are taken, seconds."""
        return int(datetime.fromisoformat(self.open_from).timestamp())
