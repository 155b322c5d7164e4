"""`OutsideMarket`: the reference market around this economy, which follows an exogenous price and feels the agents."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.ledger import Ledger
from sim.markets.outside.chains import chain_of, route_between
from sim.markets.outside.curve import Filled, Route, fill, value_to_send
from sim.markets.outside.impacts import Impacts
from sim.markets.outside.records import (
    KINDS,
    OUTSIDE_CAUSE,
    Cause,
    Causes,
    Kernel,
    OutsideToken,
    OutsideTrade,
    check_kernel,
    check_token,
    kind_of,
)
from sim.markets.outside.volatility import RealisedVolatility

#: Log move that a trade of the size D2 makes.
DEPTH_MOVE = 0.02

NOT_TRADED = "TOKEN_NOT_TRADED"
IDENTICAL_TOKENS = "IDENTICAL_ADDRESSES"
INSUFFICIENT_INPUT = "INSUFFICIENT_INPUT_AMOUNT"
INSUFFICIENT_OUTPUT = "INSUFFICIENT_OUTPUT_AMOUNT"

_LIQUIDATION: Causes = (("liquidation", 1.0),)


class OutsideMarket:
    """R = E exp(-I): exogenous price E, impact I of what this economy sold (bought: negative), by cause.

    A sale of n tokens adds lam n, with lam = 0.02 / D2(t) per unit, D2(t) = D2 clip((sigma_1h / reference)^(-gamma),
    floor, cap) and sigma_1h the realised volatility of the token's *exogenous* price, so that an impact never changes
    the depth; what is left after s seconds is G(s) (`Kernel`). D2 in USD is turned into tokens once a step, at the
    price at the step's start: within a step trades then give the same in one piece or many, in any order of pieces.
    A trade sells one token and buys another; both prices move. It pays what `quote` says whatever its causes are, but
    only what is neither caused "outside" nor by a switched-off cause stays in I. `causes` are the kinds of cause that
    trades may name, so that the parts of every recorded price add up.

    The market is the counterparty of every trade with unlimited inventory: tokens leave and enter the ledger.
    Amounts are integers, rounded against the trader; prices are floats, USD per whole token.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        tokens: Mapping[int, OutsideToken],
        *,
        name: str = "outside",
        permanent_share: float = 0.05,
        fast_share: float = 0.90,
        slow_share: float = 0.05,
        fast_seconds: float = 120.0,
        slow_seconds: float = 43_200.0,
        depth_volatility_exponent: float = 0.36,
        depth_floor: float = 0.10,
        depth_cap: float = 1.5,
        reference_volatility_per_year: float = 0.60,
        impact_off: Iterable[Cause] = (),
        causes: Sequence[str] = KINDS,
    ) -> None:
        self.name = name
        self.ledger = ledger
        self.clock = clock
        self.journal = ledger.journal
        self.kernel = Kernel(permanent_share, fast_share, slow_share, fast_seconds, slow_seconds)
        check_kernel(self.kernel)
        if not 0.0 < depth_floor <= 1.0 <= depth_cap:
            given = f"{depth_floor!r}, {depth_cap!r}"
            raise ValueError(f"depth_floor, depth_cap: given {given}; allowed: floor in (0, 1], cap 1 or more")
        if depth_volatility_exponent < 0.0 or not reference_volatility_per_year > 0.0:
            given = f"{depth_volatility_exponent!r}, {reference_volatility_per_year!r}"
            raise ValueError(
                f"depth_volatility_exponent, reference_volatility_per_year: given {given}; allowed: 0 or more, above 0"
            )
        self.depth_volatility_exponent = depth_volatility_exponent
        self.depth_floor = depth_floor
        self.depth_cap = depth_cap
        self.tokens = dict(tokens)
        for token, parameters in self.tokens.items():
            check_token(token, parameters)
        self._chains = {token: chain_of(token, self.tokens) for token in self.tokens}
        self._order = sorted(self.tokens, key=lambda token: (len(self._chains[token]), token))
        self._dependents = {
            token: tuple(other for other in self._order if token in self._chains[other]) for token in self.tokens
        }
        count = max(self.tokens, default=-1) + 1
        self.prices = [0.0] * count
        self.exogenous = [0.0] * count
        self.log_exogenous = [0.0] * count
        self.impacts = [0.0] * count
        self.lam = [0.0] * count
        self.units = [ledger.tokens[token].unit if token in self.tokens else 1 for token in range(count)]
        self._own = {token: Impacts(self.kernel) for token in self.tokens}
        self.volatility = {
            token: RealisedVolatility(p.reference_volatility_per_year or reference_volatility_per_year)
            for token, p in self.tokens.items()
        }
        self.causes = tuple(causes)
        self._kinds = frozenset((*causes, OUTSIDE_CAUSE))
        self._off = set(impact_off)
        self._timestamp: int | None = None
        self._routes: dict[tuple[int, int], Route] = {}
        self._left: tuple[int, float, float] = (0, 1.0, 1.0)
        self.account = ledger.open_account(name)

    # ------------------------------------------------------------------ time
    def begin_step(self, exogenous_prices: Sequence[float], timestamp: int) -> None:
        """Take in the exogenous prices (USD by token id) of `timestamp`; impacts decay to it, depth follows."""
        seconds = 0 if self._timestamp is None else timestamp - self._timestamp
        if seconds < 0:
            raise ValueError(f"timestamp: given {timestamp}; allowed: {self._timestamp} or later")
        self._timestamp = timestamp
        if self._left[0] != seconds:
            kernel = self.kernel
            self._left = (seconds, math.exp(-seconds / kernel.fast_seconds), math.exp(-seconds / kernel.slow_seconds))
        _, fast_left, slow_left = self._left
        tokens = self.tokens
        impacts = self.impacts
        for token in self._order:
            exogenous = float(exogenous_prices[token])
            if not 0.0 < exogenous < math.inf:
                raise ValueError(f"exogenous price of token {token}: given {exogenous!r}; allowed: finite, above 0")
            log_exogenous = math.log(exogenous)
            self.exogenous[token] = exogenous
            self.log_exogenous[token] = log_exogenous
            impact = self._own[token].decay(fast_left, slow_left)
            base = tokens[token].base
            if base is not None:
                impact += impacts[base]
            impacts[token] = impact
            price = self.prices[token] = exogenous * math.exp(-impact) if impact else exogenous
            self.lam[token] = self._impact_per_token(
                token, price, self.volatility[token].update(log_exogenous, seconds)
            )

    def _impact_per_token(self, token: int, price_usd: float, volatility_ratio: float) -> float:
        parameters = self.tokens[token]
        lam = parameters.impact_per_unit
        if lam is None:
            if parameters.depth_2pct == math.inf:
                return 0.0
            lam = DEPTH_MOVE / (parameters.depth_2pct * self.depth_multiple(volatility_ratio))
        return lam * price_usd if parameters.depth_unit == "usd" else lam

    def depth_multiple(self, volatility_ratio: float) -> float:
        """D2(t) / D2 = clip((sigma_1h / reference)^(-gamma), floor, cap)."""
        if volatility_ratio <= 0.0:
            return self.depth_cap if self.depth_volatility_exponent else 1.0
        multiple = math.pow(volatility_ratio, -self.depth_volatility_exponent)
        return min(max(multiple, self.depth_floor), self.depth_cap)

    # ------------------------------------------------------------------ operations
    def quote(self, token_in: int, token_out: int, amount_in: int) -> int:
        """What `swap` would give now; 0 where it would refuse."""
        if token_in == token_out or amount_in <= 0 or token_in not in self.tokens or token_out not in self.tokens:
            return 0
        return int(self._fill(token_in, token_out, amount_in).tokens * self.units[token_out])

    def quote_exact_out(self, token_in: int, token_out: int, amount_out: int) -> int | None:
        """The least amount whose sale gives `amount_out` (to float precision, never too little); None if none does."""
        if token_in == token_out or amount_out <= 0 or token_in not in self.tokens or token_out not in self.tokens:
            return None
        tokens_out = amount_out / self.units[token_out]
        value = value_to_send(self._route(token_in, token_out), self.prices, self.lam, token_out, tokens_out)
        if value == math.inf:
            return None
        amount = math.ceil(value / self.prices[token_in] * self.units[token_in])
        missing = 1 + (amount >> 52)  # one unit, or as little as a float of this size can tell apart
        for _ in range(64):
            if self.quote(token_in, token_out, amount) >= amount_out:
                return amount
            amount += missing
            missing *= 2
        return None

    def swap(
        self,
        sender: int,
        token_in: int,
        token_out: int,
        amount_in: int,
        min_out: int = 0,
        causes: Causes = _LIQUIDATION,
    ) -> OutsideTrade:
        """Sell `amount_in` of one token for another and book what it moves under `causes`.

        Reverts with `INSUFFICIENT_OUTPUT_AMOUNT` below `min_out` or for nothing, with the ledger's own reason if the
        sender has too little; `ValueError` for an unknown kind of cause or shares that do not add to 1.
        """
        if token_in not in self.tokens or token_out not in self.tokens:
            raise Revert(NOT_TRADED)
        if token_in == token_out:
            raise Revert(IDENTICAL_TOKENS)
        if amount_in <= 0:
            raise Revert(INSUFFICIENT_INPUT)
        filled = self._fill(token_in, token_out, amount_in)
        amount_out = int(filled.tokens * self.units[token_out])
        if amount_out < max(min_out, 1):
            raise Revert(INSUFFICIENT_OUTPUT)
        weights = self._weights(causes)
        self.ledger.outflow(token_in, sender, amount_in)
        self.ledger.inflow(token_out, sender, amount_out)
        impacts = self.impacts
        before_in, before_out = impacts[token_in], impacts[token_out]
        if weights:
            for token, move in filled.moves:
                self._book(token, move, weights)
        return OutsideTrade(
            token_in,
            token_out,
            amount_in,
            amount_out,
            filled.value_usd,
            filled.value_usd * self.units[token_in] / amount_in,
            impacts[token_in] - before_in,
            impacts[token_out] - before_out,
            causes,
        )

    def switch_impact(self, cause: Cause, enabled: bool) -> None:
        """Switch the impact of trades of a kind of cause on or off from now on; they pay the quoted cost either way."""
        if enabled:
            self._off.discard(cause)
        else:
            self._off.add(cause)

    # ------------------------------------------------------------------ readers
    def impact_enabled(self, cause: Cause) -> bool:
        """Whether trades under `cause` leave an impact."""
        kind = kind_of(cause)
        return kind != OUTSIDE_CAUSE and kind not in self._off

    def impact(self, token: int) -> float:
        """I of a token now: ln E - ln R, its base's impact included."""
        return self.impacts[token]

    def impact_by_cause(self, token: int) -> dict[Cause, float]:
        """I of a token by cause, its base's included; the parts add to `impact`."""
        chain = self._chains[token]
        parts = self._own[token].by_cause()
        for base in chain[1:]:
            for cause, part in self._own[base].by_cause().items():
                parts[cause] = parts.get(cause, 0.0) + part
        return parts

    def log_price(self, token: int) -> float:
        """ln R = ln E - I."""
        return self.log_exogenous[token] - self.impacts[token]

    def volatility_ratio(self, token: int) -> float:
        """sigma_1h of a token's exogenous price against the reference; 1 when the run begins."""
        return self.volatility[token].ratio

    def depth_2pct_usd(self, token: int) -> float:
        """D2(t) in USD: the sale that moves the log price by 0.02, for this step."""
        lam = self.lam[token]
        return DEPTH_MOVE * self.prices[token] / lam if lam > 0.0 else math.inf

    # ------------------------------------------------------------------ inside
    def _route(self, token_in: int, token_out: int) -> Route:
        known = self._routes.get((token_in, token_out))
        if known is None:
            route = route_between(self._chains[token_in], self._chains[token_out])
            known = self._routes[token_in, token_out] = route
        return known

    def _fill(self, token_in: int, token_out: int, amount_in: int) -> Filled:
        value = amount_in / self.units[token_in] * self.prices[token_in]
        return fill(self._route(token_in, token_out), self.prices, self.lam, token_out, value)

    def _weights(self, causes: Causes) -> list[tuple[Cause, float]]:
        """The causes that leave an impact, with their shares."""
        total = 0.0
        weights = []
        for cause, share in causes:
            total += share
            if share < 0.0:
                raise ValueError(f"causes: given a share of {share!r} for {cause}; allowed: 0 to 1")
            if kind_of(cause) not in self._kinds:
                raise ValueError(f"causes: given {cause!r}; allowed: {', '.join(self.causes)}, {OUTSIDE_CAUSE}")
            if share and self.impact_enabled(cause):
                weights.append((cause, share))
        if not abs(total - 1.0) < 1e-9:
            raise ValueError(f"causes: given shares that add to {total!r}; allowed: 1")
        return weights

    def _book(self, token: int, move: float, weights: list[tuple[Cause, float]]) -> None:
        if not move:
            return
        entries = self.journal.entries
        own = self._own[token]
        for cause, share in weights:
            own.add(entries, cause, share * move)
        impacts, prices = self.impacts, self.prices
        for other in self._dependents[token]:
            impact = 0.0
            for link in self._chains[other]:
                impact += self._own[link].total
            entries.append((impacts, other, impacts[other]))
            impacts[other] = impact
            entries.append((prices, other, prices[other]))
            prices[other] = self.exogenous[other] * math.exp(-impact)
