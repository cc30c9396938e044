"""What is misspelt is an error with the near matches, and nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Project, Target

SEVERITY = '@pytest.mark.severity("kritical")\ndef test_it():\n    pass\n'
ENVIRONMENTS = '@pytest.mark.environments("hree")\ndef test_it():\n    pass\n'


def test_a_misspelt_environment_is_told_with_the_near_match(
    project: Project, target: Target
) -> None:
    done = project.run(env="hre")
    assert done.exit_code == 4
    assert '"hre" is no environment: Did you mean here?' in done.output
    assert not (project.path / "reports").exists()
    assert not target.requests


@pytest.mark.parametrize(
    ("arguments", "check", "message"),
    [
        (["-m", "smok"], "", "there is no marker 'smok'. Did you mean 'smoke' or"),
        (["-m", "smoke and not helth"], "", "there is no marker 'helth'. Did you mean 'health'?"),
        ([], SEVERITY, "test_it: severity: there is no level 'kritical'. Did you mean 'critical'?"),
        ([], ENVIRONMENTS, "there is no environment 'hree'. Did you mean 'here'?"),
    ],
    ids=["marker", "one of two markers", "severity", "environments"],
)
def test_a_misspelt_name_holds_before_anything_is_sent(
    project: Project, target: Target, arguments: list[str], check: str, message: str
) -> None:
    project.check(check)
    done = project.run(*arguments)
    assert done.exit_code == 4
    assert message in done.output
    assert message in done.reports.why
    assert done.reports.verdict["verdict"] == "hold"
    assert done.reports.is_red
    assert not target.requests


def test_a_check_of_no_category_is_told_where_it_belongs(project: Project, target: Target) -> None:
    project.check("def test_it():\n    pass\n", category="halth")
    done = project.run()
    assert done.exit_code == 4
    assert "halth/test_more.py::test_it: belongs to no category" in done.output
    assert "validation/CATEGORY/" in done.output
    assert done.reports.is_red
    assert not target.requests


def test_a_misspelt_name_is_told_as_well_where_workers_collect(
    project: Project, target: Target
) -> None:
    project.check(SEVERITY)
    done = project.run("-n", "2")
    assert done.exit_code == 4
    assert "there is no level 'kritical'. Did you mean 'critical'?" in done.output
    assert done.reports.verdict["verdict"] == "hold"
    assert done.reports.is_red
    assert not target.requests


def test_an_environment_that_is_not_understood_leaves_no_promote_of_yesterday(
    project: Project,
) -> None:
    project.environment("chekc_timeout: 5s\n")
    project.write("reports/here/verdict.json", '{"verdict": "promote"}')
    project.write("reports/here/junit.xml", "<testsuites/>")
    done = project.run()
    assert done.exit_code == 4
    assert "here.yaml" in done.output
    left = {path.name for path in done.reports.path.iterdir()}
    assert not left or done.reports.verdict["verdict"] == "hold"


@pytest.mark.parametrize("option", ["--env=", "--release=", "--report-dir="])
def test_an_option_that_a_pipeline_left_empty_is_an_error(
    project: Project, target: Target, option: str
) -> None:
    done = project.run(option)
    assert done.exit_code == 4
    assert f"{option.rstrip('=')} is empty" in done.output
    assert target.requests == []
