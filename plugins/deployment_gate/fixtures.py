"""The fixtures that checks are written with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from deployment_gate.checks import CheckProcess
from deployment_gate.environment import Environment
from deployment_gate.judgement import Reading
from deployment_gate.run import USER_AGENT

if TYPE_CHECKING:
    import httpx

process_key = pytest.StashKey[CheckProcess]()


@dataclass(frozen=True, slots=True, repr=False)
class HealthResult:
    """What the sweep saw of one health endpoint.

    Attributes:
        name: Its name in the environment file.
        is_healthy: Whether its last answer shows that what it speaks for is healthy.
        account: What speaks against it.
    """

    name: str
    is_healthy: bool
    account: str

    def __repr__(self) -> str:
        return self.name


@pytest.fixture(scope="session")
def environment(pytestconfig: pytest.Config) -> Environment:
    """The environment that is validated, typed."""
    return pytestconfig.stash[process_key].environment


@pytest.fixture
def health_endpoint(request: pytest.FixtureRequest) -> HealthResult:
    """Each health endpoint of the environment in turn, as the sweep saw it."""
    name: str = request.param
    judged = request.config.stash[process_key].health_of(name)
    if judged.reading is Reading.UNOBSERVED:
        # In a fixture, so that it counts as an error of the run, not as a failed check.
        pytest.fail(f"{name} was not observed: {judged.why}", pytrace=False)
    return HealthResult(name, judged.reading is Reading.GOOD, f"{name}: {judged.why}")


@pytest.fixture(scope="session")
def http_client(
    pytestconfig: pytest.Config, environment: Environment
) -> Iterator[Callable[[str], httpx.Client]]:
    """Makes an `httpx.Client` for a base address; each of its requests is an observation.

    It reads only, unless the environment allows writing and the check is marked `writes`.
    """
    from deployment_gate.probes import http  # noqa: PLC0415  # a run without requests starts sooner

    clients: list[httpx.Client] = []

    def make(base_url: str) -> httpx.Client:
        client = http.http_client(
            pytestconfig.stash[process_key].conduct,
            base_url=base_url,
            timeout_s=environment.request_timeout.total_seconds(),
            user_agent=USER_AGENT,
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def keep_secret(pytestconfig: pytest.Config) -> Callable[[str], str]:
    """Takes a value that no report may show, a token that was issued say, and returns it."""

    def keep(value: str) -> str:
        pytestconfig.stash[process_key].redactor.add(value)
        return value

    return keep
