"""Building the exogenous prices of a scenario: its process, shocks over it, ratio assets on top, the whole path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from scenarios import Problem, Scenario, ScenarioError
from sim import prices as processes
from sim.prices.correlation import Correlation, mixing
from sim.randomness import Randomness
from sim.refusals import Refusals


def exogenous_prices(scenario: Scenario, randomness: Randomness, step_seconds: int | None = None) -> list[list[float]]:
    """Prices of every asset at every step, USD, columns in the order of the scenario's assets.

    `step_seconds` stands for the run's; one step as long as the run shows whether the process can be made and its
    files cover the run. `ScenarioError` with what is wrong, by file and row or by field.
    """
    refusals = Refusals(scenario)
    run = scenario.run
    step = step_seconds or run.step_seconds
    rows: list[list[float]] = []
    try:
        with refusals.at("prices", "a path that leaves all numbers", "less volatility, drift or time"):
            process = _with_ratios(_with_shocks(_process(scenario, refusals), scenario), scenario)
            refusals.check()
            matrix = process.paths(randomness, run.start_timestamp, run.horizon_seconds // step, step)
            if not (np.isfinite(matrix).all() and (matrix > 0.0).all()):
                raise ValueError("prices fall to 0 or rise beyond all numbers")
            order = [process.symbols.index(symbol) for symbol in scenario.assets]
            rows = np.ascontiguousarray(matrix[:, order]).tolist()
    except processes.PathError as error:
        raise ScenarioError([_problem(scenario, problem) for problem in error.problems]) from None
    refusals.check()
    return rows


def _problem(scenario: Scenario, problem: Any) -> Problem:
    """A problem of a path file, called as the scenario names the file."""
    prices = scenario.as_dict()["prices"]
    file = problem.file
    for place, path in scenario.price_files.items():
        keys = place.split(".")[1:]
        name = prices[keys[0]] if len(keys) == 1 else prices[keys[0]][keys[1]]
        file = file.replace(str(path), name)
    where = [f"row {problem.row}"] if problem.row else []
    where += [f"column {problem.column}"] if problem.column else []
    return Problem(file, ", ".join(where), problem.given, problem.allowed, "")


# ---------------------------------------------------------------------- processes
def _process(scenario: Scenario, refusals: Refusals) -> processes.PriceProcess:
    return _BUILDERS[scenario.prices.process](scenario, _market(scenario), refusals)


def _market(scenario: Scenario) -> dict[str, float]:
    """Opening prices of the assets that have one of their own, USD."""
    assets = scenario.assets.items()
    return {name: float(asset.price_usd) for name, asset in assets if asset.kind == "market" and asset.price_usd}


def _constant(scenario: Scenario, market: Mapping[str, float], _: Refusals) -> processes.PriceProcess:
    return processes.ConstantPrices(market)


def _gbm(scenario: Scenario, market: Mapping[str, float], _: Refusals) -> processes.PriceProcess:
    settings = scenario.prices
    return processes.GeometricBrownianMotion(
        market,
        settings.volatility_per_year,
        drift_per_year=settings.drift_per_year,
        correlation=settings.correlation,
    )


def _historical(scenario: Scenario, market: Mapping[str, float], _: Refusals) -> processes.PriceProcess:
    settings = scenario.prices
    return processes.HistoricalPath(str(scenario.price_file), settings.columns, scale=settings.scale, price_usd=market)


def _csv(scenario: Scenario, market: Mapping[str, float], _: Refusals) -> processes.PriceProcess:
    settings = scenario.prices
    return processes.CsvPath(str(scenario.price_file), settings.columns, scale=settings.scale, price_usd=market)


def _daily(scenario: Scenario, market: Mapping[str, float], _: Refusals) -> processes.PriceProcess:
    settings = scenario.prices
    return processes.DailyPath(_files(scenario), columns=settings.columns, scale=settings.scale, price_usd=market)


def _bootstrap(scenario: Scenario, market: Mapping[str, float], refusals: Refusals) -> processes.PriceProcess:
    settings = scenario.prices
    process: processes.PriceProcess = processes.ConstantPrices(market)
    with refusals.at("prices.bootstrap.mean_block_days"):
        process = processes.BlockBootstrap(
            _files(scenario),
            market,
            columns=settings.columns,
            mean_block_days=settings.bootstrap.mean_block_days,
            log_growth_per_year=settings.bootstrap.log_growth_per_year,
        )
    refusals.check()
    return process


def _jump_diffusion(scenario: Scenario, market: Mapping[str, float], refusals: Refusals) -> processes.PriceProcess:
    settings = scenario.prices
    return processes.JumpDiffusion(
        market,
        settings.volatility_per_year,
        _jumps(scenario),
        drift_per_year=settings.drift_per_year,
        correlation=_correlation(scenario, settings.correlation, refusals),
    )


def _stochastic(scenario: Scenario, market: Mapping[str, float], refusals: Refusals) -> processes.PriceProcess:
    settings = scenario.prices
    own = settings.stochastic_volatility
    return processes.StochasticVolatility(
        market,
        settings.volatility_per_year,
        drift_per_year=settings.drift_per_year,
        correlation=_correlation(scenario, own.shock_correlation, refusals),
        slow_log_sd=own.slow_log_sd,
        slow_half_life_hours=own.slow_half_life_hours,
        fast_log_sd=own.fast_log_sd,
        fast_half_life_hours=own.fast_half_life_hours,
        leverage=own.leverage_correlation,
        volatility_correlation=own.volatility_correlation,
        tail_degrees=own.tail_degrees,
        start_volatility_ratio=own.start_volatility_ratio,
        jumps=_jumps(scenario),
    )


def _garch(scenario: Scenario, market: Mapping[str, float], refusals: Refusals) -> processes.PriceProcess:
    settings = scenario.prices
    own = settings.garch
    return processes.Garch(
        market,
        settings.volatility_per_year,
        drift_per_year=settings.drift_per_year,
        correlation=_correlation(scenario, own.shock_correlation, refusals),
        shock_weight=own.shock_weight,
        memory_weight=own.memory_weight,
        tail_degrees=own.tail_degrees,
        start_volatility_ratio=own.start_volatility_ratio,
    )


_BUILDERS: dict[str, Callable[[Scenario, Mapping[str, float], Refusals], processes.PriceProcess]] = {
    "constant": _constant,
    "gbm": _gbm,
    "historical": _historical,
    "csv": _csv,
    "daily": _daily,
    "bootstrap": _bootstrap,
    "jump_diffusion": _jump_diffusion,
    "stochastic_volatility": _stochastic,
    "garch": _garch,
}


# ---------------------------------------------------------------------- what they are made of
def _files(scenario: Scenario) -> dict[str, str]:
    return {symbol: str(scenario.price_files[f"prices.files.{symbol}"]) for symbol in scenario.prices.files}


def _jumps(scenario: Scenario) -> processes.Jumps:
    """Jumps of every asset with volatility in proportion to it, but for those whose sizes are stated."""
    settings = scenario.prices
    own = settings.jumps
    means = {asset: own.mean_per_volatility * sigma for asset, sigma in settings.volatility_per_year.items()}
    sds = {asset: own.sd_per_volatility * sigma for asset, sigma in settings.volatility_per_year.items()}
    return processes.Jumps(own.per_year, means | own.mean_log, sds | own.sd_log, own.common_share, own.size_correlation)


def _correlation(scenario: Scenario, number: float, refusals: Refusals) -> Correlation:
    """The matrix, stated or of a file, or the one number; a matrix that no assets can have is refused here."""
    settings = scenario.prices
    if not settings.correlations and settings.correlation_file is None:
        return number
    if settings.correlation_file is None:
        place = "prices.correlations"
        matrix: Correlation = {asset: dict(row) for asset, row in settings.correlations.items()}
    else:
        place = "prices.correlation_file"
        file = scenario.price_files["prices.correlation_file"]
        matrix = processes.read_correlation(file, settings.correlation_names)
    with refusals.at(place):
        mixing(matrix, list(settings.volatility_per_year), list(scenario.assets))
    refusals.check()
    return matrix


def _with_shocks(process: processes.PriceProcess, scenario: Scenario) -> processes.PriceProcess:
    shocks = [
        processes.Shock(shock.asset, shock.at_seconds, shock.change_ratio, shock.over_seconds)
        for shock in scenario.prices.shocks
    ]
    return processes.Shocked(process, shocks) if shocks else process


def _with_ratios(process: processes.PriceProcess, scenario: Scenario) -> processes.PriceProcess:
    """Ratio assets last, so that they follow their base through shocks."""
    ratios = {
        name: processes.Ratio(str(asset.base), float(asset.ratio or 1.0), asset.ratio_growth_per_year)
        for name, asset in scenario.assets.items()
        if asset.kind == "ratio"
    }
    return processes.WithRatios(process, ratios) if ratios else process
