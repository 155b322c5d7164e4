"""Time, audit and waking of a run; which mechanisms are on; what is written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from scenarios.schema.base import Section, Sequence, Whole, field


def _utc(value: Any) -> str:
    """Write a date and time as `2020-03-12T00:00:00Z`; without an offset it is read as UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if not isinstance(value, datetime):
        raise ValueError("must be a UTC date and time such as 2020-03-12T00:00:00Z")
    moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if moment.microsecond or not 1970 <= moment.year < 2200:
        raise ValueError("must be a UTC date and time in whole seconds between 1970 and 2199")
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


Moment = Annotated[str, BeforeValidator(_utc)]


class Run(Section):
    """When a run starts, how long it lasts and how finely it is cut."""

    start: Moment = field("2025-07-03T00:00:00Z", "Date and time of the opening (step 0)", unit="UTC")
    horizon_seconds: Whole = field(86_400, "Simulated time", unit="s", ge=1, le=10 * 366 * 86_400)
    step_seconds: Whole = field(12, "Simulated time of one step; may hold several blocks", unit="s", ge=1, le=86_400)
    block_seconds: Whole = field(
        12,
        "Time between two blocks of the chain",
        unit="s",
        source="Ethereum since Sept 2022: 12 s slots",
        ge=1,
        le=900,
    )
    seed: Whole = field(1, "Seed of all random streams and draws", ge=0, le=2**63 - 1)
    audit_every_steps: Whole = field(500, "Steps between two full audits of the ledger (0: only at the end)", ge=0)
    screen: Literal["auto", "groups", "plain"] = field(
        "auto", "How accounts that may act are found: sorted groups, a plain pass, or by number of accounts"
    )
    wake: Literal["due", "all"] = field("due", "Which agents are asked each step; gives the same run, `all` is slower")

    @property
    def start_timestamp(self) -> int:
        """Unix time of the first block, seconds."""
        return int(datetime.fromisoformat(self.start).timestamp())

    @property
    def steps(self) -> int:
        """Number of steps of the run."""
        return self.horizon_seconds // self.step_seconds

    @property
    def blocks_per_step(self) -> int:
        """Blocks of the chain that one step stands for."""
        return self.step_seconds // self.block_seconds


class Mechanisms(Section):
    """Mechanisms that can be switched off for a paired counterfactual (docs/model.md 13)."""

    liquidation_impact: bool = field(True, "Liquidators' sales move the outside market and the pools")
    oracle_lag: bool = field(True, "The oracle follows the market by its rules; off: it equals the market each block")
    gas: bool = field(True, "Gas costs money and block space is limited; off: base fee 0, space unlimited")
    interest: bool = field(True, "Debt and supply earn interest; off: all rates are 0")
    lender_flight: bool = field(True, "Lenders move and flee; off: they are frozen, their supply stays")
    farmers: bool = field(True, "Staking loops open and close; off: they are frozen, their positions stay")


Table = Literal["metrics", "events", "positions", "agents"]


class Results(Section):
    """What a run writes besides its manifest."""

    positions_every_seconds: Whole = field(
        0, "Time between two snapshots of all positions (0: only first, last and worst block)", unit="s", ge=0
    )
    keep: Sequence[Table] = field(
        ("metrics", "events", "positions", "agents"), "Tables that are written; metrics and reports always are"
    )
