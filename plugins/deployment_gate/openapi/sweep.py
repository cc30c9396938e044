"""Calls every documented GET operation that can be called, and tells what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote, urlencode

from deployment_gate.environment import RequestLine
from deployment_gate.openapi.conformance import undocumented_fields, violations
from deployment_gate.openapi.document import Document
from deployment_gate.openapi.operations import Operation, Parameter, Place, nameless, names_in
from deployment_gate.openapi.tree import listed
from deployment_gate.openapi.values import Value, as_text, keys_in, smallest, unique

if TYPE_CHECKING:
    import httpx


Ask: TypeAlias = "Callable[[str, bool], httpx.Response]"
"""Sends GET to a path with its query; signed in where the flag says that it must be."""

_TRIED = 3
_NOT_FOUND = 404
_REFUSALS = frozenset({401, 403})
_SENT = frozenset({Place.PATH, Place.QUERY})
_LIKE_LISTS = ("", "/", "s")
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
        self._good: dict[str, Value] = {}
        self._lists = {
            nameless(one.path): one for one in document.operations if one.method == "GET"
        }
        self.result = SweepResult()
        self.not_called: dict[str, str] = {}
        self.called = 0

    def leave_out(self, skip: Collection[RequestLine]) -> None:
        """Call none of these."""
        for line in skip:
            operation = self._document.find(line.method, line.path)
            if operation is None:
                self.not_called[str(line)] = "skipped by the environment, and not documented at all"
            elif operation.method == "GET":
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
        import httpx  # noqa: PLC0415  # a baseline can be read without it

        needed = _needed(operation)
        # From the last to the first: looking for a later one's value proves an earlier one's.
        values = {one.name: self._values(operation, one) for one in _by_place(operation, needed)}
        if why := self._why_not(operation, needed, values):
            self.not_called[str(operation)] = why
            return None
        self.called += 1
        in_path = names_in(operation.path)
        tried = values[in_path[-1]] if in_path else [Value("")]
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
        self, operation: Operation, needed: list[Parameter], values: Mapping[str, list[Value]]
    ) -> str | None:
        if self.called >= self._limit:
            return f"more than {self._limit} operations"
        for one in needed:
            if one.where not in _SENT:
                return f"needs the {one.where} {one.name}, which a sweep doesn't send"
        for name in (*names_in(operation.path), *values):
            if not values.get(name):
                shown = f"{{{name}}}" if name in names_in(operation.path) else name
                return f"no value for {shown}; {_WRITE_ONE}"
        return None

    def _judge(
        self, operation: Operation, response: httpx.Response, *, asked: str, tried: list[Value]
    ) -> None:
        told = [one for one in tried if one.told_by] if _is_one_things(operation) else []
        if operation.needs_credentials and response.status_code in _REFUSALS:
            wrong = [f"was refused with {response.status_code} although signed in"]
        elif response.status_code == _NOT_FOUND and told:
            name = names_in(operation.path)[-1]
            values = " and ".join(str(one.value) for one in told)
            wrong = [f"was answered 404 for {{{name}}} = {values}, as {told[0].told_by} has it"]
        else:
            wrong = violations(self._document, operation, response)
        if response.status_code == _NOT_FOUND and not wrong:
            # As documented, and it tells nothing of the answer that anybody is after.
            self.called -= 1
            self.not_called[str(operation)] = f"only answered 404, at {asked}; {_WRITE_ONE}"
        unknown = undocumented_fields(self._document, operation, response)
        self.result.violations.extend(Finding(str(operation), asked, one) for one in wrong)
        self.result.undocumented.extend(f"{operation}: {path}" for path in unknown)

    def _values(self, operation: Operation, parameter: Parameter) -> list[Value]:
        """All values that are known for a parameter, the best first."""
        given = [Value(one) for one in (self._parameters.get(parameter.name),) if one is not None]
        written = [*given, *map(Value, parameter.examples)][:1]
        if parameter.where is not Place.PATH:
            return written or [Value(one) for one in smallest(self._document, parameter)]
        if good := self._good.get(_up_to(operation.path, parameter.name)):
            return [good]
        known = [*written, *self._told(operation, parameter)[:_TRIED]]
        return [one for one in unique(known) if as_text(one.value) not in _NO_SEGMENTS]

    def _told(self, operation: Operation, parameter: Parameter) -> list[Value]:
        """What the API's own list before the parameter has of such things."""
        before = operation.path.partition(f"{{{parameter.name}}}")[0].rpartition("/")[0]
        for ending in _LIKE_LISTS:
            teller = self._lists.get(nameless(before + ending))
            response = self.answer_of(teller) if teller and teller != operation else None
            if teller is None or response is None or not response.is_success:
                continue
            found = [
                Value(value, told_by=str(teller))
                for value in keys_in(response, parameter.name, of=before.rpartition("/")[2])
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


def _is_one_things(operation: Operation) -> bool:
    """Whether the path ends with its parameter; what is below a thing may well be missing."""
    names = names_in(operation.path)
    return bool(names) and operation.path.rstrip("/").endswith(f"{{{names[-1]}}}")


def _by_place(operation: Operation, needed: list[Parameter]) -> list[Parameter]:
    names = names_in(operation.path)
    sent = [one for one in needed if one.where in _SENT]
    return sorted(sent, key=lambda one: -names.index(one.name) if one.name in names else 0)


def _needed(operation: Operation) -> list[Parameter]:
    """What must be sent; a name in the path is a parameter even if nothing declares it."""
    names = dict.fromkeys(names_in(operation.path))
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


def _address(operation: Operation, chosen: Mapping[str, Value]) -> str:
    path = operation.path
    for name in names_in(path):
        path = path.replace(f"{{{name}}}", quote(as_text(chosen[name].value), safe=""))
    pairs = [
        (one.name, as_text(value))
        for one in operation.parameters
        if one.where is Place.QUERY and one.name in chosen
        for value in listed(chosen[one.name].value) or [chosen[one.name].value]
    ]
    return f"{path}?{urlencode(pairs, quote_via=quote)}" if pairs else path


def _up_to(template: str, name: str) -> str:
    before, place, _ = template.partition(f"{{{name}}}")
    return nameless(before + place)
