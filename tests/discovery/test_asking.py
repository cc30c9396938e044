"""How a platform is asked: by GET alone, few at once, within bounds, and nobody else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from deployment_gate.discovery.asking import MOST_REQUESTS, Asker, Budget
from deployment_gate.discovery.errors import DiscoveryError
from tests.discovery.conftest import USER_AGENT, Look, described, page, told
from tests.probes.target import Hang, Request, Target, http

Serve = Callable[..., Target]


def asker(requests: int = 50, seconds: float = 20) -> Asker:
    """One with a budget of its own."""
    return Asker(user_agent=USER_AGENT, budget=Budget(requests, seconds))


def test_only_get_is_sent_and_each_request_says_who_asks(serve: Serve, look: Look) -> None:
    target = serve({
        "/": page("<h1>Shop</h1><form method=post action=/buy><button>Buy</button></form>"),
        "/health": told({"status": "ok"}),
        "/openapi.json": described({"/orders": {"post": {"responses": {}}}}),
    })  # fmt: skip

    look(target.origin)

    assert {request.method for request in target.requests} == {"GET"}
    assert all(USER_AGENT in request.headers["user-agent"] for request in target.requests)


def test_a_large_platform_is_asked_no_more_than_the_bound(serve: Serve, look: Look) -> None:
    lists = {
        f"/things{number}": {
            "get": {
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"type": "array"}}}}
                }
            }
        }
        for number in range(200)
    }
    links = "".join(f"<a href=/page{chr(97 + n)}>x</a>" for n in range(26))
    scripts = "".join(f"<script src=/s{number}.js></script>" for number in range(30))
    target = serve(
        {"/openapi.json": described(lists), "/health": told({"status": "ok"})},
        otherwise=lambda request: page(f"<h1>Here</h1>{links}{scripts}{request.path}"),
    )

    found = look(target.origin)

    assert len(target.requests) <= MOST_REQUESTS
    assert found.requests >= len(target.requests)
    assert target.most_at_once <= 10  # a browser asks for six things at once by itself


def test_nothing_is_asked_once_the_requests_or_the_time_are_used_up(serve: Serve) -> None:
    target = serve({}, otherwise=told({}))
    with asker(requests=5) as one:
        replies = one.get_all(f"{target.origin}/{number}" for number in range(12))
    with asker(seconds=0) as late:
        assert late.get(f"{target.origin}/late") is None

    assert sum(reply is not None for reply in replies) == 5
    assert len(target.requests) == 5
    assert one.budget.is_spent


def test_few_are_asked_at_once_and_twenty_a_second(serve: Serve) -> None:
    def slowly(_request: Request) -> bytes:
        time.sleep(0.3)
        return told({})

    target = serve({}, otherwise=slowly)
    began = time.monotonic()
    with asker() as one:
        replies = one.get_all(f"{target.origin}/{number}" for number in range(12))

    assert all(replies)
    assert 1 < target.most_at_once <= 4
    assert time.monotonic() - began >= 12 / 20


def test_what_is_known_is_not_asked_again(serve: Serve) -> None:
    target = serve({"/a": told({})})
    with asker() as one:
        assert one.get(f"{target.origin}/a") is one.get(f"{target.origin}/a")

    assert len(target.requests) == 1


def test_redirects_are_followed_on_the_platform_alone(serve: Serve) -> None:
    elsewhere = serve({}, otherwise=told({"secret": 1}))
    target = serve({
        "/": http("", 302, location="/start"),
        "/start": told({"here": True}),
        "/away": http("", 302, location=f"{elsewhere.origin}/x"),
        "/round": http("", 302, location="/round"),
        "/odd": http("", 302, location="http://[::1"),
    })  # fmt: skip
    with asker() as one:
        at_home, away = one.get(f"{target.origin}/"), one.get(f"{target.origin}/away")
        round_, odd = one.get(f"{target.origin}/round"), one.get(f"{target.origin}/odd")
        failures = one.failures

    assert at_home
    assert (at_home.url, at_home.json) == (f"{target.origin}/start", {"here": True})
    assert away
    assert away.leads_elsewhere == f"{elsewhere.origin}/x"
    assert elsewhere.requests == []
    assert round_ is None
    assert "redirects more than" in failures[f"{target.origin}/round"]
    assert odd is None
    assert failures[f"{target.origin}/odd"]


def test_no_cookie_is_sent_back(serve: Serve) -> None:
    target = serve({}, otherwise=told({}, set_cookie="seen=1; Path=/"))
    with asker() as one:
        one.get(f"{target.origin}/a")
        one.get(f"{target.origin}/b")

    assert all("cookie" not in request.headers for request in target.requests)


def test_a_body_without_end_is_left(serve: Serve) -> None:
    def endless(_request: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 x\r\ncontent-type: application/json\r\n\r\n"
        while True:
            yield b"[" * 65536

    target = serve({"/": endless})
    with asker() as one:
        reply = one.get(f"{target.origin}/")

    assert reply
    assert reply.is_truncated
    assert reply.json is None
    assert len(reply.body) <= 6 * 1024 * 1024


def test_an_answer_that_drips_ends_with_its_time(serve: Serve) -> None:
    def dripping(_request: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 x\r\ncontent-type: application/json\r\n\r\n"
        while True:
            time.sleep(0.1)
            yield b" "

    target = serve({"/": dripping})
    began = time.monotonic()
    with asker(seconds=1.5) as one:
        reply = one.get(f"{target.origin}/")

    assert reply
    assert reply.is_truncated
    assert time.monotonic() - began < 4


def test_what_never_answers_costs_the_time_limit_and_no_more(serve: Serve, look: Look) -> None:
    def hang(_request: Request) -> bytes:
        raise Hang

    target = serve({"/": told({"hello": "there"})}, otherwise=hang)
    began = time.monotonic()

    found = look(target.origin, seconds=3)

    assert time.monotonic() - began < 8
    assert [one.is_stand_in for one in found.health] == [True]
    assert any("not all was looked at" in remark for remark in found.remarks)


def test_a_platform_that_is_slow_is_found_all_the_same(serve: Serve, look: Look) -> None:
    def slow_health(_request: Request) -> bytes:
        time.sleep(1.5)
        return told({"status": "ok"})

    target = serve({"/": told({}), "/health": slow_health})

    assert [one.url for one in look(target.origin).health] == [f"{target.origin}/health"]


def test_a_closed_port_is_told_with_what_to_do(serve: Serve, look: Look) -> None:
    target = serve({})
    address = target.origin
    target.close()

    with pytest.raises(DiscoveryError, match=r"can't be looked at: connection refused\. See that"):
        look(address)
