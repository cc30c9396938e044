"""The six files: there from the first moment, and one verdict in all of them."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING

import pytest

from tests.plugin.conftest import REPORTS, Reply, Reports

if TYPE_CHECKING:
    from tests.plugin.conftest import Project, Target

FAILING = 'def test_it():\n    assert 1 == 2, "one is not two"\n'


@pytest.mark.parametrize(("verdict", "exit_code"), [("promote", 0), ("hold", 1), ("rollback", 10)])
def test_six_files_and_the_terminal_tell_the_same_verdict(
    project: Project, target: Target, verdict: str, exit_code: int
) -> None:
    if verdict == "hold":
        project.failing_check(FAILING)
    if verdict == "rollback":
        target.answers["/health/api"] = repeat(Reply(status=503))
    done = project.run()
    assert done.exit_code == exit_code
    reports = done.reports
    assert {path.name for path in reports.path.iterdir()} == {*REPORTS, "metrics.prom"}
    assert reports.verdict["verdict"] == verdict
    assert reports.verdict["exit_code"] == exit_code
    headline = {"rollback": "ROLL BACK"}.get(verdict, verdict.upper())
    assert f"{headline}: here, no release named, full" in done.output
    assert reports["summary.md"].startswith(f"# {headline}: here")
    assert f"<h1>{headline}</h1>" in reports["report.html"]
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
    assert "<h1>HOLD</h1>" in reports["report.html"]
    assert "</html>" in reports["report.html"]


def test_what_the_user_names_is_written_too_with_the_same_verdict(project: Project) -> None:
    project.failing_check(FAILING)
    done = project.run("--junitxml=mine/junit.xml", "--html=mine/page.html")
    assert done.exit_code == 1
    mine = project.path / "mine"
    assert (mine / "junit.xml").read_text() == done.reports["junit.xml"]
    assert (mine / "page.html").read_text() == done.reports["report.html"]
    assert "<h1>HOLD</h1>" in done.reports["report.html"]


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


GREEN = '<testsuites><testsuite name="s" tests="1" failures="0" errors="0"/></testsuites>'


@dataclass(frozen=True)
class NoStart:
    """What keeps a run from starting, and what pytest ends with."""

    name: str
    arguments: tuple[str, ...] = ()
    environment: str = ""
    conftest: str = ""


NO_STARTS = (
    NoStart("an environment that is not understood", environment="chekc_timeout: 5s\n"),
    NoStart("an environment that is not there", ("--env=nowhere",)),
    NoStart("an empty release", ("--release=",)),
    NoStart("an empty environment", ("--env=",)),
    NoStart("an unknown option", ("--no-such-option",)),
    NoStart("a conftest that is not imported", conftest="import no_such_module\n"),
    NoStart("a plugin that is missing", ("-p", "no:html", "-p", "no:metadata")),
)


@pytest.mark.parametrize("cause", NO_STARTS, ids=lambda cause: cause.name)
def test_a_run_that_does_not_start_leaves_nothing_green_of_yesterday(
    project: Project, target: Target, cause: NoStart
) -> None:
    project.environment(cause.environment)
    project.conftest(cause.conftest)
    names = ["mine/junit.xml", "mine/page.html"]
    answers = [name for name in REPORTS if name != "evidence.jsonl"]
    if "--env=nowhere" in cause.arguments:
        names += [f"reports/nowhere/{name}" for name in answers]
    elif "--env=" not in cause.arguments:
        names += [f"reports/here/{name}" for name in answers]
    for name in names:
        project.write(name, GREEN)
    html = () if "no:html" in cause.arguments else ("--html=mine/page.html",)
    done = project.run("--junitxml=mine/junit.xml", *html, *cause.arguments)
    assert done.exit_code == 4
    left = [name for name in names if (project.path / name).exists()]
    assert left == ([] if html else ["mine/page.html"])
    assert not target.requests


def test_a_report_folder_that_cannot_be_written_to_leaves_no_green_copy(project: Project) -> None:
    project.write("reports/here", "a file where the folder should be")
    project.write("mine/junit.xml", GREEN)
    assert project.run("--junitxml=mine/junit.xml").exit_code == 4
    assert not (project.path / "mine/junit.xml").exists()


def test_the_run_before_may_have_written_where_this_one_does(project: Project) -> None:
    assert project.run().exit_code == 0
    before = project.reports().verdict["run"]
    done = project.run("--baseline=reports/here")
    assert done.exit_code == 0, done.output
    assert before in [record.get("run") for record in done.reports.evidence]


@pytest.mark.parametrize("asked", ["--collect-only", "--markers", "--help", "--fixtures"])
def test_what_only_tells_leaves_yesterdays_reports(project: Project, asked: str) -> None:
    project.write("reports/here/junit.xml", GREEN)
    assert project.run(asked).exit_code == 0
    assert project.reports()["junit.xml"] == GREEN


@pytest.mark.parametrize("mode", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_a_run_leaves_alone_what_another_one_is_writing(
    project: Project, mode: tuple[str, ...]
) -> None:
    project.check(
        """
        import pathlib, time

        def test_it():
            pathlib.Path("running").touch()
            while not pathlib.Path("go").exists():
                time.sleep(0.02)
        """
    )
    with project.running("--junitxml=mine/junit.xml", *mode) as process:
        project.wait_for("running")
        before = project.reports().texts
        assert "run is incomplete" in (project.path / "mine/junit.xml").read_text()
        other = project.run("--no-such-option")
        assert other.exit_code == 4
        assert project.reports().texts == before
        project.write("go", "")
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert project.reports().verdict["verdict"] == "promote"
    assert (project.path / "mine/junit.xml").read_text() == project.reports()["junit.xml"]
