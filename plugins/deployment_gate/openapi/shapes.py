"""What of schemas counts when two of them are compared: the shapes of what they allow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from math import floor
from typing import Any

from deployment_gate.openapi.schemas import Branch, Schema
from deployment_gate.openapi.tree import entries, listed

ANYTHING = frozenset({"string", "number", "integer", "boolean", "array", "object"})
"""All types but null; an integer is a number, too."""

BOUNDS = {
    "minimum": (1, "integer"),
    "maximum": (-1, "integer"),
    "minLength": (1, "string"),
    "maxLength": (-1, "string"),
    "minItems": (1, "array"),
    "maxItems": (-1, "array"),
    "minProperties": (1, "object"),
    "maxProperties": (-1, "object"),
}
"""Which way a bound is stricter, and of which type a value is that it bounds."""

_FROM_NOTHING = frozenset({"minLength", "minItems", "minProperties"})
_SHOWN_BY = {"properties": "object", "additionalProperties": "object", "items": "array"}
_PYTHON = {
    "boolean": bool,
    "integer": int,
    "number": float,
    "string": str,
    "array": list,
    "object": dict,
}
# A password is a text like any other, only shown in another way.
_HINTS = frozenset({"password"})


class Way(Enum):
    """Which way a value goes: what is sent may only be widened, what comes only be narrowed."""

    SENT = "sent in a body"
    SENT_AS_TEXT = "sent in an address or a header"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class Shape:
    """What schemas that hold together say of a value.

    Attributes:
        name: What the document calls it; empty where it doesn't.
        own: The schemas themselves, without those that all alternatives share.
        types: All that it may be, null aside; an integer is a number, too.
        is_nullable: Whether it may be null.
        values: The only ones that it may be, as JSON.
        bounds: By keyword, and whether the bound itself is excluded; greater is stricter.
        demands: What else must be true of it, if it is of a type.
        format: What a text or number is; empty where that isn't said.
        properties: The schemas of each field that goes this way.
        required: Fields that are always there.
        rest: The schemas of all other fields; empty where there may be none.
        items: The schemas of an array's items.
    """

    name: str
    own: Branch
    types: frozenset[str]
    is_nullable: bool
    values: tuple[str, ...] | None
    bounds: Mapping[str, tuple[float, bool]]
    demands: tuple[tuple[str, str], ...]
    format: str
    properties: Mapping[str, tuple[Schema, ...]]
    required: frozenset[str]
    rest: tuple[Schema, ...]
    items: tuple[Schema, ...]

    @property
    def told(self) -> str:
        """What it may be, in words."""
        if self.types == ANYTHING:
            return "anything"
        types = self.types - {"integer"} if "number" in self.types else self.types
        return " or ".join(sorted(types)) or "null"


def shapes_of(branches: list[Branch], way: Way) -> list[Shape]:
    """Answer what schemas allow: one shape for each alternative, null being none of its own."""
    ids = [{id(part) for part in branch} for branch in branches]
    shared = set.intersection(*ids) if len(ids) > 1 else set()
    shapes = [
        _shape(branch, tuple(part for part in branch if id(part) not in shared), way)
        for branch in branches
    ]
    possible = [one for one in shapes if one.types]
    if not possible:
        return shapes[:1] or [_shape((), (), way)]
    if any(one.is_nullable for one in shapes):
        return [replace(one, is_nullable=True) for one in possible]
    return possible


def _shape(branch: Branch, own: Branch, way: Way) -> Shape:
    kinds = [types for part in branch if (types := _types(part)) is not None]
    types = frozenset.intersection(*kinds) if kinds else ANYTHING | {"null"}
    formats = [str(part["format"]) for part in branch if "format" in part]
    named = _properties(branch)
    hidden = "writeOnly" if way is Way.RECEIVED else "readOnly"
    properties = {
        name: schemas
        for name, schemas in named.items()
        if not any(entries(schema).get(hidden) for schema in schemas)
    }
    required = {name for part in branch for name in map(str, listed(part.get("required")))}
    items = tuple(part["items"] for part in branch if "items" in part) or (True,)
    return Shape(
        name=next((str(part["$ref"]).rpartition("/")[2] for part in own if "$ref" in part), ""),
        own=own,
        types=types - {"null"},
        is_nullable="null" in types or any(part.get("nullable") is True for part in branch),
        values=_values(branch),
        bounds=_bounds(branch, is_whole=types - {"null"} == {"integer"}),
        demands=tuple(_demands(branch)),
        format=next((one for one in formats if one not in _HINTS), ""),
        properties=properties,
        required=frozenset(required - (named.keys() - properties.keys())),
        rest=_rest(branch) if "object" in types else (),
        items=items if "array" in types else (),
    )


def _types(part: Mapping[str, Any]) -> frozenset[str] | None:
    """What one schema says that a value may be; what it doesn't say, its keywords show."""
    said = part.get("type")
    if isinstance(said, str | list):
        types = {said} if isinstance(said, str) else set(map(str, said))
        return frozenset(types | {"integer"} if "number" in types else types)
    if (values := _enum(part)) is not None:
        return frozenset(map(_type_of, values))
    return next((frozenset({kind}) for keyword, kind in _SHOWN_BY.items() if keyword in part), None)


def _type_of(value: object) -> str:
    return next((name for name, kind in _PYTHON.items() if isinstance(value, kind)), "null")


def _enum(part: Mapping[str, Any]) -> list[Any] | None:
    if "const" in part:
        return [part["const"]]
    return listed(part["enum"]) if "enum" in part else None


def _values(branch: Branch) -> tuple[str, ...] | None:
    enums = [
        [json.dumps(value, sort_keys=True) for value in values if value is not None]
        for part in branch
        if (values := _enum(part)) is not None
    ]
    if not enums:
        return None
    return tuple(value for value in enums[0] if all(value in others for others in enums))


def _properties(branch: Branch) -> dict[str, tuple[Schema, ...]]:
    found: dict[str, tuple[Schema, ...]] = {}
    for part in branch:
        for name, schema in entries(part.get("properties")).items():
            found[name] = (*found.get(name, ()), schema)
    return found


def _rest(branch: Branch) -> tuple[Schema, ...]:
    said = [part["additionalProperties"] for part in branch if "additionalProperties" in part]
    if any(one is False for one in said) and not any("patternProperties" in it for it in branch):
        return ()
    return tuple(one for one in said if isinstance(one, dict)) or (True,)


def _bounds(branch: Branch, *, is_whole: bool) -> dict[str, tuple[float, bool]]:
    found: dict[str, tuple[float, bool]] = {}
    for keyword, (sign, _) in BOUNDS.items():
        excluding = f"exclusive{keyword.capitalize()}"
        bounds = [(part.get(keyword), part.get(excluding) is True) for part in branch]
        bounds += [(part.get(excluding), True) for part in branch]
        signed = [
            (sign * value, is_excluded)
            for value, is_excluded in bounds
            if isinstance(value, int | float) and not isinstance(value, bool)
        ]
        if is_whole:
            signed = [(floor(value) + 1, False) if out else (value, out) for value, out in signed]
        if signed and not (max(signed)[0] <= 0 and keyword in _FROM_NOTHING):
            found[keyword] = max(signed)
    return found


def _demands(branch: Branch) -> Iterator[tuple[str, str]]:
    for part in branch:
        if "pattern" in part:
            yield "string", f"match {part['pattern']}"
        if "multipleOf" in part:
            yield "integer", f"be a multiple of {part['multipleOf']}"
        if part.get("uniqueItems") is True:
            yield "array", "have no item twice"
