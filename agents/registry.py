"""The registry of kinds: which class a scenario's `kind` names, loaded when it is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: kind -> "module:Class"
KINDS: dict[str, str] = {
    "holder": "agents.holder:Holder",
    "position": "agents.position:Position",
    "manager": "agents.manager:Manager",
    "looper": "agents.looper:Looper",
    "rate_sensitive": "agents.rate_sensitive:RateSensitive",
    "lender": "agents.lender:Lender",
    "elastic_lender": "agents.elastic_lender:ElasticLender",
    "liquidator": "agents.liquidator:Liquidator",
    "farmer": "agents.farmer:Farmer",
    "redeemer": "agents.redeemer:Redeemer",
    "liquidity_provider": "agents.liquidity_provider:LiquidityProvider",
    "arbitrageur": "agents.arbitrageur:Arbitrageur",
    "trader": "agents.trader:Trader",
    "whale": "agents.whale:Whale",
}


def agent_class(kind: str) -> Any:
    """The class of a registered kind, or of a user's own "package.module:Class"; KeyError if unknown."""
    home = KINDS.get(kind, kind)
    module, separator, name = home.partition(":")
    if not separator:
        raise KeyError(kind)
    return getattr(import_module(module), name)


def unfit(kind: str) -> str:
    """What keeps the class of a kind from being an agent of an economy, in words; empty if nothing does."""
    from agents.base import AgentParameters, EconomicAgent

    found = agent_class(kind)
    if not (isinstance(found, type) and issubclass(found, EconomicAgent)):
        return f"{kind} is not derived from agents.base.EconomicAgent"
    if not issubclass(found.Parameters, AgentParameters):
        return f"the Parameters of {kind} are not derived from agents.base.AgentParameters"
    return ""


def kinds() -> dict[str, Any]:
    """Parameters class of every registered kind, for the validation of scenarios."""
    return {kind: agent_class(kind).Parameters for kind in KINDS}
