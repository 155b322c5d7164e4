"""The figures of a report, most telling first."""

from __future__ import annotations

from sim.results.report import cascade_figures as cascade
from sim.results.report import economy_figures as economy
from sim.results.report.figure import Figure, Source

MOST_ASSETS = 3


def figures(source: Source) -> list[Figure]:
    """All figures that this run has something to show in, most telling first."""
    if len(source.metrics) < 2:
        return []
    found: list[Figure | None] = [cascade.price_figure(source, asset) for asset in shown_assets(source)]
    makers = (
        cascade.gap_figure,
        cascade.liquidated_figure,
        cascade.liquidatable_figure,
        cascade.ladder_figure,
        cascade.health_figure,
        cascade.impact_figure,
        economy.utilisation_figure,
        economy.rates_figure,
        economy.waiting_figure,
        economy.deficit_figure,
        economy.solvency_figure,
        economy.fee_figure,
        economy.profit_figure,
    )
    found += [make(source) for make in makers]
    return [figure for figure in found if figure is not None]


def shown_assets(source: Source) -> list[str]:
    """Assets whose prices are drawn: with a path of their own, the largest fall first, at most three."""
    assets = (source.manifest.get("scenario") or {}).get("assets") or {}
    prices = source.values["prices"]
    own = [asset for asset in prices if (assets.get(asset) or {}).get("kind", "market") == "market"]
    moved = {
        asset: max(entry.get("outside_drawdown_ratio", 0.0), entry["asked_drawdown_ratio"])
        for asset, entry in prices.items()
    }
    ranked = sorted(own, key=lambda asset: (-moved[asset], asset))
    return [asset for asset in ranked if moved[asset] >= 0.002][:MOST_ASSETS] or ranked[:1]
