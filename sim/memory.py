"""Memory: what a scenario's populations will take, against what the machine has left; told before anything is founded.

What the machine has left is the least of: the kernel's own estimate (MemAvailable), the room under the limits of the
control groups this process runs in (versions 1 and 2), and the process's limit on address space. Where the platform
tells none of them, all of the machine's memory counts; where it does not tell that either, nothing is refused.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from scenarios import Scenario
from sim.refusals import Refusals

#: Memory of an agent with its account, whatever the number of assets, and what every asset adds to it. Resident memory
#: after founding `calm` with 500,000 borrowers and four assets was 1,100 bytes an agent on Mesa 3.3 (880 on Mesa 3.5),
#: 1,155 after 100 steps. An asset has a place in three lists of integers, an integer or two, three columns of floats.
BYTES_PER_AGENT = 900
BYTES_PER_AGENT_AND_ASSET = 80

#: Share of what is left that a run may plan for; results and Python's own needs come on top of the populations.
USABLE_RATIO = 0.9

#: Fewer agents than this are never worth the look.
FEW_AGENTS = 100_000

_GROUPS = Path("/sys/fs/cgroup")
_PROC = Path("/proc")


def check_memory(scenario: Scenario, refusals: Refusals) -> None:
    """Note a problem where the populations of a scenario need more memory than there is."""
    agents = agents_of(scenario)
    total = sum(agents.values())
    if total < FEW_AGENTS:
        return
    available = available_bytes()
    needed = estimated_bytes(scenario)
    if available is None or needed <= USABLE_RATIO * available:
        return
    fits = USABLE_RATIO * available / needed
    largest = max(agents, key=lambda name: agents[name])
    settings = scenario.populations
    message = f"{total:,} agents need about {_words(needed)} of memory and {_words(available)} are left on this machine"
    if settings.scale != 1.0 and settings.tables[largest].scaled:
        refusals.add("populations.scale", f"{settings.scale:g}", f"at most about {settings.scale * fits:.2g}", message)
        return
    count, slots = settings.tables[largest].count, getattr(settings.tables[largest].parameters, "slots", 0)
    field, given = ("slots", slots) if slots > count else ("count", count)
    rest = estimated_bytes(scenario) - agents[largest] * bytes_per_agent(scenario)
    allowed = max(0, int((USABLE_RATIO * available - rest) / bytes_per_agent(scenario)))
    refusals.add(f"populations.{largest}.{field}", f"{given:,}", f"at most about {allowed:,}", message)


def agents_of(scenario: Scenario) -> dict[str, int]:
    """Agents by population, the slots of those who come later included."""
    return {
        name: max(scenario.scaled_count(name), scenario.scaled(name, getattr(settings.parameters, "slots", 0)))
        for name, settings in scenario.populations.tables.items()
    }


def bytes_per_agent(scenario: Scenario) -> int:
    """Memory of one agent in a market with the scenario's assets."""
    return BYTES_PER_AGENT + BYTES_PER_AGENT_AND_ASSET * len(scenario.assets)


def estimated_bytes(scenario: Scenario) -> int:
    """Memory that the populations of a scenario take once they are founded."""
    return sum(agents_of(scenario).values()) * bytes_per_agent(scenario)


# ---------------------------------------------------------------------- the machine
def available_bytes() -> int | None:
    """Memory that this process may still take; None where the platform tells nothing."""
    left = [*_kernel(), *_control_groups(), *_address_space()]
    if left:
        return max(0, min(left))
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _kernel() -> Iterator[int]:
    for line in _lines(_PROC / "meminfo"):
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            yield int(value.split()[0]) * 1024


def _control_groups() -> Iterator[int]:
    """Room under the limits of the groups this process belongs to, and of the groups they are part of."""
    for line in _lines(_PROC / "self" / "cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            root, names = _GROUPS, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            root, names = _GROUPS / "memory", ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for depth in range(len(parts) + 1):
            yield from _room(root.joinpath(*parts[:depth]), *names)


def _room(group: Path, limit_name: str, used_name: str, reclaimable_name: str) -> Iterator[int]:
    limit, used = _lines(group / limit_name), _lines(group / used_name)
    if not limit or not used or not limit[0].isdigit():
        return  # "max": no limit
    # Files that the kernel has cached and not used lately give way to whoever needs the memory.
    reclaimable = [int(line.split()[1]) for line in _lines(group / "memory.stat") if line.startswith(reclaimable_name)]
    yield int(limit[0]) - int(used[0]) + (reclaimable[0] if reclaimable else 0)


def _address_space() -> Iterator[int]:
    if sys.platform == "win32":
        return
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    size = _lines(_PROC / "self" / "statm")
    if limit != resource.RLIM_INFINITY and size:
        yield limit - int(size[0].split()[0]) * resource.getpagesize()


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return []


def _words(size: float) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.0f} MB"
