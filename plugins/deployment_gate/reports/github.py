"""What GitHub Actions shows of a run: the step's summary, and annotations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from deployment_gate.judgement import Decision
from deployment_gate.reports.account import Account
from deployment_gate.reports.files import ReportError

MOST_ANNOTATIONS = 10
"""GitHub shows so many of a kind in a step, and drops the others without a word."""

_COMMANDS = {Decision.ROLLBACK: "error", Decision.HOLD: "warning", Decision.PROMOTE: "notice"}


def append_summary(text: str, variables: Mapping[str, str]) -> None:
    """Append a summary to the step's, where a step of GitHub Actions asks for one.

    Args:
        text: Markdown.
        variables: The process environment, of which `GITHUB_STEP_SUMMARY` names the file.

    Raises:
        ReportError: It can't be written.
    """
    name = variables.get("GITHUB_STEP_SUMMARY")
    if not name:
        return
    try:
        with Path(name).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text if text.endswith("\n") else f"{text}\n")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ReportError(
            f"GITHUB_STEP_SUMMARY: {name} can't be written ({why}), so the step shows no summary. "
            "The same stands in summary.md"
        ) from error


def annotation_lines(account: Account, variables: Mapping[str, str]) -> Iterator[str]:
    """The workflow commands that annotate a step with the verdict's reasons, where GitHub listens.

    A rollback's reasons are errors, a hold's warnings; a promote is one notice.

    Args:
        account: What was decided, and why; its secrets are still in it.
        variables: The process environment, in which GitHub sets `GITHUB_ACTIONS`.
    """
    if variables.get("GITHUB_ACTIONS") != "true":
        return
    title = f"{account.headline}: {account.subject}"
    reasons = account.reasons
    if not reasons:
        yield _command(account.verdict.decision, title, account.sentence)
    shown = reasons if len(reasons) <= MOST_ANNOTATIONS else reasons[: MOST_ANNOTATIONS - 1]
    for reason in shown:
        yield _command(reason.decision, title, reason.text)
    if len(reasons) > len(shown):
        more = f"and {len(reasons) - len(shown)} more reasons in the report"
        yield _command(Decision.PROMOTE, title, more)


def _command(decision: Decision, title: str, text: str) -> str:
    """A workflow command, escaped as GitHub's own toolkit does (actions/toolkit, command.ts)."""
    escaped = _escaped(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{_COMMANDS[decision]} title={escaped}::{_escaped(text)}"


def _escaped(text: str) -> str:
    plain = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in plain)
