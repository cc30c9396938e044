"""Values for parameters: what answers tell of things, what schemas allow."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployment_gate.openapi.conformance import parse_json
from deployment_gate.openapi.document import Document
from deployment_gate.openapi.operations import Parameter
from deployment_gate.openapi.tree import entries, listed

if TYPE_CHECKING:
    import httpx


# What a resource is known by; the parameter's own name comes before these.
_KEYS = ("id", "uuid", "slug", "key", "name")
_PREFIXED = re.compile(r".+[a-z0-9](?:[_-]([A-Za-z]+)|([A-Z][a-z]*))")
# What lists are wrapped in, and what they are called.
_ENVELOPES = ("data", "result", "_embedded")
_LISTS = ("items", "results", "content", "records", "entries")


@dataclass(frozen=True, slots=True)
class Value:
    """A value for a parameter, and the operation that answered it; empty: it is written down."""

    value: object
    told_by: str = ""


def keys_in(response: httpx.Response, name: str, *, of: str) -> Sequence[object]:
    """Answer what the first thing in an answer is known by, the likeliest field first.

    Args:
        response: The answer.
        name: The parameter's name.
        of: What such things are called, `policies`.
    """
    try:
        body = parse_json(response)
    except ValueError:
        return []
    for envelope in _ENVELOPES:
        body = entries(body).get(envelope, body)
    things = body if isinstance(body, list) else _list_in(entries(body), of)
    if things is None:
        is_map = all(isinstance(one, dict) for one in entries(body).values())
        return list(map(str, entries(body)))[:1] if is_map else []
    first = things[0] if things else None
    if not isinstance(first, dict):
        return [first] if _is_key(first) else []
    fields = {_plain(key): value for key, value in first.items()}
    prefixed = _PREFIXED.fullmatch(name)
    short = (prefixed[1] or prefixed[2]) if prefixed else name
    names = dict.fromkeys(map(_plain, (name, short, *_KEYS)))
    return [fields[one] for one in names if _is_key(fields.get(one))]


def _list_in(body: Mapping[str, Any], of: str) -> list[Any] | None:
    """The list that an object is about: by its name, or else the first one of objects."""
    lists = {key: value for key, value in body.items() if isinstance(value, list)}
    named = [lists[name] for name in (of, *_LISTS) if name in lists]
    of_objects = [one for one in lists.values() if one and isinstance(one[0], dict)]
    alone = list(lists.values()) if len(lists) == 1 else []
    return next(iter([*named, *of_objects, *alone]), None)


def _is_key(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _plain(name: str) -> str:
    return re.sub(r"[_-]", "", name).lower()


def smallest(document: Document, parameter: Parameter) -> Iterator[object]:
    """Yield the smallest value of a parameter without any example, if its schema says one."""
    for part in next(iter(document.branches(parameter.schema)), ()):
        types = [part.get("type"), *listed(part.get("type"))]
        least, above = part.get("minimum"), part.get("exclusiveMinimum")
        if "boolean" in types:
            yield False
        if "integer" in types and isinstance(least, int):
            yield least + (above is True)
        elif "integer" in types and isinstance(above, int) and above is not True:
            yield above + 1


def as_text(value: object) -> str:
    """Answer a value as an address has it: the items of a list, say, with commas."""
    if isinstance(value, list):
        return ",".join(map(as_text, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def unique(values: list[Value]) -> Iterator[Value]:
    """Yield the values that make different addresses, in their order."""
    seen = set()
    for one in values:
        if as_text(one.value) not in seen:
            seen.add(as_text(one.value))
            yield one
