"""What the gate does in each process that carries out checks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pytest

from deployment_gate.environment import policy_of
from deployment_gate.evidence import (
    FROM_BEST_TO_WORST,
    CheckOutcome,
    Journal,
    Observation,
    ObservationKind,
    Outcome,
    PlannedCheck,
    Redactor,
    Severity,
    read_journal,
)
from deployment_gate.judgement import Judged, read_health
from deployment_gate.probes.conduct import Conduct
from deployment_gate.probes.exchange import tell_exchanges

if TYPE_CHECKING:
    from deployment_gate.environment import Environment
    from deployment_gate.openapi import Document


# What the reader need not know: that it is said by a check, or by the gate itself.
_KIND = re.compile(r"^(?:AssertionError|Failed|deployment_gate\.[\w.]+): ")

_LONGEST_MESSAGE = 2000
"""Characters of a check's reason in the verdict; the whole of it stands in the report."""


class CheckProcess:
    """What a process that carries out checks knows.

    Attributes:
        environment: What is validated.
        complain: Takes what makes the run a hold, whatever its checks say.
        redactor: Keeps secrets out of what is reported.
        conduct: What the running check may send.
        plan: The checks by node id, once they are collected.
        baseline: The description that the release before was served with, where one was given.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        journal: Journal,
        sweep: Path,
        redactor: Redactor,
        complain: Callable[[str], None],
    ) -> None:
        self.environment = environment
        self.complain = complain
        self.redactor = redactor
        self.plan: dict[str, PlannedCheck] = {}
        self.baseline: Document | None = None
        self.conduct = Conduct(
            observe=journal.append,
            environment=environment.name,
            allows_writing=environment.allow.writes,
            signs_in_at=environment.sign_ins(),
            keep_secret=redactor.add,
        )
        self._journal = journal
        self._sweep = sweep
        self._health: dict[str, Observation] | None = None
        self._policy = policy_of(environment)

    def take_plan(self, plan: list[PlannedCheck]) -> None:
        """Keep what is to run, and write it down for the controller."""
        self.plan = {check.id: check for check in plan}
        self._journal.append(*plan)

    def begin_check(self, item: pytest.Item) -> None:
        """From now on, requests are sent on behalf of `item`."""
        self.conduct.check = item.nodeid
        self.conduct.is_writing = item.get_closest_marker("writes") is not None
        self.conduct.is_provoking = item.get_closest_marker("provokes") is not None
        self.conduct.step = None
        self.conduct.exchanges.clear()

    def add_exchanges(self, item: pytest.Item, phase: str) -> None:
        """What `item` sent and received in a phase becomes a section of its report."""
        if self.conduct.exchanges:
            told = tell_exchanges(self.conduct.exchanges, self.redactor.redact)
            item.add_report_section(phase, "requests", told)
            self.conduct.exchanges.clear()

    def health_of(self, name: str) -> Judged:
        """How the sweep's last look at a health endpoint reads."""
        if self._health is None:
            # Probed by the controller before the checks began, one file for all processes.
            self._health = {
                record.subject: record
                for record in read_journal(self._sweep)
                if isinstance(record, Observation) and record.kind is ObservationKind.HEALTH
            }
        return read_health(self._health[name], self._policy.health_endpoints[name])

    def finish_report(self, report: pytest.TestReport) -> None:
        """Weigh a failure by its severity, and take every secret out, before anyone reads it."""
        check = self.plan.get(report.nodeid)
        if (
            check is not None
            and check.severity is not Severity.CRITICAL
            and report.when == "call"
            and report.failed
        ):
            # An expected failure for pytest's own reports: told, and not red.
            report.wasxfail = f"{check.severity}: {failure_message(report)}"
            report.outcome = "skipped"
            report.is_warning = True  # type: ignore[attr-defined]  # ours; xdist sends it along
        redact_report(report, self.redactor.redact)


def shorten_traceback(exception: BaseException) -> None:
    """Leave the check's own frames: what went wrong is in its lines and its message.

    The way through a library says nothing to somebody who must decide. What comes before the
    check's first frame is pytest's, which it cuts off itself.
    """
    frame = exception.__traceback__
    while frame is not None and _is_library(frame):
        frame = frame.tb_next
    while frame is not None:
        following = frame.tb_next
        while following is not None and _is_library(following):
            following = following.tb_next
        frame.tb_next = following
        frame = following


def _is_library(frame: TracebackType) -> bool:
    path = Path(frame.tb_frame.f_code.co_filename)
    return "site-packages" in path.parts or Path(__file__).parent in path.parents


def redact_collect_report(report: pytest.CollectReport, redact: Callable[[str], str]) -> None:
    """Replace every text in the report of a file, which may fail or skip itself."""
    if report.failed:
        text = redact(report.longreprtext)
        if text != report.longreprtext:
            report.longrepr = text
    elif report.skipped:
        report.longrepr = _redacted(report.longrepr, redact)
    report.sections = [(name, redact(text)) for name, text in report.sections]


def redact_report(report: pytest.TestReport, redact: Callable[[str], str]) -> None:
    """Replace every text in a report, so that each reporter sees it redacted."""
    report.longrepr = _redacted(report.longrepr, redact)
    report.sections = [(name, redact(text)) for name, text in report.sections]
    report.user_properties = [
        (name, _redacted(value, redact)) for name, value in report.user_properties
    ]
    if hasattr(report, "wasxfail"):
        report.wasxfail = redact(report.wasxfail)


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    """`value` with each text in it replaced; pytest's representations in place."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list | tuple):
        return type(value)(_redacted(item, redact) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            before = getattr(value, one.name)
            after = _redacted(before, redact)
            if after is not before:
                setattr(value, one.name, after)
    return value


def failure_message(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Why a check didn't pass, on one line."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    # Not longreprtext, which names the worker before what a worker's report says.
    text = crash.message if crash else str(report.longrepr)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    first = lines[0] if lines else "no reason was given"
    return _KIND.sub("", first)[:_LONGEST_MESSAGE]


class OutcomeCollector:
    """Makes one outcome of the up to three reports of each check; the worst wins."""

    def __init__(self) -> None:
        self._open: dict[str, CheckOutcome] = {}
        self._called: set[str] = set()

    def take(self, report: pytest.TestReport) -> CheckOutcome | None:
        """Add a report; the check's outcome once it is its last one."""
        known = self._open.pop(report.nodeid, None)
        outcome = _outcome(report)
        message = "" if outcome in {None, Outcome.PASSED} else failure_message(report)
        if outcome in {Outcome.XFAILED, Outcome.XPASSED}:
            message = report.wasxfail
        current = known or CheckOutcome(
            id=report.nodeid, outcome=Outcome.PASSED, at=datetime.now(UTC), duration_s=0.0
        )
        if outcome is not None and _WEIGHT[outcome] > _WEIGHT[current.outcome]:
            current = replace(current, outcome=outcome, message=message)
        current = replace(
            current,
            at=datetime.now(UTC),
            duration_s=round(current.duration_s + report.duration, 6),
        )
        if report.when == "call":
            self._called.add(report.nodeid)
        if report.when in {"setup", "call"}:
            self._open[report.nodeid] = current
            return None
        if current.outcome is Outcome.PASSED and report.nodeid not in self._called:
            # --setup-plan and the like make no more than its fixtures.
            return replace(current, outcome=Outcome.ERROR, message="it was only set up")
        return current


_WEIGHT = {outcome: weight for weight, outcome in enumerate(FROM_BEST_TO_WORST)}


def _outcome(report: pytest.TestReport) -> Outcome | None:
    """What one report says of its check; None for a phase that says nothing."""
    reason = getattr(report, "wasxfail", None)
    if reason is not None:
        if report.passed:
            return Outcome.XPASSED
        return Outcome.WARNED if hasattr(report, "is_warning") else Outcome.XFAILED
    if report.skipped:
        return Outcome.SKIPPED
    if report.failed:
        return Outcome.FAILED if report.when == "call" else Outcome.ERROR
    return None
