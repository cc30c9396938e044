"""A host that a request makes up leads nobody anywhere."""

from __future__ import annotations

import re

import pytest

from deployment_gate.evidence import FindingSeverity, Observation
from deployment_gate.security.hosts import look_at_hosts
from deployment_gate.security.rules import Looked
from tests.probes.target import Answer, Close, Request, http
from tests.security.strangers import asked, missing, page


def look(answer: Answer, *paths: str) -> Looked:
    with asked(answer) as (base, _):
        return look_at_hosts([(base, path) for path in paths or ("/",)])


def redirecting_by(header: str) -> Answer:
    """A server whose redirects lead to the host that a header names."""

    def answer(request: Request) -> bytes:
        named = request.headers.get(header, "shop.example").removeprefix("host=")
        return http("", 307, location=f"http://{named}{request.path.rstrip('/')}")

    return answer


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "Forwarded"])
def test_a_redirect_to_a_host_that_a_header_makes_up_is_found(header: str) -> None:
    (breach,) = look(redirecting_by(header.lower()), "/orders/").breaches

    assert breach.rule.id == "host-reflected"
    assert breach.severity is FindingSeverity.MEDIUM
    assert breach.places == (f"web GET /orders/ ({header})",)
    assert re.search(rf"--header '?{header}: (?:host=)?h\w+\.invalid", breach.curl, re.IGNORECASE)
    assert re.search(r"h[0-9a-f]{16}\.invalid", breach.exchange)
    assert not re.search(r"[0-9a-f]{16}", breach.detail + "".join(breach.places))


def by_host(text: str) -> Answer:
    return lambda request: page(text.replace("HOST", request.headers["host"]))


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ('<html><a href="http://HOST/start">Start</a>', FindingSeverity.MEDIUM),
        ('<html><script src="//HOST/app.js"></script>', FindingSeverity.MEDIUM),
        ('<html><link href="https://HOST:8443/a.css" rel=stylesheet>', FindingSeverity.MEDIUM),
        ('<html><link rel="canonical" href="https://HOST:8443/">', FindingSeverity.LOW),
        (
            '<html><meta http-equiv="refresh" content="0; url=http://HOST/">',
            FindingSeverity.MEDIUM,
        ),
        ('<html><meta property="og:url" content="https://HOST/">', FindingSeverity.LOW),
        (
            "<html><form action='http://HOST/in'><input name=p type=password></form>",
            FindingSeverity.HIGH,
        ),
        ('{"self": "http://HOST/orders"}', FindingSeverity.LOW),
        ('{"self": "https:\\/\\/HOST\\/orders"}', FindingSeverity.LOW),
    ],
)
def test_a_link_to_it_is_as_bad_as_who_is_led_there(text: str, severity: FindingSeverity) -> None:
    (breach,) = look(by_host(text)).breaches

    assert breach.places == ("web GET / (Host)",)
    assert breach.severity is severity


def test_a_header_that_only_programs_follow_is_low() -> None:
    def answer(request: Request) -> bytes:
        return http("[]", link=f'<http://{request.headers["host"]}/orders?after=7>; rel="next"')

    (breach,) = look(answer).breaches

    assert breach.severity is FindingSeverity.LOW
    assert breach.detail.startswith("the header Link of web GET / (Host) leads to a host")


def test_of_several_the_worst_is_told() -> None:
    def answer(request: Request) -> bytes:
        text = '{"self": "http://HOST/"}' if request.path == "/data" else "<html><a href=//HOST>"
        return by_host(text)(request)

    (breach,) = look(answer, "/data", "/").breaches

    assert breach.severity is FindingSeverity.MEDIUM
    assert breach.places == ("web GET /data (Host)", "web GET / (Host)")
    assert "of web GET / (Host) leads to a host that only the request has named" in breach.detail


@pytest.mark.parametrize(
    "text",
    [
        "<p>There is no shop called HOST here.</p>",
        '{"error": "unknown host HOST"}',
        '<a href="/start?from=HOST">Start</a>',
        '<a href="http://shop.example/HOST">Start</a>',
    ],
)
def test_to_be_named_alone_leads_nobody_there(text: str) -> None:
    assert look(by_host(text)) == Looked()


@pytest.mark.parametrize("status", [400, 403, 404, 421])
def test_a_refusal_is_right(status: int) -> None:
    assert look(lambda _: http("{}", status)) == Looked()


def test_a_server_that_hangs_up_on_hosts_it_does_not_know_is_right() -> None:
    def answer(request: Request) -> bytes:
        if "invalid" in request.headers["host"]:
            raise Close(b"")
        return missing(request)

    assert look(answer) == Looked()


def test_links_of_its_own_settings_are_right() -> None:
    assert look(lambda _: page('<a href="http://shop.example/">Start</a>')) == Looked()


def test_each_header_is_sent_by_itself_once_for_each_path() -> None:
    seen: list[Observation] = []
    with asked(missing, seen=seen) as (base, target):
        look_at_hosts([(base, "/"), (base, "/orders/"), (base, "/")])

    sent = [
        (one.path, "invalid" in one.headers["host"], "x-forwarded-host" in one.headers,
         "forwarded" in one.headers)
        for one in target.requests
    ]  # fmt: skip
    each = [(True, False, False), (False, True, False), (False, False, True)]
    assert sent == [(path, *one) for path in ("/", "/orders/") for one in each]
    assert len(seen) == 6
    assert not [one for one in seen if "invalid" in str(one.facts["url"])]
