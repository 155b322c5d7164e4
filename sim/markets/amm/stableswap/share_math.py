"""Pool shares (LP tokens) for tokens and tokens for shares (Balancer V2 `StableMath` 2.0.0).

Balances and amounts have 18 decimals, fees are 18-decimal fractions. Whoever joins or leaves out of proportion swaps
in effect, so the part of an amount beyond proportion pays the swap fee. Every result is rounded in the pool's favour.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.chain.revert import Revert
from sim.markets.amm.stableswap.constants import SUB_OVERFLOW, ZERO_DIVISION
from sim.markets.amm.stableswap.fixed_point import ONE, complement, div_down, div_up, mul_down, mul_up
from sim.markets.amm.stableswap.invariant import balance_rounding_up, invariant


def shares_out_given_tokens_in(
    amp_milli: int, balances: Sequence[int], amounts_in: Sequence[int], total_shares: int, fee_wad: int
) -> int:
    """Shares for exact amounts: total · (D'/D − 1), rounded down, zero if the invariant does not grow.

    The mean growth is Σ weight·ratio with weight = balance / sum and ratio = (balance + amount) / balance; what an
    amount exceeds the mean growth of its balance by pays the fee before D' is taken.
    """
    total = sum(balances)
    ratios = [div_down(balance + amount, balance) for balance, amount in zip(balances, amounts_in, strict=True)]
    mean = sum(mul_down(ratio, div_down(balance, total)) for ratio, balance in zip(ratios, balances, strict=True))
    after = []
    for balance, amount, ratio in zip(balances, amounts_in, ratios, strict=True):
        if ratio > mean:
            untaxed = mul_down(balance, _difference(mean, ONE))
            amount = untaxed + mul_down(_difference(amount, untaxed), ONE - fee_wad)
        after.append(balance + amount)
    d = invariant(amp_milli, balances, True)
    growth = div_down(invariant(amp_milli, after, False), d)
    return mul_down(total_shares, growth - ONE) if growth > ONE else 0


def token_in_given_shares_out(
    amp_milli: int, balances: Sequence[int], index: int, shares_out: int, total_shares: int, fee_wad: int
) -> int:
    """Amount of one token that exact shares cost, rounded up.

    The balance at the invariant D·(total + shares)/total less the balance; all but the token's weight of that pays
    the fee.
    """
    d = invariant(amp_milli, balances, True)
    target = mul_up(div_up(total_shares + shares_out, total_shares), d)
    amount = _difference(balance_rounding_up(amp_milli, balances, target, index), balances[index])
    taxed = mul_up(amount, complement(div_down(balances[index], sum(balances))))
    return _difference(amount, taxed) + div_up(taxed, ONE - fee_wad)


def shares_in_given_tokens_out(
    amp_milli: int, balances: Sequence[int], amounts_out: Sequence[int], total_shares: int, fee_wad: int
) -> int:
    """Shares that exact amounts cost: total · (1 − D'/D), rounded up.

    As for a deposit, with the fee on what an amount exceeds the mean fall of its balance by. Reverts BAL#001 for
    more than the pool holds, or if the fee leaves too little.
    """
    total = sum(balances)
    ratios = [
        div_up(_difference(balance, amount), balance) for balance, amount in zip(balances, amounts_out, strict=True)
    ]
    mean = sum(mul_up(ratio, div_up(balance, total)) for ratio, balance in zip(ratios, balances, strict=True))
    after = []
    for balance, amount, ratio in zip(balances, amounts_out, ratios, strict=True):
        if mean > ratio:
            untaxed = mul_down(balance, complement(mean))
            amount = untaxed + div_up(_difference(amount, untaxed), ONE - fee_wad)
        after.append(_difference(balance, amount))
    d = invariant(amp_milli, balances, True)
    kept = div_down(invariant(amp_milli, after, False), d)
    return mul_up(total_shares, complement(kept))


def token_out_given_shares_in(
    amp_milli: int, balances: Sequence[int], index: int, shares_in: int, total_shares: int, fee_wad: int
) -> int:
    """Amount of one token that exact shares give, rounded down.

    The balance less the balance at the invariant D·(total − shares)/total; all but the token's weight of that pays
    the fee.
    """
    d = invariant(amp_milli, balances, True)
    target = mul_up(div_up(_difference(total_shares, shares_in), total_shares), d)
    amount = _difference(balances[index], balance_rounding_up(amp_milli, balances, target, index))
    taxed = mul_up(amount, complement(div_down(balances[index], sum(balances))))
    return _difference(amount, taxed) + mul_down(taxed, ONE - fee_wad)


def tokens_out_given_shares_in(balances: Sequence[int], shares_in: int, total_shares: int) -> list[int]:
    """Amounts that exact shares give in proportion: balance · (shares / total), both rounded down; no fee."""
    if total_shares == 0:
        raise Revert(ZERO_DIVISION)
    ratio = div_down(shares_in, total_shares)
    return [mul_down(balance, ratio) for balance in balances]


def _difference(a: int, b: int) -> int:
    if b > a:
        raise Revert(SUB_OVERFLOW)
    return a - b
