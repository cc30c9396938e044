"""The checks' HTTP clients: reading without asking, writing only with leave."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

import pytest

from tests.plugin.conftest import Reply

if TYPE_CHECKING:
    from tests.plugin.conftest import Project, Target

API = 'api: {base_url: "TARGET"}\n'
POST = "def test_it(api):\n    api.post('/policies')\n"


@pytest.mark.parametrize(
    ("leave", "message"),
    [
        ("", "gives no leave to write. If it may be written to, set `allow: {writes: true}`"),
        ("allow: {writes: true}\n", "isn't marked as writing. Mark it with `@pytest.mark.writes`"),
    ],
    ids=["environment", "check"],
)
def test_a_write_without_leave_never_leaves_the_machine(
    project: Project, target: Target, leave: str, message: str
) -> None:
    project.environment(API + leave)
    project.check(POST, category="api")
    done = project.run()
    assert done.exit_code == 1
    assert done.reports.outcomes["test_it"] == "failed"
    assert f"POST {target.url}/policies was not sent" in done.reports.why
    assert message in done.reports.why
    assert not any(request.startswith("POST") for request in target.requests)


def test_signing_in_is_no_write_and_its_password_is_not_told(
    project: Project, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATE_PASSWORD", "correct-horse-battery")
    project.environment(
        'api:\n  base_url: "TARGET"\n  login: {request: POST /api/v1/auth/login}\n'
        '  identities: {test: {username: test, password: "${GATE_PASSWORD}"}}\n'
    )
    project.check(
        "def test_it(api):\n    assert api.post('/api/v1/auth/login').is_success\n", category="api"
    )
    assert project.run().exit_code == 0
    assert target.counts["POST /api/v1/auth/login"] == 1


def test_each_request_is_an_observation_of_its_check(project: Project) -> None:
    project.environment(API)
    project.check("def test_it(api):\n    api.get('/missing?page=2')\n", category="api")
    (seen,) = project.run().reports.observations("request")
    assert seen["subject"] == "GET /missing"
    assert seen["status"] == 200
    assert seen["check"] == "validation/api/test_more.py::test_it"


def test_an_api_that_hangs_costs_its_time_limit_once(project: Project, target: Target) -> None:
    project.environment(API)
    target.answers["/hangs"] = target.answers["/"] = repeat(Reply(is_hanging=True))
    project.check(
        """
        @pytest.mark.parametrize("number", range(8))
        def test_it(api, number):
            api.get("/hangs")
        """,
        category="api",
    )
    done = project.run()
    assert done.exit_code == 1
    assert target.counts["GET /hangs"] == 1
    assert target.counts["GET /"] == 1
    assert "was not asked again: it left a request unanswered" in done.reports.why
