"""What a leveraged staking loop earns and costs (docs/model.md 20): pure functions of rates, leverage and time."""

from __future__ import annotations

YEAR_SECONDS = 31_536_000.0
DAY_SECONDS = 86_400.0


def leverage_at(health_factor: float, threshold: float) -> float:
    """l = collateral / equity of a loop with this health factor: debt / collateral = threshold / health factor."""
    return 1.0 / (1.0 - threshold / health_factor)


def net_carry(leverage: float, staking_per_year: float, borrow_per_year: float) -> float:
    """l r_stk - (l - 1) r_b, per year and unit of equity, before the cost of getting in and out."""
    return leverage * staking_per_year - (leverage - 1.0) * borrow_per_year


def net_after_costs(
    leverage: float, staking_per_year: float, borrow_per_year: float, cost_ratio: float, holding_years: float
) -> float:
    """net = l r_stk - (l - 1) r_b - (entry + exit cost) / holding; the cost as a ratio of equity."""
    return net_carry(leverage, staking_per_year, borrow_per_year) - cost_ratio / holding_years


def gain_of_leaving(carry_per_year: float, horizon_years: float, exit_cost_ratio: float) -> float:
    """-(net horizon) - exit cost, of equity: positive when a loop loses more over the horizon than leaving costs."""
    return -carry_per_year * horizon_years - exit_cost_ratio


def breakeven_borrow(leverage: float, staking_per_year: float, horizon_years: float, exit_cost_ratio: float) -> float:
    """The borrow rate at which `gain_of_leaving` is zero: (l r_stk + exit cost / horizon) / (l - 1)."""
    return (leverage * staking_per_year + exit_cost_ratio / horizon_years) / (leverage - 1.0)


def queue_cost_ratio(borrow_per_year: float, wait_seconds: float, rounds: float = 1.0) -> float:
    """Cost of a unit redeemed through the queue: what is owed for it costs r_b while it waits and earns nothing.

    `rounds` is how many times a loop must go through the queue because only free collateral can be handed in.
    """
    return max(0.0, borrow_per_year) * wait_seconds / YEAR_SECONDS * rounds


def discount_bound(required_per_year: float, wait_seconds: float) -> float:
    """delta <= r_arb T_q / 365 d: from this discount on, redeeming earns the required return."""
    return required_per_year * wait_seconds / YEAR_SECONDS
