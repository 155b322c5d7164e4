"""Does it help if owners react sooner? Two values on the same seeds: the same prices, the same book, the same draws."""

import math

from sim.economy import Economy

FIELD, NOW, SOONER = "populations.managers.look_seconds_alarm", 1_800.0, 300.0


def liquidated_usd(seed: int, seconds: float) -> float:
    """Debt that liquidators repay in one run."""
    with Economy("demo", seed=seed, overrides={FIELD: seconds}) as economy:
        economy.run()
        return economy.events.total_liquidated_usd


differences = []
for seed in range(1, 6):
    now, sooner = liquidated_usd(seed, NOW), liquidated_usd(seed, SOONER)
    differences.append(sooner - now)
    print(f"seed {seed}: liquidated {now:10,.0f} USD, {sooner:10,.0f} if owners look sooner: {sooner - now:+11,.0f}")
print(f"mean difference over {len(differences)} seeds: {math.fsum(differences) / len(differences):+,.0f} USD")
