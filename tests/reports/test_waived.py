"""Verifying what was waived, with and without the policy that says so."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from deployment_gate.environment import Policy, Tier, WaiverRule
from deployment_gate.evidence import CheckOutcome, Evidence, Outcome, PlannedCheck, Run, RunEnd
from deployment_gate.judgement import Decision, judge
from deployment_gate.reports.account import Account
from deployment_gate.reports.agreement import PolicyFound, faults_of_judging

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
CHECKS = ("validation/api/test_a.py::test_a", "validation/api/test_a.py::test_b")
WAIVER = WaiverRule("*::test_b", "issue 12", "Ada", date(2026, 12, 31))
POLICY = Policy(
    triggers=(),
    health_endpoints={},
    identities={},
    required=dict.fromkeys(Tier, ()),
    waivers=(WAIVER,),
)


def promoted(outcome: Outcome) -> Account:
    """The account of a run that was promoted though one of two checks ended otherwise."""
    passed, other = (
        CheckOutcome(id=check, outcome=ended, at=START, duration_s=1, message="no")
        for check, ended in zip(CHECKS, (Outcome.PASSED, outcome), strict=True)
    )
    evidence = Evidence(
        run=Run(id="1", environment="here", started=START, tier="smoke"),
        plan=tuple(PlannedCheck(id=check, category="api") for check in CHECKS),
        outcomes=(passed, other),
        end=RunEnd(at=START, exit_status=0),
    )
    verdict = judge(POLICY, evidence)
    assert verdict.decision is Decision.PROMOTE
    return Account(run=evidence.run, verdict=verdict, evidence=evidence, health_endpoints={})


@pytest.mark.parametrize("policy", [POLICY, None], ids=["by its policy", "without a policy"])
def test_a_promote_on_a_waived_failure_is_one_when_it_is_judged_again(
    policy: Policy | None, tmp_path: Path
) -> None:
    found = PolicyFound(policy, "judged again")
    assert list(faults_of_judging(tmp_path, promoted(Outcome.WAIVED), found)) == []


def test_without_a_policy_a_failure_that_was_not_marked_as_waived_is_none(tmp_path: Path) -> None:
    (fault,) = faults_of_judging(
        tmp_path, promoted(Outcome.FAILED), PolicyFound(None, "judged again")
    )
    assert "promote becomes hold" in fault


def test_once_the_waiver_is_gone_the_promote_is_refused(tmp_path: Path) -> None:
    bare = PolicyFound(
        Policy(triggers=(), health_endpoints={}, identities={}, required=dict.fromkeys(Tier, ())),
        "judged again",
    )
    (fault,) = faults_of_judging(tmp_path, promoted(Outcome.WAIVED), bare)
    assert "promote becomes hold" in fault
