"""When the runner was blind, nothing that was bad speaks against the target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from deployment_gate.environment import Indicator, IndicatorKind, Policy, Sustained, TriggerRule
from deployment_gate.evidence import Evidence, Observation, ObservationKind
from deployment_gate.judgement import Decision, TriggerState, judge, judge_trigger

Look = Callable[..., Observation]


def control(look: Look, second: float, **fields: Any) -> Observation:
    """A control's answer, well unless said otherwise."""
    known = {"subject": "https://status", "kind": ObservationKind.CONTROL, **fields}
    return look(second=second, **known)


@pytest.mark.parametrize(
    "fault", [{"sees": "refused"}, {"sees": "unobserved"}, {"sees": "bad"}, {"status": 403}]
)
def test_what_is_bad_while_a_control_fails_is_unobserved_and_holds(
    fault: dict[str, Any], policy: Callable[..., Policy], evidence: Any, look: Look
) -> None:
    seen = [look("api", "refused", second=second) for second in range(3)]
    verdict = judge(policy(), evidence([*seen, control(look, 2, **fault)]))
    assert verdict.decision is Decision.HOLD
    (trigger,) = verdict.triggers
    assert trigger.state is TriggerState.UNOBSERVED
    assert (trigger.bad, trigger.unobserved) == (0, 3)
    assert "connection refused; the control https://status" in trigger.why


def test_a_control_that_answers_leaves_the_blame_with_the_target(
    policy: Callable[..., Policy], evidence: Any, look: Look
) -> None:
    seen = [look("api", "refused", second=second) for second in range(3)]
    verdict = judge(policy(), evidence([*seen, control(look, 2)]))
    assert verdict.decision is Decision.ROLLBACK


def test_only_what_lies_between_two_good_answers_of_the_control_is_blind(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    evidence: Callable[..., Evidence],
    look: Look,
) -> None:
    seen = [look("api", "refused", second=second) for second in range(10)]
    controls = [
        control(look, 2.5),
        control(look, 4.5, sees="refused"),
        control(look, 6.5),
    ]
    some = evidence(sorted([*seen, *controls], key=lambda one: one.at))
    result = judge_trigger(trigger(), policy(), some)
    assert result.state is TriggerState.FIRED
    assert (result.bad, result.unobserved) == (6, 4)


def test_a_runner_that_is_too_busy_cannot_tell_what_is_slow(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    evidence: Callable[..., Evidence],
    look: Look,
) -> None:
    slow = [look(second=second, duration_s=0.9) for second in range(40)]
    idle, busy = (
        control(look, 40, subject="loopback", duration_s=duration_s, facts={"is_own": True})
        for duration_s in (0.01, 0.2)
    )
    rule = trigger(Sustained(Indicator(IndicatorKind.SLOW, 0.5), 0.05, 20), samples=10)
    assert judge_trigger(rule, policy(), evidence([*slow, idle])).state is TriggerState.FIRED
    assert judge_trigger(rule, policy(), evidence([*slow, busy])).state is TriggerState.UNOBSERVED
    # Whether it is healthy is another question.
    assert judge_trigger(trigger(), policy(), evidence([*slow, busy])).state is TriggerState.CLEAR
