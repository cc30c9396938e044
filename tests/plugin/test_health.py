"""Health endpoints and release identity, against a platform that misbehaves."""

from __future__ import annotations

import json
from itertools import chain, cycle, repeat
from typing import TYPE_CHECKING

import pytest

from tests.plugin.conftest import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.plugin.conftest import Project, Target

RELEASE = """
release_identity:
  api_service: {url: "TARGET/version", field: release, instance_header: X-Instance, replicas: 2}
"""


def replicas(*releases: str) -> Iterator[Reply]:
    """Answers of replicas behind a balancer that takes turns."""
    return cycle(
        Reply(body=json.dumps({"release": release}), headers={"X-Instance": f"api-{number}"})
        for number, release in enumerate(releases, start=1)
    )


def test_each_endpoint_is_a_check_and_asked_before_and_after_them_when_healthy(
    project: Project, target: Target
) -> None:
    done = project.run()
    assert done.exit_code == 0
    assert done.reports.outcomes == {
        "test_endpoint_is_healthy[api_service]": "passed",
        "test_endpoint_is_healthy[database]": "passed",
    }
    assert target.counts == {"GET /health/api": 2, "GET /health/database": 2}


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(status=503), "answered 503; expected 200"),
        (
            Reply(body="<!DOCTYPE html><html></html>", content_type="text/html"),
            "answered 200 with an HTML page instead of its health",
        ),
        (
            Reply(status=302, headers={"Location": "/health/database"}),
            "answered 302; expected 200",
        ),
        (
            Reply(body='{"status": "ok", "components": {"disk": {"status": "DOWN"}}}'),
            "answered 200 but reports components.disk down",
        ),
    ],
    ids=["503", "page", "redirect", "component"],
)
def test_three_bad_answers_in_a_row_roll_back(
    project: Project, target: Target, reply: Reply, why: str
) -> None:
    target.answers["/health/api"] = repeat(reply)
    done = project.run()
    assert done.exit_code == 10
    assert f"health_check_failure fired: api_service failed 3 times in a row: {why}" in (
        done.reports.why
    )
    assert "ROLL BACK: here" in done.output
    assert target.counts == {"GET /health/api": 3, "GET /health/database": 2}
    assert done.reports.outcomes == {
        "test_endpoint_is_healthy[api_service]": "failed",
        "test_endpoint_is_healthy[database]": "passed",
    }


def test_one_failure_that_goes_away_is_a_blip_that_is_told(
    project: Project, target: Target
) -> None:
    target.answers["/health/api"] = chain([Reply(status=503)], repeat(Reply()))
    done = project.run()
    assert done.exit_code == 0
    blip = "a blip: api_service failed 1 of 3 attempts: answered 503; expected 200"
    assert blip in done.reports.verdict["notes"]
    assert blip in done.output
    attempts = [
        (one["subject"], one["status"])
        for one in done.reports.observations("health")
        if one["subject"] == "api_service"
    ]
    assert attempts == [("api_service", 503), ("api_service", 200), ("api_service", 200)]


def test_endpoints_that_hang_cost_one_time_limit_for_each_attempt(
    project: Project, target: Target
) -> None:
    target.answers["/health/api"] = repeat(Reply(is_hanging=True))
    target.answers["/health/database"] = repeat(Reply(is_hanging=True))
    done = project.run()
    assert done.exit_code == 10
    assert "failed 3 times in a row: no whole answer within 0.5 s" in done.reports.why
    assert target.counts == {"GET /health/api": 3, "GET /health/database": 3}
    longest = max(one["duration_s"] for one in done.reports.observations("health"))
    assert 0.5 <= longest < 1
    checks = [one for one in done.reports.evidence if one["type"] == "outcome"]
    assert sum(check["duration_s"] for check in checks) < 0.5


def test_the_release_that_must_be_running_promotes(project: Project, target: Target) -> None:
    project.environment(RELEASE)
    target.answers["/version"] = replicas("1.5.0", "1.5.0")
    done = project.run("--release=1.5.0")
    assert done.exit_code == 0
    assert done.reports.verdict["release"] == "1.5.0"
    assert "PROMOTE: here, release 1.5.0, full" in done.output


def test_an_older_release_on_one_replica_holds(project: Project, target: Target) -> None:
    project.environment(RELEASE)
    target.answers["/version"] = replicas("1.5.0", "1.4.2")
    done = project.run("--release=1.5.0")
    assert done.exit_code == 1
    assert "release 1.4.2 still serves: api_service on api-2" in done.reports.why


def test_a_release_that_changes_while_the_checks_run_holds(
    project: Project, target: Target
) -> None:
    project.environment(RELEASE)
    before = replicas("1.5.0", "1.5.0")
    target.answers["/version"] = chain(
        (next(before) for _ in range(12)), replicas("1.4.2", "1.4.2")
    )
    done = project.run("--release=1.5.0")
    assert done.exit_code == 1
    assert "release 1.4.2 still serves" in done.reports.why


def test_a_target_that_refuses_connections_rolls_back_on_its_own_account(
    project: Project, target: Target
) -> None:
    target.close()
    done = project.run()
    assert done.exit_code == 10
    assert "failed 3 times in a row: connection refused" in done.reports.why


CACHED = Reply(headers={"Age": "37"})
FROZEN = Reply(body='{"status": "ok", "timestamp": "2026-01-01T00:00:00Z"}')


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (CACHED, "a cache answered (Age: 37)"),
        (FROZEN, "its timestamp 2026-01-01T00:00:00Z doesn't move"),
    ],
    ids=["age", "timestamp"],
)
def test_an_answer_that_stays_an_old_one_is_a_hold(
    project: Project, target: Target, reply: Reply, why: str
) -> None:
    target.answers["/health/api"] = repeat(reply)
    done = project.run()
    assert done.exit_code == 1
    assert done.reports.verdict["verdict"] == "hold"
    assert why in done.reports.why
    assert target.counts["GET /health/api"] == 2


def test_a_cached_answer_is_asked_again_past_the_cache(project: Project, target: Target) -> None:
    target.answers["/health/api"] = chain([CACHED], repeat(Reply(status=503)))
    done = project.run()
    assert done.exit_code == 10
    assert "api_service failed 3 times in a row: answered 503" in done.reports.why


def test_a_platform_that_dies_while_the_checks_run_rolls_back(
    project: Project, target: Target
) -> None:
    target.answers["/health/database"] = chain([Reply()], repeat(Reply(status=503)))
    done = project.run()
    assert done.exit_code == 10
    assert "database failed 3 times in a row: answered 503" in done.reports.why
    assert done.reports.outcomes["test_endpoint_is_healthy[database]"] == "passed"
