"""Carries out a check again while its trigger counts failures in a row."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from _pytest.runner import runtestprotocol  # what plugins that repeat tests all stand on

from deployment_gate.environment import Consecutive
from deployment_gate.evidence import Observation, ObservationKind
from deployment_gate.probes.blame import Blame

if TYPE_CHECKING:
    import pytest

    from deployment_gate.checks import CheckProcess
    from deployment_gate.environment import TriggerRule


def carry_out(
    item: pytest.Item,
    nextitem: pytest.Item | None,
    rule: TriggerRule,
    process: CheckProcess,
    timer_settings: Any,
) -> list[pytest.TestReport]:
    """Carry out a check until its trigger is decided, or its timeout has passed.

    Args:
        item: The check.
        nextitem: What comes after it.
        rule: The trigger that counts its attempts.
        process: What carries it out.
        timer_settings: What pytest-timeout bounds each attempt with; None where it doesn't.

    Returns:
        The reports of the last attempt. Of a check that failed, all attempts are observed.
    """
    count = 1
    if process.beginning.confirms and isinstance(rule.condition, Consecutive):
        count = rule.condition.count
    until = time.monotonic() + rule.timeout_s
    attempts: list[Observation] = []
    while True:
        process.conduct.attempt = len(attempts) + 1
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        why = process.blame
        if not process.counts and why.error:
            # It failed, and not of what the trigger counts.
            process.conduct.observe(_attempt(item.nodeid, reports, Blame()))
            why = Blame()
        elif attempts or why != Blame():
            attempts.append(_attempt(item.nodeid, reports, why))
            process.conduct.observe(attempts[-1])
        is_decided = why.error is None or len(attempts) >= count
        if is_decided or time.monotonic() + rule.interval_s > until:
            break
        if timer_settings is not None:
            item.ihook.pytest_timeout_cancel_timer(item=item)
        time.sleep(rule.interval_s)
        if timer_settings is not None:
            item.ihook.pytest_timeout_set_timer(item=item, settings=timer_settings)
    if len(attempts) > 1:
        _tell(reports, attempts)
    return reports


def _attempt(check: str, reports: list[pytest.TestReport], why: Blame) -> Observation:
    return Observation(
        at=datetime.fromtimestamp(reports[0].start, UTC),
        kind=ObservationKind.CHECK,
        subject=check,
        duration_s=round(sum(report.duration for report in reports), 6),
        error=why.error,
        unobserved=why.unobserved,
        check=check,
    )


def _tell(reports: list[pytest.TestReport], attempts: list[Observation]) -> None:
    """Have the check's report show the attempts before; one that passed only later is flaky."""
    told = "\n".join(
        f"attempt {number} at {one.at:%H:%M:%S} UTC: {one.error or one.unobserved or 'passed'}"
        for number, one in enumerate(attempts, start=1)
    )
    failed = [one for one in attempts if one.error]
    for report in reports:
        if report.when == "call":
            report.sections.append(("attempts", told))
            if report.passed:
                report.flaky = (  # type: ignore[attr-defined]  # ours; xdist sends it along
                    f"failed {len(failed)} of {len(attempts)} attempts: {failed[-1].error}"
                )
