"""What becomes of what checks of security found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from deployment_gate.evidence import Finding, FindingSeverity
from deployment_gate.fixtures import process_key

if TYPE_CHECKING:
    from deployment_gate.checks import CheckProcess
    from deployment_gate.security.rules import Looked


@pytest.fixture
def judge_findings(request: pytest.FixtureRequest) -> Callable[[Looked], None]:
    """Records what a look showed, and fails the check where that is bad enough.

    What is less only warns. Where nothing was found, and not all could be looked at, nothing was
    observed.
    """
    process = request.config.stash[process_key]

    def judge(looked: Looked) -> None:
        findings = [
            Finding(
                rule=one.rule.id,
                severity=one.severity,
                title=one.rule.title,
                detail=one.detail,
                places=one.places,
                source=one.rule.source,
                remedy=one.rule.remedy,
                at=datetime.now(UTC),
                check=request.node.nodeid,
                attempt=process.conduct.attempt,
                exchange=one.exchange,
                curl=one.curl,
            )
            for one in looked.breaches
        ]
        process.record(findings)
        _weigh(process, findings, looked.unseen)

    return judge


def _weigh(process: CheckProcess, findings: list[Finding], unseen: tuple[str, ...]) -> None:
    """Fail, warn, or leave unobserved."""
    line = FindingSeverity(process.environment.security.holds_from)
    waived = [(one, waiver) for one in findings if (waiver := process.waiver_of_finding(one))]
    open_ = [one for one in findings if not process.waiver_of_finding(one)]
    holding = [one for one in open_ if one.severity.is_at_least(line)]
    process.warnings += [
        f"waived until {waiver.expires} by {waiver.owner} ({waiver.reason}): {one.sentence}"
        for one, waiver in waived
    ]
    process.warnings += [one.sentence for one in open_ if one not in holding]
    if holding:
        process.counts = any(one.severity is FindingSeverity.CRITICAL for one in holding)
        pytest.fail("\n".join(map(_told, holding)), pytrace=False)
    if unseen:
        process.conduct.unobserved = "; ".join(unseen)
        pytest.fail(f"not observed: {process.conduct.unobserved}", pytrace=False)


def _told(finding: Finding) -> str:
    """A finding in full, for the check's report."""
    parts = [
        finding.sentence,
        f"  where: {', '.join(finding.places)}",
        f"  rule: {finding.source}",
        f"  mend: {finding.remedy}",
        f"  fingerprint: {finding.fingerprint}",
    ]
    if finding.curl:
        parts.append(f"  see: {finding.curl}")
    if finding.exchange:
        parts += [f"  {line}" for line in finding.exchange.splitlines()]
    return "\n".join(parts)
