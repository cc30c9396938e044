"""What pytest's reports say of each check: one outcome, in few words, without secrets."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from deployment_gate.evidence import FROM_BEST_TO_WORST, CheckOutcome, Outcome

# What the reader need not know: that it is said by a check, or by the gate itself.
_KIND = re.compile(r"^(?:AssertionError|Failed|deployment_gate\.[\w.]+): ")

_LONGEST_MESSAGE = 2000
"""Characters of a check's reason in the verdict; the whole of it stands in the report."""


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
    for name in ("wasxfail", "flaky"):
        if hasattr(report, name):
            setattr(report, name, redact(getattr(report, name)))


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
        outcome = outcome_of(report)
        message = "" if outcome in {None, Outcome.PASSED} else failure_message(report)
        if outcome in {Outcome.XFAILED, Outcome.XPASSED} or (
            outcome is Outcome.WARNED and report.longrepr is None
        ):
            message = report.wasxfail
        elif outcome is Outcome.FLAKY:
            message = report.flaky
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


def outcome_of(report: pytest.TestReport) -> Outcome | None:
    """What one report says of its check; None for a phase that says nothing."""
    told_as = getattr(report, "told_as", None)
    if told_as is not None:
        return Outcome(told_as)
    if hasattr(report, "wasxfail"):
        return Outcome.XPASSED if report.passed else Outcome.XFAILED
    if report.passed and hasattr(report, "flaky"):
        return Outcome.FLAKY
    if report.skipped:
        return Outcome.SKIPPED
    if report.failed:
        return Outcome.FAILED if report.when == "call" else Outcome.ERROR
    return None
