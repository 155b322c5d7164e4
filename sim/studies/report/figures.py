"""The figures of a study's report, most telling first."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import pandas as pd

from sim.results import wording as w
from sim.results.report.charts import PERCENT, PLAIN, USD
from sim.results.report.figure import Figure
from sim.studies import statistics as st
from sim.studies.cases import Case, central_runs
from sim.studies.measures import interval, written
from sim.studies.reading import Study
from sim.studies.report import charts
from sim.studies.statistics import Estimate

#: Losses in the order of interest; the report's distribution is of the first that any run has.
LOSSES = {
    "deficit_usd": "deficit",
    "bad_debt_usd": "debt beyond its collateral at the end",
    "lost_to_liquidation_usd": "loss of borrowers to liquidation",
    "liquidated_usd": "debt liquidated",
}

#: Metrics of fans: beginning of the name, what it is, how its axis is written, most drawn of the kind.
FANS = (
    ("oracle_usd.", "{} oracle price, USD", "$,.4~r", 2),
    ("liquidated_usd", "debt liquidated so far", USD, 1),
    ("liquidatable_usd", "debt liquidatable", USD, 1),
    ("utilisation.", "{} utilisation", PERCENT, 2),
    ("borrow_rate.", "{} borrow rate, per year", PERCENT, 1),
    ("base_fee_gwei", "base fee, gwei", PLAIN, 1),
)

BARS = 40
#: A spread of losses from which on bars of equal proportion tell more than bars of equal width.
WIDE = 20.0


def figures(study: Study, found: list[Case]) -> list[Figure]:
    """All figures that the study has something to show in."""
    first = study.point(found[0].central)
    made: list[Figure | None] = [distribution_figure(first)]
    made += [convergence_figure(first, statistic) for statistic in ("var95", "mean")]
    if len(found) > 1:
        made.append(cases_figure(study, found))
    made += [fan_figure(study, metric, found[0].central) for metric in fan_metrics(study, found[0].central)]
    return [figure for figure in made if figure is not None]


# ---------------------------------------------------------------------- fans
def fan_metrics(study: Study, point: int) -> list[str]:
    """The metrics whose fans are drawn: those that move most, of each kind so many."""
    fans = study.fans
    held = fans[fans["point"] == point]
    spread = held.groupby("metric")["value"].agg(lambda values: float(values.max() - values.min()))
    chosen = []
    for beginning, _, _, most in FANS:
        own = [str(name) for name in spread.index if str(name).startswith(beginning)]
        relative = {name: spread[name] / max(1e-12, float(held[held["metric"] == name]["value"].max())) for name in own}
        ranked = sorted((name for name in own if relative[name] > 1e-3), key=lambda name: (-relative[name], name))
        chosen += ranked[:most]
    return chosen


def fan_figure(study: Study, metric: str, point: int = 0) -> Figure:
    """One metric over time: how far apart the runs lie."""
    frame = study.fan(metric, point)
    beginning, words, shape, _ = next(one for one in FANS if metric.startswith(one[0]))
    what = words.format(metric.removeprefix(beginning))
    begun = what if words.startswith("{}") else f"{what[0].upper()}{what[1:]}"
    last = frame.dropna().iloc[-1]
    in_words = w.price if metric.startswith("oracle_usd.") else functools.partial(written, metric)
    ends = " to ".join(in_words(float(last[level])) for level in ("0.05", "0.95"))
    title = f"{begun.split(',')[0]}: at the end 90 % of the runs lie at {ends}"
    if metric == "liquidatable_usd":
        title = f"{begun}: at its height 95 % of the runs stay at or below {in_words(float(frame['0.95'].max()))}"
    caption = f"Over {int(frame['n'].max()):,} runs at each time; no single run follows the edge of a band."
    key = "fan-" + "".join(letter if letter.isalnum() else "-" for letter in metric)
    return Figure(key, title, caption, frame, lambda width: charts.fan(frame, width, title=what, shape=shape))


# ---------------------------------------------------------------------- distribution and convergence
def main_loss(runs: pd.DataFrame) -> str | None:
    """The first loss of `LOSSES` that any run has."""
    return next((name for name in LOSSES if name in runs and float(runs[name].max()) > 0.0), None)


def distribution_figure(runs: pd.DataFrame) -> Figure | None:
    """How many runs lost how much, with value at risk and expected shortfall."""
    name = main_loss(runs)
    if name is None:
        return None
    losses = runs[name].dropna().to_numpy(dtype=float)
    positive = losses[losses > 0.0]
    log = len(positive) > 1 and float(positive.max() / positive.min()) > WIDE
    bars = binned(positive, log)
    lines = risk_lines(losses, name, log)
    none = int((losses <= 0.0).sum())
    what = LOSSES[name]
    risk = st.value_at_risk(losses)
    title = f"The {what} of {w.count(len(losses), 'run')}"
    if risk.value is not None:
        title += f": 95 % stay at or below {written(name, risk.value)} ({interval(name, risk)})"
    caption = f"{w.count(none, 'run')} without any ({w.percent(none / len(losses))}) are not drawn. " if none else ""
    caption += "Lines: risk figures, with their 95 % intervals shaded."
    left_out = [label for label, value in _risks(losses) if value.value is not None and log and value.value <= 0.0]
    caption += f" At $0: {w.joined(left_out)}." if left_out else ""
    caption += " The scale is logarithmic." if log else ""
    if name != "deficit_usd" and "deficit_usd" in runs:
        caption += " No run left a deficit."

    def draw(width: int | str) -> Any:
        return charts.distribution(bars, lines, width, title=what, shape=USD, log=log)

    return Figure("distribution", title, caption, bars, draw)


def binned(values: np.ndarray, log: bool) -> pd.DataFrame:
    """`low`, `high`, `count` of at most 40 bars, of equal width or (log) of equal proportion."""
    least, most = float(values.min()), float(values.max())
    bars = max(1, min(BARS, 2 * math.isqrt(len(values))))
    if most <= least:
        edges = np.array([0.98 * least, 1.02 * least])
    elif log:
        ratio = math.log(most / least)
        edges = np.array([least * math.exp(ratio * k / bars) for k in range(bars + 1)])
    else:
        edges = np.linspace(least, most, bars + 1)
    edges[-1] = max(float(edges[-1]), most)
    counts, _ = np.histogram(values, edges)
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "count": counts})


def _risks(losses: np.ndarray) -> list[tuple[str, Estimate]]:
    return [
        ("VaR 95 %", st.value_at_risk(losses)),
        ("VaR 99 %", st.value_at_risk(losses, 0.99)),
        ("expected shortfall 95 % (approximate)", st.expected_shortfall(losses)),
        ("mean", st.mean(losses)),
    ]


def risk_lines(losses: np.ndarray, name: str, log: bool) -> pd.DataFrame:
    """`series`, `value`, `low`, `high` of each risk figure that there is; on a log scale only what is above 0."""
    rows = []
    least = float(losses[losses > 0.0].min()) if log else -math.inf
    for label, one in _risks(losses):
        if one.value is None or (log and one.value <= 0.0):
            continue
        low, high = (math.nan if end is None else max(end, least) for end in (one.low, one.high))
        rows.append((f"{label}: {written(name, one.value)}", one.value, low, high))
    return pd.DataFrame(rows, columns=["series", "value", "low", "high"])


def convergence_figure(runs: pd.DataFrame, statistic: str) -> Figure | None:
    """How a figure and its interval settled as runs were added."""
    name = main_loss(runs)
    if name is None:
        return None
    made = st.value_at_risk if statistic == "var95" else st.mean
    words = "95 % value at risk" if statistic == "var95" else "mean"
    found = [one for one in st.convergence(runs[name].dropna(), made) if one.value is not None and one.high is not None]
    if len(found) < 3:
        return None
    frame = pd.DataFrame(
        [(one.n, one.value, one.low, one.high) for one in found], columns=["n", "value", "low", "high"]
    )
    last = found[-1]
    title = f"Convergence: the {words} of the {LOSSES[name]} after {last.n:,} runs is {written(name, last.value)}"
    caption = f"Band: 95 % interval, now {interval(name, last)}."
    needed = st.runs_needed(last, 0.1 * abs(last.value)) if last.value else None
    caption += f" For ± 10 % it takes about {needed:,} runs." if needed else ""
    return Figure(
        f"convergence-{statistic}",
        title,
        caption,
        frame,
        lambda width: charts.convergence(frame, width, title=f"{LOSSES[name]}, {words}", shape=USD),
    )


# ---------------------------------------------------------------------- cases
MOST_CASES = 30


def case_differences(study: Study, found: list[Case], outcome: str) -> list[tuple[Case, Estimate, Estimate, float]]:
    """Paired mean difference of each case from the first, the share of seeds in which it is lower, and in which equal.

    Only seeds that both have.
    """
    rows = []
    base = study.point(found[0].central)[["seed", outcome]]
    for case in found[1:]:
        both = base.merge(study.point(case.central)[["seed", outcome]], on="seed", suffixes=("", ".second"))
        a, b = both[outcome].to_numpy(dtype=float), both[f"{outcome}.second"].to_numpy(dtype=float)
        equal = float((a == b).mean()) if len(a) else math.nan
        rows.append((case, st.mean_difference(a, b), st.share_of_seeds(a, b), equal))
    return rows


def cases_figure(study: Study, found: list[Case]) -> Figure | None:
    """How the main loss differs from the first case's, on the same seeds."""
    name = main_loss(central_runs(study, found))
    if name is None:
        return None
    rows = [(case.short, one.value, one.low, one.high) for case, one, _, _ in case_differences(study, found, name)]
    frame = pd.DataFrame(rows[:MOST_CASES], columns=["case", "value", "low", "high"])
    surer = int(((frame["low"] > 0.0) | (frame["high"] < 0.0)).sum())
    title = f"{surer} of {w.count(len(frame), 'other case')} change the {LOSSES[name]} beyond chance"
    caption = f"Mean difference from the first case ({found[0].short}), seed by seed, with its 95 % interval."
    if len(rows) > MOST_CASES:
        caption += f" The first {MOST_CASES} of {len(rows):,} cases."
    label = f"difference of the {LOSSES[name]}"
    return Figure(
        "cases", title, caption, frame, lambda width: charts.differences(frame, width, title=label, shape=USD)
    )
