"""Rules that tie several fields together. They read plain data with the defaults filled in.

A value that is missing or was already refused is left out of the data, so every rule that can be judged is judged and
all problems of a file are told at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from pydantic import BaseModel

from scenarios.checks import chain, governance, markets, prices, processes
from scenarios.checks.common import Data, number, problem_at, section, tables
from scenarios.errors import Problem, listing, nearest
from scenarios.schema.walk import Reference, references

#: What a name may be a name of, in words.
NOUNS = {
    "asset": "asset",
    "reserve": "reserve of the pool",
    "amm": "AMM",
    "emode": "e-mode category",
    "queue": "redemption queue",
}

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_+-]{0,39}$")
MOST_STEPS = 5_000_000


def cross_field_problems(data: Data, parameters: Mapping[str, type[BaseModel]] | None = None) -> list[Problem]:
    """All broken rules; `parameters` are the classes of each population's own parameters, where they are known."""
    found: list[Problem] = []
    for rule in RULES:
        found.extend(rule(data))
    found.extend(_unknown_names(data, parameters or {}))
    return found


def _time(data: Data) -> Iterator[Problem]:
    run = section(data, "run")
    horizon, step, block = (number(run, f"{name}_seconds") for name in ("horizon", "step", "block"))
    if step and block and step % block:
        yield problem_at(
            "run.step_seconds", step, f"a multiple of run.block_seconds ({block})", "does not hold whole blocks"
        )
    if horizon and step and horizon % step:
        yield problem_at(
            "run.horizon_seconds", horizon, f"a multiple of run.step_seconds ({step})", "does not hold whole steps"
        )
    if horizon and step and horizon // step > MOST_STEPS:
        yield problem_at(
            "run.horizon_seconds", horizon, f"at most {MOST_STEPS:,} steps", f"is {horizon // step:,.0f} steps"
        )
    every = number(section(data, "results"), "positions_every_seconds")
    if every and step and every % step:
        yield problem_at(
            "results.positions_every_seconds",
            every,
            f"0 or a multiple of run.step_seconds ({step})",
            "falls between steps",
        )


def _names_are_plain(data: Data) -> Iterator[Problem]:
    for where in ("assets", "amms", "redemptions", "populations"):
        for name, _ in tables(data, where):
            if not NAME.match(name):
                yield problem_at(
                    f"{where}.{name}",
                    name,
                    "letters, digits, _, + and -, at most 40, a letter or digit first",
                    "is not a usable name",
                )


RULES: tuple[Callable[[Data], Iterator[Problem]], ...] = (
    _time,
    _names_are_plain,
    prices.assets,
    processes.process,
    prices.shocks,
    prices.outside,
    prices.feeds,
    markets.thresholds,
    markets.amms,
    markets.stable_pools,
    markets.redemptions,
    chain.gas,
    chain.faults,
    governance.changes,
)


def _unknown_names(data: Data, parameters: Mapping[str, type[BaseModel]]) -> Iterator[Problem]:
    from scenarios.schema.scenario import Scenario

    known = {
        "asset": list(section(data, "assets")),
        "reserve": list(section(data, "pool", "reserves")),
        "amm": list(section(data, "amms")),
        "emode": [str(key) for key in section(data, "pool", "emodes")],
        "queue": list(section(data, "redemptions")),
    }
    found: list[Reference] = list(references(Scenario, data))
    for name, table in tables(data, "populations"):
        if name in parameters:
            found.extend(references(parameters[name], table, f"populations.{name}."))
    without_gas = section(data, "mechanisms").get("gas") is False
    for path, name, target in found:
        if name in known[target] or (path == "gas.price_asset" and without_gas):
            continue
        guess = nearest(name, known[target])
        noun = NOUNS[target]
        yield problem_at(
            path,
            name,
            listing(known[target]),
            f"there is no {noun} {name!r}" + (f"; did you mean {guess!r}?" if guess else ""),
        )
