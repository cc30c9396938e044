"""Pydantic's complaints in the words of an environment file: its places and its keys."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from deployment_gate.environment.errors import Position, Problem, did_you_mean
from deployment_gate.environment.model import Environment, Sources
from deployment_gate.environment.variables import as_written
from deployment_gate.environment.yaml_source import Key

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_EXPECTED = {
    "string_type": "must be text. Write it in quotes",
    "string_too_short": "must not be empty",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "mapping_type": "must be a map of `key: value` lines",
    "dict_type": "must be a map of `key: value` lines",
    "model_type": "must be a map of `key: value` lines",
    "tuple_type": "must be a list",
    "too_short": "must not be empty. Remove it, or write at least one",
}
_LIMITS = {
    "greater_than_equal": ("ge", "must be at least"),
    "less_than_equal": ("le", "must be at most"),
}
_NO_PLACE = Position("environment", 1)


def complaints(error: ValidationError, sources: Sources) -> list[Problem]:
    """Answer what an environment's validation complains of, each at its place."""
    problems = []
    for detail in error.errors(include_url=False):
        path = tuple(str(part) for part in detail["loc"] if part != "[key]")
        position = sources.nearest(path) or _NO_PLACE
        problems.append(Problem(position, path, _message(detail, path)))
    return problems


def _message(detail: ErrorDetails, path: Key) -> str:
    kind, value = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        known = _known_keys(path[:-1])
        near = did_you_mean(path[-1], known)
        return f"isn't a key that is known here.{near} Known: {', '.join(known)}"
    if kind == "missing":
        return f"isn't there. Write `{path[-1]}: ...`"
    message = _EXPECTED.get(kind)
    if kind in _LIMITS:
        limit, says = _LIMITS[kind]
        message = f"{says} {detail['ctx'][limit]:g}"
    elif kind == "value_error":
        message = str(detail["ctx"]["error"])
    elif message is None:
        message = f"isn't valid: {detail['msg'][:1].lower()}{detail['msg'][1:]}"
    if value is None:
        return f"{message}. It is null, which removes an inherited entry; none is inherited here"
    if kind in {*_EXPECTED, *_LIMITS} and isinstance(value, str | int | float):
        return f"{as_written(value)} {message}"
    return message


def _known_keys(path: Key) -> list[str]:
    kind: Any = Environment
    for key in path:
        kind = _entry_kind(kind, key)
    known = set(kind.model_fields)
    return sorted((known - {"name"}) | {"extends"} if kind is Environment else known)


def _entry_kind(kind: Any, key: str) -> Any:
    """Answer the type of what stands under a key of a map or section."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) is Mapping:
        return get_args(kind)[1]
    if get_origin(kind) is tuple:
        return get_args(kind)[0]
    annotation = kind.model_fields[key].annotation
    if get_origin(annotation) in {Mapping, tuple}:
        return annotation
    options = [option for option in get_args(annotation) if option is not NoneType]
    sections = [
        option
        for option in (annotation, *options)
        if isinstance(option, type) and issubclass(option, BaseModel)
    ]
    return sections[0] if sections else annotation
