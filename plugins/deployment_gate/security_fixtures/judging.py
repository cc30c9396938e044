"""What becomes of what checks of security found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

import pytest

from deployment_gate.evidence import Finding
from deployment_gate.fixtures import process_key
from deployment_gate.judgement import JudgedFinding, Standing

if TYPE_CHECKING:
    from deployment_gate.checks import CheckProcess
    from deployment_gate.security.rules import Looked


@pytest.fixture
def judge_findings(request: pytest.FixtureRequest) -> Callable[[Looked], None]:
    """Records what a look showed, and fails the check where that is bad enough.

    What is less only warns. Where nothing holds, and not all could be looked at, or an answer said
    nothing of the platform, nothing was observed.
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
        _weigh(process, process.weigh(findings), looked.unseen)

    return judge


def leave_unobserved(process: CheckProcess, why: str) -> NoReturn:
    """End the running check: what it was to look at could not be seen, which is no pass."""
    process.conduct.unobserved = why
    pytest.fail(f"not observed: {why}", pytrace=False)


def _weigh(process: CheckProcess, judged: Sequence[JudgedFinding], unseen: tuple[str, ...]) -> None:
    """Fail, warn, or leave unobserved."""
    holding = [one for one in judged if one.holds]
    process.warnings += [_warning(one) for one in judged if not one.holds]
    if holding:
        process.counts = any(one.is_counted for one in holding)
        # What is bad was seen, whatever else was not: an answer 429 before says nothing of it.
        process.conduct.unobserved = None
        pytest.fail("\n".join(map(_told, holding)), pytrace=False)
    unseen = unseen or tuple(filter(None, [process.conduct.unobserved]))
    if unseen:
        leave_unobserved(process, "; ".join(unseen))


def _warning(one: JudgedFinding) -> str:
    if one.standing is Standing.WAIVED:
        return f"waived {one.waived}: {one.finding.sentence}"
    return one.sentence()


def _told(one: JudgedFinding) -> str:
    """A finding in full, for the check's report; its sentence is a line of its own."""
    finding = one.finding
    parts = [
        finding.sentence,
        *([f"  {one.beside().strip(' ()')}"] if one.beside() else []),
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
