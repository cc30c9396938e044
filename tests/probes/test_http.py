"""The checks' HTTP client: what it sends, what it refuses to send, and what it tells of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from deployment_gate.evidence import Observation, ObservationKind
from deployment_gate.probes.http import Conduct, RequestRefused, http_client

Serve = Callable[..., Any]
Http = Callable[..., bytes]
Connect = Callable[..., httpx.Client]
LOGIN = "/api/v1/auth/login"


@pytest.fixture
def seen() -> list[Observation]:
    """What was observed."""
    return []


@pytest.fixture
def conduct(seen: list[Observation]) -> Conduct:
    """The conduct of a check that only reads."""
    return Conduct(
        observe=seen.append, environment="production", allows_writing=False, check="t::check"
    )


@pytest.fixture
def connect(conduct: Conduct) -> Iterator[Connect]:
    """Make clients that keep to the conduct."""
    with ExitStack() as stack:

        def connect(target: Any, *, timeout_s: float = 5.0) -> httpx.Client:
            base_url = target if isinstance(target, str) else target.origin
            made = http_client(conduct, base_url=base_url, timeout_s=timeout_s, user_agent="t/1")
            return stack.enter_context(made)

        connect.conduct = conduct  # type: ignore[attr-defined]
        yield connect


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
    }
    assert [request.headers["user-agent"] for request in target.requests] == ["t/1"] * 3


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PURGE"])
@pytest.mark.parametrize(
    ("leaves", "lacking"),
    [
        ({}, "'production' gives no leave"),
        ({"is_writing": True}, "'production' gives no leave"),
        ({"allows_writing": True}, "isn't marked as writing"),
    ],
)
def test_nothing_is_written_without_both_leaves(
    method: str, leaves: dict[str, bool], lacking: str, serve: Serve, connect: Connect
) -> None:
    target = serve()
    for name, leave in leaves.items():
        setattr(connect.conduct, name, leave)  # type: ignore[attr-defined]
    with pytest.raises(RequestRefused, match=lacking):
        connect(target).request(method, "/policies/1", json={"a": 1})
    assert (target.requests, target.connections) == ([], 0)


def test_a_refused_request_is_no_observation_and_says_what_to_do(
    serve: Serve, connect: Connect, conduct: Conduct, seen: list[Observation]
) -> None:
    target = serve()
    with pytest.raises(RequestRefused) as caught:
        connect(target).delete("/policies/1?force=1#x")
    assert str(caught.value) == (
        f"DELETE {target.origin}/policies/1 was not sent: the environment 'production' gives no "
        "leave to write. If it may be written to, set `allow: {writes: true}` in its file."
    )
    conduct.allows_writing = True
    with pytest.raises(RequestRefused, match=r"Mark it with `@pytest\.mark\.writes`"):
        connect(target).delete("/policies/1")
    assert seen == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_both_leaves_together_let_a_check_write(
    method: str, serve: Serve, connect: Connect, conduct: Conduct
) -> None:
    target = serve()
    conduct.allows_writing = conduct.is_writing = True
    assert connect(target).request(method, "/policies").status_code == 200
    assert [request.method for request in target.requests] == [method]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "get"])
def test_reading_needs_no_leave(method: str, serve: Serve, connect: Connect) -> None:
    target = serve()
    connect(target).request(method, "/policies")
    assert [request.method for request in target.requests] == [method.upper()]


def test_a_sign_in_is_no_write(serve: Serve, connect: Connect, conduct: Conduct) -> None:
    target = serve()
    conduct.signs_in_at = frozenset({("POST", target.url(LOGIN))})
    client = connect(target)
    assert client.post(LOGIN, json={"password": "p"}).status_code == 200
    assert client.post(f"{LOGIN}?next=/", json={}).status_code == 200
    assert [request.method for request in target.requests] == ["POST", "POST"]


@pytest.mark.parametrize(
    "base_url",
    ["http://LOCALHOST:{port}", "http://localhost:{port}", "http://localhost:{port}/./"],
)
def test_a_sign_in_is_known_however_its_address_is_written(
    base_url: str, serve: Serve, connect: Connect, conduct: Conduct
) -> None:
    target = serve()
    written = base_url.format(port=target.origin.rpartition(":")[2])
    conduct.signs_in_at = frozenset({("POST", written.rstrip("/") + LOGIN)})
    assert connect(written).post(LOGIN.lstrip("/")).status_code == 200


def test_a_default_port_that_is_written_out_does_not_forbid_the_sign_in(
    connect: Connect, conduct: Conduct, seen: list[Observation]
) -> None:
    conduct.signs_in_at = frozenset({("POST", f"http://something.invalid:80{LOGIN}")})
    with pytest.raises(httpx.ConnectError):
        connect("http://something.invalid:80").post(LOGIN)
    assert [one.subject for one in seen] == [f"POST {LOGIN}"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", LOGIN),
        ("DELETE", LOGIN),
        ("POST", f"{LOGIN}/"),
        ("POST", f"{LOGIN}/../../policies"),
        ("POST", f"{LOGIN}x"),
        ("POST", f"{LOGIN};x"),
        ("POST", LOGIN.upper()),
        ("POST", f"/{LOGIN}"),
    ],
)
def test_only_the_very_sign_in_is_no_write(
    method: str, path: str, serve: Serve, connect: Connect, conduct: Conduct
) -> None:
    target = serve()
    conduct.signs_in_at = frozenset({("POST", target.url(LOGIN))})
    with pytest.raises(RequestRefused):
        connect(target).request(method, target.origin + path)
    assert target.connections == 0


def test_a_sign_in_elsewhere_is_a_write(serve: Serve, connect: Connect, conduct: Conduct) -> None:
    target, other = serve(), serve()
    conduct.signs_in_at = frozenset({("POST", target.url(LOGIN))})
    with pytest.raises(RequestRefused):
        connect(target).post(other.url(LOGIN))
    assert other.connections == 0


def test_a_sign_in_keeps_its_own_method_and_may_have_a_query(
    serve: Serve, connect: Connect, conduct: Conduct
) -> None:
    target = serve()
    conduct.signs_in_at = frozenset({("PUT", target.url(f"{LOGIN}?mode=json"))})
    assert connect(target).put(f"{LOGIN}?mode=json").is_success
    with pytest.raises(RequestRefused):
        connect(target).post(f"{LOGIN}?mode=json")


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


def test_an_answer_knows_how_long_it_took(serve: Serve, connect: Connect) -> None:
    assert 0 < connect(serve()).get("/").elapsed.total_seconds() < 10


def test_redirects_are_answers(
    serve: Serve, answer: Http, connect: Connect, seen: list[Observation]
) -> None:
    target = serve(lambda _request: answer(status=302, location="/elsewhere"))
    assert connect(target).get("/here").status_code == 302
    assert len(target.requests) == len(seen) == 1


def test_a_redirect_that_a_check_follows_is_guarded_and_observed_too(
    serve: Serve, answer: Http, connect: Connect, conduct: Conduct, seen: list[Observation]
) -> None:
    # 307 keeps the method: a sign-in could be led to write elsewhere.
    target = serve(lambda _request: answer(status=307, location="/api/v1/policies"))
    conduct.signs_in_at = frozenset({("POST", target.url(LOGIN))})
    with pytest.raises(RequestRefused):
        connect(target).post(LOGIN, follow_redirects=True)
    assert [request.path for request in target.requests] == [LOGIN]
    assert [one.status for one in seen] == [307]


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
    def cut(_request: Any) -> bytes:
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


class Moody:
    """A target that can be told to hang."""

    def __init__(self, serve: Serve, answer: Http, hang: type[Exception]) -> None:
        self.is_hanging = lambda _path: True
        self._answer, self._hang = answer, hang
        self.target = serve(self._respond)

    def _respond(self, request: Any) -> bytes:
        if self.is_hanging(request.path):
            raise self._hang
        return self._answer()


@pytest.fixture
def moody(serve: Serve, answer: Http, hang: type[Exception]) -> Moody:
    """A target that hangs, until it is told otherwise."""
    return Moody(serve, answer, hang)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a life sign take a fraction of its two seconds."""
    monkeypatch.setattr("deployment_gate.probes.http.LIFE_SIGN_TIMEOUT_S", 0.3)


@pytest.mark.usefixtures("impatient")
def test_a_target_that_hangs_costs_its_limit_once_and_is_asked_no_more(
    moody: Moody, connect: Connect, seen: list[Observation], conduct: Conduct
) -> None:
    client = connect(moody.target, timeout_s=0.3)
    with pytest.raises(httpx.ReadTimeout):
        client.get("/first")
    assert [(one.status, one.error) for one in seen] == [(None, "no whole answer within 0.3 s")]
    for _ in range(3):
        with pytest.raises(httpx.ReadTimeout, match="was not asked again"):
            client.get("/again")
    # The request, then one that only asks for a sign of life; and no observation of neither.
    assert [request.path for request in moody.target.requests] == ["/first", "/"]
    assert len(seen) == 1
    assert list(conduct.silent) == [moody.target.origin]


@pytest.mark.usefixtures("impatient")
def test_one_slow_request_does_not_silence_a_target_that_lives(
    moody: Moody, connect: Connect, seen: list[Observation], conduct: Conduct
) -> None:
    moody.is_hanging = lambda path: path == "/slow"  # type: ignore[method-assign]
    client = connect(moody.target, timeout_s=0.3)
    with pytest.raises(httpx.ReadTimeout):
        client.get("/slow")
    assert client.get("/fast").status_code == 200
    assert client.get("/fast").status_code == 200
    assert [request.path for request in moody.target.requests] == ["/slow", "/", "/fast", "/fast"]
    assert [one.subject for one in seen] == ["GET /slow", "GET /fast", "GET /fast"]
    assert conduct.silent == {}


@pytest.mark.usefixtures("impatient")
def test_an_error_is_a_sign_of_life(moody: Moody, connect: Connect, answer: Http) -> None:
    moody.is_hanging = lambda path: path == "/slow"  # type: ignore[method-assign]
    moody._answer = lambda: answer(status=503)  # noqa: SLF001
    client = connect(moody.target, timeout_s=0.3)
    with pytest.raises(httpx.ReadTimeout):
        client.get("/slow")
    assert client.get("/fast").status_code == 503


@pytest.mark.usefixtures("impatient")
def test_a_silent_target_does_not_silence_another(
    moody: Moody, serve: Serve, connect: Connect
) -> None:
    client = connect(moody.target, timeout_s=0.3)
    for _ in range(2):
        with pytest.raises(httpx.ReadTimeout):
            client.get("/")
    assert client.get(serve().url("/")).status_code == 200


@pytest.mark.usefixtures("impatient")
def test_all_clients_of_a_process_know_of_a_silent_target(moody: Moody, connect: Connect) -> None:
    for _ in range(2):
        with pytest.raises(httpx.ReadTimeout):
            connect(moody.target, timeout_s=0.3).get("/")
    with pytest.raises(httpx.ReadTimeout, match="was not asked again"):
        connect(moody.target, timeout_s=0.3).get("/")
    assert len(moody.target.requests) == 2


@pytest.mark.usefixtures("impatient")
def test_no_connection_in_time_is_nobodys_proven_doing(
    mute: str, connect: Connect, seen: list[Observation]
) -> None:
    client = connect(mute, timeout_s=0.3)
    for _ in range(2):
        with pytest.raises(httpx.TimeoutException):
            client.get("/")
    assert len(seen) == 1
    assert seen[0].error is None
    assert (seen[0].unobserved or "").startswith("no connection within 0.3 s")


def test_a_life_sign_may_take_two_seconds(moody: Moody, connect: Connect, conduct: Conduct) -> None:
    client = connect(moody.target, timeout_s=0.2)
    with pytest.raises(httpx.ReadTimeout):
        client.get("/slow")

    def wake(_path: str) -> bool:
        time.sleep(0.5)
        return False

    moody.is_hanging = wake  # type: ignore[method-assign]
    with pytest.raises(httpx.ReadTimeout) as caught:
        client.get("/still-slow")
    assert "was not asked again" not in str(caught.value)
    assert conduct.silent == {}
