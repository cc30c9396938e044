"""The fixtures that checks of the API are written with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from deployment_gate.environment import Environment
from deployment_gate.errors import GateError
from deployment_gate.fixtures import process_key

if TYPE_CHECKING:
    import httpx

    from deployment_gate.api.collections import Item, Listing
    from deployment_gate.api.contract import Contract
    from deployment_gate.api.facts import SharedFact
    from deployment_gate.api.journeys import JourneyRun
    from deployment_gate.api.pages import Page
    from deployment_gate.api.sessions import Sessions, Token
    from deployment_gate.environment import ApiTarget


@pytest.fixture(scope="session")
def api_target(environment: Environment) -> ApiTarget:
    """What the environment says of the API."""
    if environment.api is None:
        pytest.fail(
            f"{environment.name} has no `api` section; write one with its `base_url`", pytrace=False
        )
    return environment.api


@pytest.fixture(scope="session")
def sessions(
    api_target: ApiTarget,
    http_client: Callable[[str], httpx.Client],
    keep_secret: Callable[[str], str],
) -> Sessions:
    """Who is signed in, and how one signs in."""
    from deployment_gate.api.sessions import Sessions  # noqa: PLC0415  # loads httpx

    return Sessions(api_target, make_client=http_client, keep_secret=keep_secret)


@pytest.fixture(scope="session")
def api(sessions: Sessions) -> httpx.Client:
    """The environment's API, asked by nobody in particular."""
    return sessions.stranger


@pytest.fixture(scope="session")
def api_as(sessions: Sessions) -> Callable[[str | None], httpx.Client]:
    """The API as one of the environment's identities sees it: `api_as("analyst")`."""

    def client(name: str | None) -> httpx.Client:
        try:
            return sessions.client(name)
        except GateError as error:
            # Without the way there: what the reader needs is who could not sign in, and why.
            pytest.fail(str(error), pytrace=False)

    return client


@pytest.fixture(scope="session")
def short_lived_token(sessions: Sessions, api_target: ApiTarget) -> Token | None:
    """A token that soon expires, where the environment says how one asks for it.

    Asked for once and early, it has expired by the time that it is looked at.
    """
    if api_target.login is None or api_target.login.short_lived is None:
        return None
    try:
        return sessions.sign_in(
            next(iter(api_target.identities)), more=api_target.login.short_lived
        )
    except GateError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def identity(request: pytest.FixtureRequest) -> str:
    """Each identity of the environment in turn, by its name."""
    return str(request.param)


@pytest.fixture(scope="session")
def listing(
    api_target: ApiTarget,
    api_as: Callable[[str | None], httpx.Client],
    run_values: Mapping[str, object],
) -> Callable[[str], Listing]:
    """A list of the API by its name in the environment file: `listing("policies")`."""
    from deployment_gate.api.collections import Listing  # noqa: PLC0415  # loads httpx

    return lambda name: Listing(name, api_target, api_as, values=run_values)


@pytest.fixture
def collection(request: pytest.FixtureRequest, listing: Callable[[str], Listing]) -> Listing:
    """Each list of the environment in turn."""
    return listing(request.param)


@pytest.fixture
def make_item(listing: Callable[[str], Listing]) -> Iterator[Callable[..., Item]]:
    """Makes an item of a list, `make_item("policies", title="...")`; it is removed at the end.

    The check must be marked `writes`.
    """
    made: list[tuple[Listing, Item]] = []

    def make(name: str, **changes: object) -> Item:
        items = listing(name)
        item = items.make(**changes)
        made.append((items, item))
        return item

    yield make
    left = [why for items, item in made if (why := _why_left(items, item))]
    if left:
        pytest.fail(f"remove by hand what the check made: {'; '.join(left)}", pytrace=False)


def _why_left(items: Listing, item: Item) -> str | None:
    """Remove an item; why it may be left, None where it is gone."""
    import httpx  # noqa: PLC0415  # a check that makes items has loaded it

    try:
        answer = items.remove(item.id)
    except (httpx.HTTPError, GateError) as error:
        return str(error)
    # The check may have removed it itself.
    if answer.is_success or answer.status_code in {404, 410}:
        return None
    return f"DELETE {items.address_of(item.id)} was answered {answer.status_code}"


@pytest.fixture(scope="session")
def search(
    api_target: ApiTarget, api_as: Callable[[str | None], httpx.Client]
) -> Callable[[str], Page]:
    """Search for a term."""
    from deployment_gate.api.answers import with_query  # noqa: PLC0415  # loads httpx
    from deployment_gate.api.pages import Page  # noqa: PLC0415

    section = api_target.search
    if section is None:
        pytest.fail("the `api` section has no `search`; write one", pytrace=False)
    paging = api_target.paging

    def search_for(term: str) -> Page:
        client = api_as(api_target.reader_of(section))
        answer = client.get(with_query(section.path, {section.parameter: term}))
        return Page(answer, section.items or paging.items, paging)

    return search_for


@pytest.fixture(scope="session")
def run_values(environment: Environment, pytestconfig: pytest.Config) -> dict[str, object]:
    """What stands for {{environment}} and {{release}} in the environment file."""
    release = pytestconfig.getoption("release")
    return {"environment": environment.name} | ({"release": release} if release else {})


@pytest.fixture
def fact(
    request: pytest.FixtureRequest,
    api_target: ApiTarget,
    api_as: Callable[[str | None], httpx.Client],
    environment: Environment,
    run_values: Mapping[str, object],
) -> SharedFact:
    """Each fact in turn that several answers of the API tell."""
    from deployment_gate.api.facts import SharedFact  # noqa: PLC0415  # loads httpx

    reader = next(iter(api_target.identities), None)

    def ask(address: str) -> httpx.Response:
        answer = api_as(None).get(address)
        is_private = answer.status_code in {401, 403} and address.startswith("/")
        return api_as(reader).get(address) if is_private and reader else answer

    return SharedFact(
        request.param,
        api_target.facts[request.param],
        ask,
        run_values,
        partial(time.sleep, environment.sampler.interval.total_seconds()),
    )


@pytest.fixture
def journey(
    request: pytest.FixtureRequest,
    api_target: ApiTarget,
    sessions: Sessions,
    run_values: Mapping[str, object],
) -> Callable[[], JourneyRun]:
    """Each journey in turn: call it to take it."""
    from deployment_gate.api.journeys import Way, take_journey  # noqa: PLC0415  # loads httpx

    process = request.config.stash[process_key]

    def note_step(name: str | None) -> None:
        process.conduct.step = name

    def schema_errors(schema: Mapping[str, Any] | str, body: object) -> list[str]:
        # Few journeys ask for it, and reading descriptions takes a while to load.
        contract: Contract = request.getfixturevalue("contract")
        return contract.schema_errors(schema, body)

    way = Way(
        client=sessions.client,
        note_step=note_step,
        keep_secret=process.redactor.add,
        schema_errors=schema_errors,
    )
    name = str(request.param)
    values = {**run_values, "run": f"v{uuid4().hex[:12]}"}
    return lambda: take_journey(name, api_target.journeys[name], way, values)


@pytest.fixture(scope="session")
def contract(
    environment: Environment,
    api_target: ApiTarget,
    api_as: Callable[[str | None], httpx.Client],
    pytestconfig: pytest.Config,
) -> Contract:
    """The API's own description, read when it is first needed, and what it is held against."""
    from deployment_gate.api.contract import Administration, Contract  # noqa: PLC0415  # loads httpx

    return Contract(
        api_target,
        client=api_as,
        baseline=pytestconfig.stash[process_key].baseline,
        beside=environment.paths_beside_the_api(),
        administration=Administration(
            environment.security.administrative, environment.administrator
        ),
    )


@pytest.fixture(scope="session")
def internals_in() -> Callable[[str], list[str]]:
    """What of the platform's inside a text shows: stack traces, SQL, paths."""
    from deployment_gate.api.internals import internals_in  # noqa: PLC0415  # few checks need it

    return internals_in


@pytest.fixture(scope="session")
def error_shape(environment: Environment, api_target: ApiTarget) -> Callable[[httpx.Response], Any]:
    """What speaks against an error answer's shape, a sentence each."""
    from deployment_gate.api.errors import shape_errors  # noqa: PLC0415  # few checks need it

    shape = api_target.errors
    if shape is None:
        pytest.fail("the `api` section says no `errors`; write one", pytrace=False)
    return partial(
        shape_errors, shape=shape, source=environment.source_of("api", "errors", "json_schema")
    )
