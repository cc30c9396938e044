"""The sampler against real servers: what a round costs, and whose doing each failure is."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deployment_gate.evidence import Observation, ObservationKind
from deployment_gate.probes.sampler import BODY_LIMIT, Answer, Probe, Sampler

Serve = Callable[..., Any]
Http = Callable[..., bytes]


def probe(url: str, *, timeout_s: float = 5.0, **fields: Any) -> Probe:
    """A health probe of an address."""
    known = {"subject": "api", "kind": ObservationKind.HEALTH, **fields}
    return Probe(url=url, timeout_s=timeout_s, **known)


def ask(url: str, **fields: Any) -> Observation:
    """What one probe sees."""
    (observation,) = Sampler(concurrency=8, user_agent="test/1").round([probe(url, **fields)])
    return observation


def size(found: Answer) -> dict[str, Any]:
    """How much of an answer was read."""
    return {"bytes": len(found.body), "is_truncated": found.is_truncated}


def test_an_answer_is_observed_with_its_status_time_and_facts(serve: Serve, answer: Http) -> None:
    before = datetime.now(UTC)
    target = serve(lambda _request: answer(b'{"a": 1}', 503, x_name="n"))
    read: list[Answer] = []

    def facts(found: Answer) -> dict[str, Any]:
        read.append(found)
        return {"fact": 1}

    seen = ask(target.url(), read=facts)
    assert before <= seen.at <= datetime.now(UTC)
    assert (seen.kind, seen.subject, seen.status) == (ObservationKind.HEALTH, "api", 503)
    assert (seen.error, seen.unobserved, seen.facts) == (None, None, {"fact": 1})
    assert 0 < seen.duration_s < 5
    assert (read[0].status, read[0].body, read[0].is_truncated) == (503, b'{"a": 1}', False)
    assert read[0].headers["X-Name"] == "n"


def test_a_probe_is_a_get_that_names_its_sender(serve: Serve) -> None:
    target = serve()
    ask(target.url("/health?deep=1"), headers={"Cache-Control": "no-cache"})
    (request,) = target.requests
    assert (request.method, request.path, request.body) == ("GET", "/health?deep=1", b"")
    assert request.headers["user-agent"] == "test/1"
    assert request.headers["accept"].startswith("application/json")
    assert request.headers["cache-control"] == "no-cache"
    assert "cookie" not in request.headers


def test_a_round_asks_all_at_once_and_keeps_the_order(serve: Serve, answer: Http) -> None:
    together = threading.Barrier(12)

    def answer_together(request: Any) -> bytes:
        together.wait(10)  # broken unless all twelve are there
        return answer(request.path.strip("/"))

    target = serve(answer_together)
    probes = [
        probe(target.url(f"/{number}"), subject=f"{number}", timeout_s=15) for number in range(12)
    ]
    seen = Sampler(concurrency=12, user_agent="t").round(probes)
    assert [one.status for one in seen] == [200] * 12
    assert [one.subject for one in seen] == [f"{number}" for number in range(12)]


def test_no_more_are_under_way_at_once_than_allowed(serve: Serve, answer: Http) -> None:
    three = threading.Barrier(3)

    def answer_in_threes(_request: Any) -> bytes:
        three.wait(10)
        return answer()

    target = serve(answer_in_threes)
    seen = Sampler(concurrency=3, user_agent="t").round([probe(target.url(), timeout_s=15)] * 9)
    assert [one.status for one in seen] == [200] * 9
    assert target.most_at_once == 3


def test_waiting_for_a_turn_is_not_the_targets_time(serve: Serve, answer: Http) -> None:
    def answer_slowly(_request: Any) -> bytes:
        time.sleep(0.2)
        return answer()

    target = serve(answer_slowly)
    seen = Sampler(concurrency=1, user_agent="t").round([probe(target.url(), timeout_s=0.7)] * 5)
    assert [one.error or one.unobserved for one in seen] == [None] * 5
    assert all(0.2 <= one.duration_s < 0.7 for one in seen)


def test_a_round_reuses_its_connections_and_the_next_one_does_not(serve: Serve) -> None:
    target = serve()
    sampler = Sampler(concurrency=1, user_agent="t")
    sampler.round([probe(target.url())] * 5)
    assert (len(target.requests), target.connections) == (5, 1)
    sampler.round([probe(target.url())])
    assert target.connections == 2


def test_fresh_connections_are_really_fresh(serve: Serve) -> None:
    target = serve()
    sampler = Sampler(concurrency=2, user_agent="t")
    seen = sampler.round([probe(target.url(), needs_own_connection=True)] * 6)
    assert [one.status for one in seen] == [200] * 6
    assert target.connections == 6
    sampler.round([probe(target.url(), needs_own_connection=True), *[probe(target.url())] * 4])
    assert target.connections <= 6 + 1 + 2


def test_redirects_are_answers(serve: Serve, answer: Http) -> None:
    target = serve(lambda request: answer(status=302, location=f"{request.path}x"))
    assert ask(target.url()).status == 302
    assert len(target.requests) == 1


def test_cookies_are_not_kept(serve: Serve, answer: Http) -> None:
    target = serve(lambda _request: answer(set_cookie="session=1"))
    Sampler(concurrency=1, user_agent="t").round([probe(target.url("/"))] * 2)
    assert all("cookie" not in request.headers for request in target.requests)


def test_a_body_without_an_end_is_read_up_to_the_limit_only(serve: Serve) -> None:
    def flood(_request: Any) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n"
        while True:
            yield b"x" * 65536

    target = serve(flood)
    seen = ask(target.url(), read=size)
    assert (seen.status, seen.error, seen.unobserved) == (200, None, None)
    assert seen.facts == {"bytes": BODY_LIMIT, "is_truncated": True}
    assert target.sent < 100 * BODY_LIMIT  # the rest fills the system's buffers at most


def test_a_body_that_unpacks_to_a_hundred_times_its_size_takes_little_memory(
    serve: Serve, answer: Http
) -> None:
    packed = gzip.compress(bytes(60_000_000))
    target = serve(lambda _request: answer(packed, content_encoding="gzip"))
    ask(target.url())  # imports what it needs
    tracemalloc.start()
    try:
        ask(target.url())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


def test_a_body_of_exactly_the_limit_is_whole(serve: Serve, answer: Http) -> None:
    target = serve(lambda _request: answer(b"x" * BODY_LIMIT))
    seen = ask(target.url(), read=size)
    assert seen.facts == {"bytes": BODY_LIMIT, "is_truncated": False}


def test_a_target_that_hangs_costs_the_limit_and_is_to_blame(
    serve: Serve, hang: type[Exception]
) -> None:
    def never(_request: Any) -> bytes:
        raise hang

    seen = ask(serve(never).url(), timeout_s=0.3)
    assert (seen.error, seen.unobserved) == ("no whole answer within 0.3 s", None)
    assert 0.3 <= seen.duration_s < 3


def test_a_target_that_hangs_in_the_tls_handshake_is_to_blame() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        seen = ask(f"https://127.0.0.1:{listener.getsockname()[1]}/health", timeout_s=0.3)
    assert (seen.error, seen.unobserved) == (
        "takes connections, but finished none within 0.3 s",
        None,
    )


def test_a_target_that_hangs_in_the_middle_of_its_answer_is_to_blame(
    serve: Serve, answer: Http, hang: type[Exception]
) -> None:
    def half(_request: Any) -> Iterator[bytes]:
        yield answer("x" * 100)[:-50]
        raise hang

    seen = ask(serve(half).url(), timeout_s=0.3)
    assert (seen.status, seen.error) == (200, "no whole answer within 0.3 s")


def test_a_target_that_trickles_does_not_outlast_the_limit(serve: Serve) -> None:
    def trickle(_request: Any) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"
        while True:
            time.sleep(0.05)
            yield b"x"

    assert ask(serve(trickle).url(), timeout_s=0.3).error == "no whole answer within 0.3 s"


def test_no_connection_in_time_is_nobodys_proven_doing(mute: str) -> None:
    seen = ask(mute, timeout_s=0.3)
    assert seen.error is None
    assert seen.unobserved is not None
    assert seen.unobserved.startswith("no connection within 0.3 s")


def test_a_refused_connection_is_the_targets_doing(dead_port: int) -> None:
    seen = ask(f"http://127.0.0.1:{dead_port}/health")
    assert (seen.status, seen.error, seen.unobserved) == (None, "connection refused", None)


def test_a_name_that_does_not_resolve_is_the_runners_trouble() -> None:
    seen = ask("http://something.invalid/health")
    assert seen.error is None
    assert seen.unobserved is not None
    assert seen.unobserved.startswith("the name doesn't resolve on this machine")


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"])
def test_a_connection_that_is_reset_is_the_targets_doing(
    before: bytes, serve: Serve, reset: type[Exception]
) -> None:
    def cut(_request: Any) -> bytes:
        raise reset(before)

    seen = ask(serve(cut).url())
    assert (seen.error, seen.unobserved) == ("connection closed before the answer was whole", None)


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"", "connection closed before the answer was whole"),
        (
            b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 100\r\n\r\nhalf",
            "connection closed before the answer was whole",
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "the answer isn't valid HTTP"),
    ],
)
def test_an_answer_that_is_no_whole_one_is_the_targets_doing(
    sent: bytes, why: str, serve: Serve, close: type[Exception]
) -> None:
    def cut(_request: Any) -> bytes:
        raise close(sent)

    seen = ask(serve(cut).url())
    assert (seen.error, seen.unobserved) == (why, None)


def test_facts_that_cannot_be_read_are_unobserved(serve: Serve) -> None:
    def read(_answer: Answer) -> dict[str, Any]:
        raise RecursionError("too deep")

    seen = ask(serve().url(), read=read)
    assert (seen.error, seen.unobserved) == (None, "RecursionError: too deep")


def test_one_failure_does_not_touch_the_others(serve: Serve, dead_port: int) -> None:
    target = serve()
    urls = [target.url(), f"http://127.0.0.1:{dead_port}", "http://something.invalid", target.url()]
    seen = Sampler(concurrency=8, user_agent="t").round([probe(url) for url in urls])
    assert [bool(one.error or one.unobserved) for one in seen] == [False, True, True, False]


def test_a_trusted_certificate_is_no_trouble(serve: Serve, trusting: Any) -> None:
    seen = ask(serve(tls=trusting.good).url())
    assert (seen.status, seen.error, seen.unobserved) == (200, None, None)


def test_an_expired_certificate_is_the_targets_doing(serve: Serve, trusting: Any) -> None:
    seen = ask(serve(tls=trusting.expired).url())
    assert (seen.error, seen.unobserved) == ("the certificate has expired", None)


def test_a_certificate_of_another_host_is_the_targets_doing(serve: Serve, trusting: Any) -> None:
    target = serve(tls=trusting.of_another_host)
    seen = ask(target.url())
    assert (seen.error, seen.unobserved) == ("the certificate is for another IP address", None)
    seen = ask(target.url().replace("127.0.0.1", "localhost"))
    assert (seen.error, seen.unobserved) == ("the certificate is for another host name", None)


def test_an_issuer_that_is_not_trusted_here_is_the_runners_trouble(
    serve: Serve, certificates: Any
) -> None:
    seen = ask(serve(tls=certificates.good).url())
    assert seen.error is None
    assert seen.unobserved is not None
    assert seen.unobserved.startswith("this machine doesn't trust the certificate")
    assert seen.unobserved.endswith("or name it in SSL_CERT_FILE")


def test_a_server_that_speaks_no_tls_is_to_blame(serve: Serve) -> None:
    def garbage(_request: Any) -> bytes:
        return b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"

    seen = ask(serve(garbage).url().replace("http:", "https:"), timeout_s=2)
    assert seen.status is None
    assert seen.error or seen.unobserved


def test_an_empty_round_asks_nothing() -> None:
    assert Sampler(concurrency=1, user_agent="t").round([]) == []


def test_times_are_of_this_moment(serve: Serve) -> None:
    assert datetime.now(UTC) - ask(serve().url()).at < timedelta(minutes=1)
