"""Laws that hold for all evidence: what may never make a verdict better, or worse."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployment_gate.environment import (
    Action,
    Consecutive,
    Decide,
    Indicator,
    IndicatorKind,
    Policy,
    Sustained,
    TriggerRule,
)
from deployment_gate.evidence import (
    CheckOutcome,
    Evidence,
    Observation,
    ObservationKind,
    Outcome,
    RunEnd,
)
from deployment_gate.judgement import Decision, Verdict, judge

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
NO_PASSES = [outcome for outcome in Outcome if outcome not in {Outcome.PASSED, Outcome.FLAKY}]

BADNESS = [Decision.PROMOTE, Decision.HOLD, Decision.ROLLBACK]
CONDITIONS = st.one_of(
    st.builds(Consecutive, st.just(Indicator(IndicatorKind.HEALTH)), st.integers(1, 4)),
    st.builds(
        Sustained,
        st.sampled_from([Indicator(IndicatorKind.ERROR), Indicator(IndicatorKind.SLOW, 0.5)]),
        st.sampled_from([0.01, 0.05, 0.5]),
        st.sampled_from([4.0, 120.0]),  # seconds, of which a stream lasts up to ten
    ),
)
RULES = st.lists(st.tuples(CONDITIONS, st.sampled_from(Action)), min_size=1, max_size=3)
SIGHTS = st.sampled_from(["good", "bad", "refused", "unobserved"])
SUBJECTS = st.sampled_from(["api", "database"])
STREAMS = st.lists(st.tuples(SUBJECTS, SIGHTS, st.sampled_from([0.1, 0.9])), max_size=10)
STATUSES = st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5, 6])
# The fixtures only make values; they hold nothing that one example could leave to the next.
examples = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

Stream = list[tuple[str, str, float]]
Rules = list[tuple[Consecutive | Sustained, Action]]
Observe = Callable[[Stream], list[Observation]]
Judge = Callable[..., Verdict]
Law = Callable[..., Decision]


@pytest.fixture
def observed(look: Callable[..., Observation]) -> Callable[[Stream], list[Observation]]:
    """Make a stream's observations, a second apart."""

    def observed(stream: Stream) -> list[Observation]:
        return [
            look(subject, sees, second=second, duration_s=duration_s)
            for second, (subject, sees, duration_s) in enumerate(stream)
        ]

    return observed


@pytest.fixture
def judged(
    policy: Callable[..., Policy],
    evidence: Callable[..., Evidence],
    trigger: Callable[..., TriggerRule],
) -> Callable[..., Verdict]:
    """Judge observations by rules; the run's only check passed, unless said otherwise."""

    def judged(
        observations: list[Observation], rules: Rules, status: int = 0, **changes: Any
    ) -> Verdict:
        triggers = [
            # Of both kinds of deciding; for attempts in a row it makes no difference.
            trigger(
                condition, action, name=f"rule {number}", samples=1, decide=[*Decide][number % 2]
            )
            for number, (condition, action) in enumerate(rules)
        ]
        some = evidence(observations, **changes)
        if "end" not in changes:
            some = replace(some, end=RunEnd(at=some.run.started, exit_status=status))
        return judge(policy(*triggers), some)

    return judged


@pytest.fixture
def law(observed: Observe, judged: Judge) -> Law:
    """Decide on a stream by rules."""

    def law(stream: Stream, rules: Rules, status: int = 0, **changes: Any) -> Decision:
        return judged(observed(stream), rules, status, **changes).decision

    return law


def badness(decision: Decision) -> int:
    """How bad a decision is."""
    return BADNESS.index(decision)


@examples
@given(stream=STREAMS, rules=RULES, status=STATUSES)
def test_the_same_arguments_always_give_the_same_verdict(
    stream: Stream, rules: Rules, status: int, observed: Observe, judged: Judge
) -> None:
    assert judged(observed(stream), rules, status) == judged(observed(stream), rules, status)


@examples
@given(
    before=STREAMS,
    answered=st.tuples(SUBJECTS, st.sampled_from(["bad", "refused"]), st.just(0.9)),
    after=STREAMS,
    rules=RULES,
)
def test_a_good_answer_in_place_of_a_bad_one_never_makes_the_verdict_worse(
    before: Stream, answered: tuple[str, str, float], after: Stream, rules: Rules, law: Law
) -> None:
    bad, good = (
        law([*before, one, *after], rules) for one in (answered, (answered[0], "good", 0.1))
    )
    assert badness(good) <= badness(bad)


@examples
@given(stream=STREAMS, rules=RULES)
def test_what_was_not_observed_never_rolls_back(stream: Stream, rules: Rules, law: Law) -> None:
    harmless = [
        (subject, sees if sees == "good" else "unobserved", 0.1) for subject, sees, _ in stream
    ]
    assert law(harmless, rules) is not Decision.ROLLBACK


@examples
@given(stream=STREAMS, rules=RULES)
def test_what_was_seen_while_a_control_failed_never_rolls_back_and_never_promotes_what_is_bad(
    stream: Stream, rules: Rules, observed: Observe, judged: Judge, look: Callable[..., Observation]
) -> None:
    control = look("status", "refused", second=99, kind=ObservationKind.CONTROL)
    blind = judged([*observed(stream), control], rules).decision
    assert blind is not Decision.ROLLBACK
    # Attempts in a row may be cleared by a good one after them.
    shares = [
        (condition, action) for condition, action in rules if isinstance(condition, Sustained)
    ]
    if shares:
        seeing = judged(observed(stream), shares).decision
        blind = judged([*observed(stream), control], shares).decision
        assert badness(blind) >= min(1, badness(seeing))


@examples
@given(stream=STREAMS, rules=RULES, subject=SUBJECTS)
def test_an_unobserved_look_more_never_makes_the_verdict_better(
    stream: Stream, rules: Rules, subject: str, law: Law
) -> None:
    more = [*stream, (subject, "unobserved", 0.1)]
    assert badness(law(more, rules)) >= badness(law(stream, rules))


@examples
@given(stream=STREAMS, rules=RULES, status=STATUSES, outcome=st.sampled_from(NO_PASSES))
def test_nothing_promotes_without_a_check_that_passed(
    stream: Stream, rules: Rules, status: int, outcome: Outcome, law: Law
) -> None:
    ended = CheckOutcome(id="t::health", outcome=outcome, at=START, duration_s=0.1)
    assert law(stream, rules, status, outcomes=(ended,)) is not Decision.PROMOTE


@examples
@given(stream=STREAMS, rules=RULES)
def test_leaving_out_any_part_of_the_evidence_never_promotes(
    stream: Stream, rules: Rules, law: Law
) -> None:
    assert law(stream, rules, end=None) is Decision.HOLD
    assert law(stream, rules, outcomes=()) is not Decision.PROMOTE
    assert law(stream, rules, plan=()) is not Decision.PROMOTE


@examples
@given(rounds=st.lists(st.tuples(SIGHTS, SIGHTS), max_size=8), rules=RULES, order=st.randoms())
def test_the_order_of_what_different_subjects_showed_at_one_moment_does_not_matter(
    rounds: list[tuple[str, str]],
    rules: Rules,
    order: Random,
    look: Callable[..., Observation],
    judged: Judge,
) -> None:
    seen = [
        [look("api", first, second=second), look("database", other, second=second)]
        for second, (first, other) in enumerate(rounds)
    ]
    shuffled = [order.sample(both, k=2) for both in seen]
    verdicts = [judged([one for both in way for one in both], rules) for way in (seen, shuffled)]
    assert verdicts[0].decision is verdicts[1].decision
    states = [[trigger.state for trigger in verdict.triggers] for verdict in verdicts]
    assert states[0] == states[1]


@examples
@given(stream=STREAMS, rules=RULES, status=STATUSES)
def test_the_worst_reason_decides_and_comes_first(
    stream: Stream, rules: Rules, status: int, observed: Observe, judged: Judge
) -> None:
    verdict = judged(observed(stream), rules, status)
    decisions = [reason.decision for reason in verdict.reasons]
    assert decisions == sorted(decisions, key=badness, reverse=True)
    assert verdict.decision is (decisions[0] if decisions else Decision.PROMOTE)


def test_observations_of_requests_do_not_change_what_health_says(
    judged: Judge, look: Callable[..., Observation]
) -> None:
    requests = [look("api", "bad", kind=ObservationKind.REQUEST) for _ in range(3)]
    rules = [(Consecutive(Indicator(IndicatorKind.HEALTH), 3), Action.ROLLBACK)]
    assert judged([look(), *requests], rules).decision is Decision.PROMOTE
