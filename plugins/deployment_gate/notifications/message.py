"""What people are told of a verdict: how urgent it is, what it says, what they do until when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from deployment_gate.environment import format_duration
from deployment_gate.judgement import Decision
from deployment_gate.reports.account import Account, format_time

if TYPE_CHECKING:
    from deployment_gate.environment import AlertResponse, Environment

Level = Literal["critical", "warning", "info"]

LEVELS: dict[Decision, Level] = {
    Decision.ROLLBACK: "critical",
    Decision.HOLD: "warning",
    Decision.PROMOTE: "info",
}
"""The runbook's levels of alert, by what was decided."""

_SHOWN_REASONS = 5
_LONGEST_REASON = 400


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent.

    Attributes:
        level: How urgent it is, in the runbook's words.
        title: What was decided of what, in one line.
        body: Why, what to do until when, and where the report is; several lines of plain text.
    """

    level: Level
    title: str
    body: str


def message_of(
    account: Account, environment: Environment, *, report: str, variables: Mapping[str, str]
) -> Message:
    """The message on a verdict; its secrets are still in it.

    Args:
        account: What was decided, and why.
        environment: Whose runbook says what people do about it.
        report: Where the report is, on this machine.
        variables: The process environment, in which pipelines tell their own address.
    """
    level = LEVELS[account.verdict.decision]
    responses = environment.alert_response
    response = getattr(responses, f"{level}_alerts") if responses else None
    lines = [
        account.sentence,
        *_reasons(account),
        "",
        *_asked(response, since=account.ended),
        account.next_step,
        f"Report: {report}",
        *_pipeline(variables),
        f"Run {account.run.id}, ended {format_time(account.ended)}",
    ]
    return Message(level, f"{account.headline}: {account.subject}", "\n".join(lines))


def _reasons(account: Account) -> Iterator[str]:
    reasons = account.reasons
    if len(reasons) < 2:  # noqa: PLR2004  # the sentence is the only one
        return
    for reason in reasons[:_SHOWN_REASONS]:
        text = " ".join(reason.text.split())
        is_long = len(text) > _LONGEST_REASON
        yield f"- {reason.decision}: {text[:_LONGEST_REASON]}{' ...' if is_long else ''}"
    if len(reasons) > _SHOWN_REASONS:
        yield f"- and {len(reasons) - _SHOWN_REASONS} more in the report"


def _asked(response: AlertResponse | None, *, since: datetime) -> Iterator[str]:
    """What the runbook asks of whom, and until when."""
    if response is None:
        return
    within = format_duration(response.response_time)
    until = format_time(since + response.response_time)
    yield f"{' and '.join(response.escalation)}: {response.action}, within {within} (by {until})"


def _pipeline(variables: Mapping[str, str]) -> Iterator[str]:
    """Where the pipeline's own page is, as GitHub, GitLab and Jenkins tell it."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (variables.get(name, "") for name in names)
    if server and repository and run:
        yield f"Pipeline: {server}/{repository}/actions/runs/{run}"
        return
    for name in ("CI_JOB_URL", "BUILD_URL"):
        if variables.get(name):
            yield f"Pipeline: {variables[name]}"
            return
