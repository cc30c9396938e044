"""Whether an answer is what the API's document says: its status, type, headers and body."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NoReturn

from deployment_gate.openapi.document import Document
from deployment_gate.openapi.operations import Answer, Operation
from deployment_gate.openapi.schemas import Branch, Schema, schema_for
from deployment_gate.openapi.tree import entries, listed, media_type, step_to

if TYPE_CHECKING:
    import httpx

# RFC 9110, 15.3.5, 15.3.6 and 15.4.5; RFC 9110, 9.3.2 for HEAD.
_BODILESS = frozenset({204, 205, 304})


def violations(document: Document, operation: Operation, response: httpx.Response) -> list[str]:
    """Answer what of an operation's answer its document doesn't allow, a sentence each."""
    status = response.status_code
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return [f"was answered {status}"]
    documented = operation.answer_to(str(status))
    if documented is None:
        known = ", ".join(operation.answers) or "none"
        return [f"was answered {status}, which isn't documented; documented: {known}"]
    found = [
        f"was answered {status} without the header {name}"
        for name in documented.required_headers
        if name not in response.headers and name.lower() != "content-type"
    ]
    if operation.method == "HEAD" or status in _BODILESS:
        return found
    return [*found, *_body_violations(document, documented, response)]


def undocumented_fields(
    document: Document, operation: Operation, response: httpx.Response
) -> list[str]:
    """Answer the paths of fields in an answer's body that its schema doesn't mention."""
    documented = operation.answer_to(str(response.status_code))
    kind = media_type(response.headers.get("Content-Type", ""))
    schema = schema_for(documented.content, kind) if documented else None
    if schema is None or not _is_json(kind):
        return []
    try:
        body = parse_json(response)
    except ValueError:
        return []
    return list(dict.fromkeys(_undocumented(document, (schema,), body, "$")))


def parse_json(response: httpx.Response) -> Any:
    """Read an answer's body.

    Raises:
        ValueError: It isn't JSON (RFC 8259), which has no NaN and no Infinity.
    """
    try:
        return json.loads(response.content, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _is_json(kind: str) -> bool:
    return kind == "application/json" or kind.endswith("+json")


def _body_violations(
    document: Document, documented: Answer, response: httpx.Response
) -> Iterator[str]:
    status, kind = response.status_code, media_type(response.headers.get("Content-Type", ""))
    if not documented.content:
        if response.content:
            yield f"was answered {status} with a body, and none is documented"
        return
    schema = schema_for(documented.content, kind)
    known = ", ".join(documented.content)
    if not kind:
        what = "without a content type" if response.content else "without a body"
        yield f"was answered {status} {what}; documented: {known}"
    elif schema is None:
        yield f"was answered {status} as {kind}, which isn't documented; documented: {known}"
    elif _is_json(kind):
        try:
            body = parse_json(response)
        except ValueError as error:
            yield f"was answered {status} as {kind}, and the body isn't JSON: {error}"
        else:
            yield from document.schema_errors(schema, body)


def _undocumented(
    document: Document, schemas: Sequence[Schema], instance: object, where: str
) -> Iterator[str]:
    branches = document.branches(*schemas)
    parts = [part for branch in branches for part in branch]
    for index, item in enumerate(listed(instance)):
        yield from _undocumented(document, _item_schemas(parts, index), item, f"{where}[*]")
    is_open = any(_is_open(branch) for branch in branches) or not branches
    for name, value in entries(instance).items():
        inner = [schema for part in parts for schema in _field_schemas(part, name)]
        path = where + step_to(name)
        if inner:
            yield from _undocumented(document, inner, value, path)
        elif not is_open:
            yield path


def _is_open(branch: Branch) -> bool:
    """Whether objects may have any field: by an explicit word, or since none is told at all."""
    types = [one for part in branch for one in (part.get("type"),) if one is not None]
    if any("object" not in (one if isinstance(one, list) else [one]) for one in types):
        return False
    further = [
        part[key]
        for part in branch
        for key in ("additionalProperties", "unevaluatedProperties")
        if key in part
    ]
    is_silent = not any(part.get("properties") or part.get("patternProperties") for part in branch)
    return any(one is not False for one in further) or (is_silent and not further)


def _field_schemas(part: Mapping[str, Any], name: str) -> list[Schema]:
    """What one schema says of one field; as JSON Schema has it, the rest is for what is left."""
    properties = entries(part.get("properties"))
    found = [properties[name]] if name in properties else []
    for pattern, schema in entries(part.get("patternProperties")).items():
        if _is_found(pattern, name):
            found.append(schema)
    rest = part.get("additionalProperties")
    return found or ([rest] if isinstance(rest, dict) else [])


def _is_found(pattern: str, name: str) -> bool:
    """Patterns are ECMAScript's; for one that Python doesn't know, every name is documented."""
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return True


def _item_schemas(parts: Sequence[Mapping[str, Any]], index: int) -> list[Schema]:
    found = []
    for part in parts:
        first = listed(part.get("prefixItems"))
        if index < len(first):
            found.append(first[index])
        elif "items" in part:
            found.append(part["items"])
    return found
