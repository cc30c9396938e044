"""Time limits, severities, and what the person at the terminal sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Project


@pytest.mark.parametrize("arguments", [[], ["--timeout-method=thread"]], ids=["signal", "thread"])
def test_a_check_that_takes_too_long_fails_and_the_others_go_on(
    project: Project, arguments: list[str]
) -> None:
    path = project.path / "environments/here.yaml"
    path.write_text(path.read_text().replace("check_timeout: 30s", "check_timeout: 300ms"))
    project.check(
        """
        import time

        def test_slow():
            time.sleep(20)

        @pytest.mark.timeout(0.2)
        def test_own_limit():
            time.sleep(20)

        def test_next():
            pass
        """
    )
    done = project.run(*arguments)
    assert done.exit_code == 1
    assert done.reports.outcomes["test_slow"] == "failed"
    assert done.reports.outcomes["test_next"] == "passed"
    assert "test_slow failed: Timeout (>0.3s)" in done.reports.why
    assert "test_own_limit failed: Timeout (>0.2s)" in done.reports.why
    assert len(list(done.reports.junit.iter("testcase"))) == 5 + len(("trigger", "verdict"))


@pytest.mark.parametrize("level", ["warning", "info"])
def test_a_lesser_severity_is_told_and_neither_holds_nor_is_red(
    project: Project, level: str
) -> None:
    project.check(
        f'@pytest.mark.severity("{level}")\ndef test_it():\n    assert False, "the sky is grey"\n'
    )
    done = project.run()
    assert done.exit_code == 0
    assert done.reports.outcomes["test_it"] == "warned"
    told = f"{level}: validation/health/test_more.py::test_it: the sky is grey"
    assert told in done.output
    assert told in done.reports["summary.md"]
    assert told in done.reports.verdict["notes"]
    assert "the sky is grey" in done.reports["junit.xml"]
    assert not done.reports.is_red


def test_a_lesser_severity_does_not_excuse_a_check_that_could_not_be_carried_out(
    project: Project,
) -> None:
    project.check(
        """
        @pytest.fixture
        def broken():
            raise OSError("no browser")

        @pytest.mark.severity("warning")
        def test_it(broken):
            pass
        """
    )
    done = project.run()
    assert done.exit_code == 1
    assert "test_it could not be carried out: OSError: no browser" in done.reports.why


def test_a_check_that_takes_long_is_named_while_it_runs(project: Project) -> None:
    project.check("import time\ndef test_slow():\n    time.sleep(5.7)\n")
    done = project.run()
    assert done.exit_code == 0
    notice = "test_more.py::test_slow has been running for 5 s"
    assert notice in done.output
    assert done.output.index(notice) < done.output.index("PROMOTE")


def test_the_verdict_is_the_last_thing_on_the_terminal(project: Project) -> None:
    project.failing_check('def test_it():\n    assert False, "the sky is grey"\n')
    lines = project.run().output.rstrip().splitlines()
    start = next(number for number, line in enumerate(lines) if " deployment gate ==" in line)
    block = lines[start + 1 :]
    assert block[0] == "HOLD: here, no release named, full"
    assert block[1] == ("why     validation/api/test_more.py::test_it failed: the sky is grey")
    assert [line.split()[0] for line in block[2:]] == ["note", "next", "report"]
    assert block[-1] == "report  reports/here/report.html"
    assert "Do not promote, and do not roll back on this alone." in block[-2]


def test_the_run_says_first_what_it_is_about(project: Project) -> None:
    done = project.run("--release=1.5.0", "-m", "smoke")
    assert "deployment gate: environment here, release 1.5.0, tier smoke" in done.output
