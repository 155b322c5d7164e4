"""The ledger: accounts and base tokens, the only place where token balances change.

Amounts are Python integers in the token's smallest unit. Value enters and leaves only through `inflow` and
`outflow`, which are counted, so that for every token, to the unit,

    sum of balances = total inflow - total outflow.

Balances behave as in the ERC-20 contracts of the recorded traces (OpenZeppelin 3.x wording of the refusal).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from operator import add
from typing import NamedTuple

from sim.chain.journal import Journal
from sim.chain.revert import Revert
from sim.randomness import word

EXCEEDS_BALANCE = "ERC20: transfer amount exceeds balance"


class Token(NamedTuple):
    """A base token: its symbol and the number of decimals of its smallest unit."""

    symbol: str
    decimals: int

    @property
    def unit(self) -> int:
        """Smallest units in one whole token."""
        return 10**self.decimals


class LedgerImbalance(AssertionError):
    """Value was created or lost: a defect of the program, never of the input."""


class Ledger:
    """Balances of every account in every base token.

    `balances[token][account]` is an exact integer; `owners[account]` says whose account it is. Accounts of one
    population are contiguous. Markets whose own columns run over accounts register with `watch` and are told the
    new number of accounts whenever some are opened.
    """

    def __init__(self, journal: Journal | None = None) -> None:
        self.journal = journal if journal is not None else Journal()
        self.tokens: list[Token] = []
        self.balances: list[list[int]] = []
        self.inflows: list[int] = []
        self.outflows: list[int] = []
        self.owners: list[str] = []
        self._ids: dict[str, int] = {}
        self._run_starts: list[int] = []
        self._run_keys: list[int] = []
        self._opened: dict[str, int] = {}
        self._watchers: list[Callable[[int], None]] = []

    # ------------------------------------------------------------------ tokens and accounts
    def add_token(self, symbol: str, decimals: int) -> int:
        """Register a base token and return its index; a symbol can be registered once."""
        if symbol in self._ids:
            raise ValueError(f"token {symbol!r} exists already")
        if not 0 <= decimals <= 36:
            raise ValueError(f"token {symbol!r}: decimals {decimals} is outside 0 to 36")
        self._ids[symbol] = len(self.tokens)
        self.tokens.append(Token(symbol, decimals))
        self.balances.append([0] * len(self.owners))
        self.inflows.append(0)
        self.outflows.append(0)
        return self._ids[symbol]

    def token_id(self, symbol: str) -> int:
        """Index of a token by its symbol; `KeyError` if there is none."""
        return self._ids[symbol]

    def watch(self, grow: Callable[[int], None]) -> None:
        """Call `grow(number of accounts)` now and after every opening of accounts."""
        self._watchers.append(grow)
        grow(len(self.owners))

    def open_account(self, owner: str) -> int:
        """Open one account and return its index."""
        return self.open_accounts([owner])[0]

    def open_accounts(self, owners: list[str]) -> range:
        """Open contiguous accounts, one per owner, and return their indices."""
        first = len(self.owners)
        self._remember(first, owners)
        self.owners.extend(owners)
        for column in self.balances:
            column.extend([0] * len(owners))
        for grow in self._watchers:
            grow(len(self.owners))
        return range(first, len(self.owners))

    def identity(self, account: int) -> int:
        """A number for an account that depends on its owner's name and its place among the owner's accounts alone.

        Draws and ties are keyed by it, so that accounts opened for somebody else change nothing. The accounts that one
        owner opens at once have consecutive identities.
        """
        run = bisect_right(self._run_starts, account) - 1
        return self._run_keys[run] + account - self._run_starts[run]

    def _remember(self, first: int, owners: Sequence[str]) -> None:
        """Note the identities of accounts about to be opened, one run for neighbours of one owner."""
        for owner, group in groupby(owners):
            count = len(list(group))
            before = self._opened.get(owner, 0)
            self._opened[owner] = before + count
            self._run_starts.append(first)
            self._run_keys.append((word("account", owner) >> 2) + before)
            first += count

    # ------------------------------------------------------------------ movements
    def balance(self, token: int, account: int) -> int:
        """Balance in smallest units."""
        return self.balances[token][account]

    def transfer(self, token: int, sender: int, receiver: int, amount: int) -> None:
        """Move `amount` from one account to another; reverts when the sender has less."""
        column = self.balances[token]
        held = column[sender]
        if amount > held:
            raise Revert(EXCEEDS_BALANCE)
        if amount < 0:
            raise ValueError(f"negative amount {amount}")
        entries = self.journal.entries
        entries.append((column, sender, held))
        column[sender] = held - amount
        held = column[receiver]
        entries.append((column, receiver, held))
        column[receiver] = held + amount

    def inflow(self, token: int, account: int, amount: int) -> None:
        """Bring `amount` in from outside the economy."""
        if amount < 0:
            raise ValueError(f"negative amount {amount}")
        column = self.balances[token]
        entries = self.journal.entries
        entries.append((self.inflows, token, self.inflows[token]))
        self.inflows[token] += amount
        entries.append((column, account, column[account]))
        column[account] += amount

    def inflow_many(self, token: int, accounts: range, amounts: list[int]) -> None:
        """`inflow` for contiguous accounts, one amount each: one entry of the journal."""
        if accounts.step != 1 or len(accounts) != len(amounts):
            raise ValueError(f"need one amount for each of contiguous accounts, got {len(amounts)} for {accounts}")
        if min(amounts, default=0) < 0:
            raise ValueError(f"negative amount {min(amounts)}")
        column = self.balances[token]
        part = slice(accounts.start, accounts.stop)
        held = column[part]
        entries = self.journal.entries
        entries.append((self.inflows, token, self.inflows[token]))
        self.inflows[token] += sum(amounts)
        entries.append((column, part, held))
        # Where there was nothing the amounts themselves are kept, so that equal ones are one object.
        column[part] = list(map(add, held, amounts)) if any(held) else amounts

    def outflow(self, token: int, account: int, amount: int) -> None:
        """Take `amount` out of the economy; reverts when the account has less."""
        column = self.balances[token]
        held = column[account]
        if amount > held:
            raise Revert(EXCEEDS_BALANCE)
        if amount < 0:
            raise ValueError(f"negative amount {amount}")
        entries = self.journal.entries
        entries.append((self.outflows, token, self.outflows[token]))
        self.outflows[token] += amount
        entries.append((column, account, held))
        column[account] = held - amount

    # ------------------------------------------------------------------ audit
    def audit(self) -> None:
        """Full sums: every token's balances equal what flowed in less what flowed out, and none is negative."""
        for part in self.audit_parts():
            part()

    def audit_parts(self, signs: bool = True) -> list[Callable[[], None]]:
        """The audit token by token, with or without the signs; each part holds between any two transactions."""
        return [partial(self._audit_token, token, signs) for token in range(len(self.tokens))]

    def _audit_token(self, index: int, signs: bool) -> None:
        token, column = self.tokens[index], self.balances[index]
        expected = self.inflows[index] - self.outflows[index]
        total = sum(column)
        if total != expected:
            raise LedgerImbalance(f"{token.symbol}: balances {total}, inflows - outflows {expected}")
        if signs and column and min(column) < 0:
            raise LedgerImbalance(f"{token.symbol}: negative balance on account {column.index(min(column))}")
