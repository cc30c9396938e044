"""What has changed between two documents of an API that breaks those who use it."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from math import floor
from typing import Any, TypeAlias

from deployment_gate.api.document import (
    Answer,
    Branch,
    Document,
    Operation,
    Parameter,
    Place,
    Schema,
    entries,
    listed,
    schema_for,
    step_to,
)

_ANYTHING = frozenset({"string", "number", "integer", "boolean", "array", "object"})
_SCALARS_AS_TEXT = frozenset({"number", "integer", "boolean"})
# Which way a bound is stricter, and of which type a value is that it bounds.
_BOUNDS = {
    "minimum": (1, "integer"),
    "maximum": (-1, "integer"),
    "minLength": (1, "string"),
    "maxLength": (-1, "string"),
    "minItems": (1, "array"),
    "maxItems": (-1, "array"),
    "minProperties": (1, "object"),
    "maxProperties": (-1, "object"),
}
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
# Who knows the first one may be sent no more than it; a password is only shown in another way.
_WIDER_FORMATS = frozenset({("int32", "int64"), ("float", "double")})
_HINTS = frozenset({"password"})
# As long as so few were compared, what is used at several places is compared at each of them.
_COMPARED_AGAIN = 1000


class _Way(Enum):
    """Which way a value goes: what is sent may only be widened, what comes only be narrowed."""

    SENT = "sent in a body"
    SENT_AS_TEXT = "sent in an address or a header"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class _Shape:
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
        if self.types == _ANYTHING:
            return "anything"
        types = self.types - {"integer"} if "number" in self.types else self.types
        return " or ".join(sorted(types)) or "null"


_Breach: TypeAlias = tuple[str, str]
_SchemaRule: TypeAlias = Callable[[_Shape, _Shape], Iterator[_Breach]]
"""Yields a field below, or nothing for the value itself, and what has become of it."""
_OperationRule: TypeAlias = Callable[[Operation, Operation], Iterator[str]]
_Part: TypeAlias = tuple[str, _Way, Schema, Schema]
_Identity: TypeAlias = frozenset[int]
_Pair: TypeAlias = tuple[_Way, _Identity, _Identity]
_Inner: TypeAlias = tuple[str, tuple[Schema, ...], tuple[Schema, ...]]


@dataclass(frozen=True, slots=True)
class _Compared:
    """Two schemas: what makes them these two, what is broken, and what both have below."""

    pair: _Pair
    breaches: list[_Breach]
    inner: list[_Inner]


_Step: TypeAlias = tuple[str, _Compared, frozenset[_Pair]]


def breaking_changes(old: Document, new: Document) -> list[str]:
    """Answer what of the old document's promises the new one breaks, a sentence each."""
    comparison = _Comparison(old, new)
    return list(dict.fromkeys(one for it in old.operations for one in comparison.broken(it)))


class _Comparison:
    """Two documents, and which of their schemas are known to agree."""

    def __init__(self, old: Document, new: Document) -> None:
        self._old = old
        self._new = new
        self._known: dict[tuple[object, ...], _Compared] = {}
        self._agreeing: set[_Pair] = set()
        self._by_path = {_key(one): one for one in new.operations}
        self._by_address = {_key(one, below=new.base_path): one for one in new.operations}

    def broken(self, old: Operation) -> Iterator[str]:
        """Yield what is broken for those who call an operation."""
        below = self._old.base_path
        new = self._by_path.get(_key(old)) or self._by_address.get(_key(old, below=below))
        if new is None:
            if not old.is_deprecated:
                yield f"{old}: was removed"
            return
        for rule in _OPERATION_RULES:
            for what in rule(old, new):
                yield f"{old}: {what}"
        for subject, way, before, after in _parts(old, new):
            for path, what in self._schemas(before, after, way):
                place = f"'s ${path}" if path else ""
                yield f"{old}: {subject}{place} {what}"

    def _schemas(self, old: Schema, new: Schema, way: _Way) -> list[_Breach]:
        """The path and the breach of each change: breadth first, into no schema within itself."""
        found: list[_Breach] = []
        seen: set[_Pair] = set()
        waiting: deque[_Step] = deque([("", self._compared((old,), (new,), way), frozenset())])
        steps = 0
        while waiting:
            path, compared, above = waiting.popleft()
            pair = compared.pair
            is_enough = pair in seen and steps > _COMPARED_AGAIN
            if pair in self._agreeing or pair in above or is_enough:
                continue
            steps += 1
            seen.add(pair)
            found += [(path + place, what) for place, what in compared.breaches]
            waiting.extend(
                (path + place, self._compared(before, after, way), above | {pair})
                for place, before, after in compared.inner
            )
        if not found:
            self._agreeing |= seen
        return found

    def _compared(self, old: tuple[Schema, ...], new: tuple[Schema, ...], way: _Way) -> _Compared:
        """Two schemas without what is below; once, however many operations have them."""
        key = (way, tuple(map(id, old)), tuple(map(id, new)))
        if key not in self._known:
            before, after = self._old.branches(*old), self._new.branches(*new)
            pairs, unpaired = _paired(_shapes(before, way), _shapes(after, way), way)
            self._known[key] = _Compared(
                pair=(way, _identity(before), _identity(after)),
                breaches=[("", what) for what in unpaired]
                + [breach for one in pairs for breach in _breaches(*one, way)],
                inner=[inner for one in pairs for inner in _inner(*one)],
            )
        return self._known[key]


def _key(operation: Operation, *, below: str = "") -> tuple[str, str]:
    """What makes it the same operation: parameters may be called otherwise."""
    return operation.method, re.sub(r"\{[^{}]*\}", "{}", below + operation.path)


def _parts(old: Operation, new: Operation) -> Iterator[_Part]:
    """Yield each schema of an operation that both have, and what it is of."""
    after = _parameters(new)
    for key, one in _parameters(old).items():
        if key in after:
            subject = f"the {one.where} parameter {one.name}"
            yield subject, _Way.SENT_AS_TEXT, one.schema, after[key].schema
    for kind, schema in _body(old).items():
        if (new_schema := schema_for(_body(new), kind)) is not None:
            yield "the body", _Way.SENT, schema, new_schema
    for status, answer, new_answer in _answers(old, new):
        for kind, schema in answer.content.items():
            if (new_schema := schema_for(new_answer.content, kind)) is not None:
                yield _answer_called(old, status), _Way.RECEIVED, schema, new_schema


def _body(operation: Operation) -> Mapping[str, Schema]:
    return operation.body.content if operation.body else {}


def _parameters(operation: Operation) -> dict[tuple[str, str], Parameter]:
    """The parameters by what makes them the same: those of a path by their turn."""
    turns = re.findall(r"\{([^{}]*)\}", operation.path)
    found = {}
    for one in operation.parameters:
        name = one.name.lower() if one.where is Place.HEADER else one.name
        is_turn = one.where is Place.PATH and one.name in turns
        found[str(one.where), str(turns.index(one.name)) if is_turn else name] = one
    return found


def _answers(old: Operation, new: Operation) -> Iterator[tuple[str, Answer, Answer]]:
    for status, answer in old.answers.items():
        if other := new.answers.get(status) or new.answer_to(status):
            yield status, answer, other


def _answer_called(operation: Operation, status: str) -> str:
    """By its status where it isn't the only good one."""
    good = [one for one in operation.answers if one.startswith("2")]
    return "the answer" if [status] == good else f"the {status} answer"


def _credentials(old: Operation, new: Operation) -> Iterator[str]:
    """Who doesn't sign in would be turned away."""
    if new.needs_credentials and not old.needs_credentials:
        yield "now needs credentials"


def _required_parameters(old: Operation, new: Operation) -> Iterator[str]:
    """Who doesn't send it would be refused."""
    before = _parameters(old)
    for key, one in _parameters(new).items():
        is_known = key in before
        if one.where is Place.PATH or not one.is_required:
            continue
        if not is_known:
            yield f"the {one.where} parameter {one.name} is new and required"
        elif not before[key].is_required:
            yield f"the {one.where} parameter {one.name} is now required"


def _required_body(old: Operation, new: Operation) -> Iterator[str]:
    """Who sends none would be refused."""
    if new.body and new.body.is_required and not (old.body and old.body.is_required):
        yield "the body is now required"


def _body_types(old: Operation, new: Operation) -> Iterator[str]:
    """Who sends it in this form would be refused."""
    for kind in _body(old):
        if schema_for(_body(new), kind) is None:
            yield f"the body is no longer taken as {kind}"


def _statuses(old: Operation, new: Operation) -> Iterator[str]:
    """Who waits for this success would take another one for a failure."""
    for status in old.answers:
        is_covered = any(one.startswith("2") for one in new.answers) and status == "2XX"
        if status.startswith("2") and not (is_covered or new.answer_to(status)):
            yield f"is no longer answered {status}"


def _answer_types(old: Operation, new: Operation) -> Iterator[str]:
    """Who reads only this form would understand nothing."""
    for status, one, other in _answers(old, new):
        for kind in one.content:
            if schema_for(other.content, kind) is None:
                yield f"{_answer_called(old, status)} no longer comes as {kind}"


_OPERATION_RULES: tuple[_OperationRule, ...] = (
    _credentials,
    _required_parameters,
    _required_body,
    _body_types,
    _statuses,
    _answer_types,
)


def _types_taken_away(old: _Shape, new: _Shape) -> Iterator[_Breach]:
    """What was sent until now would be refused."""
    if not old.types <= new.types:
        yield "", f"was {old.told} and is now {new.told}"


def _texts_taken_away(old: _Shape, new: _Shape) -> Iterator[_Breach]:
    """In an address all is text; so who sent a number sends a text."""
    if "string" in new.types:
        new = replace(new, types=new.types | _SCALARS_AS_TEXT)
    if not old.types <= new.types:
        yield "", f"was {old.told} and is now {new.told}"


def _null_taken_away(old: _Shape, new: _Shape) -> Iterator[_Breach]:
    """Who sent null would be refused."""
    is_told = old.types == _ANYTHING != new.types
    if old.is_nullable and not new.is_nullable and not is_told:
        yield "", "may no longer be null"


def _values_taken_away(old: _Shape, new: _Shape) -> Iterator[_Breach]:
    """Who sent one of these values would be refused."""
    if new.values is None:
        return
    if old.values is None:
        yield "", f"may now only be {', '.join(new.values)}"
    elif lost := [one for one in old.values if one not in new.values]:
        yield "", f"may no longer be {', '.join(lost)}"


def _bounds_tightened(old: _Shape, new: _Shape) -> Iterator[_Breach]:
    """What was long or large enough would be refused."""
    for keyword, bound in new.bounds.items():
        known = old.bounds.get(keyword)
        is_bounding = _BOUNDS[keyword][1] in old.types
        if is_bounding and (known is None or bound > known):
            yield (
                "",
                f"now has {keyword} {_bound(keyword, bound)}, and had {_bound(keyword, known)}",
            )


def _demands_added(old: _Shape, new: _Shape) -> Iterator[_Breach]:
    """What was sent until now might be refused."""
    for kind, demand in new.demands:
        if kind in old.types and (kind, demand) not in old.demands:
            yield "", f"must now {demand}"


def _format_demanded(old: _Shape, new: _Shape) -> Iterator[_Breach]:
    """What is in another form would be refused."""
    if new.format not in {"", old.format} and (old.format, new.format) not in _WIDER_FORMATS:
        yield "", f"was of {_format(old)} and is now of {_format(new)}"


def _fields_demanded(old: _Shape, new: _Shape) -> Iterator[_Breach]:
    """Who doesn't send it would be refused."""
    for name in sorted(new.required - old.required) if "object" in old.types else ():
        yield step_to(name), "is now required"


def _fields_refused(old: _Shape, new: _Shape) -> Iterator[_Breach]:
    """Who sends a field that isn't named would be refused."""
    if new.rest or "object" not in new.types:
        return
    if old.rest:
        yield "", "may no longer have fields that aren't documented"
    for name in old.properties:
        if name not in new.properties:
            yield step_to(name), "may no longer be sent"


def _types_added(old: _Shape, new: _Shape) -> Iterator[_Breach]:
    """Who reads it would meet what it doesn't understand."""
    if not new.types <= old.types:
        yield "", f"was {old.told} and is now {new.told}"


def _null_added(old: _Shape, new: _Shape) -> Iterator[_Breach]:
    """Who reads it would meet a null."""
    is_told = new.types == _ANYTHING != old.types
    if new.is_nullable and not old.is_nullable and not is_told:
        yield "", "may now be null"


def _values_added(old: _Shape, new: _Shape) -> Iterator[_Breach]:
    """Who tells cases apart by it would meet one that it doesn't know."""
    if old.values is None:
        return
    if new.values is None:
        yield "", f"was one of {', '.join(old.values)} and is now any {new.told}"
    elif gained := [one for one in new.values if one not in old.values]:
        yield "", f"may now be {', '.join(gained)}"


def _format_lost(old: _Shape, new: _Shape) -> Iterator[_Breach]:
    """Who reads a date in it, say, would find another text."""
    if old.format not in {"", new.format} and (new.format, old.format) not in _WIDER_FORMATS:
        yield "", f"was of {_format(old)} and is now of {_format(new)}"


def _fields_removed(old: _Shape, new: _Shape) -> Iterator[_Breach]:
    """Who reads it would find nothing."""
    for name in old.properties if "object" in new.types else ():
        if name not in new.properties:
            yield step_to(name), "was removed"


def _fields_not_promised(old: _Shape, new: _Shape) -> Iterator[_Breach]:
    """Who relies on it would sometimes find nothing."""
    removed = old.properties.keys() - new.properties.keys()
    missing = old.required - new.required - removed
    for name in sorted(missing) if "object" in new.types else ():
        yield step_to(name), "is no longer always there"


_OF_WHAT_IS_SENT: tuple[_SchemaRule, ...] = (
    _null_taken_away,
    _values_taken_away,
    _bounds_tightened,
    _demands_added,
    _format_demanded,
    _fields_demanded,
    _fields_refused,
)
_SCHEMA_RULES: Mapping[_Way, tuple[_SchemaRule, ...]] = {
    _Way.SENT: (_types_taken_away, *_OF_WHAT_IS_SENT),
    _Way.SENT_AS_TEXT: (_texts_taken_away, *_OF_WHAT_IS_SENT),
    _Way.RECEIVED: (
        _types_added,
        _null_added,
        _values_added,
        _format_lost,
        _fields_removed,
        _fields_not_promised,
    ),
}


def _breaches(old: _Shape, new: _Shape, way: _Way) -> list[_Breach]:
    """What the rules say; of another type altogether, only that."""
    found = [breach for rule in _SCHEMA_RULES[way] for breach in rule(old, new)]
    return found if old.types & new.types else found[:1]


def _inner(old: _Shape, new: _Shape) -> Iterator[_Inner]:
    """Yield what both have below."""
    for name in dict.fromkeys((*old.properties, *new.properties)):
        if (before := _field(old, name)) and (after := _field(new, name)):
            yield step_to(name), before, after
    if old.rest and new.rest:
        yield ".*", old.rest, new.rest
    if old.items and new.items:
        yield "[*]", old.items, new.items


def _field(shape: _Shape, name: str) -> tuple[Schema, ...]:
    """What is said of a field, by its name or as one of a map's."""
    return shape.properties.get(name) or (() if shape.rest == (True,) else shape.rest)


def _paired(
    old: list[_Shape], new: list[_Shape], way: _Way
) -> tuple[list[tuple[_Shape, _Shape]], list[str]]:
    """Which alternatives are to be compared, and what is wrong with those that have no like.

    Each one that could be sent still can be; each one that may come could come before.
    """
    if len(old) == len(new) == 1:
        return [(old[0], new[0])], []
    is_received = way is _Way.RECEIVED
    those, known = (new, old) if is_received else (old, new)
    pairs: list[tuple[_Shape, _Shape]] = []
    unpaired = []
    for turn, one in enumerate(_by_type(those)):
        others = _by_type(known)
        ranked = [(_likeness(one, other, way), turn == at) for at, other in enumerate(others)]
        best = others[ranked.index(max(ranked))]
        pair = (best, one) if is_received else (one, best)
        if _is_like(*pair, way):
            pairs.append(pair)
        else:
            unpaired.append(
                f"may {'now' if is_received else 'no longer'} be {one.name or one.told}"
            )
    return pairs, unpaired


def _by_type(shapes: list[_Shape]) -> list[_Shape]:
    """One shape for each type: `type: [string, integer]` and `anyOf` of both mean the same."""
    return [replace(one, types=types) for one in shapes for types in _single(one.types)]


def _single(types: frozenset[str]) -> list[frozenset[str]]:
    """Each type by itself; numbers have their integers with them."""
    numbers = types & {"number", "integer"}
    singles = [frozenset({kind}) for kind in sorted(types - numbers)]
    return [*singles, *([numbers] if numbers or not types else [])]


def _likeness(one: _Shape, other: _Shape, way: _Way) -> tuple[bool, bool, bool, bool, int]:
    return (
        bool(one.types & other.types),
        one.own == other.own,
        one.name == other.name != "",
        not _breaches(*((other, one) if way is _Way.RECEIVED else (one, other)), way),
        len(one.properties.keys() & other.properties.keys()),
    )


def _is_like(old: _Shape, new: _Shape, way: _Way) -> bool:
    """Whether they are the same alternative, though it may have changed."""
    if not old.types & new.types:
        return False
    if old.name and new.name:
        return old.name == new.name or not _breaches(old, new, way)
    shared = old.properties.keys() & new.properties.keys()
    return "object" not in old.types or bool(shared) or not _breaches(old, new, way)


def _identity(branches: list[Branch]) -> _Identity:
    """What makes schemas the same, by whichever reference they are reached."""
    parts = (part for branch in branches for part in branch)
    return frozenset(id(part) for part in parts if part.keys() != {"$ref"})


def _shapes(branches: list[Branch], way: _Way) -> list[_Shape]:
    """What the schemas allow: one shape for each alternative, null being none of its own."""
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


def _shape(branch: Branch, own: Branch, way: _Way) -> _Shape:
    kinds = [types for part in branch if (types := _types(part)) is not None]
    types = frozenset.intersection(*kinds) if kinds else _ANYTHING | {"null"}
    formats = [str(part["format"]) for part in branch if "format" in part]
    named = _properties(branch)
    hidden = "writeOnly" if way is _Way.RECEIVED else "readOnly"
    properties = {
        name: schemas
        for name, schemas in named.items()
        if not any(entries(schema).get(hidden) for schema in schemas)
    }
    required = {name for part in branch for name in map(str, listed(part.get("required")))}
    items = tuple(part["items"] for part in branch if "items" in part) or (True,)
    return _Shape(
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
    for keyword, (sign, _) in _BOUNDS.items():
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


def _bound(keyword: str, bound: tuple[float, bool] | None) -> str:
    if bound is None:
        return "none"
    value, is_excluded = bound
    sign = _BOUNDS[keyword][0]
    excluding = "more than " if sign > 0 else "less than "
    return f"{excluding if is_excluded else ''}{sign * value}"


def _demands(branch: Branch) -> Iterator[tuple[str, str]]:
    for part in branch:
        if "pattern" in part:
            yield "string", f"match {part['pattern']}"
        if "multipleOf" in part:
            yield "integer", f"be a multiple of {part['multipleOf']}"
        if part.get("uniqueItems") is True:
            yield "array", "have no item twice"


def _format(shape: _Shape) -> str:
    return f"the format {shape.format}" if shape.format else "no format"
