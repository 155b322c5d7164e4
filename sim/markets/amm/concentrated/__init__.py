"""Concentrated liquidity (Uniswap V3 core 1.0.1 and periphery 1.4.4), in exact integers.

Stateless libraries, one concept per file (`tick_math`, `sqrt_price_math`, `swap_math`, `liquidity_amounts`,
`tick_bitmap`, `swap_path`), records of state (`records`), and the pool that orchestrates them
(`core` → `manager` → `pool`).
"""
