"""The checks' HTTP client writes nothing without leave, and knows a sign-in when it sees one."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from deployment_gate.evidence import Observation
from deployment_gate.probes.conduct import Conduct
from deployment_gate.probes.http import RequestRefused
from tests.probes.target import Http, Serve

Connect = Callable[..., httpx.Client]
LOGIN = "/api/v1/auth/login"
WRITING = ("POST", "PUT", "PATCH", "DELETE", "CONNECT", "PURGE")


@pytest.mark.parametrize("method", WRITING)
@pytest.mark.parametrize("is_writing", [False, True])
def test_nothing_is_written_where_the_environment_gives_no_leave(
    method: str, serve: Serve, connect: Connect, conduct: Conduct, *, is_writing: bool
) -> None:
    target = serve()
    conduct.is_writing = is_writing
    with pytest.raises(RequestRefused, match="'production' gives no leave"):
        connect(target).request(method, "/policies/1", json={"a": 1})
    assert (target.requests, target.connections) == ([], 0)


@pytest.mark.parametrize("method", WRITING)
def test_nothing_is_written_by_a_check_that_is_not_marked_as_writing(
    method: str, serve: Serve, connect: Connect, conduct: Conduct
) -> None:
    target = serve()
    conduct.allows_writing = True
    with pytest.raises(RequestRefused, match="isn't marked as writing"):
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
