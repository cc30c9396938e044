"""What findings come to: they hold, warn or are accepted, by the policy that judges now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.environment import (
    Action,
    Category,
    Consecutive,
    HoldsFrom,
    Indicator,
    IndicatorKind,
    Policy,
    Tier,
    TriggerRule,
    WaiverRule,
)
from deployment_gate.evidence import (
    CheckOutcome,
    Evidence,
    Finding,
    FindingSeverity,
    Observation,
    ObservationKind,
    Outcome,
    PlannedCheck,
    RunEnd,
    Severity,
)
from deployment_gate.judgement import Decision, Standing, TriggerState, Verdict, judge, weigh
from tests.judgement.conftest import START

CHECK = "validation/security/test_a.py::test_a"
OTHER = "validation/security/test_a.py::test_b"
TODAY = START.date()


def found(
    severity: FindingSeverity = FindingSeverity.HIGH,
    *places: str,
    rule: str = "no-limit",
    **changes: Any,
) -> Finding:
    """A finding at two places, unless said otherwise."""
    usual = Finding(
        rule=rule,
        severity=severity,
        title="Nothing limits it",
        detail="30 of 30 were answered",
        places=places or ("api GET /a", "web GET /b"),
        source="OWASP ASVS 5.0, 6.3.1",
        remedy="Limit it.",
        at=START,
        check=CHECK,
    )
    return replace(usual, **changes)


def waiver(
    finding: str = "no-limit", place: str = "*", *, days: int = 30, owner: str = "Ada"
) -> WaiverRule:
    """A waiver of findings that holds for so many days."""
    return WaiverRule(
        check="",
        finding=finding,
        place=place,
        reason="issue 12",
        owner=owner,
        expires=TODAY + timedelta(days=days),
    )


def attempt(error: str | None, second: float = 0) -> Observation:
    """An attempt at the check."""
    return Observation(
        at=START + timedelta(seconds=second),
        kind=ObservationKind.CHECK,
        subject=CHECK,
        duration_s=0.1,
        error=error,
        check=CHECK,
    )


TWICE = TriggerRule(
    name="security_breach",
    condition=Consecutive(Indicator(IndicatorKind.CHECK, category=Category.SECURITY), 2),
    action=Action.ROLLBACK,
    timeout_s=60,
    interval_s=1,
    samples=30,
    confidence=0.95,
    over=None,  # type: ignore[arg-type]  # of a share alone
    phrase="Security check fails for 2 consecutive attempts",
    source="here.yaml:1",
)


@pytest.fixture
def seen(
    evidence: Callable[..., Evidence], look: Callable[..., Observation]
) -> Callable[..., Evidence]:
    """Make the evidence of a full run with a check of security and what it found."""

    def seen(
        outcome: Outcome,
        *findings: Finding,
        message: str | None = None,
        severity: Severity = Severity.CRITICAL,
        attempts: Iterable[Observation] = (),
        **changes: Any,
    ) -> Evidence:
        first = findings[0].sentence if findings else ""
        is_red = outcome in {Outcome.FAILED, Outcome.ERROR}
        known: dict[str, Any] = {
            "tier": "full",
            "plan": (
                PlannedCheck(id="t::health", category="health", subject="api"),
                PlannedCheck(id=CHECK, category="security", severity=severity),
                PlannedCheck(id=OTHER, category="security"),
            ),
            "outcomes": (
                CheckOutcome(id="t::health", outcome=Outcome.PASSED, at=START, duration_s=1),
                CheckOutcome(
                    id=CHECK,
                    outcome=outcome,
                    at=START,
                    duration_s=1,
                    message=first if message is None else message,
                ),
                CheckOutcome(id=OTHER, outcome=Outcome.PASSED, at=START, duration_s=1),
            ),
            "findings": findings,
            "observations": (look("api"), look("database"), *attempts),
            "end": RunEnd(at=START + timedelta(minutes=1), exit_status=int(is_red)),
            **changes,
        }
        return evidence(**known)

    return seen


@pytest.fixture
def judged(policy: Callable[..., Policy]) -> Callable[..., Verdict]:
    """Judge evidence by a policy with such waivers and the trigger on checks of security."""

    def judged(evidence: Evidence, *waivers: WaiverRule, **changes: Any) -> Verdict:
        health = policy().triggers
        return judge(policy(*health, TWICE, waivers=waivers, **changes), evidence)

    return judged


def state_of(verdict: Verdict) -> TriggerState:
    """What became of the trigger on checks of security."""
    (state,) = [one.state for one in verdict.triggers if one.name == TWICE.name]
    return state


@pytest.mark.parametrize(
    ("severity", "line", "standing"),
    [
        (FindingSeverity.CRITICAL, HoldsFrom.CRITICAL, Standing.HOLDS),
        (FindingSeverity.HIGH, HoldsFrom.CRITICAL, Standing.WARNS),
        (FindingSeverity.MEDIUM, HoldsFrom.MEDIUM, Standing.HOLDS),
        (FindingSeverity.LOW, HoldsFrom.MEDIUM, Standing.WARNS),
        (FindingSeverity.LOW, HoldsFrom.LOW, Standing.HOLDS),
        (FindingSeverity.INFO, HoldsFrom.LOW, Standing.WARNS),
    ],
)
def test_a_finding_holds_from_the_severity_on_that_the_policy_says(
    policy: Callable[..., Policy], severity: FindingSeverity, line: HoldsFrom, standing: Standing
) -> None:
    (one,) = weigh(policy(holds_from=line), [found(severity)], TODAY)
    assert one.standing is standing


PLACES = ("api GET /a", "api GET /b", "web GET /c")
PATTERNS = ("api GET /a", "api *", "web GET /?", "*", "web GET /d")


@given(
    places=st.lists(st.sampled_from(PLACES), unique=True),
    waivers=st.lists(
        st.builds(
            waiver,
            st.sampled_from(
                ["no-limit", "other", found(FindingSeverity.HIGH, *PLACES).fingerprint]
            ),
            st.sampled_from(PATTERNS),
            days=st.integers(-2, 2),
        ),
        max_size=4,
    ),
)
def test_a_finding_is_accepted_where_each_place_is(
    places: list[str], waivers: list[WaiverRule]
) -> None:
    bare = Policy(triggers=(), health_endpoints={}, identities={}, required=dict.fromkeys(Tier, ()))
    one = replace(found(), places=tuple(places))
    (told,) = weigh(replace(bare, waivers=tuple(waivers)), [one], TODAY)
    # As somebody would do it by hand who has the list of waivers.
    names = {"no-limit", one.fingerprint}
    covered = {
        place
        for place in places or [""]
        for each in waivers
        if each.finding in names
        and each.expires >= TODAY
        and (
            each.place in {"*", place}
            or (each.place == "api *" and place.startswith("api "))
            or (each.place == "web GET /?" and place == "web GET /c")
        )
    }
    assert (told.standing is Standing.WAIVED) == (covered == set(places or [""]))
    assert set(told.accepted.open) == set(places or [""]) - covered
    assert {place for part in told.accepted.by for place in part.places} == covered


def test_the_worst_comes_first_and_what_is_accepted_last(policy: Callable[..., Policy]) -> None:
    findings = [
        found(FindingSeverity.LOW, rule="low"),
        found(FindingSeverity.CRITICAL, rule="waived"),
        found(FindingSeverity.HIGH, rule="high"),
        found(FindingSeverity.CRITICAL, rule="critical"),
    ]
    told = weigh(policy(waivers=(waiver("waived"),)), findings, TODAY)
    assert [one.finding.rule for one in told] == ["critical", "high", "low", "waived"]


def test_a_check_that_failed_of_findings_that_are_waived_now_is_accepted(
    seen: Callable[..., Evidence], judged: Callable[..., Verdict]
) -> None:
    evidence = seen(Outcome.FAILED, found())
    assert judged(evidence).decision is Decision.HOLD
    again = judged(evidence, waiver())
    assert again.decision is Decision.PROMOTE, again.reasons
    (note,) = again.notes
    assert note == (
        f"waived until {TODAY + timedelta(days=30)} by Ada (issue 12): {CHECK}: "
        "high: Nothing limits it: 30 of 30 were answered [no-limit]"
    )
    assert [one.standing for one in again.findings] == [Standing.WAIVED]


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        (Outcome.FAILED, "the page did not load"),
        (Outcome.FAILED, "not observed: answered 429"),
        (Outcome.ERROR, None),
        (Outcome.SKIPPED, "not today"),
    ],
)
def test_one_that_failed_otherwise_is_not_excused_by_its_findings(
    seen: Callable[..., Evidence],
    judged: Callable[..., Verdict],
    outcome: Outcome,
    message: str | None,
) -> None:
    again = judged(seen(outcome, found(), message=message), waiver())
    assert again.decision is Decision.HOLD
    assert CHECK in again.reasons[0].text


@pytest.mark.parametrize("outcome", [Outcome.WARNED, Outcome.PASSED])
def test_a_finding_that_was_accepted_and_isnt_any_more_holds(
    seen: Callable[..., Evidence], judged: Callable[..., Verdict], outcome: Outcome
) -> None:
    again = judged(seen(outcome, found(), message="waived until then"))
    assert again.decision is Decision.HOLD
    assert again.reasons[0].text == (
        f"{CHECK} found what isn't accepted: "
        "high: Nothing limits it: 30 of 30 were answered [no-limit]"
    )


def test_a_policy_that_holds_from_a_higher_severity_on_lets_the_failure_pass_with_a_warning(
    seen: Callable[..., Evidence], judged: Callable[..., Verdict]
) -> None:
    again = judged(seen(Outcome.FAILED, found()), holds_from=HoldsFrom.CRITICAL)
    assert again.decision is Decision.PROMOTE
    assert again.notes[0].startswith(f"warning: {CHECK}: high: Nothing limits it")


def test_of_several_findings_each_must_be_accepted(
    seen: Callable[..., Evidence], judged: Callable[..., Verdict]
) -> None:
    evidence = seen(
        Outcome.FAILED, found(), found(rule="one"), found(FindingSeverity.LOW, rule="low")
    )
    again = judged(evidence, waiver())
    (reason,) = again.reasons
    assert reason.text == f"{CHECK} failed: {found(rule='one').sentence}"
    assert [note.partition(":")[0] for note in again.notes] == [
        "warning",
        f"waived until {TODAY + timedelta(days=30)} by Ada (issue 12)",
    ]
    assert "and 1 more finding" in judged(evidence).reasons[0].text


def test_a_finding_that_is_waived_at_some_of_its_places_holds_and_tells_where(
    seen: Callable[..., Evidence], judged: Callable[..., Verdict]
) -> None:
    evidence = seen(Outcome.FAILED, found())
    again = judged(evidence, waiver(place="api *"))
    (reason,) = again.reasons
    day = TODAY + timedelta(days=30)
    assert reason.text.endswith(
        f"[no-limit] (waived at api GET /a until {day} by Ada (issue 12); not at web GET /b)"
    )
    both = judged(evidence, waiver(place="api *"), waiver(place="web *", owner="Bob"))
    assert both.decision is Decision.PROMOTE
    assert f"until {day} by Ada (issue 12); until {day} by Bob (issue 12)" in both.notes[0]


def test_a_waiver_that_is_over_is_told_with_the_failure(
    seen: Callable[..., Evidence], judged: Callable[..., Verdict]
) -> None:
    (reason,) = judged(seen(Outcome.FAILED, found()), waiver(days=-1)).reasons
    assert reason.text.endswith("(its waiver expired on 2026-11-22; Ada sees to it)")
    assert date(2026, 11, 22) == TODAY - timedelta(days=1)


def test_a_waiver_of_the_check_itself_accepts_what_it_found(
    seen: Callable[..., Evidence], judged: Callable[..., Verdict]
) -> None:
    whole = WaiverRule(CHECK, "issue 12", "Ada", TODAY)
    for outcome in (Outcome.FAILED, Outcome.WAIVED, Outcome.WARNED):
        again = judged(seen(outcome, found(FindingSeverity.CRITICAL)), whole)
        assert again.decision is Decision.PROMOTE, outcome
        assert [one.standing for one in again.findings] == [Standing.WAIVED]


def test_a_check_that_only_warns_only_warns_of_what_it_found(
    seen: Callable[..., Evidence], judged: Callable[..., Verdict]
) -> None:
    again = judged(seen(Outcome.WARNED, found(), severity=Severity.WARNING))
    assert again.decision is Decision.PROMOTE


def test_what_only_an_earlier_attempt_found_only_warns(
    seen: Callable[..., Evidence], judged: Callable[..., Verdict]
) -> None:
    again = judged(seen(Outcome.FLAKY, found(), message="failed 1 of 2 attempts"))
    assert again.decision is Decision.PROMOTE


@pytest.mark.parametrize(
    ("severity", "times", "state"),
    [
        (FindingSeverity.CRITICAL, 2, TriggerState.FIRED),
        (FindingSeverity.CRITICAL, 1, TriggerState.SUSPECTED),
        (FindingSeverity.HIGH, 2, TriggerState.CLEAR),
        (FindingSeverity.LOW, 2, TriggerState.CLEAR),
    ],
)
def test_a_trigger_counts_critical_findings_alone(
    seen: Callable[..., Evidence],
    judged: Callable[..., Verdict],
    severity: FindingSeverity,
    times: int,
    state: TriggerState,
) -> None:
    one = found(severity)
    attempts = [attempt(one.sentence, second) for second in range(times)]
    evidence = seen(Outcome.FAILED, one, attempts=attempts)
    assert state_of(judged(evidence)) is state


def test_a_critical_finding_that_is_accepted_now_fires_no_trigger(
    seen: Callable[..., Evidence], judged: Callable[..., Verdict]
) -> None:
    one = found(FindingSeverity.CRITICAL)
    attempts = [attempt(one.sentence, second) for second in range(2)]
    evidence = seen(Outcome.FAILED, one, attempts=attempts)
    assert judged(evidence).decision is Decision.ROLLBACK
    again = judged(evidence, waiver())
    assert state_of(again) is TriggerState.CLEAR
    assert again.decision is Decision.PROMOTE


def test_what_else_a_check_failed_of_is_still_counted_beside_accepted_findings(
    seen: Callable[..., Evidence], judged: Callable[..., Verdict]
) -> None:
    attempts = [attempt("a stranger was let in", second) for second in range(2)]
    evidence = seen(
        Outcome.FAILED,
        found(FindingSeverity.LOW),
        message="a stranger was let in",
        attempts=attempts,
    )
    assert state_of(judged(evidence)) is TriggerState.FIRED


def test_a_critical_finding_that_was_accepted_and_isnt_any_more_is_suspected(
    seen: Callable[..., Evidence], judged: Callable[..., Verdict]
) -> None:
    evidence = seen(Outcome.WARNED, found(FindingSeverity.CRITICAL), message="waived")
    assert state_of(judged(evidence, waiver())) is TriggerState.CLEAR
    assert state_of(judged(evidence)) is TriggerState.SUSPECTED


@pytest.mark.parametrize(
    ("outcome", "message", "is_told"),
    [
        (Outcome.PASSED, "", True),
        (Outcome.FAILED, None, True),
        (Outcome.FAILED, "not observed: too slow", False),
        (Outcome.NOT_RUN, "health has fired", False),
    ],
)
def test_a_waiver_of_a_finding_that_is_gone_is_told_once_all_was_looked_at(
    seen: Callable[..., Evidence],
    judged: Callable[..., Verdict],
    outcome: Outcome,
    message: str | None,
    is_told: bool,  # noqa: FBT001  # a case
) -> None:
    evidence = seen(outcome, found(), message=message)
    notes = judged(evidence, waiver(), waiver("gone", "api *"), waiver(place="api GET /z")).notes
    told = "the waiver of gone at api * (Ada) is about no finding any more"
    assert (told in notes) == is_told
    elsewhere = "the waiver of no-limit at api GET /z (Ada) is about no finding any more"
    assert (elsewhere in notes) == is_told
    assert not any(note.startswith("the waiver of no-limit (") for note in notes)


def test_a_smoke_run_says_nothing_of_waivers_of_what_it_doesnt_look_at(
    seen: Callable[..., Evidence], judged: Callable[..., Verdict]
) -> None:
    evidence = seen(Outcome.PASSED, tier="smoke")
    assert not any("gone" in note for note in judged(evidence, waiver("gone")).notes)
