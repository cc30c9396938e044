"""How often somebody may fail to sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from sandbox.api.errors import ApiError
from sandbox.api.sign_ins import FailedSignIns
from sandbox.flaws import Flaw, Flaws

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Sandbox


class Bench:
    """A limit with a clock and flaws of its own."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.flaws: Flaws = frozenset()
        self.limit = FailedSignIns(lambda: self.flaws, lambda: self.now)

    def fail(self, username: str, times: int) -> None:
        """Fail so many times, each second once."""
        for _ in range(times):
            self.limit.note(username)
            self.now += 1

    def wait_of(self, username: str) -> int | None:
        """Return for how many seconds that username has to wait; None when it hasn't."""
        try:
            self.limit.demand_few(username)
        except ApiError as error:
            return int((error.headers or {})["Retry-After"]) if error.status == 429 else -1
        return None


def test_twenty_failures_within_a_minute_are_borne() -> None:
    bench = Bench()
    bench.fail("a", 19)
    assert bench.wait_of("a") is None
    bench.fail("a", 1)
    assert bench.wait_of("a") == 40
    assert bench.wait_of("b") is None


def test_waiting_as_long_as_was_said_helps() -> None:
    bench = Bench()
    bench.fail("a", 20)
    bench.now += 39
    assert bench.wait_of("a") == 1
    bench.now += 1
    assert bench.wait_of("a") is None
    bench.fail("a", 1)
    assert bench.wait_of("a") is None  # a second failure has left the window meanwhile


def test_failures_at_leisure_are_never_limited() -> None:
    bench = Bench()
    for _ in range(100):
        bench.fail("a", 1)
        bench.now += 3
        assert bench.wait_of("a") is None


def test_flaw_lifts_the_limit_and_forgets_nothing() -> None:
    bench = Bench()
    bench.fail("a", 30)
    bench.flaws = frozenset({Flaw.NO_RATE_LIMIT})
    assert bench.wait_of("a") is None
    bench.flaws = frozenset()
    assert bench.wait_of("a") == 40


def test_who_fails_too_often_waits_and_nobody_else(sandbox: Sandbox) -> None:
    username = f"stranger-{uuid4()}"
    answers = [sandbox.sign_in(username, "wrong") for _ in range(22)]
    assert [answer.status_code for answer in answers] == [401] * 20 + [429] * 2
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].json()["error"]["code"] == "too_many_requests"
    assert sandbox.sign_in().status_code == 200


def test_right_password_has_to_wait_too_and_never_counts(
    running_sandbox: Callable[[], Sandbox],
) -> None:
    sandbox = running_sandbox()
    for password in ("wrong", None):
        assert {sandbox.sign_in("test", password).status_code for _ in range(19)} == {
            200 if password is None else 401
        }
    assert sandbox.sign_in("test", "wrong").status_code == 401
    assert sandbox.sign_in("test").status_code == 429
    assert sandbox.sign_in("admin").status_code == 200
