"""Assets and the outside market they trade on."""

from __future__ import annotations

from typing import Literal

from scenarios.schema.base import Section, Whole, field, source_field


class Asset(Section):
    """A base token, its price when the run starts, and how deep its outside market is."""

    decimals: Whole = field(18, "Decimals of the token's smallest unit", ge=0, le=27)
    kind: Literal["market", "ratio"] = field(
        "market", "`market`: has a price path of its own; `ratio`: a fixed, slowly growing multiple of its base"
    )
    price_usd: float | None = field(
        None, "Price when the run starts; needed for `market`, omitted for `ratio`", unit="USD", gt=0
    )
    base: str | None = field(None, "Asset that a `ratio` asset is a multiple of", refers_to="asset")
    ratio: float | None = field(
        None, "Units of the base that one token is worth at the start", unit="base per token", gt=0
    )
    ratio_growth_per_year: float = field(
        0.0, "Growth of the ratio, compounded continuously: ratio x exp(growth x years)", unit="1/year", ge=-1, le=5
    )
    depth_2pct: float | None = field(
        None,
        "D2: amount that moves the outside mid price by 2 % at reference volatility; omitted: trades do not move it",
        unit="USD or tokens (depth_unit)",
        source="assumption: a market maker's post of 2025 (ETH), CoinDesk Research of 9 Oct 2025 (BTC)",
        plausible=(20e6, 300e6),
        gt=0,
    )
    depth_unit: Literal["usd", "token"] = field(
        "usd", "Unit of `depth_2pct`, of `impact_per_unit` and of the flow they multiply"
    )
    impact_per_unit: float | None = field(
        None,
        "lambda set directly, instead of 0.02 / D2: fall of the log price per unit sold",
        unit="1/USD or 1/token",
        ge=0,
    )
    price_source: str = field("", "Where price and ratio come from")
    growth_source: str = field("", "Where the growth of the ratio comes from")
    depth_source: str = field("", "Where depth or impact come from; `assumption` if no source was found")
    source: str = source_field()


class Outside(Section):
    """The outside (reference) market: how the impact of trades decays and how depth follows volatility.

    Impact I(t) = sum over trades k of lambda_k x value_k x G(t - t_k), price = exogenous x exp(-I);
    G(s) = permanent + fast x exp(-s/fast_seconds) + slow x exp(-s/slow_seconds), shares adding to 1;
    depth D2(t) = D2 x clip((sigma_1h / reference)^(-exponent), floor, cap).
    """

    permanent_share: float = field(
        0.05,
        "phi: share of an impact that stays",
        source="assumption: fitted to the square-root law (docs/model.md 3.5)",
        plausible=(0.0, 0.3),
        ge=0,
        le=1,
    )
    fast_share: float = field(
        0.90,
        "w1: share that decays within minutes",
        source="assumption: fitted to the square-root law (docs/model.md 3.5)",
        plausible=(0.5, 0.95),
        ge=0,
        le=1,
    )
    slow_share: float = field(
        0.05,
        "w2: share that decays within a day",
        source="assumption: fitted to the square-root law (docs/model.md 3.5)",
        plausible=(0.0, 0.3),
        ge=0,
        le=1,
    )
    fast_seconds: float = field(
        120.0,
        "tau1: time constant of the fast part",
        unit="s",
        source="assumption: fitted to the square-root law (docs/model.md 3.5)",
        plausible=(30.0, 600.0),
        gt=0,
    )
    slow_seconds: float = field(
        43_200.0,
        "tau2: time constant of the slow part",
        unit="s",
        source="assumption: fitted to the square-root law (docs/model.md 3.5)",
        plausible=(14_400.0, 129_600.0),
        gt=0,
    )
    depth_volatility_exponent: float = field(
        0.36,
        "gamma: depth falls as volatility to the power -gamma",
        source="measured: Uniswap V3 USDC/WETH on Polygon, hourly, 14-17 Aug 2023 (r = -.76)",
        ge=0,
        le=3,
    )
    depth_floor: float = field(
        0.10,
        "Lowest multiple of D2",
        source="assumption: books near empty for minutes on 10 Oct 2025 (Kaiko, 13 Oct 2025)",
        plausible=(0.02, 0.3),
        gt=0,
        le=1,
    )
    depth_cap: float = field(
        1.5,
        "Highest multiple of D2",
        source="assumption: books deepen little when it is calm",
        plausible=(1.0, 2.0),
        ge=1,
        le=10,
    )
    reference_volatility_per_year: float = field(
        0.60,
        "sigma-bar: one-hour volatility (annualised) at which depth is D2 and outside gas demand its reference",
        unit="1/sqrt(year)",
        source="assumption: ETH daily 2025, robust (median) volatility .58, standard deviation .76",
        plausible=(0.4, 0.8),
        gt=0,
        le=10,
    )
    source: str = source_field()
