"""What a field accepts, in words: read from the schema, used by messages, tables and the app alike."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from scenarios.schema.walk import bare, is_section, shape

_WORDS = {int: "whole number", float: "number", bool: "true or false", str: "text"}


def type_words(info: FieldInfo) -> str:
    """The type of a field: "number", "text", "table of numbers" …"""
    kind, item = shape(info.annotation)
    if kind == "value":
        return _word(item)
    if kind == "section":
        return "table"
    inner = "tables" if is_section(item) else _many(_word(item))
    return f"table of {inner}" if kind == "table" else f"list of {inner}"


def allowed_words(info: FieldInfo) -> str:
    """Type and range of a field: "number, 0 to 1", "private or public"."""
    kind = shape(info.annotation).kind
    options = choices(info)
    if options and kind == "value":
        words = " or ".join(show_option(option) for option in options)
    elif options:
        words = f"{'list' if kind == 'list' else 'table'} of {', '.join(show_option(option) for option in options)}"
    else:
        words = type_words(info)
    limits = range_words(info)
    entry = entry_info(info)
    if entry is not None and range_words(entry):
        limits = f"each {range_words(entry)}"
    text = f"{words}, {limits}" if limits else words
    return f"{text}, or left out" if _optional(info) else text


def entry_info(info: FieldInfo) -> FieldInfo | None:
    """The limits that every value of a table of numbers keeps, where they have any."""
    inner = bare(info.annotation)
    if get_origin(inner) is not dict:
        return None
    value = get_args(inner)[1]
    notes = get_args(value)[1:] if get_origin(value) is Annotated else ()
    return next((note for note in notes if isinstance(note, FieldInfo)), None)


def choices(info: FieldInfo) -> list[Any]:
    """The values of a field that accepts only some."""
    item = shape(info.annotation).item
    return list(get_args(item)) if get_origin(item) is Literal else []


def range_words(info: FieldInfo) -> str:
    """The range of a number: "0 to 1", "above 0", "at least 1"."""
    low, high, low_open, high_open = limits(info)
    if low is None and high is None:
        return ""
    if low is not None and high is not None and not low_open and not high_open:
        return f"{number(low)} to {number(high)}"
    parts = []
    if low is not None:
        parts.append(f"above {number(low)}" if low_open else f"at least {number(low)}")
    if high is not None:
        parts.append(f"below {number(high)}" if high_open else f"at most {number(high)}")
    return " and ".join(parts)


def limits(info: FieldInfo) -> tuple[float | None, float | None, bool, bool]:
    """Lowest and highest value, and whether each is itself excluded."""
    low: Any = None
    high: Any = None
    low_open = high_open = False
    for limit in info.metadata:
        if isinstance(limit, Ge):
            low = limit.ge
        elif isinstance(limit, Gt):
            low, low_open = limit.gt, True
        elif isinstance(limit, Le):
            high = limit.le
        elif isinstance(limit, Lt):
            high, high_open = limit.lt, True
    return low, high, low_open, high_open


def number(value: Any) -> str:
    """A number as people write it: 86,400; 2^63 - 1 rather than nineteen digits."""
    if isinstance(value, int) and value >= 2**36:
        exponent = (value + 1).bit_length() - 1
        return f"2^{exponent}{' - 1' if value + 1 == 2**exponent else ''}"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    return f"{value:g}"


def show_option(option: Any) -> str:
    """One of the values of a choice, as it stands in a file."""
    return f'"{option}"' if isinstance(option, str) else str(option)


def show(value: Any) -> str:
    """A value as it would stand in the file, cut off when long."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:76]} ..."


def _word(item: Any) -> str:
    if get_origin(item) is Literal:
        return "text"
    return _WORDS.get(bare(item), "value")


def _many(word: str) -> str:
    return word if word in ("text", "true or false") else f"{word}s"


def _optional(info: FieldInfo) -> bool:
    return type(None) in get_args(info.annotation)
