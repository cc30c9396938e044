"""A portal that is really served, and those who sign in to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from deployment_gate.api.sessions import Sessions
from deployment_gate.security.wrong_sign_ins import WrongSignIns
from tests.api.shop import serving
from tests.security.portal import Portal, make_app


@pytest.fixture(scope="session")
def served_portal() -> Iterator[Portal]:
    """One portal for all tests of this process."""
    portal = Portal()
    with serving(make_app(portal)) as url:
        portal.url = url
        yield portal


@pytest.fixture
def portal(served_portal: Portal) -> Portal:
    """The portal as it is when it opens."""
    served_portal.reset()
    return served_portal


@pytest.fixture
def make_client() -> Iterator[Callable[[str], httpx.Client]]:
    """Makes clients as the gate does, that keep no cookies."""
    made: list[httpx.Client] = []

    def make(base_url: str) -> httpx.Client:
        client = httpx.Client(base_url=base_url)
        client.event_hooks["response"].append(lambda _: client.cookies.clear())
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def sessions_of(
    portal: Portal, make_client: Callable[[str], httpx.Client]
) -> Callable[..., Sessions]:
    """Who signs in to the portal, by what an environment says differently of it."""

    def sessions_of(**more: Any) -> Sessions:
        return Sessions(portal.api(**more), make_client=make_client, keep_secret=str)

    return sessions_of


@pytest.fixture
def sessions(sessions_of: Callable[..., Sessions]) -> Sessions:
    """Who signs in to the portal."""
    return sessions_of()


@pytest.fixture
def wrong(portal: Portal, make_client: Callable[[str], httpx.Client]) -> WrongSignIns:
    """Offers the portal wrong passwords."""
    return WrongSignIns(portal.api(), make_client=make_client, keep_secret=str)
