"""A target that hangs costs the checks' HTTP client its limit once, unless it shows life."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest

from deployment_gate.evidence import Observation
from deployment_gate.probes.conduct import Conduct
from tests.probes.target import Http, Request, Serve

Connect = Callable[..., httpx.Client]


class Moody:
    """A target that can be told to hang."""

    def __init__(self, serve: Serve, answer: Http, hang: type[Exception]) -> None:
        self.is_hanging: Callable[[str], bool] = lambda _path: True
        self.answer, self._hang = answer, hang
        self.target = serve(self._respond)

    def _respond(self, request: Request) -> bytes:
        if self.is_hanging(request.path):
            raise self._hang
        return self.answer()


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
    moody.is_hanging = lambda path: path == "/slow"
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
    moody.is_hanging = lambda path: path == "/slow"
    moody.answer = lambda: answer(status=503)
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

    moody.is_hanging = wake
    with pytest.raises(httpx.ReadTimeout) as caught:
        client.get("/still-slow")
    assert "was not asked again" not in str(caught.value)
    assert conduct.silent == {}
