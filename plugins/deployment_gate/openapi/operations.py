"""The operations of a document: what they take, what they answer, which paths they serve."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any
from urllib.parse import unquote

from deployment_gate.openapi.schemas import Schema, branches
from deployment_gate.openapi.tree import entries, escaped, listed, media_type, resolved

METHODS = ("get", "head", "options", "post", "put", "patch", "delete", "trace", "query")
"""The keys of a path that are methods."""

_PARAMETER = re.compile(r"(\{[^{}]*\})")
# OpenAPI 3.1.1, 4.8.12.1: header parameters of these names are to be passed over.
_NO_PARAMETERS = frozenset({"accept", "content-type", "authorization"})


class Place(StrEnum):
    """Where a parameter goes in a request."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation; `examples` are values that the document gives for it."""

    name: str
    where: Place
    is_required: bool
    schema: Schema
    examples: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries: a schema for each content type."""

    content: Mapping[str, Schema]
    is_required: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """One documented answer.

    Attributes:
        pointer: Where the document has it, references followed.
        content: A schema for each content type; `*` may stand for a part of one.
        required_headers: The names of headers that it always has.
    """

    pointer: str
    content: Mapping[str, Schema]
    required_headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, with what its path says for all methods; answers by status."""

    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body: Body | None
    answers: Mapping[str, Answer]
    needs_credentials: bool
    is_deprecated: bool

    def answer_to(self, status: str) -> Answer | None:
        """Answer what is documented for a status: exactly, as `4XX`, or as `default`."""
        known = (status, f"{status[:1]}XX", "default")
        return next((self.answers[one] for one in known if one in self.answers), None)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def names_in(template: str) -> list[str]:
    """Answer the names of a path's parameters, in their order.

    >>> names_in("/books/{book_id}/notes/{note_id}.json")
    ['book_id', 'note_id']
    """
    return [one[1:-1] for one in _PARAMETER.findall(template)]


def nameless(template: str) -> str:
    """Answer a path without the names of its parameters: the same, whatever they are called.

    >>> nameless("/books/{book_id}/notes")
    '/books/{}/notes'
    """
    return _PARAMETER.sub("{}", template)


def operation_for(operations: Iterable[Operation], method: str, path: str) -> Operation | None:
    """Answer the operation that serves a path: of several the most particular one."""
    fitting = [one for one in operations if one.method == method and _fits(one.path, path)]
    return min(fitting, key=_openness, default=None)


def operations_in(root: Mapping[str, Any]) -> Iterator[Operation]:
    """Yield all operations of a document, of each path in turn."""
    for path, raw in root["paths"].items():
        pointer, item = resolved(root, raw, f"#/paths/{escaped(path)}")
        further = entries(item.get("additionalOperations"))
        for method in (*METHODS, *further) if path.startswith("/") else ():
            operation = item[method] if method in item else further.get(method)
            if isinstance(operation, dict):
                parameters = parameters_of(root, item, operation)
                yield Operation(
                    method=method.upper(),
                    path=path,
                    parameters=tuple(_parameter(root, one) for one in parameters),
                    body=_body(root, operation.get("requestBody")),
                    answers=dict(_answers(root, operation, f"{pointer}/{method}/responses")),
                    needs_credentials=_needs_credentials(root, operation),
                    is_deprecated=operation.get("deprecated") is True,
                )


def parameters_of(
    root: Mapping[str, Any], item: Mapping[str, Any], operation: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """Answer those of a path and of its operation, which wins (OpenAPI 3.1.1, 4.8.10.1)."""
    found = {}
    for raw in (*listed(item.get("parameters")), *listed(operation.get("parameters"))):
        parameter = resolved(root, raw)[1]
        name, where = str(parameter.get("name")), str(parameter.get("in"))
        if where != "header" or name.lower() not in _NO_PARAMETERS:
            found[name, where] = parameter
    return [one for (_, where), one in found.items() if where in {*Place, "body", "formData"}]


def _parameter(root: Mapping[str, Any], raw: Mapping[str, Any]) -> Parameter:
    content: object = next(iter(entries(raw.get("content")).values()), {})
    schema = raw.get("schema", entries(content).get("schema", True))
    return Parameter(
        name=str(raw.get("name")),
        where=Place(raw["in"]),
        is_required=raw["in"] == Place.PATH or raw.get("required") is True,
        schema=schema,
        examples=tuple(_examples(root, raw, schema)),
    )


def _examples(root: Mapping[str, Any], raw: Mapping[str, Any], schema: Schema) -> Iterator[Any]:
    parts = next(iter(branches(root, schema)), ())
    written = [resolved(root, one)[1].get("value") for one in entries(raw.get("examples")).values()]
    for value in (
        raw.get("example"),
        *written,
        *(part.get("example") for part in parts),
        *(one for part in parts for one in listed(part.get("examples"))),
        *(part.get(key) for key in ("default", "const") for part in parts),
        *(one for part in parts for one in listed(part.get("enum"))[:1]),
    ):
        if value is not None:
            yield value


def _body(root: Mapping[str, Any], raw: object) -> Body | None:
    body = resolved(root, raw)[1]
    if not body:
        return None
    return Body(content=_content(root, body), is_required=body.get("required") is True)


def _content(root: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Schema]:
    found: dict[str, Schema] = {}
    for written, raw in entries(node.get("content")).items():
        kind, schema = media_type(written), resolved(root, raw)[1].get("schema", True)
        found[kind] = {"anyOf": [found[kind], schema]} if kind in found else schema
    return found


def _answers(
    root: Mapping[str, Any], operation: Mapping[str, Any], pointer: str
) -> Iterator[tuple[str, Answer]]:
    for status, raw in entries(operation.get("responses")).items():
        where, answer = resolved(root, raw, f"{pointer}/{status}")
        if not status.startswith("x-"):
            headers = entries(answer.get("headers")).items()
            required = [
                name for name, header in headers if resolved(root, header)[1].get("required")
            ]
            known = status if status == "default" else status.upper()
            yield known, Answer(where, _content(root, answer), tuple(required))


def _needs_credentials(root: Mapping[str, Any], operation: Mapping[str, Any]) -> bool:
    ways = listed(operation.get("security", root.get("security")))
    return bool(ways) and {} not in ways


def _fits(template: str, path: str) -> bool:
    segments, asked = template.split("/"), path.split("/")
    return len(segments) == len(asked) and all(
        _segment(segment).fullmatch(unquote(one))
        for segment, one in zip(segments, asked, strict=True)
    )


@cache
def _segment(template: str) -> re.Pattern[str]:
    pieces = _PARAMETER.split(template)
    return re.compile("".join(".+" if one[:1] == "{" else re.escape(one) for one in pieces))


def _openness(operation: Operation) -> list[int]:
    """The fewer parameters, the earlier; a literal segment wins (OpenAPI 3.1.1, 4.8.8.2)."""
    return [
        0 if "{" not in segment else 2 if _PARAMETER.fullmatch(segment) else 1
        for segment in operation.path.split("/")
    ]
