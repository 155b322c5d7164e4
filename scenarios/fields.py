"""The field table: every parameter with type, unit, default, range, meaning and source, read from the schema.

It is the one list behind the documentation's table, the JSON Schema, `scenario show` and the app's widgets.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from scenarios.describing import allowed_words, choices, limits, type_words
from scenarios.kinds import Kinds
from scenarios.schema import ASSUMPTION, Scenario
from scenarios.schema.walk import default_of, find_field, is_section, metadata, open_entries, shape
from scenarios.writing import leaves

#: How the table calls the entries of a table of sections.
_ENTRY = {"reserves": "SYMBOL", "assets": "SYMBOL", "feeds": "SYMBOL", "emodes": "NUMBER"}


#: Fields that say something about the scenario and change nothing in it.
_TEXTS = (
    *("name", "title", "why", "label"),
    *("source", "price_source", "growth_source", "depth_source", "liquidity_source"),
)


class Field(NamedTuple):
    """One parameter.

    `path` has a word in capitals where a name stands (pool.reserves.SYMBOL.ltv); `kind` is the agent kind a
    population's own parameter belongs to. `default` is plain data, None with `required` where a value must be given.
    `lowest`, `highest` and `choices` are for widgets, `plausible` is the range of an assumption, `about` says what the
    section is that holds the field.
    """

    path: str
    type: str
    unit: str
    default: Any
    required: bool
    allowed: str
    meaning: str
    source: str
    assumption: bool
    plausible: tuple[float, float] | None
    lowest: float | None
    highest: float | None
    choices: tuple[Any, ...]
    refers_to: str
    kind: str = ""
    about: str = ""


class Value(NamedTuple):
    """One value of a scenario: what it is, where it comes from (default, file or override), and its field."""

    path: str
    value: Any
    origin: str
    where: str
    source: str
    field: Field


def field_table(kinds: Kinds | None = None) -> list[Field]:
    """Every parameter of the schema, and of each kind of agent given."""
    rows = list(_rows(Scenario, ""))
    for kind in kinds or {}:
        rows.extend(_rows((kinds or {})[kind], "populations.NAME.", kind))
    return rows


def _rows(model: type[BaseModel], prefix: str, kind: str = "") -> Iterator[Field]:
    for name, info in model.model_fields.items():
        path = f"{prefix}{name}"
        form, item = shape(info.annotation)
        if form == "section":
            yield from _rows(item, f"{path}.", kind)
        elif is_section(item):
            entry = "NUMBER" if form == "list" else _ENTRY.get(name, "NAME")
            yield from _rows(item, f"{path}.{entry}.", kind)
        else:
            yield describe(path, info, kind)._replace(about=model.__doc__ or "")
    entries = open_entries(model)
    if is_section(entries):
        yield from _rows(entries, f"{prefix}NAME.", kind)


def describe(path: str, info: FieldInfo, kind: str = "") -> Field:
    """The row of one field."""
    notes = metadata(info)
    default = default_of(info)
    low, high, _, _ = limits(info)
    plausible = notes.get("plausible")
    return Field(
        path=path,
        type=type_words(info),
        unit=notes.get("unit", ""),
        default=None if default is PydanticUndefined else default,
        required=default is PydanticUndefined,
        allowed=allowed_words(info),
        meaning=info.description or "",
        source=notes.get("source", ""),
        assumption=bool(notes.get("assumption", False)),
        plausible=(plausible[0], plausible[1]) if plausible else None,
        lowest=low,
        highest=high,
        choices=tuple(choices(info)),
        refers_to=notes.get("refers_to", ""),
        kind=kind,
    )


def resolved_table(scenario: Scenario) -> list[Value]:
    """Every value of a scenario with its origin and its field; neither what is left out (None) nor texts about it.

    The source of a value that a file sets is the one stated there; of a default, the schema's.
    """
    found: list[Value] = []
    for path, value in leaves(scenario.as_dict()).items():
        info = _field_of(scenario, path)
        if value is None or info is None or path.split(".")[-1] in _TEXTS:
            continue
        row, origin = describe(path, info), scenario.origin(path)
        found.append(Value(path, value, origin.kind, origin.where, origin.source or row.source, row))
    return found


def manifest_notes(scenario: Scenario) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """Origin (default, set, overridden) and notes (unit, source, assumption, description) of every value by path."""
    words = {"default": "default", "file": "set", "override": "overridden"}
    origins: dict[str, str] = {}
    notes: dict[str, dict[str, Any]] = {}
    for value in resolved_table(scenario):
        origins[value.path] = words[value.origin]
        notes[value.path] = {
            "unit": value.field.unit,
            "source": value.source,
            "assumption": value.source.startswith(ASSUMPTION),
            "description": value.field.meaning,
        }
    return origins, notes


def _field_of(scenario: Scenario, path: str) -> FieldInfo | None:
    keys = tuple(path.split("."))
    if len(keys) > 2 and keys[0] == "populations":
        parameters = scenario.populations.tables[keys[1]].parameters
        if parameters is not None and keys[2] in type(parameters).model_fields:
            return find_field(type(parameters), keys[2:])
    return find_field(Scenario, keys)


def json_schema(kinds: Kinds | None = None) -> dict[str, Any]:
    """The JSON Schema of a scenario file; with `kinds`, each population is described by its own kind."""
    schema = Scenario.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "undertow scenario"
    if kinds:
        _compose(schema, kinds)
    return schema


def _compose(schema: dict[str, Any], kinds: Kinds) -> None:
    """Put one alternative per kind, and one for kinds of the user's own, in place of the open population."""
    definitions: dict[str, Any] = schema["$defs"]
    general = definitions["Population"]
    alternatives = []
    for kind in kinds:
        own = kinds[kind].model_json_schema(ref_template="#/$defs/{model}")
        definitions.update(own.pop("$defs", {}))
        properties = {
            **general["properties"],
            **own["properties"],
            "kind": {**general["properties"]["kind"], "const": kind},
        }
        required = sorted({*general["required"], *own.get("required", [])})
        definitions[f"Population_{kind}"] = {
            **own,
            "title": kind,
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }
        alternatives.append({"$ref": f"#/$defs/Population_{kind}"})
    pattern = {**general["properties"]["kind"], "pattern": ":"}
    definitions["Population"] = {**general, "properties": {**general["properties"], "kind": pattern}}
    definitions["Populations"]["additionalProperties"] = {"oneOf": [*alternatives, {"$ref": "#/$defs/Population"}]}
