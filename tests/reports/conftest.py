"""Accounts to report, made of a few words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings

from deployment_gate.environment import Action
from deployment_gate.evidence import (
    CheckOutcome,
    Evidence,
    Observation,
    ObservationKind,
    Outcome,
    PlannedCheck,
    Run,
    RunEnd,
)
from deployment_gate.judgement import Decision, Reason, TriggerResult, TriggerState, Verdict
from deployment_gate.reports.account import Account

# How long an example takes says nothing on a machine that others share.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

START = datetime(2026, 11, 23, 3, 0, 0, tzinfo=UTC)


def _trigger(
    state: TriggerState = TriggerState.CLEAR, name: str = "health_check_failure", **changes: Any
) -> TriggerResult:
    usual = TriggerResult(
        name=name,
        state=state,
        action=Action.ROLLBACK,
        phrase="Health check fails for 3 consecutive attempts",
        why="",
        bad=0,
        total=4,
    )
    return replace(usual, **changes)


@pytest.fixture
def trigger() -> Callable[..., TriggerResult]:
    """Make what became of a trigger; it is clear, unless said otherwise."""
    return _trigger


@pytest.fixture
def account() -> Callable[..., Account]:
    """Make the account of a smoke run: a promote, or what the reasons come to."""

    def account(
        *texts: str,
        decision: Decision | None = None,
        rule: str = "check",
        run: dict[str, Any] | None = None,
        exit_status: int | None = 0,
        **changes: Any,
    ) -> Account:
        decided = decision or (Decision.HOLD if texts else Decision.PROMOTE)
        fields = {
            name: changes.pop(name)
            for name in ("notes", "triggers", "counts", "planned")
            if name in changes
        }
        verdict = Verdict(
            decision=decided,
            reasons=tuple(Reason(decided, rule, text) for text in texts),
            **{"triggers": (_trigger(),), "counts": Counter({Outcome.PASSED: 2}), "planned": 2}
            | fields,
        )
        usual = {
            "id": "0123abcd",
            "environment": "staging",
            "started": START,
            "release": "1.5.0",
            "tier": "smoke",
            "tool": "gate 1",
        }
        evidence = Evidence(
            run=Run(**usual | (run or {})),
            plan=(PlannedCheck(id="t::a", category="health"),),
            observations=(
                Observation(
                    at=START, kind=ObservationKind.HEALTH, subject="api", duration_s=0.1, status=200
                ),
            ),
            outcomes=(CheckOutcome(id="t::a", outcome=Outcome.PASSED, at=START, duration_s=0.1),),
            end=None
            if exit_status is None
            else RunEnd(at=START + timedelta(seconds=12.34), exit_status=exit_status),
        )
        known = {"evidence": evidence, "health_endpoints": {"api": "http://api/health"}, **changes}
        return Account(run=evidence.run, verdict=verdict, **known)

    return account
