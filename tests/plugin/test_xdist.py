"""The same verdict with workers, without them, and without the usual plugins."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

import pytest

from tests.plugin.conftest import Reply

if TYPE_CHECKING:
    from tests.plugin.conftest import Project, Target

API = 'api: {base_url: "TARGET"}\n'
CHECKS = """
    @pytest.mark.parametrize("number", range(4))
    def test_thing(api, number):
        assert api.get(f"/things/{number}").is_success
"""


@pytest.mark.parametrize(
    "arguments",
    [["-n", "4"], ["-p", "no:xdist", "-p", "no:cacheprovider"]],
    ids=["four workers", "neither workers nor cache"],
)
def test_the_verdict_and_the_evidence_are_the_same(
    project: Project, target: Target, arguments: list[str]
) -> None:
    project.environment(API)
    project.check(CHECKS, category="api")
    done = project.run(*arguments)
    assert done.exit_code == 0
    assert done.reports.verdict["tier"] == "full"
    assert done.reports.verdict["checks"]["passed"] == 6
    assert {(one["subject"], one["check"]) for one in done.reports.observations("request")} == {
        (f"GET /things/{number}", f"validation/api/test_more.py::test_thing[{number}]")
        for number in range(4)
    }
    assert {count for path, count in target.counts.items() if "things" in path} == {1}
    assert {count for path, count in target.counts.items() if "health" in path} == {2}
    assert not done.reports.is_red


def test_workers_see_the_sweep_that_rolls_back(project: Project, target: Target) -> None:
    target.answers["/health/api"] = repeat(Reply(status=503))
    done = project.run("-n", "2")
    assert done.exit_code == 10
    assert "api_service failed 3 times in a row" in done.reports.why
    assert done.reports.outcomes["test_endpoint_is_healthy[api_service]"] == "failed"
    assert target.counts == {"GET /health/api": 3, "GET /health/database": 2}


def test_a_worker_that_dies_is_a_hold_that_names_the_check(project: Project) -> None:
    project.check("import os\ndef test_dies():\n    os._exit(0)\n")
    done = project.run("-n", "2")
    assert done.exit_code == 1
    assert done.reports.verdict["verdict"] == "hold"
    assert "validation/health/test_more.py::test_dies" in done.reports.why
    assert "crashed while running" in done.reports.why
    assert done.reports.is_red


def test_a_file_that_skips_itself_is_a_hold_with_workers_too(project: Project) -> None:
    project.check('pytest.skip("not today", allow_module_level=True)\n')
    done = project.run("-n", "2")
    assert done.exit_code == 1
    assert "validation/health/test_more.py skipped itself" in done.reports.why
