"""Reading answers: values in their bodies and headers, and a few words about them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx

from deployment_gate.environment import Part, Source

MISSING = object()
"""Stands for what isn't there, which is not the same as null."""

_SHOWN = 120


def body_of(answer: httpx.Response) -> Any:
    """The body as JSON; `MISSING` where it is none."""
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError):
        return MISSING


def with_query(address: str, query: Mapping[str, Any]) -> httpx.URL:
    """An address with more query parameters than it has; httpx itself would replace them."""
    return httpx.URL(address).copy_merge_params(dict(query))


def json_of(answer: httpx.Response) -> Any:
    """The body of an answer that must be a success with JSON.

    Not by `assert`, to which pytest would add what the reader need not know.

    Raises:
        AssertionError: It is none.
    """
    if not answer.is_success:
        raise AssertionError(told(answer))
    body = body_of(answer)
    if body is MISSING:
        raise AssertionError(f"{told(answer)}, and its body isn't JSON")
    return body


def read_source(source: Source, answer: httpx.Response) -> Any:
    """The value that stands there; None where there is none."""
    if source.part is Part.HEADER:
        return answer.headers.get(source.name)
    if source.part is Part.COOKIE:
        return answer.cookies.get(source.name)
    body = body_of(answer)
    return None if body is MISSING or source.query is None else source.query.first(body)


def shown(value: object) -> str:
    """A value as it is told: as JSON, cut where it is long."""
    return cut(json.dumps(value, ensure_ascii=False, default=str), _SHOWN)


def cut(text: str, longest: int) -> str:
    """A text of so many characters at most, with a mark where it was cut.

    By that mark a secret is known of which only the beginning is left.
    """
    return text if len(text) <= longest else f"{text[:longest]}..."


def same(one: object, other: object) -> bool:
    """Equality as JSON has it: true is no 1, 1 is 1.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other


def told(answer: httpx.Response) -> str:
    """Which request was answered what, as the subject of a sentence."""
    request = answer.request
    return f"{request.method} {request.url.raw_path.decode()} was answered {answer.status_code}"
