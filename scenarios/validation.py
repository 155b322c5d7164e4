"""From plain data to a checked scenario, or to the list of everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from scenarios.checks import cross_field_problems
from scenarios.describing import allowed_words, show
from scenarios.errors import Problem, listing, nearest
from scenarios.kinds import Kinds, kind_problem, resolve_kind
from scenarios.schema import Scenario
from scenarios.schema.populations import RESERVED
from scenarios.schema.walk import find_field, is_section, open_entries, shape, with_defaults

Keys = tuple[str | int, ...]

#: Shown where the pydantic message would not help more than type and range do.
_MESSAGES = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "finite_number": "is not a finite number",
    "bool_type": "is not true or false",
    "string_type": "is not text",
    "int_type": "is not a whole number",
    "int_from_float": "is not a whole number",
    "float_type": "is not a number",
    "model_type": "is not a table",
    "dict_type": "is not a table",
    "tuple_type": "is not a list",
    "list_type": "is not a list",
    "literal_error": "is not one of the choices",
    "string_pattern_mismatch": "is not a usable name",
}
_OUT_OF_RANGE = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")


def check(data: Mapping[str, Any], kinds: Kinds | None) -> tuple[dict[str, Any], dict[str, BaseModel], list[Problem]]:
    """Data with every default of the populations' kinds, their parameters, and all problems (files left out)."""
    problems = [_tell(error, Scenario, (), data) for error in _errors(Scenario, data) if error["loc"]]
    classes, problems_of_kinds = _classes(data, kinds)
    problems += problems_of_kinds
    completed, parameters = dict(data), {}
    for name, kind_class in classes.items():
        table = data["populations"][name]
        own = {key: value for key, value in table.items() if key not in RESERVED or key in kind_class.model_fields}
        errors = _errors(kind_class, own)
        place: Keys = ("populations", name)
        problems += [_tell(error, kind_class, place, own) for error in errors]
        if not errors:
            parameters[name] = kind_class.model_validate(own)
            settings = {k: v for k, v in parameters[name].model_dump(mode="json").items() if k not in RESERVED}
            completed["populations"] = {**completed["populations"], name: {**table, **settings}}
    bad = [tuple(problem.path.split(".")) for problem in problems]
    facts = with_defaults(Scenario, completed)
    for name, kind_class in classes.items():
        facts["populations"][name] = with_defaults(kind_class, facts["populations"][name])
    facts = _without(facts, bad)  # last, so that no default stands in for a refused value
    told = {problem.path for problem in problems}
    problems += [problem for problem in cross_field_problems(facts, classes) if problem.path not in told]
    return completed, parameters, problems


def section_problems(model: type[BaseModel], data: Mapping[str, Any], place: Keys = ()) -> list[Problem]:
    """What is wrong with the data of one section that stands at `place` (files left out)."""
    return [_tell(error, model, place, data) for error in _errors(model, data)]


def _errors(model: type[BaseModel], data: Mapping[str, Any]) -> list[Any]:
    try:
        model.model_validate(dict(data))
    except ValidationError as error:
        return error.errors(include_url=False)
    return []


def _classes(data: Mapping[str, Any], kinds: Kinds | None) -> tuple[dict[str, type[BaseModel]], list[Problem]]:
    classes: dict[str, type[BaseModel]] = {}
    problems: list[Problem] = []
    tables = data.get("populations")
    if kinds is None or not isinstance(tables, Mapping):
        return classes, problems
    for name, table in tables.items():
        kind = table.get("kind") if isinstance(table, Mapping) else None
        if not isinstance(kind, str):
            continue
        try:
            classes[name] = resolve_kind(kind, kinds)
        except LookupError as error:
            problems.append(kind_problem(f"populations.{name}.kind", kind, kinds, str(error.args[0])))
    return classes, problems


def _tell(error: Any, model: type[BaseModel], place: Keys, data: Any) -> Problem:
    """One of pydantic's errors in our words: field, given, allowed."""
    keys: Keys = tuple(key for key in error["loc"] if key != "[key]")
    path = ".".join(map(str, (*place, *keys)))
    kind, given = error["type"], show(error["input"])
    info = find_field(model, keys)
    allowed = allowed_words(info) if info is not None else ""
    if kind == "missing":
        meaning = f" ({info.description})" if info is not None and info.description else ""
        return Problem("", path, "nothing", allowed, f"is required{meaning}")
    if kind == "extra_forbidden":
        known = _known_fields(model, keys)
        guess = nearest(str(keys[-1]), known)
        hint = f"; did you mean {guess!r}?" if guess else ""
        return Problem("", path, given, listing(known, 30), f"is not a known field{hint}")
    if kind in _OUT_OF_RANGE:
        return Problem("", path, given, allowed, "is out of range")
    if kind in ("value_error", "assertion_error"):
        message = str(error.get("ctx", {}).get("error", error["msg"]))
        return Problem("", path, given, allowed, message)
    if kind == "literal_error" and isinstance(error["input"], str) and info is not None:
        guess = nearest(error["input"], [word.strip('"') for word in allowed.split(" or ")])
        hint = f"; did you mean {guess!r}?" if guess else ""
        return Problem("", path, given, allowed, f"is not one of the choices{hint}")
    return Problem("", path, given, allowed, _MESSAGES.get(kind, error["msg"]))


def _known_fields(model: type[BaseModel], keys: Keys) -> list[str]:
    """The fields of the section in which the last key stands."""
    section: Any = model
    for key in keys[:-1]:
        if isinstance(section, tuple):  # inside a table or list: this key names an entry
            section = section[0]
        elif is_section(section) and str(key) in section.model_fields:
            kind, item = shape(section.model_fields[str(key)].annotation)
            section = item if kind == "section" else (item,)
        else:
            section = open_entries(section) if is_section(section) else None
    return list(section.model_fields) if is_section(section) else []


def _without(data: Any, paths: list[tuple[str, ...]], here: tuple[str, ...] = ()) -> Any:
    """A copy of the data without the values at the given paths."""
    if isinstance(data, Mapping):
        kept = {str(key): value for key, value in data.items() if (*here, str(key)) not in paths}
        return {key: _without(value, paths, (*here, key)) for key, value in kept.items()}
    if isinstance(data, list):
        kept_entries = [(i, entry) for i, entry in enumerate(data)]
        return [
            {} if (*here, str(i)) in paths else _without(entry, paths, (*here, str(i))) for i, entry in kept_entries
        ]
    return data
