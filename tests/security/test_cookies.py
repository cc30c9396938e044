"""Cookies are judged by what they are for, and one that is deleted never alerts."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.answers import Kind, named
from deployment_gate.security.cookies import CookieKind, cookies_of, look_at_cookies, read_cookie
from tests.security.answered import answered, http, serving, these

HIGH, MEDIUM, LOW = FindingSeverity.HIGH, FindingSeverity.MEDIUM, FindingSeverity.LOW
NOW = datetime(2026, 11, 27, tzinfo=UTC)
LOOPBACK = "http://127.0.0.1:13000/"


def broken(
    *cookies: str, url: str = "https://web.example/", tokens: frozenset[str] = frozenset()
) -> dict[str, FindingSeverity]:
    """The rules that an answer with these cookies breaks, and how bad that is."""
    answer = answered(*(("Set-Cookie", one) for one in cookies), url=url)
    looked = look_at_cookies(these(answer), tokens=tokens)
    return {one.rule.id: one.severity for one in looked.breaches}


@pytest.mark.parametrize(
    ("cookie", "rules"),
    [
        ("__Host-session=x; Secure; HttpOnly; SameSite=Lax; Path=/", {}),
        ("__Secure-session=x; secure; httponly; samesite=strict; Domain=web.example", {}),
        ("session=x; Secure; HttpOnly; SameSite=Lax", {"session-cookie-unprefixed": LOW}),
        ("session=x; HttpOnly; SameSite=Lax", {"session-cookie-exposed": HIGH}),
        ("JSESSIONID=x; Secure; SameSite=Lax", {"session-cookie-exposed": HIGH}),
        ("login_id=x; Secure; HttpOnly", {"session-cookie-exposed": MEDIUM}),
        ("session=x", {"session-cookie-exposed": HIGH}),
        ("session=x; Secure; HttpOnly; SameSite=None", {"session-cookie-unprefixed": LOW}),
        ("csrftoken=x; Secure; SameSite=Strict", {}),
        ("csrftoken=x; Secure", {"cookie-exposed": MEDIUM}),
        ("xsrf-session=x; Secure; SameSite=Lax", {}),  # scripts must read it
        ("theme=dark; Secure; SameSite=Lax", {}),
        ("theme=dark; Secure", {"cookie-exposed": LOW}),
        ("theme=dark; SameSite=Lax", {"cookie-exposed": MEDIUM}),
        ("theme=dark; Secure; SameSite=Sometimes", {"cookie-exposed": MEDIUM}),
        ("theme=dark; Secure; SameSite", {"cookie-exposed": MEDIUM}),
        ("__Host-a=x; Secure; SameSite=Lax; Path=/; Domain=b.c", {"cookie-prefix-broken": MEDIUM}),
        ("__host-a=x; Secure; SameSite=Lax", {"cookie-prefix-broken": MEDIUM}),
        ("__Secure-a=x; SameSite=Lax", {"cookie-exposed": MEDIUM, "cookie-prefix-broken": MEDIUM}),
    ],
)
def test_a_cookie_is_judged_by_its_kind(cookie: str, rules: dict[str, FindingSeverity]) -> None:
    assert broken(cookie) == rules


def test_a_cookie_that_the_environment_says_bears_a_token_is_a_session() -> None:
    cookie = "auth=x; Secure; SameSite=Lax"

    assert broken(cookie) == {}
    assert broken(cookie, tokens=frozenset({"auth"})) == {"session-cookie-exposed": HIGH}


@pytest.mark.parametrize(
    "cookie",
    [
        "session=; Path=/",
        "session=x; Max-Age=0",
        "session=x; max-age=-1",
        "session=x; Max-Age=0; Expires=Fri, 31 Dec 9999 23:59:59 GMT",
        "session=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "session=x; Expires=Thu, 01-Jan-1970 00:00:00 GMT",
        'session=""; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
    ],
)
def test_a_cookie_that_is_deleted_never_alerts(cookie: str) -> None:
    assert broken(cookie) == {}


@pytest.mark.parametrize(
    "cookie",
    [
        "session=x; Max-Age=3600; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "session=x; Expires=Fri, 31 Dec 9999 23:59:59 GMT",
        "session=x; Expires=soon",
        "session=x; Max-Age=soon",
    ],
)
def test_a_cookie_that_is_kept_alerts(cookie: str) -> None:
    assert broken(cookie) == {"session-cookie-exposed": HIGH}


def test_on_loopback_nobody_listens_in_so_secure_is_not_demanded() -> None:
    assert broken("session=x; HttpOnly; SameSite=Lax", url=LOOPBACK) == {}
    assert broken("theme=dark; SameSite=Lax", url="http://localhost:1/") == {}
    assert broken("session=x; HttpOnly; SameSite=Lax", url="http://web.example/") == {
        "session-cookie-exposed": HIGH
    }
    assert broken("session=x; SameSite=None", url=LOOPBACK) == {"session-cookie-exposed": HIGH}


def test_one_cookie_with_every_fault_is_one_breach_that_names_them() -> None:
    answer = answered(("Set-Cookie", "session=cafe0123"))

    (breach,) = look_at_cookies(these(answer)).breaches

    assert breach.detail == "session: no Secure, no HttpOnly, no SameSite"
    assert breach.places == ("web GET /",)
    assert "cafe0123" not in breach.detail


def test_the_worst_of_several_cookies_counts() -> None:
    assert broken("a=x; Secure", "b=x; SameSite=Lax") == {"cookie-exposed": MEDIUM}


def test_all_cookies_of_a_real_answer_are_seen() -> None:
    headers = [
        ("Set-Cookie", "session=one; Expires=Fri, 31 Dec 9999 23:59:59 GMT"),
        ("Set-Cookie", "theme=dark"),
        ("Set-Cookie", "gone=; Max-Age=0"),
    ]
    with (
        serving(lambda _: http(headers=headers)) as target,
        httpx.Client(base_url=target.origin) as client,
    ):
        answer = named(Kind.PAGE, "web", "/", client.get("/"))

    assert [one.name for one in cookies_of(answer, NOW)] == ["session", "theme"]
    assert {one.rule.id for one in look_at_cookies(these(answer)).breaches} == {
        "session-cookie-exposed",
        "cookie-exposed",
    }


@pytest.mark.parametrize(
    ("header", "name", "value"),
    [
        ("a=b", "a", "b"),
        (" a = b ; Path=/", "a", "b"),
        ("a=b=c", "a", "b=c"),
        ("a=", "a", ""),
        ("=b", "", "b"),
        ('a="b"', "a", "b"),
    ],
)
def test_a_cookie_is_read_by_its_specification(header: str, name: str, value: str) -> None:
    cookie = read_cookie(header)

    assert cookie is not None
    assert (cookie.name, cookie.value) == (name, value)


@pytest.mark.parametrize("header", ["", "a", ";", "=", " ; Secure"])
def test_what_sets_nothing_is_no_cookie(header: str) -> None:
    assert read_cookie(header) is None


@given(st.text())
def test_nothing_in_a_cookie_breaks_the_reading(header: str) -> None:
    cookie = read_cookie(header)

    if cookie:
        assert cookie.kind() in CookieKind
        assert cookie.is_deleted(NOW) in {True, False}


@given(st.text(), st.text())
def test_no_lifetime_breaks_the_reading(age: str, until: str) -> None:
    cookie = read_cookie(f"a=b; Max-Age={age}; Expires={until}")

    assert cookie is not None
    assert cookie.is_deleted(NOW) in {True, False}
