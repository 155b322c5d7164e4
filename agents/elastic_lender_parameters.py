"""Parameters of lenders who compare: elasticity, inertia and fear."""

from __future__ import annotations

from agents.base import NonNegative
from agents.lender import LenderParameters
from scenarios.schema.base import Table, empty_table, field


class ElasticLenderParameters(LenderParameters):
    """Elasticity, inertia and fear (docs/model.md 10)."""

    elasticity: float = field(
        5.0,
        "eta_S: S* = S0 exp(eta_S (supply rate - outside rate)); 5 is 5 % per percentage point",
        unit="year",
        source="assumption: no published elasticity found, a factor of 3 either way",
        plausible=(1.6, 15.0),
        ge=0,
        le=1000,
    )
    adjustment_seconds: float = field(
        86_400.0,
        "Time constant with which the gap to the target closes",
        unit="s",
        source="assumption: a factor of 3 either way",
        plausible=(28_800.0, 259_200.0),
        gt=0,
        le=1e9,
    )
    outside_rate_per_year: Table[str, NonNegative] = field(
        None,
        "Yield to be had elsewhere, by asset; left out: the supply rate at the opening",
        unit="1/year",
        source="the opening is taken for an equilibrium where nothing is stated",
        refers_to="reserve",
        factory=empty_table,
    )
    look_seconds: float = field(
        21_600.0,
        "Mean time between two looks of one lender when nothing is wrong",
        unit="s",
        source="assumption: four times a day, as borrowers who compare rates",
        plausible=(3_600.0, 86_400.0),
        gt=0,
        le=1e9,
    )
    look_seconds_alarm: float = field(
        1_800.0,
        "Mean time between two looks while a reserve he supplies is in distress",
        unit="s",
        source="assumption, as for borrowers under their alarm",
        plausible=(600.0, 7_200.0),
        gt=0,
        le=1e9,
    )
    retry_seconds: float = field(
        600.0,
        "Mean time between two tries of a lender who wants out and found no liquidity",
        unit="s",
        source="assumption: who wants out tries by hand every few minutes; a script would try in every block",
        plausible=(12.0, 3_600.0),
        gt=0,
        le=1e9,
    )
    spare_ratio: float = field(
        1.0,
        "Tokens held elsewhere that could be supplied too, as a share of the opening supply",
        unit="ratio",
        source="assumption: as much again elsewhere, so that a supply may double; a fifth to three times",
        plausible=(0.2, 3.0),
        ge=0,
        le=100,
    )
    calm_half_life_seconds: float = field(
        2_592_000.0,
        "Half-life of a lender's stay when nothing is wrong (h0)",
        unit="s",
        source="assumption: as long as a loan lives (31 days, Saengchote 2022); within a factor of three",
        plausible=(864_000.0, 7_776_000.0),
        gt=0,
        le=1e12,
    )
    crowded_half_life_seconds: float = field(
        43_200.0,
        "Half-life of his stay that utilisation above `crowded_utilisation` adds (h1)",
        unit="s",
        source="assumption: half a day to see that one may not get out, and to decide; a factor of three either way",
        plausible=(14_400.0, 129_600.0),
        gt=0,
        le=1e12,
    )
    loss_half_life_seconds: float = field(
        21_600.0,
        "Half-life of his stay that a feared loss of 1 % of the supply adds (h2; in proportion to the loss)",
        unit="s",
        source="assumption: twice as fast as crowding alone; 8.45 billion USD left in the run of 18 April 2026",
        plausible=(7_200.0, 64_800.0),
        gt=0,
        le=1e12,
    )
    crowded_utilisation: float = field(
        0.99,
        "Utilisation above which lenders worry",
        unit="ratio",
        source="choice: above the kink of every reserve",
        ge=0,
        le=1,
    )
    return_seconds: float = field(
        604_800.0,
        "Mean time until a lender who has left, or another in his place, comes back to a reserve that is quiet",
        unit="s",
        source="assumption: supply was 40 % lower nine days after a run (April 2026)",
        plausible=(86_400.0, 2_592_000.0),
        gt=0,
        le=1e12,
    )
    rumour_usd: Table[str, NonNegative] = field(
        None,
        "Loss that is talked about, by asset, at the pool's price; feared like a deficit",
        unit="USD",
        source="the scenario",
        refers_to="reserve",
        factory=empty_table,
    )
    rumour_at_seconds: float = field(
        0.0, "When the talk begins, after the start of the run", unit="s", source="the scenario", ge=0, le=1e10
    )
    rumour_for_seconds: float = field(
        432_000.0,
        "How long it lasts",
        unit="s",
        source="assumption: until it is known who bears the loss",
        plausible=(86_400.0, 1_209_600.0),
        ge=0,
        le=1e10,
    )
    horizon_seconds: float = field(
        2_592_000.0,
        "Time over which the gain from moving is weighed against the gas it costs",
        unit="s",
        source="assumption: a month: gas of some dollars is then small against any supply worth moving",
        plausible=(604_800.0, 7_776_000.0),
        gt=0,
        le=1e12,
    )
