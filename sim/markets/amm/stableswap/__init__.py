"""StableSwap (Balancer V2 stable pools 2.0.0 on the invariant of Egorov's StableSwap paper, 2019), in exact integers.

Stateless libraries, one concept per file (`fixed_point`, `invariant`, `swap_math`, `share_math`, `amplification`,
`scaling`), the same curve in floats for prices and depth (`curve`), records of state (`records`), and the pool that
orchestrates them (`core` → `liquidity` → `exchange` → `pool`).
"""
