"""Random histories of balances, prices and reports, and the judge of a screen: integers over every account."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sim.screening import Screen

RAY = 10**27
WAD = 10**18
DECIMALS = [18, 18, 8, 6, 2]
PRICES_USD = [3500.0, 4200.0, 100_000.0, 1.0, 1.0]
THRESHOLDS_BPS = [[8300, 8100, 7800, 7800, 6000], [9350, 9500, 7800, 9000, 6000]]  # by e-mode
SIDES = ("below", "above")

MakeScreen = Callable[["World"], Screen]


class World:
    """Exact balances with float mirrors, and a pool's integer arithmetic on them (average threshold in whole bps)."""

    def __init__(self, seed: int, side: str = "below", accounts: int = 90) -> None:
        self.random = np.random.Generator(np.random.Philox(seed))
        self.side = side
        self.reserves = len(DECIMALS)
        self.accounts = 0
        self.emodes = [list(row) for row in THRESHOLDS_BPS]
        self.prices = [round(price * 1e8) for price in PRICES_USD]
        self.income = [RAY] * self.reserves
        self.interest = [RAY] * self.reserves
        self.collateral: list[dict[int, int]] = []
        self.debt: list[dict[int, int]] = []
        self.emode: list[int] = []
        self.triggers: list[float] = []
        self.collateral_column = np.zeros((self.reserves, 0))
        self.debt_column = np.zeros((self.reserves, 0))
        self.emode_column = np.zeros(0, dtype=np.int16)
        self.decisions = 0
        for _ in range(accounts):
            self.open_account()

    # ------------------------------------------------------------------ accounts
    def open_account(self) -> int:
        account = self.accounts
        self.accounts += 1
        if self.accounts > self.collateral_column.shape[1]:
            capacity = max(16, 2 * account)
            for name in ("collateral_column", "debt_column"):
                new = np.zeros((self.reserves, capacity))
                new[:, :account] = getattr(self, name)[:, :account]
                setattr(self, name, new)
            self.emode_column = np.concatenate([self.emode_column, np.zeros(capacity - account, dtype=np.int16)])
        self.collateral.append({})
        self.debt.append({})
        self.emode.append(0)
        self.triggers.append(self.draw_trigger())
        self.redraw(account)
        return account

    def draw_trigger(self) -> float:
        return 1.0 if self.random.random() < 0.5 else float(self.random.uniform(0.7, 1.6))

    def redraw(self, account: int) -> None:
        """New balances, a health factor often next to the trigger, sizes from one smallest unit to millions of USD."""
        random = self.random
        self.emode[account] = int(random.random() < 0.25)
        size_usd = 10.0 ** float(random.uniform(-4.0, 1.5) if random.random() < 0.3 else random.uniform(1.0, 6.5))
        near = random.choice([0.0003, 0.003, 0.03, 0.5])
        ratio = self.triggers[account] * (1.0 + near * float(random.normal()))
        self.collateral[account] = self._spread(size_usd * max(ratio, 0.0), self._few(), self.income, account)
        self.debt[account] = self._spread(size_usd, self._few(), self.interest, None)
        if random.random() < 0.08:
            self.debt[account] = {}
        if random.random() < 0.05:
            self.collateral[account] = {}
        self.write(account)

    def _few(self) -> list[int]:
        number = int(self.random.choice([1, 1, 1, 2, 3]))
        return sorted(self.random.permutation(self.reserves)[:number].tolist())

    def _spread(self, total_usd: float, assets: list[int], index: list[int], account: int | None) -> dict[int, int]:
        result = {}
        for asset in assets:
            threshold = 1.0 if account is None else max(self.emodes[self.emode[account]][asset], 1) / 1e4
            tokens = total_usd / len(assets) / threshold / (max(self.prices[asset], 1) / 1e8)
            result[asset] = max(round(tokens * 10 ** DECIMALS[asset]) * RAY // index[asset], 1)
        return result

    def write(self, account: int) -> None:
        for column, balances in ((self.collateral_column, self.collateral), (self.debt_column, self.debt)):
            column[:, account] = 0.0
            for asset, scaled in balances[account].items():
                column[asset, account] = scaled / 10 ** DECIMALS[asset]
        self.emode_column[account] = self.emode[account]

    # ------------------------------------------------------------------ exact judgement
    def health_factor(self, account: int) -> int | None:
        """In wad; None without debt."""
        total = weighted = debt = 0
        thresholds = self.emodes[self.emode[account]]
        for asset, scaled in self.collateral[account].items():
            amount = scaled * self.income[asset] // RAY
            value = amount * self.prices[asset] // 10 ** DECIMALS[asset]
            total += value
            weighted += value * thresholds[asset]
        for asset, scaled in self.debt[account].items():
            amount = -(-scaled * self.interest[asset] // RAY)
            debt += amount * self.prices[asset] // 10 ** DECIMALS[asset]
        if not debt:
            return None
        average_bps = weighted // total if total else 0
        return (total * average_bps + 5000) // 10_000 * WAD // debt

    def crossed(self, account: int) -> bool:
        health_factor = self.health_factor(account)
        trigger = round(self.triggers[account] * 1e18)
        if self.side == "below":
            return health_factor is not None and health_factor < trigger
        return bool(self.collateral[account]) and (health_factor is None or health_factor > trigger)

    def decide(self, account: int) -> bool:
        self.decisions += 1
        assert type(account) is int
        return self.crossed(account)

    # ------------------------------------------------------------------ time
    def factors(self) -> tuple[np.ndarray, np.ndarray]:
        prices = np.array(self.prices) / 1e8
        income = np.array([index / RAY for index in self.income])
        interest = np.array([index / RAY for index in self.interest])
        return prices * income * np.array(self.emodes) / 1e4, prices * interest

    def move_prices(self, block: int) -> None:
        random = self.random
        sigma = float(random.choice([2e-5, 5e-4, 1e-2], p=[0.3, 0.5, 0.2]))
        for asset in range(self.reserves):
            factor = float(np.exp(sigma * random.normal()))
            if random.random() < 0.004:
                factor *= float(random.choice([0.1, 0.6, 1.7, 8.0]))
            dearest = 10 ** (8 - 2 + DECIMALS[asset])  # at which the smallest unit is worth a cent
            self.prices[asset] = min(max(int(self.prices[asset] * factor), 1000), dearest)
            self.income[asset] += self.income[asset] * int(random.integers(0, 2000)) // 10**9
            self.interest[asset] += self.interest[asset] * int(random.integers(0, 4000)) // 10**9
        if random.random() < 0.01:
            self.emodes[int(random.integers(0, 2))][int(random.integers(0, 5))] = int(random.integers(50, 97)) * 100
        if block == 60:
            self.emodes.append([8000, 8000, 7000, 9000, 9000])


def first_difference(make: MakeScreen, seed: int, side: str = "below", blocks: int = 120) -> str | None:
    """Play a history; the first block at which the screen does not hand over exactly what the integers say, or None."""
    world = World(seed, side)
    random = world.random
    screen = make(world)
    screen.arm(range(world.accounts), np.array(world.triggers))
    watched = [True] * world.accounts  # armed, and not handed over
    paused = [False] * world.accounts
    for block in range(blocks):
        world.move_prices(block)
        expected = [account for account in range(world.accounts) if watched[account] and world.crossed(account)]
        found = screen.look(*world.factors())
        if found != expected:
            return f"block {block}: handed over {found}, the integers say {expected}"
        for account in expected:
            watched[account] = False
        touched = random.integers(0, world.accounts, int(random.choice([0, 3, 12]))).tolist()
        for account in touched:
            world.redraw(account)
            watched[account] = not paused[account]
        screen.touch(touched)
        given_back = [a for a in range(world.accounts) if not watched[a] and random.random() < 0.1]
        for account in given_back:
            watched[account], paused[account] = True, False
        screen.rearm(np.array(given_back, dtype=np.int64) if block % 2 else given_back)
        if random.random() < 0.2:
            stopped = random.integers(0, world.accounts, 3).tolist()
            for account in stopped:
                watched[account], paused[account] = False, True
            screen.pause(stopped)
        if random.random() < 0.3:
            changed = sorted(set(random.integers(0, world.accounts, 3).tolist()))
            for account in changed:
                world.triggers[account] = world.draw_trigger()
                watched[account], paused[account] = True, False
            screen.arm(changed, [world.triggers[account] for account in changed])
        if random.random() < 0.1:
            account = world.open_account()
            watched.append(True)
            paused.append(False)
            screen.arm([account], world.triggers[account])
    return None
