"""Calls every documented GET operation that can be called, and tells what is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

import httpx

from deployment_gate.api.conformance import parse_json, undocumented_fields, violations
from deployment_gate.api.document import Document, Operation, Parameter, Place, entries, listed
from deployment_gate.environment import RequestLine

Ask: TypeAlias = Callable[[str, bool], httpx.Response]
"""Sends GET to a path with its query; signed in where the flag says that it must be."""

_TRIED = 3
_NOT_FOUND = 404
_REFUSALS = frozenset({401, 403})
_SENT = frozenset({Place.PATH, Place.QUERY})
# What a resource is known by; the parameter's own name comes before these.
_KEYS = ("id", "uuid", "slug", "key", "name")
_PREFIXED = re.compile(r".+[a-z0-9](?:[_-]([A-Za-z]+)|([A-Z][a-z]*))")
_LIKE_LISTS = ("", "/", "s")
# What lists are wrapped in, and what they are called.
_ENVELOPES = ("data", "result", "_embedded")
_LISTS = ("items", "results", "content", "records", "entries")
# They would make another path of it (RFC 3986, 5.2.4).
_NO_SEGMENTS = frozenset({"", ".", ".."})
_WRITE_ONE = "write one under `api.openapi.parameters`"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, at which operation, by asking for which path."""

    operation: str
    asked: str
    what: str

    def __str__(self) -> str:
        return f"{self.operation}: {self.what} (asked for {self.asked})"


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a sweep found.

    Attributes:
        violations: What contradicts the document.
        undocumented: Fields that answers have and the document doesn't mention, by operation.
        not_called: Why operations were not called, by operation.
        called: How many operations were called.
    """

    violations: list[Finding] = field(default_factory=list)
    undocumented: list[str] = field(default_factory=list)
    not_called: Mapping[str, str] = field(default_factory=dict)
    called: int = 0


@dataclass(frozen=True, slots=True)
class _Value:
    """A value for a parameter, and the operation that answered it; empty: it is written down."""

    value: object
    told_by: str = ""


def sweep(
    document: Document,
    *,
    ask: Ask,
    parameters: Mapping[str, Any],
    skip: Collection[RequestLine],
    limit: int = 300,
) -> SweepResult:
    """Call every documented GET operation once, and what it needs to find values.

    Args:
        document: What the API says of itself.
        ask: Sends a request; it is handed the path with the document's base path and the query.
        parameters: Values for parameters, by name; the document's and the API's own come after.
        skip: Operations that are not to be called; their paths may have places.
        limit: How many operations are called at most.

    Raises:
        RequestRefused: `ask` may not send such requests.
    """
    run = _Sweep(document, ask=ask, parameters=parameters, limit=limit)
    run.leave_out(skip)
    for operation in document.operations:
        if operation.method == "GET":
            run.answer_of(operation)
    return replace(run.result, not_called=run.not_called, called=run.called)


class _Sweep:
    """One sweep: what was answered so far, and which values proved good."""

    def __init__(
        self, document: Document, *, ask: Ask, parameters: Mapping[str, Any], limit: int
    ) -> None:
        self._document = document
        self._ask = ask
        self._parameters = parameters
        self._limit = limit
        self._answers: dict[str, httpx.Response | None] = {}
        self._good: dict[str, _Value] = {}
        self._lists = {
            _nameless(one.path): one for one in document.operations if one.method == "GET"
        }
        self.result = SweepResult()
        self.not_called: dict[str, str] = {}
        self.called = 0

    def leave_out(self, skip: Collection[RequestLine]) -> None:
        """Call none of these."""
        for line in skip:
            operation = self._document.find(line.method, line.path)
            if operation and operation.method == "GET":
                self._answers[str(operation)] = None
                self.not_called[str(operation)] = "skipped by the environment"

    def answer_of(self, operation: Operation) -> httpx.Response | None:
        """What the operation answers, called now if it wasn't yet; None where it didn't."""
        name = str(operation)
        if name not in self._answers:
            self._answers[name] = None
            self._answers[name] = self._call(operation)
        return self._answers[name]

    def _call(self, operation: Operation) -> httpx.Response | None:
        needed = _needed(operation)
        # From the last to the first: looking for a later one's value proves an earlier one's.
        values = {one.name: self._values(operation, one) for one in _by_place(operation, needed)}
        if why := self._why_not(operation, needed, values):
            self.not_called[str(operation)] = why
            return None
        self.called += 1
        in_path = _names_in(operation.path)
        tried = values[in_path[-1]] if in_path else [_Value("")]
        chosen = {name: known[0] for name, known in values.items()}
        for value in tried:
            chosen |= {in_path[-1]: value} if in_path else {}
            asked = self._document.base_path + _address(operation, chosen)
            try:
                response = self._ask(asked, operation.needs_credentials)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                what = f"was not answered: {str(error) or type(error).__name__}"
                self.result.violations.append(Finding(str(operation), asked, what))
                return None
            if response.is_success:
                self._good |= {_up_to(operation.path, name): chosen[name] for name in in_path}
            if response.status_code != _NOT_FOUND:
                break
        self._judge(operation, response, asked=asked, tried=tried)
        return response

    def _why_not(
        self, operation: Operation, needed: list[Parameter], values: Mapping[str, list[_Value]]
    ) -> str | None:
        if self.called >= self._limit:
            return f"more than {self._limit} operations"
        for one in needed:
            if one.where not in _SENT:
                return f"needs the {one.where} {one.name}, which a sweep doesn't send"
        for name in (*_names_in(operation.path), *values):
            if not values.get(name):
                shown = f"{{{name}}}" if name in _names_in(operation.path) else name
                return f"no value for {shown}; {_WRITE_ONE}"
        return None

    def _judge(
        self, operation: Operation, response: httpx.Response, *, asked: str, tried: list[_Value]
    ) -> None:
        told = [one for one in tried if one.told_by]
        if operation.needs_credentials and response.status_code in _REFUSALS:
            wrong = [f"was refused with {response.status_code} although signed in"]
        elif response.status_code == _NOT_FOUND and told:
            name = _names_in(operation.path)[-1]
            values = " and ".join(str(one.value) for one in told)
            wrong = [f"was answered 404 for {{{name}}} = {values}, as {told[0].told_by} has it"]
        else:
            wrong = violations(self._document, operation, response)
        unknown = undocumented_fields(self._document, operation, response)
        self.result.violations.extend(Finding(str(operation), asked, one) for one in wrong)
        self.result.undocumented.extend(f"{operation}: {path}" for path in unknown)

    def _values(self, operation: Operation, parameter: Parameter) -> list[_Value]:
        """All values that are known for a parameter, the best first."""
        given = [_Value(one) for one in (self._parameters.get(parameter.name),) if one is not None]
        written = [*given, *map(_Value, parameter.examples)][:1]
        if parameter.where is not Place.PATH:
            return written or [_Value(one) for one in _smallest(self._document, parameter)]
        if good := self._good.get(_up_to(operation.path, parameter.name)):
            return [good]
        known = [*written, *self._told(operation, parameter)[:_TRIED]]
        return [one for one in _unique(known) if _text(one.value) not in _NO_SEGMENTS]

    def _told(self, operation: Operation, parameter: Parameter) -> list[_Value]:
        """What the API's own list before the parameter has of such things."""
        before = operation.path.partition(f"{{{parameter.name}}}")[0].rpartition("/")[0]
        for ending in _LIKE_LISTS:
            teller = self._lists.get(_nameless(before + ending))
            response = self.answer_of(teller) if teller and teller != operation else None
            if teller is None or response is None or not response.is_success:
                continue
            found = [
                _Value(value, told_by=str(teller))
                for value in _keys_in(response, parameter.name, of=before.rpartition("/")[2])
                if self._is_fit(parameter, value)
            ]
            if found:
                return found
        return []

    def _is_fit(self, parameter: Parameter, value: object) -> bool:
        """In an address a number is a text, too."""
        return any(
            not self._document.schema_errors(parameter.schema, one) for one in (value, str(value))
        )


def _by_place(operation: Operation, needed: list[Parameter]) -> list[Parameter]:
    names = _names_in(operation.path)
    sent = [one for one in needed if one.where in _SENT]
    return sorted(sent, key=lambda one: -names.index(one.name) if one.name in names else 0)


def _needed(operation: Operation) -> list[Parameter]:
    """What must be sent; a name in the path is a parameter even if nothing declares it."""
    names = dict.fromkeys(_names_in(operation.path))
    declared = {one.name for one in operation.parameters if one.where is Place.PATH}
    return [
        *(
            one
            for one in operation.parameters
            if one.is_required and (one.where is not Place.PATH or one.name in names)
        ),
        *(
            Parameter(one, Place.PATH, is_required=True, schema=True)
            for one in names
            if one not in declared
        ),
    ]


def _keys_in(response: httpx.Response, name: str, *, of: str) -> Sequence[object]:
    """What the first thing in an answer is known by, the likeliest field first.

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


def _smallest(document: Document, parameter: Parameter) -> Iterator[object]:
    """The smallest value of a parameter without any example, where its schema says one."""
    for part in next(iter(document.branches(parameter.schema)), ()):
        types = [part.get("type"), *listed(part.get("type"))]
        least, above = part.get("minimum"), part.get("exclusiveMinimum")
        if "boolean" in types:
            yield False
        if "integer" in types and isinstance(least, int):
            yield least + (above is True)
        elif "integer" in types and isinstance(above, int) and above is not True:
            yield above + 1


def _address(operation: Operation, chosen: Mapping[str, _Value]) -> str:
    path = operation.path
    for name in _names_in(path):
        path = path.replace(f"{{{name}}}", quote(_text(chosen[name].value), safe=""))
    pairs = [
        (one.name, _text(value))
        for one in operation.parameters
        if one.where is Place.QUERY and one.name in chosen
        for value in listed(chosen[one.name].value) or [chosen[one.name].value]
    ]
    return f"{path}?{urlencode(pairs, quote_via=quote)}" if pairs else path


def _text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _unique(values: list[_Value]) -> Iterator[_Value]:
    seen = set()
    for one in values:
        if _text(one.value) not in seen:
            seen.add(_text(one.value))
            yield one


def _names_in(template: str) -> list[str]:
    return re.findall(r"\{([^{}]*)\}", template)


def _nameless(template: str) -> str:
    return re.sub(r"\{[^{}]*\}", "{}", template)


def _up_to(template: str, name: str) -> str:
    before, place, _ = template.partition(f"{{{name}}}")
    return _nameless(before + place)
