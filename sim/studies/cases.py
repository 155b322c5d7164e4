"""The points of a study put together by what a reader chose: each case with its assumptions varied beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sim.studies.reading import Study

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Case:
    """One choice of the fields that the design varies on purpose.

    `central` is the point with the scenario's own assumptions (the first if there is none); `band` are all points of
    the case with assumptions varied.
    """

    settings: Mapping[str, Any]
    central: int
    band: tuple[int, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The settings as `field = value`; "as the scenario says" without any."""
        return ", ".join(f"{field} = {shown(value)}" for field, value in self.settings.items()) or AS_IT_STANDS

    @property
    def short(self) -> str:
        """The settings with the shortest names that tell the varied fields apart: for the axis of a chart."""
        named = (f"{self.names.get(field, field)} = {shown(value)}" for field, value in self.settings.items())
        return ", ".join(named) or AS_IT_STANDS


AS_IT_STANDS = "as the scenario says"


def shown(value: Any) -> str:
    """A setting as people write it."""
    return f"{value:,.10g}" if isinstance(value, float) else str(value)


def short_names(fields: Sequence[str]) -> dict[str, str]:
    """For each dotted field the shortest end of its name that no other field has."""
    found = {}
    for name in fields:
        parts = name.split(".")
        ends = [".".join(parts[-count:]) for count in range(1, len(parts))]
        alone = (end for end in ends if [f for f in fields if f == end or f.endswith(f".{end}")] == [name])
        found[name] = next(alone, name)
    return found


def assumption_fields(manifest: Mapping[str, Any]) -> set[str]:
    """Fields that the design varies because their figures are assumptions."""
    return {str(field) for field in (manifest.get("design") or {}).get("assumptions") or ()}


def central_runs(study: Study, found: Sequence[Case]) -> pd.DataFrame:
    """The runs that ended well with the scenario's own assumptions, of all cases."""
    done = study.done
    return done[done["point"].isin([case.central for case in found])]


def cases(study: Study) -> list[Case]:
    """All cases of a study in the order of their first points; of a sensitivity study only the scenario as it is."""
    if ((study.manifest.get("design") or {}).get("parts") or {}).get("sensitivity"):
        return [Case({}, 0)]
    assumed = assumption_fields(study.manifest)
    found: dict[tuple[tuple[str, Any], ...], list[tuple[int, bool]]] = {}
    for point in sorted({int(one) for one in study.runs["point"]}):
        changes = study.changes(point)
        chosen = tuple((field, value) for field, value in changes.items() if field not in assumed)
        found.setdefault(chosen, []).append((point, any(field in assumed for field in changes)))
    names = short_names([name for name in study.varied if name not in assumed])
    made = []
    for chosen, points in found.items():
        plain = [point for point, varied in points if not varied]
        band = tuple(point for point, varied in points if varied)
        made.append(Case(dict(chosen), plain[0] if plain else points[0][0], band, names))
    return made
