"""A kind of agent of your own, in a file of your own: a borrower who repays from his wallet before it hurts.

`kind = "own_agent:Cautious"` names module and class, in a TOML file as well as here. Python must find the module:
beside the script, in the working folder of `undertow run`, or installed.
"""

from collections.abc import Sequence

from agents.base import AgentParameters
from agents.borrower import WAD, Borrower, BorrowerParameters
from agents.registry import kinds
from scenarios import load
from scenarios.schema.base import field
from sim.chain.transaction import Call, Transaction
from sim.economy import Economy
from sim.founding import Founding
from sim.population import Population
from sim.view import View


class CautiousParameters(BorrowerParameters):
    """What a cautious borrower keeps, and when he uses it."""

    wallet_usd: float = field(100_000.0, "USDC in the wallet at the start", unit="USD", ge=0)
    repay_below: float = field(1.2, "Health factor under which he repays", unit="1", gt=1, le=10)


class Cautious(Borrower):
    """Repays all he has in one go, the first time his health factor is under `repay_below`."""

    kind = "cautious"
    wake = "step"  # `due` is asked every step; it should be cheap
    Parameters: type[AgentParameters] = CautiousParameters

    @classmethod
    def found(cls, population: Population, founding: Founding) -> None:
        super().found(population, founding)
        founding.hold(population, "USDC", [founding.amount("USDC", population.parameters.wallet_usd)] * len(population))

    @classmethod
    def due(cls, population: Population, rows: Sequence[int], view: View) -> list[int]:
        limit = int(population.parameters.repay_below * WAD)
        usdc = view.ledger.balances[view.pool.reserves[view.pool.asset("USDC")].token]
        first = population.first
        return [row for row in rows if usdc[first + row] and view.pool.health_factor(first + row) < limit]

    def act(self, view: View) -> list[Transaction]:
        if not self.is_due(view):
            return []
        asset = view.pool.asset("USDC")
        wallet = view.ledger.balances[view.pool.reserves[asset].token][self.account]
        call = Call("pool", "repay", (asset, wallet), view.operations.repay)
        return [Transaction(self.account, (call,), "repay", tip_gwei=view.tip_gwei)]


SCENARIO = {
    "name": "cautious",
    "extends": "demo",
    "populations": {
        "cautious": {
            "kind": "own_agent:Cautious",
            "count": 30,
            "debt_usd_median": 200_000.0,
            "health_factor_median_excess": 0.4,
            "collateral": {"WETH": 1.0},
            "debt": {"USDC": 1.0},
        }
    },
}

if __name__ == "__main__":
    for wallet_usd in (0.0, 100_000.0):
        scenario = load(SCENARIO, {"populations.cautious.wallet_usd": wallet_usd}, kinds())
        with Economy(scenario) as economy:
            economy.run()
            events = economy.finish()["events"]
        mine = economy.populations["cautious"].accounts
        rows = zip(events["kind"], events["account"], events["ok"], strict=True)
        lost = {account for kind, account, ok in rows if ok and kind == "liquidation" and account in mine}
        repaid = events["kind"].count("repay")
        print(f"{wallet_usd:7,.0f} USD in the wallet: {repaid} of {len(mine)} repaid, {len(lost)} were liquidated")
