"""What is expected of an answer, and what of it doesn't hold; no network, no clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployment_gate.api.answers import MISSING, body_of, same, shown
from deployment_gate.environment import Expect, Matcher, Word, fill, read_matcher

if TYPE_CHECKING:
    import httpx

_TYPES: Mapping[str, tuple[type, ...]] = {
    "null": (type(None),),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "array": (list,),
    "object": (dict,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An answer, and how long it took in seconds."""

    answer: httpx.Response
    duration_s: float


def unmet(
    expect: Expect,
    seen: Seen,
    *,
    values: Mapping[str, object],
    schema_errors: Callable[[Mapping[str, Any] | str, object], list[str]],
) -> list[str]:
    """What of `expect` doesn't hold, a sentence each; none when all of it does.

    Args:
        expect: What must come back, with places.
        seen: What came back.
        values: What stands for each place.
        schema_errors: Says what a document lacks to fit a JSON schema, or a place in the OpenAPI
            document.
    """
    return [
        *_status(expect, seen),
        *_headers(expect, seen, values),
        *_body(expect, seen, values, schema_errors),
        *_time(expect, seen),
    ]


def mismatch(matcher: Matcher, value: object) -> str | None:
    """What speaks against a value, as the end of a sentence; None when nothing does.

    Args:
        matcher: What it must be.
        value: What it is; `MISSING` where there is none.

    >>> mismatch(read_matcher({"at_least": 3}), 2)
    'is 2, less than 3'
    """
    for word, wanted in matcher.demands:
        found = _judge(word, wanted, value)
        if found:
            return found
    return None


def _status(expect: Expect, seen: Seen) -> Iterator[str]:
    status = seen.answer.status_code
    if expect.status is None:
        if not seen.answer.is_success:
            yield f"answered {status}; expected a success"
    elif status not in expect.status:
        yield f"answered {status}; expected {' or '.join(map(str, sorted(expect.status)))}"


def _headers(expect: Expect, seen: Seen, values: Mapping[str, object]) -> Iterator[str]:
    # A header is text, also where a number was captured.
    values = {name: str(value) for name, value in values.items()}
    for name, matcher in expect.headers.items():
        value = seen.answer.headers.get(name, MISSING)
        if why := mismatch(_filled(matcher, values), value):
            yield f"the header {name} {why}"


def _body(
    expect: Expect,
    seen: Seen,
    values: Mapping[str, object],
    schema_errors: Callable[[Mapping[str, Any] | str, object], list[str]],
) -> Iterator[str]:
    if expect.text and (why := mismatch(_filled(expect.text, values), seen.answer.text)):
        yield f"the body {why}"
    if not expect.jsonpath and expect.json_schema is None:
        return
    body = body_of(seen.answer)
    if body is MISSING:
        yield "the body isn't JSON"
        return
    for query, matcher in expect.jsonpath.items():
        found: object = query.values(body)
        if query.is_singular:
            found = next(iter(query.values(body)), MISSING)
        if why := mismatch(_filled(matcher, values), found):
            yield f"{query} {why}"
    if expect.json_schema is not None:
        yield from schema_errors(expect.json_schema, body)


def _time(expect: Expect, seen: Seen) -> Iterator[str]:
    if expect.within and seen.duration_s > expect.within.total_seconds():
        limit_s = expect.within.total_seconds()
        yield f"took {seen.duration_s:.3f} s; at most {limit_s:g} s are allowed"


def _filled(matcher: Matcher, values: Mapping[str, object]) -> Matcher:
    """The matcher with its places filled; in a pattern a value stands for itself."""
    literal = {name: re.escape(str(value)) for name, value in values.items()}

    def demand(word: Word, wanted: Any) -> object:
        if isinstance(wanted, Matcher):
            return _filled(wanted, values).written()
        return fill(wanted, literal if word is Word.MATCHES else values)

    return read_matcher({word.value: demand(word, wanted) for word, wanted in matcher.demands})


def _judge(word: Word, wanted: Any, value: object) -> str | None:
    if word is Word.EXISTS:
        is_there = value is not MISSING and value != []
        return None if is_there == wanted else ("is there" if is_there else "isn't there")
    if value is MISSING:
        return f"isn't there; expected {_phrase(word, wanted)}"
    return _JUDGES[word](wanted, value)


def _phrase(word: Word, wanted: Any) -> str:
    if isinstance(wanted, Matcher):
        wanted = wanted.written()
    return shown(wanted) if word is Word.EQUALS else f"{word.replace('_', ' ')} {shown(wanted)}"


def _equals(wanted: object, value: object) -> str | None:
    return None if same(wanted, value) else f"is {shown(value)}, not {shown(wanted)}"


def _not(wanted: object, value: object) -> str | None:
    return f"is {shown(value)}, which it must not be" if same(wanted, value) else None


def _contains(wanted: object, value: object) -> str | None:
    if isinstance(value, str):
        is_in = str(wanted) in value
    elif isinstance(value, list):
        is_in = any(same(wanted, item) for item in value)
    else:
        is_in = isinstance(value, dict) and wanted in value
    return None if is_in else f"is {shown(value)}, without {shown(wanted)}"


def _matches(wanted: str, value: object) -> str | None:
    if isinstance(value, str) and re.search(wanted, value):
        return None
    return f"is {shown(value)}, which doesn't match {wanted}"


def _count(wanted: int, value: object) -> str | None:
    if not isinstance(value, str | list | dict):
        return f"is {shown(value)}, which has no parts to count"
    return None if len(value) == wanted else f"has {len(value)} parts, not {wanted}"


def _at_least(wanted: Any, value: Any) -> str | None:
    if not _are_comparable(wanted, value):
        return f"is {shown(value)}, which can't be compared with {shown(wanted)}"
    return None if value >= wanted else f"is {shown(value)}, less than {shown(wanted)}"


def _at_most(wanted: Any, value: Any) -> str | None:
    if not _are_comparable(wanted, value):
        return f"is {shown(value)}, which can't be compared with {shown(wanted)}"
    return None if value <= wanted else f"is {shown(value)}, more than {shown(wanted)}"


def _type(wanted: str, value: object) -> str | None:
    is_right = isinstance(value, _TYPES[wanted]) and (
        wanted == "boolean" or not isinstance(value, bool)
    )
    return None if is_right else f"is {shown(value)}, which is no {wanted}"


def _each(wanted: Matcher, value: object) -> str | None:
    if not isinstance(value, list) or not value:
        return f"is {shown(value)}; expected a list with something in it"
    for number, item in enumerate(value):
        if why := mismatch(wanted, item):
            return f"[{number}] {why}"
    return None


_JUDGES: Mapping[Word, Callable[[Any, Any], str | None]] = {
    Word.EQUALS: _equals,
    Word.NOT: _not,
    Word.CONTAINS: _contains,
    Word.MATCHES: _matches,
    Word.COUNT: _count,
    Word.AT_LEAST: _at_least,
    Word.AT_MOST: _at_most,
    Word.TYPE: _type,
    Word.EACH: _each,
}


def _are_comparable(one: object, other: object) -> bool:
    are_numbers = all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other)
    )
    return are_numbers or (isinstance(one, str) and isinstance(other, str))
