"""What each recorded column means: its type, its unit, its definition.

A name that ends in `.*` stands for one column per asset, reserve, AMM or cause. A table may hold further columns: their
type then comes from their values. The type given here decides only where the values leave it open (a column that is
empty, or whole numbers in a column of fractions).
"""

from __future__ import annotations

from typing import NamedTuple


class Column(NamedTuple):
    """One column: `kind` is "int", "float", "text" or "bool"; `unit` is empty for plain numbers and words."""

    kind: str
    unit: str
    meaning: str


METRICS: dict[str, Column] = {
    "step": Column("int", "", "number of the step; 0 is the opening, the first row of metrics is 1"),
    "block": Column("int", "", "number of the last block in the step"),
    "timestamp": Column("int", "s", "time of that block, seconds since 1970 UTC"),
    "base_fee_gwei": Column("float", "gwei", "base fee that the step paid"),
    "block_fullness_ratio": Column("float", "", "gas used, outsiders' included, divided by the block gas limit"),
    "exogenous_usd.*": Column("float", "USD", "price that the scenario asks for, before any impact of this economy"),
    "outside_usd.*": Column("float", "USD", "price on the reference market, after the impact of this economy's trades"),
    "oracle_usd.*": Column("float", "USD", "price that the lending pool reads"),
    "impact.*": Column("float", "", "fall of the log price on the reference market, by asset and cause"),
    "amm_price.*": Column("float", "token1/token0", "price in the pool"),
    "amm_depth_usd.*": Column(
        "float", "USD", "token0, at the outside price, whose sale moves the pool's price down by 2 %"
    ),
    "cash.*": Column("float", "tokens", "liquidity that can be withdrawn or borrowed"),
    "debt.*": Column("float", "tokens", "debt outstanding"),
    "supply.*": Column("float", "tokens", "claims of suppliers"),
    "utilisation.*": Column("float", "", "debt divided by cash plus debt"),
    "borrow_rate.*": Column("float", "per year", "variable borrow rate"),
    "supply_rate.*": Column("float", "per year", "rate that suppliers earn"),
    "liquidity_index.*": Column("float", "", "growth of one unit supplied"),
    "debt_index.*": Column("float", "", "growth of one unit borrowed"),
    "deficit.*": Column("float", "tokens", "debt written off for which no collateral is left"),
    "solvency_gap.*": Column("float", "tokens", "cash + debt + deficit - supply - treasury"),
    "liquidatable_usd": Column(
        "float", "USD", "debt of accounts found with a health factor under 1 and not touched since"
    ),
    "liquidatable_accounts": Column("int", "", "number of those accounts"),
    "liquidated_usd": Column("float", "USD", "debt repaid by liquidators in the step"),
    "liquidations": Column("int", "", "number of liquidations in the step"),
    "waiting_withdrawals_usd": Column("float", "USD", "withdrawals that lenders wait for"),
    "discount.*": Column("float", "", "1 - price of the staked token in the pool / its redemption ratio"),
    "queue_backlog.*": Column("float", "tokens", "base tokens requested from the queue that have not passed its churn"),
    "queue_wait_days.*": Column("float", "days", "expected wait of a request made now"),
    "liquidity_fees_usd.*": Column("float", "USD", "fees earned by the population's providers up to their last looks"),
    "liquidity_loss_usd.*": Column("float", "USD", "their loss-versus-rebalancing up to their last looks"),
    "transactions": Column("int", "", "transactions executed in the step"),
    "reverted": Column("int", "", "those of them that reverted"),
}

# A row given as a tuple follows this order.
EVENTS: dict[str, Column] = {
    "event_id": Column("int", "", "number of the receipt"),
    "cause_id": Column("int", "", "event or report that led to it, if known"),
    "step": METRICS["step"],
    "block": METRICS["block"],
    "timestamp": METRICS["timestamp"],
    "kind": Column("text", "", "motive: liquidation, deleveraging, top_up, arbitrage, trading"),
    "sender": Column("int", "", "account that sent the transaction"),
    "owner": Column("text", "", "whose account that is"),
    "ok": Column("bool", "", "executed, or reverted (false)"),
    "reason": Column("text", "", "why it reverted"),
    "gas_used": Column("int", "gas", "gas used"),
    "gas_paid_eth": Column("float", "ETH", "gas paid"),
    "account": Column("int", "", "borrower concerned; empty for trades"),
    "market": Column("text", "", "market concerned"),
    "collateral_asset": Column("text", "", "asset seized"),
    "debt_asset": Column("text", "", "asset repaid"),
    "debt_repaid": Column("float", "tokens", "debt repaid"),
    "debt_repaid_usd": Column("float", "USD", "debt repaid, at oracle prices"),
    "collateral_seized": Column("float", "tokens", "collateral seized, protocol fee included"),
    "collateral_usd": Column("float", "USD", "collateral seized, at oracle prices"),
    "bonus_usd": Column("float", "USD", "collateral seized less debt repaid, at oracle prices"),
    "protocol_fee": Column("float", "tokens", "part of the bonus that goes to the protocol"),
    "health_factor_before": Column("float", "", "health factor of the borrower just before"),
    "profit_usd": Column("float", "USD", "sender's profit after gas and the builder's part, at outside prices"),
    "token_in": Column("text", "", "token sold"),
    "token_out": Column("text", "", "token bought"),
    "amount_in": Column("float", "tokens", "amount sold"),
    "amount_out": Column("float", "tokens", "amount bought"),
    "price": Column("float", "USD", "received for each token sold, at the outside price of what was bought"),
}

REPORTS: dict[str, Column] = {
    "event_id": EVENTS["event_id"],
    "feed": Column("text", "", "asset whose price is reported"),
    "read_at": Column("int", "s", "time at which the price was read"),
    "effective_at": Column("int", "s", "time from which the pool reads it"),
    "price_usd": Column("float", "USD", "price reported"),
    "ln_exogenous": Column("float", "", "log of the price that the scenario asks for"),
    "ln_impact.*": Column("float", "", "fall of the log price inside the report, by cause"),
    "basis": Column("float", "", "log difference that the feed has on purpose (all of a fixed feed)"),
    "error": Column("float", "", "log difference by rounding"),
}

POSITIONS: dict[str, Column] = {
    "when": Column("text", "", "first, last, worst (step of the largest liquidatable debt) or schedule"),
    "step": METRICS["step"],
    "account": Column("int", "", "account"),
    "population": Column("text", "", "population of the scenario"),
    "kind": Column("text", "", "kind of agent"),
    "health_factor": Column("float", "", "health factor as a float; infinite without debt"),
    "collateral_usd": Column("float", "USD", "collateral, at oracle prices"),
    "debt_usd": Column("float", "USD", "debt, at oracle prices"),
    "emode": Column("int", "", "e-mode category, 0 for none"),
    "supply.*": Column("float", "tokens", "supplied"),
    "debt.*": Column("float", "tokens", "owed"),
}

AGENTS: dict[str, Column] = {
    "account": POSITIONS["account"],
    "population": POSITIONS["population"],
    "kind": POSITIONS["kind"],
    "start_usd": Column("float", "USD", "net worth at the start"),
    "end_usd": Column("float", "USD", "net worth at the end"),
    "profit_usd": Column("float", "USD", "change of net worth, capital brought in or taken out left aside"),
    "capital_usd": Column("float", "USD", "brought in from outside, less what was taken out"),
    "interest_usd": Column("float", "USD", "interest earned less interest owed"),
    "gas_usd": Column("float", "USD", "gas paid (negative)"),
    "liquidation_usd": Column("float", "USD", "bonus earned or lost in liquidations"),
    "trading_usd": Column("float", "USD", "gained or lost in trades"),
    "price_usd": Column("float", "USD", "change of the prices of what was held at the start"),
    "other_usd": Column("float", "USD", "the rest: price and interest of what was held later"),
}

TABLES: dict[str, dict[str, Column]] = {
    "metrics": METRICS,
    "events": EVENTS,
    "reports": REPORTS,
    "positions": POSITIONS,
    "agents": AGENTS,
}


def known(table: str, name: str) -> Column | None:
    """The declared column of that name (`cash.WETH` is declared as `cash.*`), or None."""
    columns = TABLES.get(table, {})
    return columns.get(name) or columns.get(name.partition(".")[0] + ".*")
