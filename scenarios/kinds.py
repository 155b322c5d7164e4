"""Agent kinds as a scenario names them: registered ones, and `package.module:Class` of the user's own."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from pydantic import BaseModel

from scenarios.errors import Problem, listing, nearest

Kinds = Mapping[str, type[BaseModel]]


def resolve_kind(kind: str, kinds: Kinds) -> type[BaseModel]:
    """The class of the kind's parameters; `LookupError` with the reason in words.

    A name with a colon is imported, so a scenario with one can run any code that is installed: load only scenarios
    that you would also run as programs.
    """
    if kind in kinds:
        return kinds[kind]
    if ":" not in kind:
        guess = nearest(kind, kinds)
        raise LookupError(f"there is no kind {kind!r}" + (f"; did you mean {guess!r}?" if guess else ""))
    module_name, _, class_name = kind.partition(":")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # whatever a user's module raises while it is imported is the answer he needs
        raise LookupError(f"{module_name!r} cannot be imported: {type(error).__name__}: {error}") from error
    found = module
    for part in class_name.split("."):
        found = getattr(found, part, None)  # type: ignore[assignment]
    if found is None:
        classes = [name for name, value in vars(module).items() if isinstance(value, type)]
        guess = nearest(class_name, classes)
        raise LookupError(f"{module_name} has no {class_name!r}" + (f"; did you mean {guess!r}?" if guess else ""))
    parameters = getattr(found, "Parameters", None)
    if not (isinstance(parameters, type) and issubclass(parameters, BaseModel)):
        raise LookupError(f"{kind} has no pydantic class `Parameters`")
    return parameters


def kind_problem(path: str, kind: str, kinds: Kinds, message: str) -> Problem:
    """The problem that a kind is not usable."""
    return Problem("", path, f'"{kind}"', f"{listing(sorted(kinds))}, or package.module:Class of your own", message)
