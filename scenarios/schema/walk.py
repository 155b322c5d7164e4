"""Walking the schema: what kind of thing stands at a field, which fields exist, and the defaults of a partial file."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined


class Shape(NamedTuple):
    """How a field is built: one section, a table or list of them, or a value; `item` is the section or entry type."""

    kind: Literal["section", "table", "list", "value"]
    item: Any


class Reference(NamedTuple):
    """A name in the data that must be defined elsewhere: where it stands, the name, and what it is a name of."""

    path: str
    name: str
    refers_to: str


def bare(annotation: Any) -> Any:
    """A type without `Annotated` and without "or None"."""
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [member for member in get_args(annotation) if member is not type(None)]
        return bare(rest[0]) if len(rest) == 1 else annotation
    return annotation


def is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def shape(annotation: Any) -> Shape:
    """The shape of a field's type."""
    inner = bare(annotation)
    if is_section(inner):
        return Shape("section", inner)
    if get_origin(inner) is dict:
        return Shape("table", bare(get_args(inner)[1]))
    if get_origin(inner) in (tuple, list):
        return Shape("list", bare(get_args(inner)[0]))
    return Shape("value", inner)


def open_entries(model: type[BaseModel]) -> Any:
    """The section that every further key of an open section holds (populations), or None."""
    if "__pydantic_extra__" not in model.__annotations__:
        return None
    return bare(get_args(get_type_hints(model, include_extras=True)["__pydantic_extra__"])[1])


def metadata(info: FieldInfo) -> dict[str, Any]:
    """Unit, source, assumption, plausible range and reference of a field."""
    extra = info.json_schema_extra
    return dict(extra) if isinstance(extra, dict) else {}


def default_of(info: FieldInfo) -> Any:
    """The default as plain data; `PydanticUndefined` where a value is required."""
    value = info.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return value
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def with_defaults(model: type[BaseModel], data: Any) -> Any:
    """Plain data with the schema's defaults filled in; required values that are missing stay missing."""
    if not isinstance(data, Mapping):
        return data
    filled = dict(data)
    for name, info in model.model_fields.items():
        if name not in filled:
            default = default_of(info)
            if default is not PydanticUndefined:
                filled[name] = default
            continue
        kind, item = shape(info.annotation)
        if kind == "section":
            filled[name] = with_defaults(item, filled[name])
        elif kind == "table" and is_section(item) and isinstance(filled[name], Mapping):
            filled[name] = {key: with_defaults(item, entry) for key, entry in filled[name].items()}
        elif kind == "list" and is_section(item) and isinstance(filled[name], list):
            filled[name] = [with_defaults(item, entry) for entry in filled[name]]
    entries = open_entries(model)
    if is_section(entries):
        for key in [key for key in filled if key not in model.model_fields]:
            filled[key] = with_defaults(entries, filled[key])
    return filled


def find_field(model: type[BaseModel], keys: tuple[str | int, ...]) -> FieldInfo | None:
    """The field a path of keys ends at; for an entry of a table or list, the field that holds it."""
    if not keys:
        return None
    first, rest = str(keys[0]), keys[1:]
    info = model.model_fields.get(first)
    if info is None:
        entries = open_entries(model)
        return find_field(entries, rest) if is_section(entries) else None
    kind, item = shape(info.annotation)
    if kind == "section":
        return find_field(item, rest) if rest else info
    if is_section(item) and len(rest) > 1:
        return find_field(item, rest[1:])
    return info


def references(model: type[BaseModel], data: Any, path: str = "") -> Iterator[Reference]:
    """Every name in the data that must be known elsewhere (fields declared with `refers_to`)."""
    if not isinstance(data, Mapping):
        return
    for name, info in model.model_fields.items():
        if name not in data:
            continue
        value, where = data[name], f"{path}{name}"
        target = metadata(info).get("refers_to", "")
        if target:
            yield from _names(value, where, str(target))
        kind, item = shape(info.annotation)
        if kind == "section":
            yield from references(item, value, f"{where}.")
        elif is_section(item):
            for key, entry in _entries(value):
                yield from references(item, entry, f"{where}.{key}.")
    entries = open_entries(model)
    if is_section(entries):
        for key in [key for key in data if key not in model.model_fields]:
            yield from references(entries, data[key], f"{path}{key}.")


def _entries(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def _names(value: Any, path: str, target: str) -> Iterator[Reference]:
    if isinstance(value, str):
        yield Reference(path, value, target)
    elif isinstance(value, int) and value:  # 0 stands for "none", as in an e-mode category
        yield Reference(path, str(value), target)
    elif isinstance(value, Mapping):
        for key in value:
            yield Reference(f"{path}.{key}", str(key), target)
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            if isinstance(entry, str):
                yield Reference(f"{path}.{index}", entry, target)
