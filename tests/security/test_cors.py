"""Who may ask from elsewhere is found out by asking, and one fault is one breach."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.cors import (
    FOREIGN,
    CrossOrigin,
    Question,
    ask_as,
    look_at_origins,
    origin_of,
    strangers,
)
from deployment_gate.security.rules import Breach
from tests.probes.target import Request
from tests.security.answered import http, serving

WEB = "https://web.example"

Allow = Callable[[str], str]
"""What an API allows an origin; "" for nothing."""


def asked_of(allow: Allow, *, credentials: bool, private: bool = True) -> tuple[CrossOrigin, ...]:
    """What a real API that allows so is seen to allow."""

    def answer(request: Request) -> bytes:
        allowed = allow(request.headers.get("origin", ""))
        headers = [("Access-Control-Allow-Origin", allowed)] if allowed else []
        headers += [("Access-Control-Allow-Credentials", "true")] if credentials else []
        is_known = request.headers.get("authorization") or request.method == "OPTIONS"
        return http("{}", 200 if is_known else 401, headers)

    with (
        serving(answer) as target,
        httpx.Client(base_url=target.origin) as stranger,
        httpx.Client(base_url=target.origin, headers={"Authorization": "Bearer x"}) as reader,
    ):
        question = Question("api", "/things", private)
        return ask_as(strangers(WEB), question, reader=reader, stranger=stranger)


def breaches_of(
    allow: Allow, *, credentials: bool = False, private: bool = True
) -> tuple[Breach, ...]:
    """What speaks against such an API."""
    return look_at_origins(asked_of(allow, credentials=credentials, private=private)).breaches


def test_an_api_that_echoes_any_origin_with_credentials_is_one_breach() -> None:
    (breach,) = breaches_of(lambda origin: origin, credentials=True)

    assert breach.rule.id == "cors-any-origin-with-credentials"
    assert breach.severity is FindingSeverity.HIGH
    assert breach.places == ("api OPTIONS /things", "api GET /things")
    assert "a stranger's origin, the origin null" in breach.detail
    assert f"origin: {FOREIGN}" in breach.exchange.lower()
    assert FOREIGN in breach.curl


@pytest.mark.parametrize("allowed", ["*", "echo"])
def test_private_answers_for_anybody_without_credentials_are_less(allowed: str) -> None:
    def allow(origin: str) -> str:
        return origin if allowed == "echo" else allowed

    (breach,) = breaches_of(allow)

    assert breach.rule.id == "cors-any-origin"
    assert breach.severity is FindingSeverity.MEDIUM
    assert breaches_of(allow, private=False) == ()


def test_a_wildcard_takes_no_credentials_whatever_it_says() -> None:
    (breach,) = breaches_of(lambda _: "*", credentials=True)

    assert breach.rule.id == "cors-any-origin"


@pytest.mark.parametrize(
    ("allow", "called"),
    [
        (lambda origin: origin if origin.startswith(WEB) else "", "one that begins like"),
        (lambda origin: origin if origin.endswith("web.example") else "", "one that ends like"),
        (lambda origin: origin if origin == "null" else "", "the origin null"),
        (lambda origin: origin if origin == "http://web.example" else "", "without TLS"),
    ],
)
def test_comparing_only_a_part_of_the_origin_is_seen(allow: Allow, called: str) -> None:
    (breach,) = breaches_of(allow, credentials=True)

    assert called in breach.detail


@pytest.mark.parametrize(
    "allow",
    [
        lambda _: "",
        lambda _: WEB,
        lambda origin: origin if origin == WEB else "",
    ],
)
def test_an_api_for_its_own_pages_alone_breaks_no_rule(allow: Allow) -> None:
    assert breaches_of(allow, credentials=True) == ()


def test_each_origin_asks_whether_it_may_and_then_for_it() -> None:
    asked = asked_of(lambda _: "", credentials=False)

    requests = [one.answer.response.request for one in asked]
    assert [one.method for one in requests] == ["OPTIONS", "GET"] * 5
    assert {one.headers.get("Access-Control-Request-Method") for one in requests[::2]} == {"GET"}
    assert not any("Authorization" in one.headers for one in requests[::2])
    assert all("Authorization" in one.headers for one in requests[1::2])


def test_look_alikes_differ_from_the_pages_own_origin_in_one_way_each() -> None:
    assert set(strangers(WEB)) == {
        FOREIGN,
        "null",
        "https://web.example.attacker.example",
        "https://evilweb.example",
        "http://web.example",
    }
    assert set(strangers("http://127.0.0.1:13000")) == {
        FOREIGN,
        "null",
        "http://127.0.0.1.attacker.example:13000",
        "http://evil127.0.0.1:13000",
    }
    assert set(strangers(None)) == {FOREIGN, "null"}


def test_an_origin_that_the_environment_allows_is_not_asked_for() -> None:
    assert "http://web.example" not in strangers(WEB, ["http://web.example:80/"])


@given(st.from_regex(r"https?://[a-z0-9.-]{1,20}(:[1-9][0-9]{0,3})?", fullmatch=True))
def test_no_stranger_has_the_pages_own_origin(url: str) -> None:
    own = origin_of(url)

    assert own not in strangers(own)
    assert len(strangers(own)) >= 4


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Web.Example:443/a?b", "https://web.example"),
        ("http://web.example:80", "http://web.example"),
        ("http://web.example:443", "http://web.example:443"),
        ("http://[::1]:3000/", "http://[::1]:3000"),
    ],
)
def test_an_origin_is_written_as_browsers_do(url: str, origin: str) -> None:
    assert origin_of(url) == origin
