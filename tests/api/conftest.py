"""A shop that is really served, and clients that really ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from hypothesis import settings

from tests.api.shop import PASSWORDS, Shop, make_app, serving

# How long an example takes says nothing on a machine that others share.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")


@pytest.fixture(scope="session")
def served_shop() -> Iterator[Shop]:
    """One shop for all tests of this process."""
    shop = Shop()
    with serving(make_app(shop)) as url:
        shop.url = url
        yield shop


@pytest.fixture
def shop(served_shop: Shop) -> Shop:
    """The shop as it is when it opens."""
    served_shop.reset()
    return served_shop


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
def client_of(
    shop: Shop, make_client: Callable[[str], httpx.Client]
) -> Callable[[str | None], httpx.Client]:
    """Clients of who is signed in, a stranger's for None."""

    def client_of(name: str | None) -> httpx.Client:
        client = make_client(shop.url)
        if name:
            client.auth = (name, PASSWORDS[name])
        return client

    return client_of
