"""The schema of a scenario: one pydantic model per section, one field declaration per parameter."""

from scenarios.schema.amms import Amm, LiquidityRange, Ramp
from scenarios.schema.assets import Asset, Outside
from scenarios.schema.base import ASSUMPTION, REQUIRED, FrozenDict, Section, Sequence, Table, Whole, field
from scenarios.schema.chain import Fault, Feed, Gas, OperationGas, Oracle, Surge
from scenarios.schema.governance import Change
from scenarios.schema.pool import EMode, Pool, Reserve, bps
from scenarios.schema.populations import Population, Populations
from scenarios.schema.prices import Prices, Shock
from scenarios.schema.redemptions import Redemption
from scenarios.schema.run import Mechanisms, Results, Run
from scenarios.schema.scenario import Origin, Scenario

__all__ = [
    "ASSUMPTION",
    "REQUIRED",
    "Amm",
    "Asset",
    "Change",
    "EMode",
    "Fault",
    "Feed",
    "FrozenDict",
    "Gas",
    "LiquidityRange",
    "Mechanisms",
    "OperationGas",
    "Oracle",
    "Origin",
    "Outside",
    "Pool",
    "Population",
    "Populations",
    "Prices",
    "Ramp",
    "Redemption",
    "Reserve",
    "Results",
    "Run",
    "Scenario",
    "Section",
    "Sequence",
    "Shock",
    "Surge",
    "Table",
    "Whole",
    "bps",
    "field",
]
