"""Findings to report, made of a few words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from deployment_gate.environment import Policy, Tier, WaiverRule
from deployment_gate.evidence import (
    CheckOutcome,
    Evidence,
    Finding,
    FindingSeverity,
    Outcome,
    PlannedCheck,
    Run,
    RunEnd,
)
from deployment_gate.judgement import judge
from deployment_gate.reports.account import Account

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
HEALTH = "validation/health/test_a.py::test_it"
CHECK = "validation/security/test_a.py::test_a"
EXCHANGE = """\
> POST https://127.0.0.1/api/login
> Authorization: Bearer [redacted]
> Accept-Language: de
> {"user": "ada"}
< 200
< Content-Type: application/json
< Set-Cookie: a=b
< Set-Cookie: c=d
< {"ok": true}"""
CURL = "curl --include --request POST https://127.0.0.1/api/login"


def found(
    rule: str = "stranger-let-in",
    severity: FindingSeverity = FindingSeverity.CRITICAL,
    *places: str,
    **changes: Any,
) -> Finding:
    """A finding at one place, unless said otherwise."""
    usual = Finding(
        rule=rule,
        severity=severity,
        title="A stranger is let in",
        detail="GET /policies/{id} was answered 200",
        places=places or ("api GET /policies/{id}",),
        source="OWASP ASVS 5.0, 8.3.1",
        remedy="Ask who it is.",
        at=START,
        check=CHECK,
        exchange=EXCHANGE,
        curl=CURL,
    )
    return replace(usual, **changes)


WAIVER = WaiverRule(
    check="", finding="waived", reason="issue 12", owner="Ada", expires=date(2026, 12, 31)
)
POLICY = Policy(
    triggers=(),
    health_endpoints={},
    identities={},
    required=dict.fromkeys(Tier, ()),
    waivers=(WAIVER,),
)
ALL = (
    found(),
    found("waived", FindingSeverity.HIGH, source="RFC 9116"),
    found("weak", FindingSeverity.MEDIUM, "127.0.0.1:18443", source="Mozilla Server Side TLS 5.7"),
    found("leak", FindingSeverity.LOW, "web GET /", "web GET /RANDOM (404)", exchange="", curl=""),
    found("leak", FindingSeverity.INFO, "api GET /x", source="ours"),
)
"""One of each severity, one of them waived."""


def account_of(*findings: Finding, **changes: Any) -> Account:
    """The account of a full run that found so much."""
    is_red = any(one.severity is not FindingSeverity.LOW for one in findings)
    evidence = Evidence(
        run=Run(
            id="0123abcd",
            environment="staging",
            started=START,
            release="1.5.0",
            tier="full",
            tool="gate 1",
        ),
        plan=(
            PlannedCheck(id=HEALTH, category="health"),
            PlannedCheck(id=CHECK, category="security"),
        ),
        findings=findings,
        outcomes=(
            CheckOutcome(id=HEALTH, outcome=Outcome.PASSED, at=START, duration_s=1),
            CheckOutcome(
                id=CHECK,
                outcome=Outcome.FAILED if is_red else Outcome.PASSED,
                at=START,
                duration_s=1,
                message=findings[0].sentence if is_red else "",
            ),
        ),
        end=RunEnd(at=START, exit_status=int(is_red)),
    )
    evidence = replace(evidence, **changes)
    return Account(
        run=evidence.run,
        verdict=judge(POLICY, evidence),
        evidence=evidence,
        health_endpoints={},
    )
