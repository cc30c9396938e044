"""The verdict fails closed: each single lack of evidence is a hold that names it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from deployment_gate.environment import (
    Action,
    Indicator,
    IndicatorKind,
    Policy,
    Sustained,
    Tier,
    TriggerRule,
)
from deployment_gate.evidence import (
    CheckOutcome,
    Evidence,
    Observation,
    Outcome,
    PlannedCheck,
    RunEnd,
    Severity,
)
from deployment_gate.judgement import Decision, TriggerState, Verdict, judge

Make = Callable[..., Evidence]


def ended(evidence: Evidence, exit_status: int, *trouble: str) -> RunEnd:
    """An end of the run with this exit status."""
    at = evidence.run.started + timedelta(minutes=1)
    return RunEnd(at=at, exit_status=exit_status, trouble=trouble)


def outcomes(evidence: Evidence, *ended_as: Outcome, message: str = "") -> dict[str, Sequence[Any]]:
    """One planned health check for each way in which one may end."""
    ids = [f"t::check[{number}]" for number in range(len(ended_as))]
    return {
        "plan": tuple(PlannedCheck(id=name, category="health", subject="api") for name in ids),
        "outcomes": tuple(
            CheckOutcome(
                id=name,
                outcome=outcome,
                at=evidence.run.started,
                duration_s=0.1,
                message="" if outcome is Outcome.PASSED else message,
            )
            for name, outcome in zip(ids, ended_as, strict=True)
        ),
    }


def told(verdict: Verdict) -> list[tuple[str, str, str]]:
    """The reasons, each as a plain tuple."""
    return [(reason.decision.value, reason.rule, reason.text) for reason in verdict.reasons]


def test_complete_positive_evidence_promotes(policy: Callable[..., Policy], evidence: Make) -> None:
    verdict = judge(policy(), evidence())
    assert verdict.decision is Decision.PROMOTE
    assert verdict.reasons == verdict.notes == ()
    assert verdict.counts == {Outcome.PASSED: 1}
    assert verdict.planned == 1
    assert [trigger.state for trigger in verdict.triggers] == [TriggerState.CLEAR]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (2, "the run was interrupted (pytest's exit code 2)"),
        (3, "pytest itself failed with an internal error (pytest's exit code 3)"),
        (4, "pytest was called in a way it doesn't understand (pytest's exit code 4)"),
        (5, "no check was selected (pytest's exit code 5)"),
        (6, "there were more warnings than --max-warnings allows (pytest's exit code 6)"),
        (-9, "pytest did not end normally (pytest's exit code -9)"),
        (143, "pytest did not end normally (pytest's exit code 143)"),
    ],
)
def test_an_end_that_is_not_normal_holds(
    status: int, text: str, policy: Callable[..., Policy], evidence: Make
) -> None:
    verdict = judge(policy(), evidence(end=ended(evidence(), status)))
    assert told(verdict) == [("hold", "run", text)]


def test_a_run_that_never_reached_its_end_holds(
    policy: Callable[..., Policy], evidence: Make
) -> None:
    verdict = judge(policy(), evidence(end=None))
    assert told(verdict) == [("hold", "run", "the run is incomplete: it never reached its end")]


def test_each_trouble_of_the_run_holds(policy: Callable[..., Policy], evidence: Make) -> None:
    end = ended(evidence(), 0, "the disk is full", "worker gw0 died")
    assert told(judge(policy(), evidence(end=end))) == [
        ("hold", "run", "the disk is full"),
        ("hold", "run", "worker gw0 died"),
    ]


def test_a_failure_that_pytest_counts_but_no_check_reported_holds(
    policy: Callable[..., Policy], evidence: Make
) -> None:
    verdict = judge(policy(), evidence(end=ended(evidence(), 1)))
    assert told(verdict) == [
        ("hold", "run", "pytest counts a failure that no check reported (pytest's exit code 1)")
    ]


def test_a_check_that_did_not_report_holds(policy: Callable[..., Policy], evidence: Make) -> None:
    plan = tuple(PlannedCheck(id=f"t::{name}", category="health") for name in ("health", "b", "c"))
    assert told(judge(policy(), evidence(plan=plan))) == [
        ("hold", "plan", "2 of 3 checks did not report, the first of them t::b")
    ]


def test_a_check_that_the_environment_rules_out_need_not_report(
    policy: Callable[..., Policy], evidence: Make
) -> None:
    out = PlannedCheck(id="t::writes", category="api", left_out="writes aren't allowed here")
    verdict = judge(policy(), evidence(plan=(*evidence().plan, out)))
    assert verdict.decision is Decision.PROMOTE
    assert verdict.planned == 1


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Outcome.FAILED, "failed"),
        (Outcome.ERROR, "could not be carried out"),
        (Outcome.SKIPPED, "was skipped, and a check that is to run must run"),
        (Outcome.XFAILED, "failed as it was expected to, and nobody waived it"),
        (Outcome.XPASSED, "passed against its own expectation"),
    ],
)
@pytest.mark.parametrize("message", ["", "assert 200 == 500"])
def test_every_end_of_a_check_but_a_pass_holds(
    outcome: Outcome, text: str, message: str, policy: Callable[..., Policy], evidence: Make
) -> None:
    some = outcomes(evidence(), Outcome.PASSED, outcome, message=message)
    verdict = judge(policy(), evidence(**some))
    assert told(verdict) == [
        ("hold", "check", f"t::check[1] {text}" + (f": {message}" if message else ""))
    ]
    assert verdict.counts == {Outcome.PASSED: 1, outcome: 1}


def test_a_failure_that_a_later_attempt_hides_holds(
    policy: Callable[..., Policy], evidence: Make
) -> None:
    some = outcomes(evidence(), Outcome.FAILED, Outcome.PASSED)
    first, second = some["outcomes"]
    retried = CheckOutcome(id="t::check[1]", outcome=first.outcome, at=first.at, duration_s=1)
    verdict = judge(policy(), evidence(plan=some["plan"][1:], outcomes=(retried, second)))
    assert told(verdict) == [("hold", "check", "t::check[1] failed")]


@pytest.mark.parametrize(
    ("tier", "missing"), [("smoke", ["api"]), ("full", ["api", "security"]), (None, [])]
)
def test_a_required_category_without_a_pass_holds(
    tier: str | None, missing: list[str], policy: Callable[..., Policy], evidence: Make
) -> None:
    required = {Tier.SMOKE: ("health", "api"), Tier.FULL: ("health", "api", "security")}
    verdict = judge(policy(required=required), evidence(tier=tier))
    assert told(verdict) == [
        ("hold", "plan", f"no check of the required category {category!r} passed")
        for category in missing
    ]


@pytest.mark.parametrize("outcome", [Outcome.WARNED, Outcome.SKIPPED, Outcome.XPASSED])
def test_only_a_pass_speaks_for_a_category(
    outcome: Outcome, policy: Callable[..., Policy], evidence: Make
) -> None:
    texts = [
        text for _, _, text in told(judge(policy(), evidence(**outcomes(evidence(), outcome))))
    ]
    assert "no check of the required category 'health' passed" in texts
    assert "no check passed, so nothing speaks for promoting" in texts


def test_a_pass_that_was_never_planned_speaks_for_nothing(
    policy: Callable[..., Policy], evidence: Make
) -> None:
    verdict = judge(policy(required={Tier.SMOKE: (), Tier.FULL: ()}), evidence(plan=()))
    assert told(verdict) == [("hold", "plan", "no check passed, so nothing speaks for promoting")]


def test_no_evidence_at_all_holds(policy: Callable[..., Policy], evidence: Make) -> None:
    verdict = judge(policy(), Evidence(run=evidence().run))
    assert verdict.decision is Decision.HOLD
    assert verdict.reasons[0].text == "the run is incomplete: it never reached its end"


def test_a_trigger_that_fired_rolls_back_and_comes_first(
    policy: Callable[..., Policy], evidence: Make, looks: Callable[..., list[Observation]]
) -> None:
    some = outcomes(evidence(), Outcome.PASSED, Outcome.FAILED)
    seen = [*looks("api", "bad bad bad"), *looks("database", "good")]
    verdict = judge(policy(), evidence(seen, end=ended(evidence(), 1), **some))
    assert verdict.decision is Decision.ROLLBACK
    assert told(verdict) == [
        (
            "rollback",
            "health",
            "health fired: api failed 3 times in a row: answered 500; expected 200",
        ),
        ("hold", "check", "t::check[1] failed"),
    ]


@pytest.mark.parametrize("status", [2, 3, 4, 5, 6, -9, None])
def test_a_run_that_did_not_end_normally_never_rolls_back(
    status: int | None,
    policy: Callable[..., Policy],
    evidence: Make,
    looks: Callable[..., list[Observation]],
) -> None:
    end = None if status is None else ended(evidence(), status)
    verdict = judge(policy(), evidence(looks("api", "bad bad bad"), end=end))
    assert verdict.decision is Decision.HOLD
    assert any(
        reason.text.endswith("(no rollback: the run did not end normally)")
        for reason in verdict.reasons
    )


def test_a_trigger_that_asks_for_a_hold_holds(
    policy: Callable[..., Policy],
    evidence: Make,
    trigger: Callable[..., TriggerRule],
    looks: Callable[..., list[Observation]],
) -> None:
    rule = trigger(action=Action.HOLD)
    verdict = judge(policy(rule), evidence(looks("api", "bad bad bad")))
    assert told(verdict) == [
        (
            "hold",
            "health",
            "health fired: api failed 3 times in a row: answered 500; expected 200 "
            + "(it only holds, and would have rolled back)",
        )
    ]


@pytest.mark.parametrize(
    ("sees", "note"),
    [
        (
            "bad bad bad",
            "health is fired and only notifies, and would have rolled back: api failed 3 ",
        ),
        ("bad bad", "health is suspected and only notifies: api failed 2 of 3 times in a row: "),
        ("unobserved", "health is unobserved and only notifies: api: no route from here"),
    ],
)
def test_a_trigger_that_only_notifies_is_noted_and_does_not_decide(
    sees: str,
    note: str,
    policy: Callable[..., Policy],
    evidence: Make,
    looks: Callable[..., list[Observation]],
) -> None:
    notifies = tuple(replace(rule, action=Action.NOTIFY) for rule in policy().triggers)
    verdict = judge(policy(*notifies), evidence(looks("api", sees)))
    assert verdict.decision is Decision.PROMOTE
    assert len(verdict.notes) == 1
    assert verdict.notes[0].startswith(note)


@pytest.mark.parametrize(
    ("sees", "text"),
    [
        ("bad bad", "health is suspected: api failed 2 of 3 times in a row: answered 500"),
        ("unobserved", "health is unobserved: api: no route from here"),
    ],
)
def test_what_is_not_decided_holds(
    sees: str,
    text: str,
    policy: Callable[..., Policy],
    evidence: Make,
    looks: Callable[..., list[Observation]],
) -> None:
    verdict = judge(policy(), evidence(looks("api", sees)))
    assert verdict.decision is Decision.HOLD
    assert verdict.reasons[0].text.startswith(text)


def test_a_whole_tier_must_observe_what_its_triggers_read(
    policy: Callable[..., Policy], evidence: Make
) -> None:
    assert told(judge(policy(), evidence([]))) == [
        (
            "hold",
            "health",
            "health is unobserved: nothing was observed that it could be judged by",
        )
    ]


def test_a_selection_is_judged_on_what_was_selected(
    policy: Callable[..., Policy], evidence: Make, looks: Callable[..., list[Observation]]
) -> None:
    selected = {"tier": None, "selection": "api"}
    assert judge(policy(), evidence([], **selected)).decision is Decision.PROMOTE
    seen = looks("api", "unobserved")
    assert judge(policy(), evidence(seen, **selected)).decision is Decision.HOLD


def test_a_health_trigger_without_any_health_endpoint_is_not_judged(
    policy: Callable[..., Policy], evidence: Make
) -> None:
    verdict = judge(policy(health_endpoints={}), evidence([]))
    assert verdict.decision is Decision.PROMOTE
    assert verdict.triggers == ()


def test_a_suspected_error_rate_holds(
    policy: Callable[..., Policy],
    evidence: Make,
    trigger: Callable[..., TriggerRule],
    looks: Callable[..., list[Observation]],
) -> None:
    rule = trigger(Sustained(Indicator(IndicatorKind.ERROR), 0.05, 120), name="errors")
    verdict = judge(policy(rule), evidence(looks("api", "bad " * 6 + "good " * 34)))
    assert told(verdict) == [
        (
            "hold",
            "errors",
            "errors is suspected: 6 of 40 (15 %) from 03:00:00 to 03:00:39 UTC against a limit "
            + "of 5 %, by quarters of the period nothing, nothing, 60 %, 0 %; "
            + "not watched for its whole period of 2 minutes",
        )
    ]


@pytest.mark.parametrize(
    "leads",
    [(Action.ROLLBACK, "rollback"), (Action.HOLD, "hold"), (Action.NOTIFY, "promote")],
)
def test_an_error_rate_that_fired_leads_to_its_action(
    leads: tuple[Action, str],
    policy: Callable[..., Policy],
    evidence: Make,
    trigger: Callable[..., TriggerRule],
    looks: Callable[..., list[Observation]],
) -> None:
    action, decision = leads
    condition = Sustained(Indicator(IndicatorKind.ERROR), 0.05, 120)
    rule = trigger(condition, action, name="errors")
    seen = looks("api", "good good bad good " * 31)
    verdict = judge(policy(rule), evidence(seen))
    assert verdict.decision.value == decision
    fired = "30 of 120 (25 %) from 03:00:00 to 03:02:00 UTC against a limit of 5 %"
    assert fired in "".join((*(reason.text for reason in verdict.reasons), *verdict.notes))


@pytest.mark.parametrize("severity", [Severity.WARNING, Severity.INFO])
def test_a_failure_that_only_warns_is_noted_and_does_not_hold(
    severity: Severity, policy: Callable[..., Policy], evidence: Make
) -> None:
    some = outcomes(evidence(), Outcome.PASSED, Outcome.WARNED, message="the page is heavy")
    passed, warned = some["plan"]
    plan = (passed, PlannedCheck(id=warned.id, category="frontend", severity=severity))
    verdict = judge(policy(), evidence(plan=plan, outcomes=some["outcomes"]))
    assert verdict.decision is Decision.PROMOTE
    assert verdict.notes == (f"{severity}: t::check[1]: the page is heavy",)


def test_a_blip_is_noted(
    policy: Callable[..., Policy], evidence: Make, looks: Callable[..., list[Observation]]
) -> None:
    verdict = judge(policy(), evidence(looks("api", "refused good")))
    assert verdict.decision is Decision.PROMOTE
    assert verdict.notes == ("a blip: api failed 1 of 2 attempts: connection refused",)
