"""The five files: there from the first moment, and one verdict in all of them."""

from __future__ import annotations

import hashlib
import sys
from itertools import repeat
from typing import TYPE_CHECKING

import pytest

from tests.plugin.conftest import REPORTS, Reply, Reports

if TYPE_CHECKING:
    from tests.plugin.conftest import Project, Target

FAILING = 'def test_it():\n    assert 1 == 2, "one is not two"\n'


@pytest.mark.parametrize(("verdict", "exit_code"), [("promote", 0), ("hold", 1), ("rollback", 10)])
def test_five_files_and_the_terminal_tell_the_same_verdict(
    project: Project, target: Target, verdict: str, exit_code: int
) -> None:
    if verdict == "hold":
        project.failing_check(FAILING)
    if verdict == "rollback":
        target.answers["/health/api"] = repeat(Reply(status=503))
    done = project.run()
    assert done.exit_code == exit_code
    reports = done.reports
    assert {path.name for path in reports.path.iterdir()} == set(REPORTS)
    assert reports.verdict["verdict"] == verdict
    assert reports.verdict["exit_code"] == exit_code
    headline = {"rollback": "ROLL BACK"}.get(verdict, verdict.upper())
    assert f"{headline}: here, no release named, full" in done.output
    assert reports["summary.md"].startswith(f"# {headline}: here")
    assert f"<h2>{headline}</h2>" in reports["report.html"]
    properties = {one.get("name"): one.get("value") for one in reports.junit.iter("property")}
    assert properties["verdict"] == verdict
    assert reports.is_red == (verdict != "promote")
    run = reports.verdict["run"]
    assert all(run in text for text in reports.texts.values())
    digest = hashlib.sha256(reports["evidence.jsonl"].encode()).hexdigest()
    assert reports.verdict["evidence_sha256"] == digest


def test_a_hold_is_in_place_from_the_first_moment(project: Project) -> None:
    for name in REPORTS:
        project.write(f"reports/here/{name}", "yesterday: promote")
    project.check(
        """
        import shutil

        def test_it(pytestconfig):
            shutil.copytree(pytestconfig.rootpath / "reports/here", "seen")
        """
    )
    assert project.run().exit_code == 0
    seen = Reports(project.path / "seen")
    assert seen.verdict["verdict"] == "hold"
    assert "the run is incomplete" in seen.why
    assert seen.is_red
    assert not any("yesterday" in text for text in seen.texts.values())


def test_a_report_folder_that_cannot_be_written_to_is_an_error(
    project: Project, target: Target
) -> None:
    project.write("reports/here", "a file where the folder should be")
    done = project.run()
    assert done.exit_code == 4
    assert "reports/here: can't be written" in done.output
    assert "--report-dir" in done.output
    assert not target.requests


def test_a_report_that_does_not_fit_on_the_disk_is_a_hold(
    project: Project, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")  # it would be cut off, too
    # No file may grow beyond 16 KiB: pytest-html's has twice that.
    done = pytester.run("bash", "-c", f"ulimit -f 16; exec {sys.executable} -m pytest --env=here")
    assert done.ret == 1
    reports = project.reports()
    assert reports.verdict["verdict"] == "hold"
    assert "File too large" in reports.why
    assert reports.is_red
    assert "<h2>HOLD</h2>" in reports["report.html"]
    assert "</html>" in reports["report.html"]


def test_what_the_user_names_is_written_too_with_the_same_verdict(project: Project) -> None:
    project.failing_check(FAILING)
    done = project.run("--junitxml=mine/junit.xml", "--html=mine/page.html")
    assert done.exit_code == 1
    mine = project.path / "mine"
    assert (mine / "junit.xml").read_text() == done.reports["junit.xml"]
    assert (mine / "page.html").read_text() == done.reports["report.html"]
    assert "<h2>HOLD</h2>" in done.reports["report.html"]


def test_a_report_that_cannot_be_written_where_the_user_named_is_a_hold_in_all_others(
    project: Project,
) -> None:
    project.check(
        """
        import pathlib, shutil

        def test_it():
            shutil.rmtree("mine")
            pathlib.Path("mine").touch()
        """
    )
    done = project.run("--html=mine/page.html")
    assert done.exit_code == 1
    assert done.reports.verdict["verdict"] == "hold"
    assert "mine/page.html: can't be written" in done.reports.why
    assert "mine/page.html: can't be written" in done.output
    assert done.reports.is_red


def test_from_another_folder_paths_are_relative_to_it(
    project: Project, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = pytester.mkdir("elsewhere")
    monkeypatch.chdir(elsewhere)
    done = project.run(f"{project.path}/validation", "--report-dir=out", "--junitxml=mine.xml")
    assert done.exit_code == 0
    assert Reports(elsewhere / "out").verdict["tier"] == "full"
    assert (elsewhere / "mine.xml").read_text() == Reports(elsewhere / "out")["junit.xml"]
    assert not (project.path / "reports").exists()
