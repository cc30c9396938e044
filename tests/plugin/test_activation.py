"""Where the gate comes in, and where it stays out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Project, Target

MARKERS = (
    "smoke", "predeployment", "health", "api", "frontend", "performance", "security",
    "infrastructure", "monitoring", "environments(name, ...)", "severity(level)", "writes",
    "load", "burst",
)  # fmt: skip


def test_the_projects_own_tests_are_left_alone(project: Project, target: Target) -> None:
    project.write("tests/test_it.py", "def test_it():\n    pass\n")
    done = project.run("tests", env=None)
    assert done.exit_code == 0
    assert "deployment gate" not in done.output
    assert not (project.path / "reports").exists()
    assert not target.requests


def test_a_project_that_merely_has_the_plugin_is_left_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it():\n    pass\n")
    done = pytester.runpytest_subprocess()
    assert done.ret == 0
    assert "gate: " not in str(done.stdout)
    assert not (pytester.path / "reports").exists()


@pytest.mark.parametrize("arguments", [["validation/health"], []], ids=" ".join)
def test_checks_without_an_environment_validate_the_sandbox(
    project: Project, arguments: list[str]
) -> None:
    project.environment(name="sandbox")
    done = project.run(*arguments, env=None)
    assert done.exit_code == 0
    assert done.reports.verdict["environment"] == "sandbox"


@pytest.mark.parametrize(
    ("arguments", "listed"),
    [
        (["--collect-only", "-q"], "test_endpoint_is_healthy[api_service]"),
        (["--fixtures"], "health_endpoint"),
    ],
    ids=["checks", "fixtures"],
)
def test_what_there_is_is_listed_and_nothing_touched(
    project: Project, target: Target, arguments: list[str], listed: str
) -> None:
    project.write("reports/here/verdict.json", "yesterday's")
    done = project.run(*arguments)
    assert done.exit_code == 0
    assert listed in done.output
    assert done.reports["verdict.json"] == "yesterday's"
    assert [path.name for path in done.reports.path.iterdir()] == ["verdict.json"]
    assert not target.requests


def test_help_explains_every_option_and_touches_nothing(project: Project, target: Target) -> None:
    done = project.run("--help")
    assert done.exit_code == 0
    output = " ".join(done.output.split())
    for option in ("--env=NAME", "--env-dir=DIR", "--release=VERSION", "--report-dir=DIR"):
        assert option in output
    assert not (project.path / "reports").exists()
    assert not target.requests


def test_markers_are_all_explained_and_nothing_is_touched(project: Project, target: Target) -> None:
    done = project.run("--markers")
    assert done.exit_code == 0
    for marker in MARKERS:
        assert f"@pytest.mark.{marker}: " in done.output
    assert not (project.path / "reports").exists()
    assert not target.requests
