"""What the checks' HTTP client tells of what it sent and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from deployment_gate.evidence import Observation, ObservationKind
from deployment_gate.probes.conduct import Conduct
from tests.probes.target import Http, Request, Serve

Connect = Callable[..., httpx.Client]


def test_each_request_is_one_observation(
    serve: Serve, answer: Http, connect: Connect, seen: list[Observation]
) -> None:
    target = serve(lambda request: answer("abc", 404 if request.path == "/none" else 200))
    before = datetime.now(UTC)
    client = connect(target)
    assert client.get("/policies?page=2").text == "abc"
    client.head("/policies")
    assert client.get("/none").status_code == 404
    assert [(one.subject, one.status) for one in seen] == [
        *(("GET /policies", 200), ("HEAD /policies", 200), ("GET /none", 404)),
    ]
    first = seen[0]
    assert (first.kind, first.check) == (ObservationKind.REQUEST, "t::check")
    assert (first.error, first.unobserved) == (None, None)
    assert before <= first.at <= datetime.now(UTC)
    assert 0 < first.duration_s < 5
    assert first.facts == {
        "url": f"{target.origin}/policies?page=2",
        "content_type": "application/json",
        "size": 3,
        "repeatable": True,
    }
    assert [request.headers["user-agent"] for request in target.requests] == ["t/1"] * 3


def test_an_answer_knows_how_long_it_took(serve: Serve, connect: Connect) -> None:
    assert 0 < connect(serve()).get("/").elapsed.total_seconds() < 10


def test_redirects_are_answers(
    serve: Serve, answer: Http, connect: Connect, seen: list[Observation]
) -> None:
    target = serve(lambda _request: answer(status=302, location="/elsewhere"))
    assert connect(target).get("/here").status_code == 302
    assert len(target.requests) == len(seen) == 1


def test_what_an_answer_hands_out_is_kept_secret_whoever_asked(
    serve: Serve, answer: Http, connect: Connect, conduct: Conduct
) -> None:
    kept: list[str] = []
    conduct.keep_secret = kept.append
    body = b"""{"user": {"id_token": "id-token-0123456789", "token_type": "a-long-word-of-a-type"},
      "items": [{"sessionId": "session-0123456789"}], "next_token": "short", "name": "x"}"""
    target = serve(
        lambda _request: answer(
            body=body, content_type="application/json", set_cookie="sid=cookie-0123456789; Path=/"
        )
    )
    connect(target).get("/")
    assert kept == ["cookie-0123456789", "id-token-0123456789", "session-0123456789"]


def test_a_proxy_of_the_machine_is_not_used(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch, dead_port: int
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{dead_port}")
    assert connect(serve()).get("/").status_code == 200


def test_failures_are_observed_with_whose_doing_they_are(
    serve: Serve,
    connect: Connect,
    seen: list[Observation],
    reset: type[Exception],
    dead_port: int,
) -> None:
    def cut(_request: Request) -> bytes:
        raise reset(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")

    for url in (f"http://127.0.0.1:{dead_port}", "http://something.invalid", serve(cut).origin):
        with pytest.raises(httpx.TransportError):
            connect(url).get("/")
    refused, unresolved, cut_off = seen
    assert (refused.error, refused.unobserved) == ("connection refused", None)
    assert unresolved.error is None
    assert "doesn't resolve" in (unresolved.unobserved or "")
    assert (cut_off.status, cut_off.error) == (200, "connection closed before the answer was whole")
    assert "size" not in cut_off.facts


def test_certificates_are_judged_as_the_sampler_judges_them(
    serve: Serve, connect: Connect, seen: list[Observation], trusting: Any
) -> None:
    assert connect(serve(tls=trusting.good)).get("/").status_code == 200
    with pytest.raises(httpx.ConnectError):
        connect(serve(tls=trusting.expired)).get("/")
    assert seen[1].error == "the certificate has expired"


def test_an_issuer_that_is_not_trusted_here_is_the_runners_trouble(
    serve: Serve, connect: Connect, seen: list[Observation], certificates: Any
) -> None:
    with pytest.raises(httpx.ConnectError):
        connect(serve(tls=certificates.good)).get("/")
    assert seen[0].error is None
    assert (seen[0].unobserved or "").startswith("this machine doesn't trust the certificate")


def test_a_check_that_is_cut_off_by_its_own_limit_leaves_an_observation(
    serve: Serve, connect: Connect, seen: list[Observation]
) -> None:
    class Limit(BaseException):
        """As pytest-timeout raises in a signal handler."""

    client = connect(serve())

    def expire(_info: object) -> None:
        raise Limit

    with pytest.raises(Limit):
        client.get("/", extensions={"trace": lambda _name, _info: expire(_info)})
    assert [one.error for one in seen] == ["cut off by the check's own time limit"]
