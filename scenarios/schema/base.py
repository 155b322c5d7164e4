"""What every section of a scenario shares: frozen, complete, unknown keys refused, each field documented.

`field` is the one way to declare a parameter. Its meaning, unit, range, default and source feed the messages about
bad input, the JSON Schema, the documentation's table, `--set` and the app's widgets alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict

ASSUMPTION = "assumption"
REQUIRED: Any = ...

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """A dictionary that cannot be written to, so that a validated scenario stays what was validated."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a scenario is frozen: load it with overrides instead of changing it")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (dict(self),))

    def __copy__(self) -> FrozenDict[K, V]:
        return self

    def __deepcopy__(self, _: Any) -> FrozenDict[K, V]:
        return self


def _whole(value: object) -> object:
    """Read 1e6 as the whole number it is; everything else is left to the check that follows."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]
Table = Annotated[dict[K, V], AfterValidator(FrozenDict)]
Sequence = Annotated[tuple[V, ...], Strict(False)]


class Section(BaseModel):
    """A part of a scenario: frozen, strict about types, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True)


def field(
    default: Any,
    meaning: str,
    *,
    unit: str = "",
    source: str = "",
    plausible: tuple[float, float] | None = None,
    refers_to: str = "",
    factory: Any = None,
    **limits: Any,
) -> Any:
    """A documented parameter.

    `default` is `REQUIRED` where the file must give a value; `factory` makes a default that is a table.
    `source` says where default or meaning come from; `source="assumption"`, or a source that begins with the word,
    marks a figure for which none was found, and then `plausible` states the range that sensitivity studies vary it in.
    `refers_to` names what the value (each entry of a list, each key of a table) must be a name of: "asset", "reserve",
    "amm" or "emode" (0 for none). `limits` are pydantic's: ge, gt, le, lt, pattern, min_length …
    """
    extra: dict[str, Any] = {"unit": unit, "source": source, "assumption": source.startswith(ASSUMPTION)}
    if plausible is not None:
        extra["plausible"] = list(plausible)
    if refers_to:
        extra["refers_to"] = refers_to
    if factory is not None:
        return Field(default_factory=factory, description=meaning, json_schema_extra=extra, **limits)
    return Field(default, description=meaning, json_schema_extra=extra, **limits)


def empty_table() -> Mapping[Any, Any]:
    """The default of a table parameter: no entries."""
    return FrozenDict()


def source_field() -> Any:
    """The field every named table carries: where the figures of this very entry come from."""
    return field(
        "",
        "Where the figures of this table come from; `assumption` if no source was found, then `; FIELD RANGE` for each"
        " field whose range is not the schema's",
    )
