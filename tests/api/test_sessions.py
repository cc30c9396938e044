"""Signing in, in each way that an environment file can describe."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from deployment_gate.api.sessions import Sessions, SignInError
from deployment_gate.environment import ApiTarget
from tests.api.shop import API_KEY, PASSWORDS, Shop

TOKEN = "$.access.token"
BUYER = {"username": "buyer", "password": SecretStr(PASSWORDS["buyer"])}


@pytest.fixture
def sessions_of(
    shop: Shop, make_client: Callable[[str], httpx.Client], kept: list[str]
) -> Callable[..., Sessions]:
    """Sessions by an `api` section."""

    def sessions_of(
        login: dict[str, Any], identity: dict[str, Any] = BUYER, **more: Any
    ) -> Sessions:
        api = ApiTarget.model_validate(
            {
                "base_url": shop.url,
                "login": login,
                "identities": {"buyer": identity},
                "whoami": {"path": "/me", "username": "$.name"},
                **more,
            }
        )

        def keep(value: str) -> str:
            kept.append(value)
            return value

        return Sessions(api, make_client=make_client, keep_secret=keep)

    return sessions_of


@pytest.fixture
def kept() -> list[str]:
    """What was kept secret."""
    return []


@pytest.mark.parametrize(
    ("login", "identity"),
    [
        ({"request": "POST /login", "token": TOKEN}, BUYER),
        (
            {
                "request": "POST /login",
                "form": {"username": "{{username}}", "password": "{{password}}"},
                "token": TOKEN,
            },
            BUYER,
        ),
        (
            {
                "request": "POST /login",
                "token": "cookie session",
                "send": {"Cookie": "session={{token}}"},
            },
            BUYER,
        ),
        ({"send": {"Authorization": "Basic {{basic}}"}}, BUYER),
        ({"send": {"X-Api-Key": "{{token}}"}}, {"token": SecretStr(API_KEY)}),
    ],
    ids=["JSON", "form", "cookie", "Basic", "key"],
)
def test_whoever_signs_in_is_known_from_then_on(
    sessions_of: Callable[..., Sessions], login: dict[str, Any], identity: dict[str, Any]
) -> None:
    sessions = sessions_of(login, identity)
    assert sessions.stranger.get("/me").status_code == 401
    name = sessions.client("buyer").get("/me").json()["name"]
    assert name == ("robot" if "token" in identity else "buyer")
    assert sessions.stranger.get("/me").status_code == 401, "a stranger was signed in, too"


def test_an_identity_signs_in_once(sessions_of: Callable[..., Sessions], shop: Shop) -> None:
    sessions = sessions_of({"request": "POST /login", "token": TOKEN})
    for _ in range(3):
        sessions.client("buyer").get("/me")
    assert shop.requests.count("POST /login") == 1


def test_it_signs_in_anew_before_its_token_expires(
    sessions_of: Callable[..., Sessions], shop: Shop
) -> None:
    shop.lifetime_s = 0.5
    sessions = sessions_of({"request": "POST /login", "token": TOKEN, "lifetime": "$.expires_in"})
    client = sessions.client("buyer")
    deadline = time.monotonic() + 1.2
    while time.monotonic() < deadline:
        assert client.get("/me").status_code == 200
        time.sleep(0.05)
    assert 3 <= shop.requests.count("POST /login") <= 5


@pytest.mark.parametrize(
    "login",
    [{"request": "POST /login", "token": TOKEN}, {"send": {"Authorization": "Basic {{basic}}"}}],
    ids=["login", "Basic"],
)
def test_another_password_can_be_offered(
    sessions_of: Callable[..., Sessions], login: dict[str, Any]
) -> None:
    sessions = sessions_of(login)
    assert sessions.offer("buyer", password="wrong").status_code == 401
    assert sessions.offer("buyer").status_code == 200


def test_a_refreshed_token_works_once(sessions_of: Callable[..., Sessions]) -> None:
    sessions = sessions_of(
        {"request": "POST /login", "token": TOKEN, "refresh_token": "$.refresh"},
        refresh={"request": "POST /refresh"},
    )
    token = sessions.token_of("buyer")
    fresh = sessions.token_in(sessions.refresh(token))
    assert fresh.value != token.value
    assert sessions.refresh(token).status_code == 401


def test_every_token_is_kept_secret_whoever_got_it(
    sessions_of: Callable[..., Sessions], kept: list[str]
) -> None:
    sessions = sessions_of({"request": "POST /login", "token": TOKEN, "refresh_token": "$.refresh"})
    answer = sessions.offer("buyer").json()
    assert {answer["access"]["token"], answer["refresh"]} <= set(kept)


@pytest.mark.parametrize(
    ("login", "identity", "told"),
    [
        (
            {"request": "POST /login", "token": TOKEN},
            {"username": "buyer", "password": SecretStr("another")},
            "signing in as buyer was answered 401",
        ),
        (
            {"request": "POST /login", "token": "$.access_token"},
            BUYER,
            "the answer to signing in holds no token in $.access_token",
        ),
    ],
)
def test_whoever_cannot_sign_in_is_told_why(
    sessions_of: Callable[..., Sessions], login: dict[str, Any], identity: dict[str, Any], told: str
) -> None:
    with pytest.raises(SignInError) as caught:
        sessions_of(login, identity).client("buyer")
    assert str(caught.value) == told


def test_a_refused_password_is_not_offered_again(
    sessions_of: Callable[..., Sessions], shop: Shop
) -> None:
    wrong = {"username": "buyer", "password": SecretStr("another")}
    sessions = sessions_of({"request": "POST /login", "token": TOKEN}, wrong)
    for _ in range(4):
        with pytest.raises(SignInError, match="was answered 401"):
            sessions.client("buyer")
    assert shop.requests == ["POST /login"]


def test_a_login_that_is_down_is_tried_a_few_times(
    sessions_of: Callable[..., Sessions], shop: Shop
) -> None:
    sessions = sessions_of({"request": "POST /login", "token": TOKEN})
    shop.flaws.add("down")
    for _ in range(5):
        with pytest.raises(SignInError, match="was answered 503"):
            sessions.client("buyer")
    assert shop.requests.count("POST /login") == 3


def test_an_unknown_identity_is_told_with_those_that_there_are(
    sessions_of: Callable[..., Sessions],
) -> None:
    with pytest.raises(SignInError, match=r"there is no identity 'admin' in .*: buyer"):
        sessions_of({"request": "POST /login"}).client("admin")
