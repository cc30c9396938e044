"""Accounts of whole runs, made up, with much to show of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from deployment_gate.environment import (
    Action,
    Consecutive,
    HealthRule,
    Indicator,
    IndicatorKind,
    Over,
    Policy,
    Sustained,
    Tier,
    TriggerRule,
)
from deployment_gate.evidence import (
    CheckOutcome,
    Evidence,
    FindingSeverity,
    Observation,
    ObservationKind,
    Outcome,
    PlannedCheck,
    Run,
    RunEnd,
)
from deployment_gate.judgement import judge
from deployment_gate.reports.account import Account
from deployment_gate.reports.limits import Limits
from tests.reports.drafts import PNG, attachment, draft_of, entry
from tests.reports.findings import found

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LONG = "validation/api/test_it.py::test_" + "a_name_that_goes_on_and_on_" * 8 + "[1-x]"
RULE = HealthRule(
    expected_statuses=frozenset({200}), timeout_s=5.0, content=None, may_be_page=False
)
IN_A_ROW = Consecutive(Indicator(IndicatorKind.HEALTH), 3)
TOO_MANY = Sustained(Indicator(IndicatorKind.ERROR), 0.05, 10.0)
LIMITS = Limits(answers_p95_s=0.2, pages_p95_s=2.0, error_rate=0.001, availability=0.999)
Kind = Literal["promote", "hold", "rollback"]


def trigger(name: str, condition: Consecutive | Sustained) -> TriggerRule:
    """A trigger that rolls back."""
    return TriggerRule(
        name=name,
        condition=condition,
        action=Action.ROLLBACK,
        timeout_s=300,
        interval_s=10,
        samples=30,
        confidence=0.95,
        over=Over.ALL,
        phrase="as it is written",
        source="a.yaml:1",
    )


POLICY = Policy(
    triggers=(trigger("health_check_failure", IN_A_ROW), trigger("error_rate", TOO_MANY)),
    health_endpoints={"api": RULE, "web": RULE},
    identities={},
    required=dict.fromkeys(Tier, ()),
)


def seen(
    at_s: float,
    kind: ObservationKind = ObservationKind.REQUEST,
    subject: str = "GET /",
    **changes: Any,
) -> Observation:
    """An observation, so many seconds after the start; a good one, unless said otherwise."""
    usual = {"duration_s": 0.05, "status": 200} | changes
    return Observation(at=START + SECOND * at_s, kind=kind, subject=subject, **usual)


def second(number: int, *, right: int = 100, wrong: int = 0, **changes: Any) -> Observation:
    """A second of a load, as it is in the evidence."""
    facts = {
        "second": number,
        "endpoints": {
            "GET /": {"right": right, "throttled": 0, "wrong": {"answered 500": wrong}},
        },
    }
    usual: dict[str, Any] = {"subject": "peak, by the generator", "duration_s": 1.0, "facts": facts}
    return seen(60 + number, ObservationKind.LOAD, **usual | {"status": None} | changes)


def outcome(
    name: str, how: Outcome = Outcome.PASSED, *, at_s: float = 10, message: str = ""
) -> CheckOutcome:
    """How a check ended."""
    at = START + SECOND * at_s
    return CheckOutcome(id=name, outcome=how, at=at, duration_s=0.5, message=message)


def account_of_run(
    *observations: Observation,
    outcomes: tuple[CheckOutcome, ...] = (),
    policy: Policy | None = POLICY,
    findings: Any = (),
    limits: Limits = LIMITS,
) -> Account:
    """What a run saw, judged."""
    evidence = Evidence(
        run=Run(id="0123abcd", environment="staging", started=START, tier="full"),
        plan=tuple(PlannedCheck(id=one.id, category=one.id.split("/")[1]) for one in outcomes),
        observations=observations,
        findings=findings,
        outcomes=outcomes,
        end=RunEnd(at=START + SECOND * 120, exit_status=0),
    )
    verdict = judge(policy or POLICY, evidence)
    return Account(
        run=evidence.run,
        verdict=verdict,
        evidence=evidence,
        health_endpoints={"api": "https://api.example.com/a/very/long/path" * 3, "web": "http://w"},
        not_covered=("predeployment: no section describes it",),
        policy=policy,
        limits=limits,
    )


def large(kind: Kind) -> tuple[Account, str]:
    """A run with something of all there is, and what pytest-html collected of it."""
    observations = [*_observations(kind)]
    outcomes = [
        outcome(f"validation/api/test_it.py::test_{number:03}", at_s=1 + number / 10)
        for number in range(100)
    ]
    entries = [
        entry(outcomes[0].id, result="Passed", log="--- Captured requests call ---\n$ curl a")
    ]
    findings = [found("leak", FindingSeverity.LOW, "web GET /", check=outcomes[0].id)]
    if kind != "promote":
        failed = [
            f"validation/web/test_it.py::test_{number:02}[policies-x]" for number in range(60)
        ]
        for name in (LONG, *failed):
            outcomes.append(
                outcome(name, Outcome.FAILED, at_s=20, message=f"answered 500: {'x' * 300}")
            )
            entries.append(
                entry(
                    name,
                    log="E   assert 1 == 2\n--- Captured requests call ---\n"
                    f"$ curl --include http://a/{'y' * 200}\n> GET /\n< 500\n< {'z' * 400}",
                    extras=[attachment(PNG, name="as it looked"), attachment(PNG)],
                )
            )
        outcomes += [
            outcome(f"validation/api/test_b.py::test_{number}", Outcome.NOT_RUN, message="dead")
            for number in range(20)
        ]
        findings.append(
            found("weak", FindingSeverity.MEDIUM, *("api GET /" + "p" * 60,) * 30, check=LONG)
        )
    account = account_of_run(*observations, outcomes=tuple(outcomes), findings=tuple(findings))
    assert account.verdict.decision.value == kind, account.sentence
    return account, draft_of(*entries)


def _observations(kind: Kind) -> Iterator[Observation]:
    for number in range(12):
        status = 503 if kind == "rollback" and number > 4 else 200
        for name in ("api", "web"):
            yield seen(number, ObservationKind.HEALTH, name, status=status)
    for number in range(200):
        yield seen(12 + number / 10, duration_s=0.01 * (1 + number % 30))
    for number in range(40):
        yield seen(60 + number, ObservationKind.LOAD, facts={"scenario": "peak", "right": True})
        yield second(number, wrong=number % 7)
    for number in range(25):
        yield seen(100 + number / 10, ObservationKind.PAGE, "/", duration_s=1 + number / 10)
