"""What an API's description documents, and how each operation may be asked without harm."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from deployment_gate.environment import READING, RequestLine
from deployment_gate.openapi import Document, Operation, sweep
from deployment_gate.openapi.operations import Parameter, Place, names_in

if TYPE_CHECKING:
    import httpx

    from deployment_gate.api.sessions import Sessions
    from deployment_gate.environment import ApiTarget

MOST = 200
"""Operations that are asked at the most, by each way of asking."""

MISSING_ID = 2147483647
"""A number that nothing has."""

_MISSING = ("no-such-id", "00000000-0000-4000-8000-000000000000", MISSING_ID)


@dataclass(frozen=True, slots=True)
class Asked:
    """A documented operation, how it was asked, and what it answered to whoever may ask."""

    operation: Operation
    address: str
    answer: httpx.Response


@dataclass(frozen=True, slots=True)
class Survey:
    """What a description documents, and how what of it reads was answered.

    Attributes:
        document: The description.
        asked: Each operation that was asked, signed in where it says so; once each.
        parameters: Values for parameters, by name.
        skip: Operations that are not to be called; what only reads is asked all the same where
            the environment names it as administrative: strangers are to be refused.
        administrative: What is for administrators.
    """

    document: Document
    asked: tuple[Asked, ...]
    parameters: Mapping[str, Any]
    skip: Collection[RequestLine]
    administrative: Collection[RequestLine]

    def address_of(self, operation: Operation) -> str | None:
        """How an operation was asked; None where it wasn't."""
        return next((one.address for one in self._of(operation)), None)

    def is_open_to_reader(self, operation: Operation) -> bool:
        """Whether whoever may read was let in."""
        return any(one.answer.is_success for one in self._of(operation))

    def private(self, *, is_reading: bool) -> list[Operation]:
        """Operations that need credentials, and may be called."""
        skipped = self._named(self.skip)
        if is_reading:
            skipped -= self._named(self.administrative)
        return [
            one
            for one in self.document.operations
            if one.needs_credentials
            and (one.method in READING) is is_reading
            and one.method != "TRACE"
            and str(one) not in skipped
        ]

    def address_of_missing(self, api: ApiTarget, operation: Operation) -> str:
        """How to ask an operation about something that isn't there.

        Args:
            api: What the environment says of the API.
            operation: The operation.
        """
        path = operation.path
        by_name = {one.name: one for one in operation.parameters if one.where is Place.PATH}
        for name in names_in(path):
            value = missing_value(self.document, by_name.get(name))
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        query = [
            (one.name, str(self.parameters.get(one.name, next(iter(one.examples), "x"))))
            for one in operation.parameters
            if one.where is Place.QUERY and one.is_required
        ]
        address = below_base(self.document, api, self.document.base_path + path)
        return f"{address}?{urlencode(query)}" if query else address

    def _named(self, lines: Collection[RequestLine]) -> set[str]:
        return {str(self.document.find(one.method, one.path)) for one in lines}

    def _of(self, operation: Operation) -> Iterator[Asked]:
        return (one for one in self.asked if str(one.operation) == str(operation))


def survey(
    document: Document, sessions: Sessions, administrative: Collection[RequestLine] = ()
) -> Survey:
    """Ask each documented operation that reads, signed in where it says that it must be.

    Args:
        document: The description.
        sessions: How one signs in.
        administrative: What is for administrators.

    Raises:
        SignInError: Nobody can sign in.
    """
    api = sessions.api
    section = api.openapi
    parameters, skip = (section.parameters, section.skip) if section else ({}, ())
    reader = next(iter(api.identities), None)
    found: dict[str, Asked] = {}

    def ask(path: str, needs_credentials: bool) -> httpx.Response:  # noqa: FBT001  # sweep's
        address = below_base(document, api, path)
        client = sessions.client(reader if needs_credentials else None)
        answer = client.get(address)
        operation = document.find("GET", path)
        # Of several values for a place the one that there is something for is the best.
        if operation and (str(operation) not in found or answer.is_success):
            found[str(operation)] = Asked(operation, address, answer)
        return answer

    sweep(document, ask=ask, parameters=parameters, skip=skip, limit=MOST)
    return Survey(document, tuple(found.values()), parameters, skip, administrative)


def below_base(document: Document, api: ApiTarget, path: str) -> str:
    """A path as the API's client takes it, whose address may have the description's base path."""
    base = document.base_path
    is_doubled = base and urlsplit(api.base_url).path.rstrip("/") == base
    return path.removeprefix(base) if is_doubled else path


def is_harmless(document: Document, operation: Operation) -> bool:
    """Whether an operation can change nothing, sent with a missing id and an empty body.

    An id that there is nothing of keeps what needs the thing from doing anything, but PUT may make
    it (RFC 9110, 9.3.4). A body that must have something in it is refused.

    Args:
        document: The description that it is of.
        operation: The operation.
    """
    body = operation.body
    if body is not None and body.is_required:
        schemas = [one for kind, one in body.content.items() if "json" in kind]
        if all(document.schema_errors(one, {}) for one in schemas):
            return True
    return bool(names_in(operation.path)) and operation.method != "PUT"


def missing_value(document: Document, parameter: Parameter | None) -> object:
    """An id that there is nothing of, of the kind that a parameter takes.

    Where none fits, one that can't be: nothing is found by that, either.
    """
    schema = True if parameter is None else parameter.schema
    fitting = (one for one in _MISSING if not document.schema_errors(schema, one))
    return next(fitting, _MISSING[0])
