"""Checks that count for triggers, are waived, flaky, not run, or failed before the deploy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from deployment_gate.environment import (
    Action,
    Consecutive,
    Indicator,
    IndicatorKind,
    Policy,
    TriggerRule,
    WaiverRule,
)
from deployment_gate.evidence import (
    Baseline,
    CheckOutcome,
    Evidence,
    Observation,
    ObservationKind,
    Outcome,
    PlannedCheck,
    Severity,
)
from deployment_gate.judgement import Decision, baseline_of, judge, trigger_of_check

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
SEARCH = "validation/api/test_search.py::test_it[en]"
TWICE = Consecutive(Indicator(IndicatorKind.CHECK, category="api"), 2)
MARKED = Consecutive(Indicator(IndicatorKind.CHECK), 2)
WAIVER = WaiverRule("validation/api/test_search.py::*", "issue 12", "Ada", date(2026, 11, 23))
BEFORE = Baseline(run="0", at=START)

Make = Callable[..., Evidence]
Look = Callable[..., Observation]


@pytest.fixture
def searched(evidence: Make) -> Make:
    """Make the evidence of a run whose check of the search ended in some way."""

    def searched(
        outcome: Outcome, *observations: Observation, message: str = "no hit", **changes: Any
    ) -> Evidence:
        some = evidence()
        check = {name: changes.pop(name) for name in ("trigger", "severity") if name in changes}
        return replace(
            some,
            plan=(*some.plan, PlannedCheck(id=SEARCH, category="api", **check)),
            outcomes=(
                *some.outcomes,
                CheckOutcome(id=SEARCH, outcome=outcome, at=START, duration_s=1, message=message),
            ),
            observations=(*some.observations, *observations),
            **changes,
        )

    return searched


def attempts(look: Look, *sees: str) -> list[Observation]:
    """Attempts at the check of the search."""
    kinds = {"good": {}, "bad": {"error": "no hit"}, "unobserved": {"unobserved": "no route"}}
    return [
        replace(look(SEARCH, second=second, kind=ObservationKind.CHECK), status=None, **kinds[one])
        for second, one in enumerate(sees)
    ]


@pytest.mark.parametrize(
    "end",
    [
        (["bad", "bad"], "rollback", f"api fired: {SEARCH} failed 2 times in a row: no hit"),
        (["bad"], "hold", f"api is suspected: {SEARCH} failed 1 of 2 times in a row: no hit"),
        (["unobserved"], "hold", f"api is unobserved: {SEARCH}: no route"),
        (["bad", "unobserved"], "hold", "is suspected"),
        ([], "hold", "api is unobserved"),
    ],
)
def test_a_failing_check_counts_for_the_trigger_of_its_category(
    end: tuple[list[str], str, str],
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    searched: Make,
    look: Look,
) -> None:
    sees, decision, said = end
    rules = trigger(), trigger(TWICE, name="api")
    verdict = judge(policy(*rules), searched(Outcome.FAILED, *attempts(look, *sees)))
    assert verdict.decision.value == decision
    assert said in verdict.reasons[0].text


def test_a_check_counts_for_the_trigger_that_its_marker_names_instead(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    searched: Make,
    look: Look,
) -> None:
    rules = trigger(TWICE, name="api"), trigger(MARKED, name="search", action=Action.HOLD)
    some = searched(Outcome.FAILED, *attempts(look, "bad", "bad"), trigger="search")
    verdict = judge(policy(*rules), some)
    assert verdict.decision is Decision.HOLD
    assert [(one.name, one.state.value) for one in verdict.triggers] == [("search", "fired")]


def test_what_maps_to_no_trigger_holds_and_never_rolls_back(
    policy: Callable[..., Policy], searched: Make, look: Look
) -> None:
    verdict = judge(policy(), searched(Outcome.FAILED, *attempts(look, *["bad"] * 9)))
    assert verdict.decision is Decision.HOLD
    assert [reason.text for reason in verdict.reasons] == [f"{SEARCH} failed: no hit"]


def test_a_check_that_only_warns_counts_for_no_trigger_of_its_category(
    policy: Callable[..., Policy], trigger: Callable[..., TriggerRule]
) -> None:
    warns = PlannedCheck(id=SEARCH, category="api", severity=Severity.WARNING)
    rules = policy(trigger(TWICE, name="api"), trigger(MARKED, name="search"))
    assert trigger_of_check(rules, warns) is None
    named = trigger_of_check(rules, replace(warns, trigger="search"))
    assert named
    assert named.name == "search"


def test_a_flaky_check_passes_and_is_shown_unless_the_environment_says_that_it_holds(
    policy: Callable[..., Policy], searched: Make
) -> None:
    some = searched(Outcome.FLAKY, message="failed 1 of 2 attempts: no hit")
    passes = judge(policy(), some)
    assert passes.decision is Decision.PROMOTE
    assert passes.notes == (f"flaky: {SEARCH}: failed 1 of 2 attempts: no hit",)
    holds = judge(policy(flaky_checks_hold=True), some)
    assert holds.decision is Decision.HOLD
    assert "is flaky, which holds here" in holds.reasons[0].text


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.WAIVED, Outcome.SKIPPED])
def test_a_waived_failure_is_shown_and_does_not_hold(
    outcome: Outcome, policy: Callable[..., Policy], searched: Make, look: Look
) -> None:
    some = searched(outcome, *attempts(look, "bad", "bad"))
    verdict = judge(policy(waivers=(WAIVER,)), some)
    assert verdict.decision is Decision.PROMOTE
    assert verdict.notes == (f"waived until 2026-11-23 by Ada (issue 12): {SEARCH}: no hit",)


def test_a_waived_failure_fires_nothing(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    searched: Make,
    look: Look,
) -> None:
    rules = trigger(), trigger(TWICE, name="api")
    some = searched(Outcome.WAIVED, *attempts(look, "bad", "bad"))
    assert judge(policy(*rules), some).decision is Decision.ROLLBACK
    waived = judge(policy(*rules, waivers=(WAIVER,)), some)
    assert [trigger.state.value for trigger in waived.triggers] == ["clear"]


def test_an_expired_waiver_holds_and_says_whose_it_was(
    policy: Callable[..., Policy], searched: Make
) -> None:
    expired = replace(WAIVER, expires=date(2026, 11, 22))
    verdict = judge(policy(waivers=(expired,)), searched(Outcome.WAIVED))
    assert verdict.decision is Decision.HOLD
    assert verdict.reasons[0].text == (
        f"{SEARCH} failed (its waiver expired on 2026-11-22; Ada sees to it): no hit"
    )


def test_health_cannot_be_waived(policy: Callable[..., Policy], evidence: Make) -> None:
    everything = replace(WAIVER, check="*")
    some = evidence()
    failed = replace(some.outcomes[0], outcome=Outcome.FAILED)
    verdict = judge(policy(waivers=(everything,)), replace(some, outcomes=(failed,)))
    assert verdict.decision is Decision.HOLD


def test_release_identity_cannot_be_waived(policy: Callable[..., Policy], evidence: Make) -> None:
    rules = policy(waivers=(replace(WAIVER, check="*"),), identities={"api": 1})
    verdict = judge(rules, evidence(release="1.5.0"))
    assert [reason.rule for reason in verdict.reasons] == ["release"]


def test_what_was_not_run_is_told_once_with_its_reason(
    policy: Callable[..., Policy], searched: Make
) -> None:
    verdict = judge(policy(), searched(Outcome.NOT_RUN, message="health has fired"))
    assert [reason.text for reason in verdict.reasons] == [
        "1 check of api not run: health has fired"
    ]


def test_a_check_that_failed_before_the_deploy_fires_nothing_and_holds_as_pre_existing(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    searched: Make,
    look: Look,
) -> None:
    some = searched(
        Outcome.FAILED, *attempts(look, "bad", "bad"), before=replace(BEFORE, failed=(SEARCH,))
    )
    verdict = judge(policy(trigger(), trigger(TWICE, name="api")), some)
    assert verdict.decision is Decision.HOLD
    assert any(
        f"{SEARCH} failed (pre-existing: it did in run 0 before the deploy, too)" in reason.text
        for reason in verdict.reasons
    )


def test_an_endpoint_that_was_unwell_before_the_deploy_does_not_fire(
    policy: Callable[..., Policy], evidence: Make, looks: Callable[..., list[Observation]]
) -> None:
    seen = [*looks("api", "bad bad bad"), *looks("database", "good")]
    assert judge(policy(), evidence(seen)).decision is Decision.ROLLBACK
    before = replace(BEFORE, unwell=("api",))
    verdict = judge(policy(), evidence(seen, before=before))
    assert verdict.triggers[0].state.value == "clear"
    assert "pre-existing: api failed before the deploy (run 0)" in verdict.notes


def test_no_error_before_and_some_after_is_said(
    policy: Callable[..., Policy], evidence: Make, look: Look
) -> None:
    seen = [
        *evidence().observations,
        *(look("GET /", sees, kind=ObservationKind.REQUEST) for sees in ("bad", "good")),
    ]
    before = replace(BEFORE, answers=120)
    assert judge(policy(), evidence(seen, before=before)).notes == (
        "no errors in 120 answers before the deploy (run 0), 1 in 2 after it",
    )
    assert judge(policy(), evidence(before=before)).notes == ()


def test_a_baseline_holds_what_was_unwell_at_the_end(
    policy: Callable[..., Policy], searched: Make, look: Look
) -> None:
    request = look("GET /", "bad", kind=ObservationKind.REQUEST)
    some = searched(Outcome.FAILED, look("api", "bad", second=5), request)
    assert baseline_of(policy(), some) == Baseline(
        run="1",
        at=some.end.at if some.end else START,
        failed=(SEARCH,),
        unwell=("api",),
        answers=1,
        errors=1,
    )
