"""Answers of every kind are asked for once, at places that are the same in each run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator

import httpx
import pytest
from pydantic import SecretStr

from deployment_gate.api.sessions import Sessions
from deployment_gate.environment import ApiTarget, WebTarget
from deployment_gate.security.answers import (
    MOST_PAGES,
    Answers,
    Kind,
    ask_api,
    ask_web,
    data_of,
    is_trustworthy,
    provoked,
    token_cookies,
)
from tests.probes.target import Request, Target
from tests.security.answered import answered, http, serving

SOMEBODY = {"username": "a", "password": SecretStr("b")}
HTML = ("Content-Type", "text/html")
JSON = ("Content-Type", "application/json")
TOKEN = json.dumps({"access_token": "t0ken"})


def platform(request: Request) -> bytes:
    """A small platform: two pages, a list, a sign-in."""
    path = request.path.partition("?")[0]
    is_sign_in = (request.method, path) == ("POST", "/api/login")
    signed_in = request.headers.get("authorization") == "Bearer t0ken"
    pages = {
        "/": http("<h1>a page</h1>", headers=[HTML]),
        "/login": http("<h1>a page</h1>", headers=[HTML]),
        "/private": http("", 302, [("Location", "https://elsewhere.example/")]),
        "/api/login": http(TOKEN, 200 if is_sign_in else 405, [JSON]),
        "/api/things": http("{}", 200 if signed_in else 401, [JSON]),
        "/api/things/": http("", 307, [("Location", "/api/things")]),
        "/api/things/not-an-id": http("{}", 422, [JSON]),
    }
    return pages.get(path, http("{}", 404, [JSON]))


@pytest.fixture
def target() -> Iterator[Target]:
    """The small platform on loopback."""
    with serving(platform) as target:
        yield target


@pytest.fixture
def client(target: Target) -> Iterator[httpx.Client]:
    """A client that asks it."""
    with httpx.Client(base_url=target.origin) as client:
        yield client


@pytest.fixture
def ask(target: Target) -> Iterator[Callable[..., Answers]]:
    """Ask its API, by what an environment says of it."""
    clients: list[httpx.Client] = []

    def make(base_url: str) -> httpx.Client:
        clients.append(httpx.Client(base_url=base_url))
        return clients[-1]

    def ask(public: str = "", **more: object) -> Answers:
        section = {
            "base_url": target.origin,
            "login": {"request": "POST /api/login"},
            "identities": {"reader": SOMEBODY},
            "collections": {"things": {"path": "/api/things", "item": "/api/things/{{id}}"}},
        }
        api = ApiTarget.model_validate(section | more)
        sessions = Sessions(api, make_client=make, keep_secret=lambda value: value)
        return ask_api(api, sessions, is_public=lambda path: path == public)

    yield ask
    for one in clients:
        one.close()


def test_the_api_is_asked_for_answers_of_every_kind(ask: Callable[..., Answers]) -> None:
    answers = ask()

    assert {one.kind: one.place for one in answers.seen} == {
        Kind.DATA: "api GET /api/things",
        Kind.SIGN_IN: "api POST /api/login",
        Kind.MISTAKE: "api GET /api/things/not-an-id (422)",
        Kind.SLASH: "api GET /api/things/ (307)",
        Kind.STRANGER: "api GET /api/things (401)",
        Kind.NOWHERE: "api GET /RANDOM (404)",
        Kind.METHOD: "api GET /api/login (405)",
    }
    assert answers.unseen == ()


def test_what_one_who_signed_in_is_answered_is_private(ask: Callable[..., Answers]) -> None:
    assert [one.kind for one in ask().seen if one.is_private] == [Kind.DATA, Kind.SIGN_IN]
    public = ask(public="/api/things")
    assert [one.kind for one in public.seen if one.is_private] == [Kind.SIGN_IN]


def test_redirects_are_answers_and_are_not_followed(
    client: httpx.Client, target: Target, ask: Callable[..., Answers]
) -> None:
    web = WebTarget.model_validate({"base_url": target.origin, "pages": {"a": "/private"}})

    answers = ask_web(web, client) + ask()

    assert [one.path for one in target.requests].count("/private") == 1
    redirect = answers.seen[0]
    assert (redirect.place, redirect.has_content) == ("web GET /private (302)", False)
    assert not redirect.is_html


def test_nobody_signed_in_leaves_the_rest_to_be_seen(ask: Callable[..., Answers]) -> None:
    answers = ask(identities={"reader": SOMEBODY},
                  login={"request": "POST /api/nothing"})  # fmt: skip

    assert Kind.STRANGER in {one.kind for one in answers.seen}
    assert Kind.DATA not in {one.kind for one in answers.seen}
    (why,) = answers.unseen
    assert "404" in why


def test_pages_are_asked_for_as_a_stranger_the_public_ones_first(
    client: httpx.Client, target: Target
) -> None:
    pages = {
        "start": "/",
        "again": "/?q=1",
        "login": {"path": "/login", "public": True},
        **{f"more{n}": f"/more/{n}" for n in range(20)},
    }
    web = WebTarget.model_validate({"base_url": target.origin, "pages": pages})

    answers = ask_web(web, client)

    assert [one.place for one in answers.seen][:2] == ["web GET /login", "web GET /"]
    assert len(answers.seen) == MOST_PAGES + 1
    assert answers.seen[-1].place == "web GET /RANDOM (404)"
    assert answers.front is not None
    assert answers.front.place == "web GET /login"
    assert answers.unseen_pages == ()
    assert max(Counter(one.path for one in target.requests).values()) == 1


def test_where_no_page_is_shown_to_a_stranger_it_says_what_to_name(
    client: httpx.Client, target: Target
) -> None:
    web = WebTarget.model_validate({"base_url": target.origin, "pages": {"a": "/private"}})

    (why,) = ask_web(web, client).unseen_pages

    assert "public: true" in why


def test_a_random_path_is_another_each_time(client: httpx.Client, target: Target) -> None:
    web = WebTarget.model_validate({"base_url": target.origin})

    places = [ask_web(web, client).seen[-1].place for _ in range(2)]

    assert places == ["web GET /RANDOM (404)"] * 2
    asked = {one.path for one in target.requests if "deployment-gate" in one.path}
    assert len(asked) == 2


def test_an_answer_that_another_check_provoked_counts_if_nobody_asks_for_such(
    ask: Callable[..., Answers],
) -> None:
    def answer(status: int) -> httpx.Response:
        url = "http://127.0.0.1:1/api/login?name=x"
        return httpx.Response(status, request=httpx.Request("POST", url))

    met = [provoked("api", answer(status)) for status in (200, 404, 429, 500, 503)]

    assert [one.place for answers in met for one in answers.seen] == [
        "api POST /api/login (429)",
        "api POST /api/login (500)",
        "api POST /api/login (503)",
    ]
    told = (ask() + met[2]).told()
    assert "api POST /api/login (429): 429, what another check provoked" in told
    assert "not met: an answer 500" in told
    assert "not met: an answer 429" not in told


@pytest.mark.parametrize(
    ("section", "path", "identity"),
    [
        ({}, "/", None),
        ({"collections": {"a": {"path": "/a", "public": True}}}, "/a", None),
        (
            {"collections": {"a": {"path": "/a", "public": True}}, "whoami": {"path": "/me"}},
            "/me",
            "x",
        ),
        ({"collections": {"a": {"path": "/a", "public": True}, "b": {"path": "/b"}}}, "/b", "x"),
        ({"collections": {"b": {"path": "/b", "reader": "y"}}}, "/b", "y"),
        ({"openapi": {"path": "/openapi.json"}}, "/openapi.json", None),
    ],
)
def test_data_is_what_is_most_private(
    section: dict[str, object], path: str, identity: str | None
) -> None:
    identities = {"x": SOMEBODY, "y": SOMEBODY} if section else {}
    api = ApiTarget.model_validate(
        {"base_url": "http://api.example", "identities": identities, **section}
    )

    assert data_of(api) == (path, identity)


def test_cookies_that_bear_a_token_are_named_by_the_environment() -> None:
    login = {"request": "POST /login", "token": "cookie auth", "refresh_token": "$.refresh"}
    api = ApiTarget.model_validate({"base_url": "http://api.example", "login": login})

    assert token_cookies(api) == {"auth"}
    assert token_cookies(None) == frozenset()


@pytest.mark.parametrize(
    ("url", "trustworthy"),
    [
        ("https://web.example/", True),
        ("http://127.0.0.1:1/", True),
        ("http://127.9.9.9/", True),
        ("http://[::1]:1/", True),
        ("http://localhost/", True),
        ("http://a.localhost/", True),
        ("http://web.example/", False),
        ("http://10.0.0.1/", False),
        ("http://localhost.example/", False),
    ],
)
def test_loopback_needs_no_tls(url: str, *, trustworthy: bool) -> None:
    assert is_trustworthy(url) is trustworthy


@pytest.mark.parametrize(
    ("content_type", "status", "html"),
    [
        ("text/html", 200, True),
        ("TEXT/HTML; charset=utf-8", 404, True),
        ("application/xhtml+xml", 200, True),
        ("application/json", 200, False),
        ("text/plain", 200, False),
    ],
)
def test_a_page_is_what_a_browser_shows_as_one(
    content_type: str, status: int, *, html: bool
) -> None:
    assert answered(("Content-Type", content_type), status=status).is_html is html
