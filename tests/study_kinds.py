"""A kind of agent for tests of studies: it fails, kills its process, or takes its time, for the seeds it is told."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from agents.base import AgentParameters, EconomicAgent
from scenarios.schema.base import Sequence, Whole, field

HERE = Path(__file__).parent
ROOT = HERE.parent


def environment():
    """Variables of a process that finds the program under test and this module."""
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)])}


class FragileParameters(AgentParameters):
    """What happens with which seeds, in step 3."""

    failing: Sequence[Whole] = field((), "Seeds with which it raises")
    deadly: Sequence[Whole] = field((), "Seeds with which it kills its process")
    once: str = field("", "Folder of marks: what has left one does not happen again")
    pause_seconds: float = field(0.0, "Time that every step takes", ge=0)


class Fragile(EconomicAgent):
    """Sends nothing."""

    kind = "fragile"
    wake = "step"
    Parameters = FragileParameters

    @classmethod
    def due(cls, population, rows, view):
        return list(rows)

    def act(self, view):
        told, seed = self.parameters, self.model.chosen_seed
        time.sleep(told.pause_seconds)
        if view.step == 3 and seed in (*told.failing, *told.deadly):
            mark = Path(told.once) / f"died-{seed}"
            if told.once and mark.exists():
                return []
            if told.once:
                mark.touch()
            if seed in told.failing:
                raise ArithmeticError(f"planted for seed {seed}")
            os.kill(os.getpid(), signal.SIGKILL)
        return []


def fragile(**parameters):
    """Plain data of the scenario worked by hand, with one fragile agent more; its price moves with the seed."""
    return {
        "name": "fragile",
        "extends": "cascade-by-hand",
        "prices": {"process": "gbm", "volatility_per_year": {"WETH": 3.0}},
        "populations": {"fragile": {"kind": "study_kinds:Fragile", "count": 1, **parameters}},
    }


def as_toml(data):
    """The same as the text of a TOML file."""
    from scenarios.writing import toml_value

    lines = [f'name = "{data["name"]}"', f'extends = "{data["extends"]}"']
    lines += [f"{name} = {toml_value(data[name])}" for name in ("prices", "populations")]
    return "\n".join(lines) + "\n"
