"""Stop a run in the middle of a cascade and look at the agents, with Mesa's AgentSet."""

from agents.borrower import Borrower
from agents.liquidator import Liquidator
from sim.economy import Economy

with Economy("demo", seed=1) as economy:
    while economy.running and economy.events.total_liquidations < 10:
        economy.step()
    print(f"step {economy.clock.step}: {economy.events.total_liquidated_usd:,.0f} USD liquidated so far")

    for kind, agents in economy.agents_by_type.items():
        print(f"{kind.__name__:12} {len(agents):4}")

    borrowers = economy.agents.select(lambda agent: isinstance(agent, Borrower))
    uneasy = borrowers.select(lambda agent: agent.health_factor < 1.1)
    print(f"{len(uneasy)} of {len(borrowers)} borrowers under 1.1 owe {uneasy.agg('debt_usd', sum):,.0f} USD")
    for name, group in uneasy.groupby("kind"):
        print(f"  {name}: lowest health factor {group.agg('health_factor', min):.3f}")

    economy.run()  # the steps that are left
    token = economy.world.gas_token
    spent = [200 - economy.ledger.balances[token][agent.account] / 1e18 for agent in economy.agents_by_type[Liquidator]]
    print("ETH that each liquidator spent on gas:", ", ".join(f"{eth:.3f}" for eth in spent))
