"""Events: receipts and oracle reports turned into rows of the results."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sim.chain.transaction import Receipt
from sim.governance import GOVERNANCE
from sim.markets.arrivals import CapitalMoved
from sim.markets.periphery import ArbitrageDone, Deleveraged, Levered, LiquidationDone
from sim.markets.venues import Sale

WEI = 1e-18
WAD = 1e-18


class Flows:
    """What an account has gained or lost through its receipts, USD: gas, liquidations, trades; and what it brought."""

    __slots__ = ("capital_usd", "gas_usd", "liquidation_usd", "trading_usd")

    def __init__(self) -> None:
        self.capital_usd = 0.0
        self.gas_usd = 0.0
        self.liquidation_usd = 0.0
        self.trading_usd = 0.0


class EventRecorder:
    """Writes a row per receipt and per oracle report, and keeps each account's flows for the profit table.

    `liquidations`, `liquidated_usd`, `transactions` and `reverted` are those of the present step.
    """

    def __init__(self, economy: Any, recorder: Any) -> None:
        self.economy = economy
        self.recorder = recorder
        self.flows: dict[int, Flows] = {}
        self.symbols = [token.symbol for token in economy.ledger.tokens]
        self.units = [float(token.unit) for token in economy.ledger.tokens]
        self.reserve_tokens = [reserve.token for reserve in economy.pool.reserves]
        self.liquidations = 0
        self.liquidated_usd = 0.0
        self.total_liquidations = 0
        self.total_liquidated_usd = 0.0
        self.transactions = 0
        self.reverted = 0

    def flow(self, account: int) -> Flows:
        """The flows of an account, made on first use."""
        found = self.flows.get(account)
        if found is None:
            found = self.flows[account] = Flows()
        return found

    # ------------------------------------------------------------------ receipts
    def receipts(self, receipts: Iterable[Receipt]) -> None:
        """Record the receipts of one step; bundles that were left out of the block are not receipts."""
        self.liquidations = self.transactions = self.reverted = 0
        self.liquidated_usd = 0.0
        for receipt in receipts:
            if not receipt.ok and not receipt.gas_used and receipt.transaction.kind != GOVERNANCE:
                continue
            self.transactions += 1
            if not receipt.ok:
                self.reverted += 1
            self._record(receipt)

    def _record(self, receipt: Receipt) -> None:
        transaction = receipt.transaction
        sender = transaction.sender
        fee_eth = receipt.fee_wei * WEI
        if fee_eth:
            self.flow(sender).gas_usd -= fee_eth * self.economy.view.eth_usd
        head = (
            receipt.event_id,
            None if transaction.cause_id < 0 else transaction.cause_id,
            receipt.step,
            receipt.block,
            receipt.timestamp,
            transaction.kind,
            sender,
            self.economy.ledger.owners[sender],
            receipt.ok,
            receipt.reason or None,
            receipt.gas_used,
            fee_eth,
        )
        detail: tuple[Any, ...] = ()
        results = receipt.results
        if len(results) == 1 and type(results[0]) is Sale:  # most receipts
            detail = self._sale(sender, results[0])
            self.recorder.events.add_row(head + detail)
            return
        for result in results:
            if type(result) is CapitalMoved:
                self._capital(sender, result)
        if results:
            result = results[-1]
            if type(result) is LiquidationDone:
                detail = self._liquidation(receipt, result)
            elif type(result) is ArbitrageDone:
                detail = self._arbitrage(receipt, result)
            elif type(result) is Sale:
                detail = self._sale(sender, result)
            elif type(result) is Deleveraged:
                detail = self._deleveraging(sender, result)
            elif type(result) is Levered:
                detail = self._leveraging(sender, result)
            else:
                detail = (sender, "pool")
        elif transaction.subject >= 0 and transaction.kind == "liquidation":
            detail = (transaction.subject, "pool")
        self.recorder.events.add_row(head + detail)

    def _liquidation(self, receipt: Receipt, done: LiquidationDone) -> tuple[Any, ...]:
        pool = self.economy.pool
        collateral = self.reserve_tokens[done.collateral_asset]
        debt = self.reserve_tokens[done.debt_asset]
        repaid = done.debt_repaid / self.units[debt]
        seized = (done.collateral_seized + done.protocol_fee) / self.units[collateral]
        repaid_usd = repaid * pool.prices[done.debt_asset] * 1e-8
        seized_usd = seized * pool.prices[done.collateral_asset] * 1e-8
        transaction = receipt.transaction
        outside = self.economy.outside.prices
        gross_usd = done.profit / self.units[debt] * outside[debt] - transaction.bid_usd
        self.liquidations += 1
        self.liquidated_usd += repaid_usd
        self.total_liquidations += 1
        self.total_liquidated_usd += repaid_usd
        self.flow(transaction.sender).liquidation_usd += gross_usd
        self.flow(done.borrower).liquidation_usd -= seized_usd - repaid_usd
        return (
            done.borrower,
            pool.name,
            self.symbols[collateral],
            self.symbols[debt],
            repaid,
            repaid_usd,
            seized,
            seized_usd,
            seized_usd - repaid_usd,
            done.protocol_fee / self.units[collateral],
            done.health_factor_before * WAD,
            gross_usd - receipt.fee_wei * WEI * self.economy.view.eth_usd,
            self.symbols[collateral],
            self.symbols[debt],
            done.collateral_seized / self.units[collateral],
            done.proceeds / self.units[debt],
            done.proceeds / self.units[debt] * outside[debt] / (done.collateral_seized / self.units[collateral])
            if done.collateral_seized
            else None,
        )

    def _arbitrage(self, receipt: Receipt, done: ArbitrageDone) -> tuple[Any, ...]:
        usd = self.economy.outside.prices[done.token_in] / self.units[done.token_in]
        gross_usd = done.profit * usd - receipt.transaction.bid_usd
        self.flow(receipt.transaction.sender).trading_usd += gross_usd
        net_usd = gross_usd - receipt.fee_wei * WEI * self.economy.view.eth_usd
        return self._trade(None, done.venue, net_usd, done.token_in, done.token_out, done.amount_in, done.amount_out)

    def _sale(self, sender: int, sale: Sale) -> tuple[Any, ...]:
        token_in, token_out, amount_in, amount_out, _ = sale
        prices, units = self.economy.outside.prices, self.units
        got_usd = amount_out / units[token_out] * prices[token_out]
        self.flow(sender).trading_usd += got_usd - amount_in / units[token_in] * prices[token_in]
        return self._trade(None, sale.venue, None, token_in, token_out, amount_in, amount_out)

    def _deleveraging(self, sender: int, done: Deleveraged) -> tuple[Any, ...]:
        collateral = self.reserve_tokens[done.collateral_asset]
        debt = self.reserve_tokens[done.debt_asset]
        repaid = done.debt_repaid / self.units[debt]
        repaid_usd = repaid * self.economy.pool.prices[done.debt_asset] * 1e-8
        outside = self.economy.outside.prices
        sold_usd = done.collateral_sold / self.units[collateral] * outside[collateral]
        self.flow(sender).trading_usd += repaid * outside[debt] - sold_usd
        head = (sender, self.economy.pool.name, self.symbols[collateral], self.symbols[debt], repaid, repaid_usd)
        return (*head, None, None, None, None, None, None, self.symbols[collateral], self.symbols[debt],
                done.collateral_sold / self.units[collateral], repaid, None)  # fmt: skip

    def _leveraging(self, sender: int, done: Levered) -> tuple[Any, ...]:
        sold, bought = self.reserve_tokens[done.debt_asset], self.reserve_tokens[done.collateral_asset]
        outside = self.economy.outside.prices
        spent_usd = done.debt_borrowed / self.units[sold] * outside[sold]
        self.flow(sender).trading_usd += done.collateral_bought / self.units[bought] * outside[bought] - spent_usd
        market = self.economy.pool.name
        return self._trade(sender, market, None, sold, bought, done.debt_borrowed, done.collateral_bought)

    def _capital(self, sender: int, done: CapitalMoved) -> None:
        """What crossed the border is neither gain nor loss."""
        prices = self.economy.world.token_prices()
        for token, amount in done.moved:
            self.flow(sender).capital_usd += amount / self.units[token] * prices[token]

    def _trade(
        self,
        account: int | None,
        market: str,
        profit_usd: float | None,
        token_in: int,
        token_out: int,
        amount_in: int,
        amount_out: int,
    ) -> tuple[Any, ...]:
        sold = amount_in / self.units[token_in]
        bought = amount_out / self.units[token_out]
        price = bought * self.economy.outside.prices[token_out] / sold if sold else None
        symbols = (self.symbols[token_in], self.symbols[token_out])
        return (
            account,
            market,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            profit_usd,
            *symbols,
            sold,
            bought,
            price,
        )

    # ------------------------------------------------------------------ oracle
    def report(self, report: Any) -> None:
        """Record one oracle report with its log price as a sum of named causes."""
        impacts = {f"ln_impact.{cause}": value for cause, value in report.impacts}
        executor = self.economy.executor
        event_id = executor.next_event_id
        executor.next_event_id = event_id + 1
        self.recorder.reports.add(
            event_id=event_id,
            feed=report.feed,
            read_at=report.read_at,
            effective_at=report.effective_at,
            price_usd=report.price * 1e-8,
            ln_exogenous=report.ln_exogenous,
            basis=report.basis,
            error=report.error,
            **impacts,
        )
