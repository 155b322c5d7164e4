"""Automated market makers: constant product (Uniswap V2) and concentrated liquidity (Uniswap V3), in exact integers.

Both kinds speak their protocol's own dialect (add and remove, or mint, increase, decrease, collect) and share one
adapter that agents and the economy use: `swap_exact_in`, `swap_exact_out`, `quote_exact_in`, `quote_exact_out`,
`price`, `log_price`, `amount_to_price`, `swap_to_price`, `arbitrage_target`, `depth`, `provide`.
"""
