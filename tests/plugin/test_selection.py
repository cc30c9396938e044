"""What was selected, what was left out, and what must not be missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Project, Target

API = 'api: {base_url: "TARGET"}\n'

API_CHECK = """
    @pytest.mark.smoke
    def test_version(api):
        assert api.get("/version").is_success
"""

RULED_CHECKS = """
    def test_reads(api):
        assert api.get("/reads").is_success

    @pytest.mark.writes
    def test_writes(api):
        assert api.post("/writes").is_success

    @pytest.mark.load
    def test_load(api):
        assert api.get("/load").is_success

    @pytest.mark.burst
    def test_burst(api):
        assert api.get("/burst").is_success

    @pytest.mark.environments("open", "here")
    def test_both(api):
        assert api.get("/both").is_success

    @pytest.mark.environments("open")
    def test_elsewhere(api):
        assert api.get("/elsewhere").is_success
"""


def test_smoke_is_a_tier(project: Project) -> None:
    project.check("def test_nightly():\n    assert False\n")
    done = project.run("-m", "smoke")
    assert done.exit_code == 0
    assert done.reports.verdict["tier"] == "smoke"
    assert done.reports.verdict["selection"] is None
    assert "PROMOTE: here, no release named, smoke" in done.output


def test_no_marker_is_the_full_tier(project: Project) -> None:
    project.failing_check("def test_nightly():\n    assert False\n")
    done = project.run()
    assert done.exit_code == 1
    assert done.reports.verdict["tier"] == "full"


@pytest.mark.parametrize(
    ("arguments", "selection"),
    [
        (["-m", "smoke and api"], "smoke and api"),
        (["-k", "endpoint"], "-k endpoint"),
        (["validation/health"], "validation/health"),
        (["--deselect", "validation/api"], "--deselect validation/api"),
        (["--ignore", "validation/api"], "--ignore validation/api"),
        (["-o", "python_files=test_end*"], "-o python_files=test_end*"),
        (["--lf"], "--last-failed"),
    ],
    ids=["marker", "keyword", "path", "deselect", "ignore", "setting", "last-failed"],
)
def test_less_than_a_tier_is_told_as_a_selection_everywhere(
    project: Project, arguments: list[str], selection: str
) -> None:
    project.environment(API)
    project.check(API_CHECK, category="api")
    done = project.run(*arguments)
    assert done.exit_code == 0
    assert done.reports.verdict["selection"] == selection
    assert done.reports.verdict["tier"] is None
    told = f"a selection: {selection}"
    assert f"PROMOTE: here, no release named, {told}" in done.output
    assert told in done.reports["summary.md"].replace("\\", "")
    assert told in done.reports["report.html"]
    properties = {one.get("name"): one.get("value") for one in done.reports.junit.iter("property")}
    assert properties["scope"] == told
    assert "Validate a whole tier before you promote" in done.output


def test_what_the_environment_gives_no_leave_for_is_left_out_with_its_reason(
    project: Project, target: Target
) -> None:
    project.environment(API)
    project.environment("", name="open")
    project.check(RULED_CHECKS, category="api")
    done = project.run()
    assert done.exit_code == 0
    assert done.reports.left_out == {
        "test_writes": "writes: here gives no leave for it",
        "test_load": "load: here gives no leave for it",
        "test_burst": "burst: here gives no leave for it",
        "test_elsewhere": "only for open",
    }
    assert "test_burst: burst: here gives no leave for it" in done.reports["summary.md"]
    assert target.counts["GET /reads"] == target.counts["GET /both"] == 1
    left = {"POST /writes", "GET /load", "GET /burst", "GET /elsewhere"}
    assert not left & set(target.requests)


def test_what_the_environment_gives_leave_for_is_carried_out(
    project: Project, target: Target
) -> None:
    project.environment(f"{API}allow: {{writes: true, load: true, burst: true}}\n", name="open")
    project.check(RULED_CHECKS, category="api")
    done = project.run(env="open")
    assert done.exit_code == 0
    assert not done.reports.left_out
    asked = {"POST /writes", "GET /load", "GET /burst", "GET /elsewhere"}
    assert asked <= set(target.requests)


def test_a_category_without_a_section_is_left_out(project: Project, target: Target) -> None:
    project.check(API_CHECK, category="api")
    done = project.run()
    assert done.exit_code == 0
    assert done.reports.left_out == {"test_version": "here has no section for it"}
    assert "api: no `api` section" in done.reports.verdict["not_covered"]
    assert "GET /version" not in target.requests


def test_a_required_category_without_a_pass_holds(project: Project) -> None:
    project.environment(API)
    done = project.run()
    assert done.exit_code == 1
    assert "no check of the required category 'api' passed" in done.reports.why


def test_checks_of_a_tier_that_a_plugin_takes_out_are_a_hold(project: Project) -> None:
    project.conftest("""
        def pytest_collection_modifyitems(items):
            del items[1:]
        """)
    done = project.run()
    assert done.exit_code == 1
    assert "1 checks of the tier were taken out" in done.reports.why
