"""The ledger and the undo journal: nothing is created or lost, and everything can be taken back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.chain.journal import Journal
from sim.chain.revert import Revert
from sim.ledger import EXCEEDS_BALANCE, Ledger, LedgerImbalance

WETH, USDC = 0, 1
ANN, BOB, TILL = 0, 1, 2


def ledger(ann=100, bob=7):
    books = Ledger()
    books.add_token("WETH", 18)
    books.add_token("USDC", 6)
    books.open_accounts(["Ann", "Bob", "till"])
    books.inflow(WETH, ANN, ann)
    books.inflow(WETH, BOB, bob)
    books.journal.clear()
    return books


def state(books):
    return [list(column) for column in books.balances], list(books.inflows), list(books.outflows)


# ---------------------------------------------------------------------- tokens and accounts
def test_tokens_have_a_symbol_decimals_and_an_index():
    books = ledger()
    assert [(token.symbol, token.decimals, token.unit) for token in books.tokens] == [
        ("WETH", 18, 10**18),
        ("USDC", 6, 10**6),
    ]
    assert (books.token_id("WETH"), books.token_id("USDC")) == (0, 1)
    with pytest.raises(KeyError):
        books.token_id("WBTC")


@pytest.mark.parametrize(("symbol", "decimals"), [("WETH", 18), ("X", -1), ("X", 37)])
def test_a_token_twice_or_with_impossible_decimals_is_refused(symbol, decimals):
    books = ledger()
    before = len(books.tokens), state(books)
    with pytest.raises(ValueError, match=symbol):
        books.add_token(symbol, decimals)
    assert (len(books.tokens), state(books)) == before


def test_accounts_are_contiguous_and_start_empty_in_every_token():
    books = ledger()
    assert books.open_accounts(["a", "b", "c"]) == range(3, 6)
    assert books.open_account("d") == 6
    assert books.owners[3:] == ["a", "b", "c", "d"]
    late = books.add_token("WBTC", 8)
    assert [books.balance(token, 6) for token in (WETH, USDC, late)] == [0, 0, 0]
    assert {len(column) for column in books.balances} == {7}


def test_watchers_are_told_now_and_whenever_accounts_are_opened():
    books = ledger()
    told = []
    books.watch(told.append)
    books.open_accounts(["a", "b"])
    books.open_account("c")
    assert told == [3, 5, 6]


# ---------------------------------------------------------------------- movements
def test_a_transfer_moves_to_the_unit():
    books = ledger()
    books.transfer(WETH, ANN, BOB, 100)
    assert books.balances[WETH] == [0, 107, 0]
    books.transfer(WETH, BOB, BOB, 107)
    books.transfer(WETH, BOB, ANN, 0)
    assert books.balances[WETH] == [0, 107, 0]
    assert books.balances[USDC] == [0, 0, 0]
    books.audit()


def test_inflows_and_outflows_are_counted():
    books = ledger()
    books.inflow(USDC, TILL, 5)
    books.outflow(WETH, ANN, 60)
    assert (books.inflows, books.outflows) == ([107, 5], [60, 0])
    assert (books.balances[WETH], books.balances[USDC]) == ([40, 7, 0], [0, 0, 5])
    books.audit()


MOVES = {
    "transfer": lambda books, amount: books.transfer(WETH, ANN, BOB, amount),
    "transfer to oneself": lambda books, amount: books.transfer(WETH, ANN, ANN, amount),
    "outflow": lambda books, amount: books.outflow(WETH, ANN, amount),
    "inflow": lambda books, amount: books.inflow(WETH, ANN, amount),
}


@pytest.mark.parametrize("name", [name for name in MOVES if name != "inflow"])
def test_nobody_spends_what_he_has_not(name):
    books = ledger()
    before = state(books)
    with pytest.raises(Revert) as caught:
        MOVES[name](books, 101)
    assert caught.value.reason == EXCEEDS_BALANCE
    assert state(books) == before
    assert not books.journal.entries


@pytest.mark.parametrize("name", MOVES)
def test_a_negative_amount_is_a_mistake_of_the_program(name):
    books = ledger()
    before = state(books)
    with pytest.raises(ValueError, match="-1"):
        MOVES[name](books, -1)
    assert state(books) == before
    assert not books.journal.entries


# ---------------------------------------------------------------------- audit
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda books: books.balances[WETH].__setitem__(BOB, 8), "WETH: balances 108, inflows - outflows 107"),
        (lambda books: books.inflows.__setitem__(USDC, 1), "USDC: balances 0, inflows - outflows 1"),
        (lambda books: books.outflows.__setitem__(WETH, 1), "WETH: balances 107, inflows - outflows 106"),
        (
            lambda books: books.balances.__setitem__(WETH, [-1, 108, 0]),
            "WETH: negative balance on account 0",
        ),
    ],
)
def test_the_audit_notices_a_single_unit(damage, message):
    books = ledger()
    books.audit()
    damage(books)
    with pytest.raises(LedgerImbalance, match=message):
        books.audit()


# ---------------------------------------------------------------------- journal
@pytest.mark.parametrize("name", MOVES)
def test_a_movement_is_undone_from_every_one_of_its_writes(name):
    books = ledger()
    before = state(books)
    MOVES[name](books, 3)
    writes = len(books.journal.entries)
    after = state(books)
    assert writes == 2
    for stop in range(writes):
        books.journal.undo()
        assert state(books) == before
        books.journal.entries = Stopping(stop)
        with pytest.raises(Stopped), books.journal.atomic():
            MOVES[name](books, 3)
        assert state(books) == before
        books.journal.entries = []
    MOVES[name](books, 3)
    assert state(books) == after


class Stopped(Exception):
    """The journal was told to stop here."""


class Stopping(list):
    """A journal that breaks down at its n-th write."""

    def __init__(self, writes):
        super().__init__()
        self.writes = writes

    def append(self, entry):
        if len(self) == self.writes:
            raise Stopped
        super().append(entry)


def test_the_journal_puts_back_newest_first_and_forgets_new_keys():
    journal = Journal()
    numbers, named = [1, 2], {"a": 1}
    journal.put(numbers, 0, 10)
    mark = journal.mark()
    journal.put(numbers, 0, 20)
    journal.put(named, "b", 5)
    journal.put(named, "b", 6)
    journal.remove(named, "a")
    assert (numbers, named) == ([20, 2], {"b": 6})
    journal.undo(mark)
    assert (numbers, named) == ([10, 2], {"a": 1})
    journal.undo()
    assert numbers == [1, 2]
    assert not journal.entries


def test_clear_makes_writes_final():
    journal = Journal()
    numbers = [1]
    journal.put(numbers, 0, 2)
    journal.clear()
    journal.undo()
    assert numbers == [2]


@pytest.mark.parametrize("error", [Revert("no"), ValueError("a defect"), KeyboardInterrupt()])
def test_atomic_is_all_or_nothing_and_leaves_what_came_before(error):
    journal = Journal()
    numbers = [1, 1]

    def inner():
        with journal.atomic():
            journal.put(numbers, 1, 4)
            raise Revert("inside")

    def outer():
        with journal.atomic():
            journal.put(numbers, 0, 3)
            with pytest.raises(Revert):
                inner()
            assert numbers == [3, 1]
            journal.put(numbers, 1, 5)
            raise error

    with journal.atomic():
        journal.put(numbers, 0, 2)
    with pytest.raises(type(error)):
        outer()
    assert numbers == [2, 1]
    assert len(journal.entries) == 1


AMOUNTS = st.integers(0, 60)
ACCOUNTS = st.integers(0, 2)
TOKENS = st.integers(0, 1)


@given(st.lists(st.tuples(st.sampled_from(["transfer", "inflow", "outflow"]), TOKENS, ACCOUNTS, ACCOUNTS, AMOUNTS)))
def test_any_history_conserves_every_unit_and_can_be_taken_back(history):
    books = ledger()
    before = state(books)
    plain = [list(column) for column in books.balances]
    for name, token, one, other, amount in history:
        held = plain[token][one]
        try:
            if name == "transfer":
                books.transfer(token, one, other, amount)
                plain[token][one] -= amount
                plain[token][other] += amount
            elif name == "inflow":
                books.inflow(token, one, amount)
                plain[token][one] += amount
            else:
                books.outflow(token, one, amount)
                plain[token][one] -= amount
        except Revert:
            assert amount > held
        books.audit()
        assert books.balances == plain
    books.journal.undo()
    assert state(books) == before
