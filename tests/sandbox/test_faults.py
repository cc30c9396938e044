"""Each fault: what it breaks, and that it is over once cleared."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Sandbox

SECURITY_HEADERS = {"content-security-policy", "x-content-type-options", "x-frame-options"}


def statuses(sandbox: Sandbox, path: str, count: int) -> list[int]:
    """Ask so many times; return the statuses of the answers."""
    return [sandbox.get(path).status_code for _ in range(count)]


def test_health_down_says_unhealthy(sandbox: Sandbox) -> None:
    sandbox.fault("health-down")
    assert sandbox.get("/health").status_code == 503
    assert sandbox.get("/health").json()["status"] == "unhealthy"
    assert sandbox.get("/version").status_code == 200
    sandbox.fault("clear")
    assert sandbox.get("/health").status_code == 200


def test_database_down_fails_what_needs_the_database(either_sandbox: Sandbox) -> None:
    bearer = either_sandbox.bearer()
    either_sandbox.fault("database-down")
    health = either_sandbox.get("/health")
    assert (health.status_code, health.json()["status"]) == (503, "unhealthy")
    assert health.json()["components"]["database"]["status"] == "unhealthy"
    assert health.json()["components"]["cache"]["status"] == "healthy"
    assert either_sandbox.get("/health/database").status_code == 503
    assert either_sandbox.sign_in().json()["error"]["code"] == "database_unavailable"
    answer = either_sandbox.get("/api/v1/search?q=never+asked+before", headers=bearer)
    assert answer.status_code == 503
    either_sandbox.fault("clear")
    assert either_sandbox.get("/health").status_code == 200
    assert either_sandbox.sign_in().status_code == 200


def test_cache_down_is_reported_and_survived(sandbox: Sandbox) -> None:
    bearer = sandbox.bearer()
    sandbox.fault("cache-down")
    assert sandbox.get("/health/cache").status_code == 503
    assert sandbox.get("/health").json()["components"]["cache"]["status"] == "unhealthy"
    assert sandbox.get("/health/database").status_code == 200
    assert sandbox.get("/api/v1/policies", headers=bearer).status_code == 200
    sandbox.fault("clear")
    assert sandbox.get("/health/cache").status_code == 200


def test_error_rate_fails_about_that_share_and_always_the_same(sandbox: Sandbox) -> None:
    runs = []
    for _ in range(2):
        sandbox.fault("error-rate=0.3")
        runs.append(statuses(sandbox, "/version", 100))
        sandbox.fault("clear")
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500}
    assert 15 <= runs[0].count(500) <= 45
    assert set(statuses(sandbox, "/version", 20)) == {200}


def test_injected_errors_have_the_one_shape_and_are_counted(sandbox: Sandbox) -> None:
    sandbox.fault("error-rate=1")
    answer = sandbox.get("/api/v1/policies/77")
    assert answer.json()["error"]["code"] == "internal_error"
    assert answer.headers["x-release"] == "1.5.0"
    sandbox.fault("clear")
    counted = 'http_requests_total{method="GET",route="/api/v1/policies/{policy_id}",status="500"}'
    assert counted in sandbox.get("/metrics").text


def test_latency_delays_each_answer(sandbox: Sandbox) -> None:
    sandbox.fault("latency=0.8")
    assert sandbox.get("/version").elapsed.total_seconds() >= 0.8
    sandbox.fault("clear")
    assert sandbox.get("/version").elapsed.total_seconds() < 0.8


def test_throttle_turns_away_what_comes_too_fast(sandbox: Sandbox) -> None:
    bearer = sandbox.bearer()
    sandbox.fault("throttle=2")
    answers = [sandbox.get("/api/v1/policies/1", headers=bearer) for _ in range(10)]
    assert answers[0].status_code == 200
    turned_away = [answer for answer in answers if answer.status_code == 429]
    assert len(turned_away) >= 5
    assert {answer.headers["retry-after"] for answer in turned_away} == {"1"}
    assert set(turned_away[0].json()["error"]) == {"code", "message"}
    assert set(statuses(sandbox, "/health", 10)) == {200}
    time.sleep(1)
    assert sandbox.get("/api/v1/policies/1", headers=bearer).status_code == 200
    sandbox.fault("clear")
    answers = [sandbox.get("/api/v1/policies/1", headers=bearer) for _ in range(10)]
    assert {answer.status_code for answer in answers} == {200}


def test_throttle_lets_pass_what_stays_below_it(sandbox: Sandbox) -> None:
    bearer = sandbox.bearer()
    sandbox.fault("throttle=20")
    answers = []
    for _ in range(30):
        answers.append(sandbox.get("/api/v1/auth/me", headers=bearer).status_code)
        time.sleep(0.06)
    assert set(answers) == {200}


def test_stale_release_is_served_by_one_of_two_replicas(sandbox: Sandbox) -> None:
    sandbox.fault("stale-release")
    answers = [sandbox.get("/version") for _ in range(4)]
    releases = {answer.headers["x-instance"]: answer.json()["release"] for answer in answers}
    assert releases == {"api-1": "1.5.0", "api-2": "1.4.2"}
    assert {answer.headers["x-release"] for answer in answers} == {"1.5.0", "1.4.2"}
    bearer = sandbox.bearer()
    policies = [sandbox.get("/api/v1/policies/1", headers=bearer).json() for _ in range(2)]
    assert sorted("summary" in policy for policy in policies) == [False, True]
    sandbox.fault("clear")
    assert {sandbox.get("/version").json()["release"] for _ in range(4)} == {"1.5.0"}


def test_broken_javascript_throws_on_every_page(sandbox: Sandbox) -> None:
    sandbox.fault("broken-javascript")
    script = httpx.get(sandbox.web + "/static/app.js")
    assert (script.status_code, script.text[:6]) == (200, "throw ")
    assert script.headers["content-type"].startswith("text/javascript")
    assert httpx.get(sandbox.web + "/").status_code == 200
    sandbox.fault("clear")
    assert "throw" not in httpx.get(sandbox.web + "/static/app.js").text


def test_missing_headers_leaves_them_out_everywhere(sandbox: Sandbox) -> None:
    sandbox.fault("missing-headers")
    for address in (sandbox.api + "/version", sandbox.web + "/"):
        headers = httpx.get(address).headers
        assert not SECURITY_HEADERS & set(headers)
        assert headers["x-release"] == "1.5.0"
    sandbox.fault("clear")
    for address in (sandbox.api + "/version", sandbox.web + "/"):
        assert set(httpx.get(address).headers) >= SECURITY_HEADERS


def test_leaky_errors_show_trace_statement_and_paths(either_sandbox: Sandbox) -> None:
    bearer = either_sandbox.bearer()
    either_sandbox.fault("leaky-errors")
    leak = either_sandbox.get("/api/v1/search?q='", headers=bearer)
    assert leak.status_code >= 500
    for piece in ("Traceback", "SELECT", "/sandbox/api/database.py"):
        assert piece in leak.text
    assert "Traceback" in either_sandbox.get("/nothing").text
    either_sandbox.fault("clear")
    assert "Traceback" not in either_sandbox.get("/nothing").text
    assert either_sandbox.get("/api/v1/search?q='", headers=bearer).status_code == 200


def test_auth_bypass_lets_everybody_in(sandbox: Sandbox) -> None:
    sandbox.fault("auth-bypass")
    assert sandbox.get("/api/v1/policies").status_code == 200
    assert sandbox.get("/api/v1/search?q=policy").status_code == 200
    assert sandbox.sign_in("test", "wrong").status_code == 200
    sandbox.fault("clear")
    assert sandbox.get("/api/v1/policies").status_code == 401
    assert sandbox.sign_in("test", "wrong").status_code == 401


def test_lying_health_says_healthy_while_the_database_is_gone(sandbox: Sandbox) -> None:
    sandbox.fault("lying-health")
    assert sandbox.get("/health").json()["status"] == "healthy"
    assert sandbox.get("/health/database").status_code == 200
    assert sandbox.sign_in().status_code == 503
    sandbox.fault("clear")
    assert sandbox.sign_in().status_code == 200


def test_hang_never_answers_and_can_be_cleared(sandbox: Sandbox) -> None:
    sandbox.fault("hang")
    for address in (sandbox.api, sandbox.web):
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(address + "/health", timeout=0.3)
    sandbox.fault("clear")
    assert sandbox.get("/health").status_code == 200
    assert httpx.get(sandbox.web + "/health").status_code == 200


def test_sandbox_that_hangs_can_be_ended(running_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = running_sandbox("--fault", "hang")
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(sandbox.api + "/health", timeout=0.3)
    began = time.monotonic()
    sandbox.end()
    assert time.monotonic() - began < 5
    assert sandbox.process.returncode == 0


def test_faults_can_be_set_from_the_start_and_added_to(
    running_sandbox: Callable[..., Sandbox],
) -> None:
    sandbox = running_sandbox("--fault", "cache-down", "--fault", "latency=0.1")
    assert sandbox.get("/health/cache").status_code == 503
    assert sandbox.get("/version").elapsed.total_seconds() >= 0.1
    sandbox.fault("health-down")
    assert sandbox.get("/health/database").status_code == 503
    assert sandbox.get("/version").elapsed.total_seconds() >= 0.1
