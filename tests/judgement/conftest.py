"""Policies and evidence to judge, made of a few words."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings

from deployment_gate.environment import (
    Action,
    Condition,
    Consecutive,
    HealthRule,
    Indicator,
    IndicatorKind,
    Over,
    Policy,
    Tier,
    TriggerRule,
)
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

# How long an example takes says nothing on a machine that others share.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
RULE = HealthRule(
    expected_statuses=frozenset({200}), timeout_s=5.0, content=None, may_be_page=False
)
THREE_IN_A_ROW = Consecutive(Indicator(IndicatorKind.HEALTH), 3)


def _trigger(
    condition: Condition = THREE_IN_A_ROW,
    action: Action = Action.ROLLBACK,
    name: str = "health",
    **changes: Any,
) -> TriggerRule:
    usual = TriggerRule(
        name=name,
        condition=condition,
        action=action,
        timeout_s=300,
        interval_s=10,
        samples=30,
        confidence=0.95,
        over=Over.ALL,
        phrase="as it is written",
        source="here.yaml:1",
    )
    return replace(usual, **changes)


def _look(
    subject: str = "api",
    sees: str = "good",
    *,
    second: float = 0,
    kind: ObservationKind = ObservationKind.HEALTH,
    **fields: Any,
) -> Observation:
    found: dict[str, Any] = {
        "good": {"status": 200},
        "bad": {"status": 500},
        "refused": {"error": "connection refused"},
        "unobserved": {"unobserved": "no route from here"},
    }[sees]
    at = START + timedelta(seconds=second)
    known = {"duration_s": 0.1, **found, **fields}
    return Observation(at=at, kind=kind, subject=subject, **known)


@pytest.fixture
def trigger() -> Callable[..., TriggerRule]:
    """Make a trigger; three failed health checks in a row roll back, unless said otherwise."""
    return _trigger


@pytest.fixture
def look() -> Callable[..., Observation]:
    """Make an observation of a subject: good, bad, refused or unobserved."""
    return _look


@pytest.fixture
def looks() -> Callable[..., list[Observation]]:
    """Make a stream of observations of one subject, a second apart."""

    def looks(subject: str, sees: str, **fields: Any) -> list[Observation]:
        return [
            _look(subject, what, second=second, **fields)
            for second, what in enumerate(sees.split())
        ]

    return looks


@pytest.fixture
def policy() -> Callable[..., Policy]:
    """Make a policy on the health endpoints `api` and `database`."""

    def policy(*triggers: TriggerRule, **changes: Any) -> Policy:
        usual = Policy(
            triggers=triggers or (_trigger(),),
            health_endpoints={"api": RULE, "database": RULE},
            identities={},
            required={Tier.SMOKE: ("health",), Tier.FULL: ("health",)},
        )
        return replace(usual, **changes)

    return policy


@pytest.fixture
def evidence() -> Callable[..., Evidence]:
    """Make the evidence of a whole smoke run whose only check passed, unless said otherwise."""

    def evidence(observations: Iterable[Observation] | None = None, **changes: Any) -> Evidence:
        run_changes = {
            name: changes.pop(name) for name in ("release", "tier", "selection") if name in changes
        }
        run = Run(
            **{"id": "1", "environment": "here", "started": START, "tier": "smoke"} | run_changes
        )
        usual = Evidence(
            run=run,
            plan=(PlannedCheck(id="t::health", category="health", subject="api"),),
            observations=tuple(
                [_look("api"), _look("database")] if observations is None else observations
            ),
            outcomes=(
                CheckOutcome(id="t::health", outcome=Outcome.PASSED, at=START, duration_s=0.1),
            ),
            end=RunEnd(at=START + timedelta(minutes=1), exit_status=0),
        )
        return replace(usual, **changes)

    return evidence
