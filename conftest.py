"""What is particular to the Open Policy Platform: its sign-in, its policies, its search."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from deployment_gate.environment import ApiTarget, Environment, Login


@pytest.fixture(scope="session")
def api_target(environment: Environment) -> ApiTarget:
    """Where the API is."""
    if environment.api is None:
        pytest.fail(f"{environment.name} has no `api` section; write one", pytrace=False)
    return environment.api


@pytest.fixture(scope="session")
def login(api_target: ApiTarget) -> Login:
    """How the test user signs in."""
    if api_target.login is None:
        pytest.fail("the `api` section says no `login`; write one", pytrace=False)
    return api_target.login


@pytest.fixture(scope="session")
def password(login: Login) -> str:
    """The test user's password."""
    return login.password.get_secret_value()


@pytest.fixture(scope="session")
def sign_in(api: httpx.Client, login: Login) -> Callable[[str], httpx.Response]:
    """Ask for a token as the test user with a password."""

    def ask_for_token(password: str) -> httpx.Response:
        return api.post(login.path, json={"username": login.username, "password": password})

    return ask_for_token


@pytest.fixture(scope="session")
def token(
    sign_in: Callable[[str], httpx.Response],
    password: str,
    login: Login,
    keep_secret: Callable[[str], str],
) -> str:
    """The test user's token, which no report shows."""
    answer = sign_in(password)
    if not answer.is_success:
        pytest.fail(f"signing in was answered {answer.status_code}", pytrace=False)
    value = answer.json()
    for key in login.token_field.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, str):
        pytest.fail(f"the answer holds no token in {login.token_field!r}", pytrace=False)
    return keep_secret(value)


@pytest.fixture(scope="session")
def signed_in(
    http_client: Callable[[str], httpx.Client], api_target: ApiTarget, token: str
) -> httpx.Client:
    """The API as the test user sees it, signed in once for all checks."""
    client = http_client(api_target.base_url)
    client.headers["Authorization"] = f"Bearer {token}"
    return client


@pytest.fixture(scope="session")
def policies_path(api_target: ApiTarget) -> str:
    """Where policies are listed."""
    return api_target.policies_path


@pytest.fixture(scope="session")
def search(signed_in: httpx.Client, api_target: ApiTarget) -> Callable[[str], httpx.Response]:
    """Search as the test user."""

    def search_for(term: str) -> httpx.Response:
        return signed_in.get(api_target.search_path, params={"q": term})

    return search_for


@pytest.fixture(scope="session")
def search_term(api_target: ApiTarget) -> str:
    """A term that must be found."""
    return api_target.search_term
