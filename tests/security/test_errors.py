"""What errors show of the inside is found wherever it is provoked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack

import httpx
import pytest

from deployment_gate.api.collections import Listing
from deployment_gate.environment import ApiTarget, WebTarget
from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.errors import (
    Provoked,
    judge_errors,
    provoke_listing,
    provoke_pages,
    provoke_search,
    provoke_sign_in,
    provoke_unknown_paths,
)
from deployment_gate.security.rules import Looked
from tests.probes.target import Answer, Request, http
from tests.security.strangers import asked, missing, page

SQL = "unrecognized token: SELECT id, title FROM policies WHERE body LIKE '%'%'"
TRACEBACK = 'Traceback (most recent call last):\n  File "/srv/app.py", line 3, in get\n'
HASH = "no row for ada $argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$aGFzaA"

API = ApiTarget.model_validate(
    {
        "base_url": "http://api.example",
        "login": {"request": "POST /login"},
        "paging": {"page": "page", "size": "size"},
        "collections": {
            "orders": {
                "path": "/orders",
                "item": "/orders/{{id}}",
                "filters": {"status": "new"},
                "public": True,
            }
        },
        "search": {"path": "/search", "finds": "book"},
    }
)
WEB = WebTarget.model_validate(
    {"base_url": "http://shop.example", "pages": {"order": "/orders/1", "start": "/"}}
)


def answered(text: str, *, status: int = 400, path: str = "/orders/'") -> httpx.Response:
    return httpx.Response(status, text=text, request=httpx.Request("GET", f"http://a{path}"))


def look(answer: Answer) -> Looked:
    """All that is provoked, on a server."""
    with asked(answer, name="api") as (api, _), asked(answer) as (web, _), ExitStack() as stack:
        # The sign-in is the one address that may be posted to, so the gate's client knows it.
        client = stack.enter_context(httpx.Client(base_url=api.client.base_url))
        assert API.login
        listing = Listing("orders", API, lambda _: api.client, values={})
        return judge_errors(
            [
                *provoke_unknown_paths([api, web]),
                *provoke_pages(WEB, web),
                *provoke_sign_in(API.login, client),
                *provoke_listing(listing),
                *provoke_search(API, api.client),
            ]
        )


def test_general_sentences_show_nothing() -> None:
    answer = http('{"error": {"message": "There is no such order."}}', 404)

    assert look(lambda _: answer) == Looked()


def test_one_breach_names_every_place() -> None:
    (breach,) = look(lambda _: http(TRACEBACK, 500)).breaches

    assert breach.rule.id == "inside-shown-by-errors"
    assert breach.severity is FindingSeverity.MEDIUM
    assert breach.places == (
        "api GET /RANDOM",
        "api GET /%FF",
        "web GET /RANDOM",
        "web GET /%FF",
        "web GET /orders/1?q='",
        "web GET /orders/'",
        "web GET /?q='",
        "api POST /login (another content type)",
        "api POST /login (a content type that is none)",
        "api POST /login (half of a document)",
        "api POST /login (no text)",
        "api POST /login (a field of another type)",
        "api POST /login (no body)",
        "api POST /login (apostrophes)",
        "api GET /orders?page=-1",
        "api GET /orders?page=first",
        "api GET /orders?size=many",
        "api GET /orders?status='",
        "api GET /orders/2147483647",
        "api GET /orders/'",
        "api GET /orders/%",
        "api GET /orders/no-such-id",
        "api GET /orders/...",
        "api GET /search?q='",
        'api GET /search?q="',
        "api GET /search?q=%",
        "api GET /search?q=\\",
        "api GET /search?q=NUL",
        "api GET /search?q=(",
        "api GET /search?q=...",
    )
    assert breach.detail == (
        "a Python traceback, a place in Python code, a path on the server in 30 answers, that to "
        "api GET /RANDOM among them"
    )


def only_where(claim: Callable[[Request], bool], answer: bytes) -> Answer:
    return lambda request: answer if claim(request) else missing(request)


@pytest.mark.parametrize(
    ("claim", "place"),
    [
        (lambda one: "/search" in one.path and "%27" in one.path, "api GET /search?q='"),
        (lambda one: len(one.path) > 5000, "api GET /search?q=..."),
        (lambda one: one.path == "/orders/%25", "api GET /orders/%"),
        (lambda one: one.body == b'{"username": ', "api POST /login (half of a document)"),
        (lambda one: b"'" in one.body, "api POST /login (apostrophes)"),
        (lambda one: "size=many" in one.path, "api GET /orders?size=many"),
    ],
)
def test_one_mistake_in_a_hundred_is_found(claim: Callable[[Request], bool], place: str) -> None:
    (breach,) = look(only_where(claim, http(f'{{"error": "{SQL}"}}', 400))).breaches

    assert breach.places == (place,)
    assert breach.severity is FindingSeverity.HIGH
    assert "SELECT id" in breach.exchange


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (TRACEBACK, FindingSeverity.MEDIUM),
        (SQL, FindingSeverity.HIGH),
        (HASH, FindingSeverity.HIGH),
        ('syntax error at or near "\'"', FindingSeverity.HIGH),
    ],
)
def test_what_shows_data_or_the_way_to_it_is_worse(text: str, severity: FindingSeverity) -> None:
    (breach,) = judge_errors([Provoked("api GET /a", answered(text))]).breaches

    assert breach.severity is severity


def test_the_worst_answer_is_the_one_that_is_shown() -> None:
    provoked = [Provoked("api GET /a", answered(TRACEBACK)), Provoked("api GET /b", answered(SQL))]

    (breach,) = judge_errors(provoked).breaches

    assert "SELECT id" in breach.exchange
    assert breach.places == ("api GET /a", "api GET /b")


def test_a_success_may_speak_of_such_things() -> None:
    text = f"How to write SQL: {SQL}"

    assert judge_errors([Provoked("api GET /a", answered(text, status=200))]) == Looked()


def test_an_error_in_a_page_that_is_a_success_is_found_by_what_the_page_shows_otherwise() -> None:
    warning = "<b>Warning</b>: Undefined index: q in /srv/www/search.php on line 7"
    usual, broken = answered("A page", status=200), answered(f"A page {warning}", status=200)

    assert judge_errors([Provoked("web GET /?q='", broken, usual)]).breaches
    assert not judge_errors([Provoked("web GET /?q='", broken, broken)]).breaches


def test_a_page_with_a_warning_of_php_is_found() -> None:
    def shop(request: Request) -> bytes:
        broken = "Warning: Undefined index: q in search.php on line 7"
        return page(f"<html>{broken if '%27' in request.path else ''}</html>")

    with asked(shop) as (web, _):
        (breach,) = judge_errors(provoke_pages(WEB, web)).breaches

    assert breach.places == ("web GET /orders/1?q='", "web GET /orders/'", "web GET /?q='")


def test_what_is_sent_is_within_what_a_reader_may_send() -> None:
    """All but the sign-in are GETs, and nothing is signed in."""
    seen: list[Request] = []

    def note(request: Request) -> bytes:
        seen.append(request)
        return missing(request)

    look(note)

    assert {one.method for one in seen if one.path != "/login"} == {"GET"}
    assert len(seen) < 50
    assert max(len(one.path) for one in seen) < 8000


def test_a_sign_in_by_a_form_is_sent_as_one() -> None:
    login = ApiTarget.model_validate(
        {
            "base_url": "http://a",
            "login": {"request": "POST /login", "form": {"user": "{{username}}", "pw": "x"}},
        }
    ).login
    assert login
    with asked(missing) as (_, target), httpx.Client(base_url=target.origin) as client:
        answers: Mapping[str, Provoked] = {one.place: one for one in provoke_sign_in(login, client)}

    assert answers["api POST /login (apostrophes)"].answer.request.content == b"user=%27&pw=x"
