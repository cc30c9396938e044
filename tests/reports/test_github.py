"""GitHub's step summary and annotations: once for each run, escaped, without secrets."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployment_gate.judgement import Decision
from deployment_gate.reports.account import Account
from deployment_gate.reports.files import ReportError
from deployment_gate.reports.github import annotation_lines, append_summary
from tests.reports.histories import validate
from tests.runs import workshop

Make = Callable[..., Account]
GITHUB = {"GITHUB_ACTIONS": "true"}
COMMAND = re.compile(r"::(error|warning|notice) title=([^:,\r\n]*)::([^\r\n]*)")


def read(line: str) -> tuple[str, str, str]:
    """What GitHub's runner makes of a line: the command, its title, its message."""
    found = COMMAND.fullmatch(line)
    assert found, line
    command, title, message = found.groups()
    for code, sign in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        title = title.replace(code, sign)
    for code, sign in (("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        message = message.replace(code, sign)
    return command, title, message


@pytest.mark.parametrize(
    ("decision", "command"), [(Decision.ROLLBACK, "error"), (Decision.HOLD, "warning")]
)
def test_each_reason_is_annotated_as_bad_as_it_is(
    account: Make, decision: Decision, command: str
) -> None:
    told = account("the disk is full", "100 % of it", decision=decision)
    headline = {"rollback": "ROLL BACK"}.get(decision, decision.upper())
    title = f"{headline}: staging, release 1.5.0, smoke"
    assert [read(line) for line in annotation_lines(told, GITHUB)] == [
        (command, title, "the disk is full"),
        (command, title, "100 % of it"),
    ]


def test_a_promote_is_one_notice(account: Make) -> None:
    ((command, title, message),) = map(read, annotation_lines(account(), GITHUB))
    assert (command, title) == ("notice", "PROMOTE: staging, release 1.5.0, smoke")
    assert message == "2 of 2 checks passed, all 1 triggers are clear."


def test_at_most_ten_are_made_and_the_last_says_how_many_more(account: Make) -> None:
    ten = account(*[f"reason {number}" for number in range(10)])
    assert [read(line)[2] for line in annotation_lines(ten, GITHUB)][-1] == "reason 9"
    more = account(*[f"reason {number}" for number in range(30)])
    messages = [read(line)[2] for line in annotation_lines(more, GITHUB)]
    assert len(messages) == 10
    assert messages[-1] == "and 21 more reasons in the report"


@given(text=st.text(min_size=1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_reason_says_it_is_one_message(account: Make, text: str) -> None:
    told = account(text, run={"release": text})
    (line,) = annotation_lines(told, GITHUB)
    command, title, message = read(line)
    assert command == "warning"
    assert title.startswith("HOLD: staging, release ")
    kept = "".join(
        one if one.isprintable() or one in "\r\n" else "\N{REPLACEMENT CHARACTER}" for one in text
    )
    assert "%" in kept or message == kept


@pytest.mark.parametrize("variables", [{}, {"GITHUB_ACTIONS": ""}, {"GITHUB_ACTIONS": "false"}])
def test_nobody_else_is_annotated_for(account: Make, variables: dict[str, str]) -> None:
    assert list(annotation_lines(account("no"), variables)) == []


def test_the_summary_is_appended_to_what_the_step_has_said(tmp_path: Path) -> None:
    path = tmp_path / "step"
    path.write_text("# Built\n")
    append_summary("# HOLD", {"GITHUB_STEP_SUMMARY": str(path)})
    append_summary("# PROMOTE\n", {"GITHUB_STEP_SUMMARY": str(path)})
    assert path.read_text() == "# Built\n# HOLD\n# PROMOTE\n"
    append_summary("# HOLD", {"GITHUB_STEP_SUMMARY": ""})
    append_summary("# HOLD", {})


def test_a_summary_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"The same stands in summary\.md"):
        append_summary("# HOLD", {"GITHUB_STEP_SUMMARY": str(tmp_path)})


SECRET = "a-word-that-nobody-knows"
TELLING = f"""
    import pytest

    @pytest.mark.smoke
    @pytest.mark.parametrize("number", range(4))
    def test_it(number):
        assert number, "it said {SECRET}, 50 %"
"""


def test_a_run_in_a_step_tells_it_once_whatever_its_number_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "step"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("SHOP_PASSWORD", SECRET)
    with workshop(tmp_path) as shop:
        environment = (shop.folder / "environments/here.yaml").read_text()
        login = """
            api:
              base_url: "TARGET"
              login:
                request: POST /login
                body: {password: "{{password}}"}
                token: $.token
                send: {Authorization: "Bearer {{token}}"}
              identities: {somebody: {username: somebody, password: "${SHOP_PASSWORD}"}}
        """
        shop.write(
            "environments/here.yaml",
            environment + dedent(login).replace("TARGET", shop.target.url),
        )
        shop.write("validation/api/test_it.py", TELLING)
        exit_code, output = validate(
            shop.folder, "-m", "smoke", "-n", "4", "--release=1.5.0", "--report-dir=reports"
        )
        published = (shop.folder / "reports/summary.md").read_text()

    assert exit_code == 1, output
    assert summary.read_text() == published
    lines = [line for line in output.splitlines() if line.startswith("::")]
    assert any("it said [redacted], 50 %25" in line for line in lines), output
    assert len(lines) == len({*lines}) == published.count("\n- hold: ")
    assert SECRET not in output + published


def test_a_summary_that_cannot_be_written_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    with workshop(tmp_path) as shop:
        exit_code, output = validate(
            shop.folder, "-m", "smoke", "--release=1.5.0", "--report-dir=reports"
        )
        reports = {path.name for path in (shop.folder / "reports").iterdir()}
    assert exit_code == 0
    assert "can't be written (Is a directory), so the step shows no summary" in output
    assert {"verdict.json", "summary.md", "history.jsonl", "index.html", "metrics.prom"} <= reports
