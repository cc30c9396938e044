"""What has changed between two documents of an API that breaks those who use it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from deployment_gate.openapi.alternatives import paired
from deployment_gate.openapi.breaches import Breach, breaches
from deployment_gate.openapi.document import Document
from deployment_gate.openapi.operations import (
    Answer,
    Operation,
    Parameter,
    Place,
    nameless,
    names_in,
)
from deployment_gate.openapi.schemas import Branch, Schema, schema_for
from deployment_gate.openapi.shapes import Shape, Way, shapes_of
from deployment_gate.openapi.tree import step_to

_Rule: TypeAlias = Callable[[Operation, Operation], Iterator[str]]
_Part: TypeAlias = tuple[str, Way, Schema, Schema]
_Identity: TypeAlias = frozenset[int]
_Pair: TypeAlias = tuple[Way, _Identity, _Identity]
_Inner: TypeAlias = tuple[str, tuple[Schema, ...], tuple[Schema, ...]]
# As long as so few were compared, what is used at several places is compared at each of them.
_COMPARED_AGAIN = 1000


@dataclass(frozen=True, slots=True)
class _Compared:
    """Two schemas: what makes them these two, what is broken, and what both have below."""

    pair: _Pair
    breaches: list[Breach]
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
        for rule in _RULES:
            for what in rule(old, new):
                yield f"{old}: {what}"
        for subject, way, before, after in _parts(old, new):
            for path, what in self._schemas(before, after, way):
                place = f"'s ${path}" if path else ""
                yield f"{old}: {subject}{place} {what}"

    def _schemas(self, old: Schema, new: Schema, way: Way) -> list[Breach]:
        """The path and the breach of each change: breadth first, into no schema within itself."""
        found: list[Breach] = []
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

    def _compared(self, old: tuple[Schema, ...], new: tuple[Schema, ...], way: Way) -> _Compared:
        """Two schemas without what is below; once, however many operations have them."""
        key = (way, tuple(map(id, old)), tuple(map(id, new)))
        if key not in self._known:
            before, after = self._old.branches(*old), self._new.branches(*new)
            pairs, unpaired = paired(shapes_of(before, way), shapes_of(after, way), way)
            self._known[key] = _Compared(
                pair=(way, _identity(before), _identity(after)),
                breaches=[("", what) for what in unpaired]
                + [breach for one in pairs for breach in breaches(*one, way)],
                inner=[inner for one in pairs for inner in _inner(*one)],
            )
        return self._known[key]


def _key(operation: Operation, *, below: str = "") -> tuple[str, str]:
    """What makes it the same operation: parameters may be called otherwise."""
    return operation.method, nameless(below + operation.path)


def _parts(old: Operation, new: Operation) -> Iterator[_Part]:
    """Yield each schema of an operation that both have, and what it is of."""
    after = _parameters(new)
    for key, one in _parameters(old).items():
        if key in after:
            subject = f"the {one.where} parameter {one.name}"
            yield subject, Way.SENT_AS_TEXT, one.schema, after[key].schema
    for kind, schema in _body(old).items():
        if (new_schema := schema_for(_body(new), kind)) is not None:
            yield "the body", Way.SENT, schema, new_schema
    for status, answer, new_answer in _answers(old, new):
        for kind, schema in answer.content.items():
            if (new_schema := schema_for(new_answer.content, kind)) is not None:
                yield _answer_called(old, status), Way.RECEIVED, schema, new_schema


def _body(operation: Operation) -> Mapping[str, Schema]:
    return operation.body.content if operation.body else {}


def _parameters(operation: Operation) -> dict[tuple[str, str], Parameter]:
    """The parameters by what makes them the same: those of a path by their turn."""
    turns = names_in(operation.path)
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


_RULES: tuple[_Rule, ...] = (
    _credentials,
    _required_parameters,
    _required_body,
    _body_types,
    _statuses,
    _answer_types,
)


def _inner(old: Shape, new: Shape) -> Iterator[_Inner]:
    """Yield what both have below."""
    for name in dict.fromkeys((*old.properties, *new.properties)):
        if (before := _field(old, name)) and (after := _field(new, name)):
            yield step_to(name), before, after
    if old.rest and new.rest:
        yield ".*", old.rest, new.rest
    if old.items and new.items:
        yield "[*]", old.items, new.items


def _field(shape: Shape, name: str) -> tuple[Schema, ...]:
    """What is said of a field, by its name or as one of a map's."""
    return shape.properties.get(name) or (() if shape.rest == (True,) else shape.rest)


def _identity(branches: list[Branch]) -> _Identity:
    """What makes schemas the same, by whichever reference they are reached."""
    parts = (part for branch in branches for part in branch)
    return frozenset(id(part) for part in parts if part.keys() != {"$ref"})
