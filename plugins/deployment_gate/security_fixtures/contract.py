"""The fixtures of checks of odd input."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from deployment_gate.environment import READING, Environment
from deployment_gate.fixtures import process_key
from deployment_gate.security_fixtures.judging import leave_unobserved

if TYPE_CHECKING:
    import httpx

    from deployment_gate.api.collections import Listing
    from deployment_gate.api.contract import Contract
    from deployment_gate.environment import ApiTarget
    from deployment_gate.openapi import Document
    from deployment_gate.security.odd_input import OddRequest
    from deployment_gate.security.rules import Looked

_EXTRA = (
    "odd input is made up by schemathesis, which isn't installed. Install it: "
    'pip install "pytest-deployment-gate[security]"'
)


@pytest.fixture
def odd_reads(
    environment: Environment,
    api_target: ApiTarget,
    contract: Contract,
    api_as: Callable[[str | None], httpx.Client],
    look_at_odd_input: Callable[..., Looked],
) -> Callable[[], Looked]:
    """How the API answers odd input where it is only read: each operation GET and HEAD.

    What is private is asked as the identity that may do the least.
    """

    def look() -> Looked:
        document = contract.document
        wanted = _readings(document, environment, api_target)
        reader = _least(environment, api_target)

        def ask(request: OddRequest) -> httpx.Response:
            asker = reader if wanted[request.operation] else None
            return _send(api_as(asker), request)

        return look_at_odd_input(document, ask, list(wanted))

    return look


@pytest.fixture
def odd_writes(
    api_target: ApiTarget,
    contract: Contract,
    listing: Callable[[str], Listing],
    make_item: Callable[[str], object],
    look_at_odd_input: Callable[..., Looked],
) -> Callable[[], Looked]:
    """How the API answers odd input where items of lists are made, which are removed again.

    Nothing is changed or removed by an id that was made up: it could be that of something real.
    """

    def look() -> Looked:
        document = contract.document
        lists: dict[str, Listing] = {}
        for name, section in api_target.collections.items():
            operation = document.find("POST", section.path)
            if operation and section.draft is not None and section.item:
                # One as it should be, first: where that can't be removed again, nothing is made.
                make_item(name)
                lists[str(operation)] = listing(name)

        def ask(request: OddRequest) -> httpx.Response:
            items = lists[request.operation]
            answer = _send(items.writer, request)
            items.remove_made_by(answer)
            return answer

        # Half as many: each that is taken makes something, and bodies are slow to make up.
        return look_at_odd_input(document, ask, list(lists), share=2)

    return look


@pytest.fixture
def look_at_odd_input(
    request: pytest.FixtureRequest, environment: Environment, api_target: ApiTarget
) -> Callable[..., Looked]:
    """Makes odd requests up for operations of the API's description, and judges their answers."""
    if find_spec("schemathesis") is None:
        pytest.fail(_EXTRA, pytrace=False)
    from deployment_gate.security.odd_input import look_oddly  # noqa: PLC0415  # loads much

    process = request.config.stash[process_key]

    def look(
        document: Document,
        ask: Callable[[OddRequest], httpx.Response],
        wanted: list[str],
        *,
        share: int = 1,
    ) -> Looked:
        bounds = environment.security.odd_input
        bounds = bounds.model_copy(update={"requests": -(-bounds.requests // share)})
        if not wanted:
            leave_unobserved(
                process,
                f"{document.origin} describes nothing that odd input can be tried on. Describe "
                "the API's operations there, or skip fewer in `api.openapi.skip`",
            )
        with warnings.catch_warnings():
            # What a library of others warns its users of is nothing that this run can mend.
            warnings.simplefilter("ignore")
            return look_oddly(
                document.root,
                ask,
                base_url=_base_of(document, api_target),
                wanted=wanted,
                bounds=bounds,
            )

    return look


def _readings(document: Document, environment: Environment, api: ApiTarget) -> dict[str, bool]:
    """The operations that only read, but those to be skipped; whether each needs credentials."""
    skipped = {
        str(document.find(one.method, one.path))
        for one in (api.openapi.skip if api.openapi else ())
    }
    ends = {(method, urlsplit(url).path) for method, url in environment.session_requests()}
    base = document.base_path
    return {
        str(one): one.needs_credentials
        for one in document.operations
        if one.method in READING - {"OPTIONS"}
        and str(one) not in skipped
        and ends.isdisjoint({(one.method, one.path), (one.method, base + one.path)})
    }


def _least(environment: Environment, api: ApiTarget) -> str | None:
    """The identity that may do the least, or the first where all are alike."""
    from deployment_gate.security.access import low_privileged  # noqa: PLC0415  # loads httpx
    from deployment_gate.security.rules import Unseen  # noqa: PLC0415

    try:
        return low_privileged(api, environment.security)
    except Unseen:
        # It only reads: whoever does will do.
        return next(iter(api.identities), None)


def _base_of(document: Document, api: ApiTarget) -> str:
    """The address that the description's paths are below."""
    base = document.base_path
    address = api.base_url.rstrip("/")
    return address if urlsplit(address).path == base else address + base


def _send(client: httpx.Client, request: OddRequest) -> httpx.Response:
    # As bytes: what is made up may hold any character of Latin 1 (RFC 9110, 5.5).
    headers = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers.items()
    ]
    return client.request(
        request.method, request.url, headers=headers, content=request.body or None
    )
