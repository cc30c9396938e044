"""The API's own description: fetched once, and what the API is held against by it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from deployment_gate.api.answers import json_of, told, with_query
from deployment_gate.api.schemas import schema_errors
from deployment_gate.openapi import Document, SweepResult, breaking_changes, sweep

if TYPE_CHECKING:
    import httpx

    from deployment_gate.environment import ApiTarget, OpenApi, RequestLine

_NOT_SERVED = frozenset({404, 405})


@dataclass(frozen=True, slots=True)
class Administration:
    """What not everybody may do, and who may.

    Attributes:
        operations: The requests.
        identity: The identity that may; None where the environment names none.
    """

    operations: Collection[RequestLine] = ()
    identity: str | None = None


class Contract:
    """What the API describes itself as, and what follows from it."""

    def __init__(
        self,
        api: ApiTarget,
        *,
        client: Callable[[str | None], httpx.Client],
        baseline: Document | None,
        beside: Sequence[str],
        administration: Administration,
    ) -> None:
        self._api = api
        self._client = client
        self._baseline = baseline
        self._beside = beside
        self._administration = administration
        self._reader = next(iter(api.identities), None)

    @cached_property
    def document(self) -> Document:
        """The description, as it is served now.

        Raises:
            AssertionError: It isn't served.
            DocumentError: It can't be understood.
        """
        path = self._section.path
        answer = self._client(None).get(path)
        if answer.status_code in {401, 403} and self._reader:
            answer = self._client(self._reader).get(path)
        return Document.parse(json_of(answer), origin=path)

    @cached_property
    def sweep(self) -> SweepResult:
        """How every documented GET operation that can be called is answered."""
        section = self._api.openapi
        assert section is not None
        skip = [*section.skip]
        if self._administration.identity is None:
            skip += [one for one in self._administration.operations if one.method == "GET"]
        return sweep(self.document, ask=self._ask, parameters=section.parameters, skip=skip)

    def undocumented_promises(self) -> list[str]:
        """What the environment says that the API serves, and the description lacks."""
        return [
            str(request)
            for request in self._api.promised()
            if self.document.find(request.method, request.path) is None
        ]

    def undocumented_paths(self) -> list[str]:
        """What is asked beside the API's functions, health say, and the description lacks."""
        return [path for path in self._beside if self.document.find("GET", path) is None]

    def unserved_promises(self) -> list[str]:
        """What the environment says that the API serves, and it doesn't."""
        client = self._client(self._reader)
        answers = [client.get(self._address_of(request)) for request in self._api.askable]
        refused = {401, 403} if self._reader else set()
        return [
            told(answer)
            for answer in answers
            if answer.is_server_error or answer.status_code in _NOT_SERVED | refused
        ]

    def breaking_changes(self) -> list[str]:
        """What has changed since the baseline that breaks its clients."""
        if self._baseline is None:
            raise AssertionError("there is no baseline. Give one: --baseline FILE")
        return breaking_changes(self._baseline, self.document)

    def schema_errors(self, schema: Mapping[str, Any] | str, body: object) -> list[str]:
        """What a body lacks to fit a JSON schema, or a place in the description.

        Raises:
            SchemaError: The schema is none.
        """
        if isinstance(schema, str):
            return self.document.schema_errors(schema, body)
        return schema_errors(schema, body)

    def _address_of(self, request: RequestLine) -> httpx.URL:
        """Where a promised request is sent; a search must look for something."""
        search = self._api.search
        if search is None or request.path != search.path:
            return with_query(request.path, {})
        return with_query(request.path, {search.parameter: search.finds[0]})

    @property
    def _section(self) -> OpenApi:
        if self._api.openapi is None:
            raise AssertionError("the `api` section says no `openapi`; write one")
        return self._api.openapi

    def _ask(self, path: str, needs_credentials: bool) -> httpx.Response:  # noqa: FBT001  # sweep's
        base = self.document.base_path
        if base and urlsplit(self._api.base_url).path == base:
            path = path.removeprefix(base)
        is_open = not self._is_administrative(path)
        reader = self._reader if is_open else self._administration.identity
        return self._client(reader if needs_credentials else None).get(path)

    def _is_administrative(self, path: str) -> bool:
        """Whether an operation is one that not everybody may call."""
        asked = self.document.find("GET", urlsplit(path).path)
        operations = self._administration.operations
        named = [self.document.find(one.method, one.path) for one in operations]
        return asked is not None and asked in named
