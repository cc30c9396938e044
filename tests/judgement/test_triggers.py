"""Triggers: three bad ones in a row, or surely more than a share of them."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployment_gate.environment import (
    Action,
    Consecutive,
    Indicator,
    IndicatorKind,
    Over,
    Policy,
    Sustained,
    TriggerRule,
)
from deployment_gate.evidence import Evidence, Observation, ObservationKind, Run
from deployment_gate.judgement import TriggerResult, TriggerState, judge_trigger, suspicions

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
HEALTH = Indicator(IndicatorKind.HEALTH)
ERRORS = Indicator(IndicatorKind.ERROR)
SLOW = Indicator(IndicatorKind.SLOW, 0.5)

STREAMS = st.lists(
    st.tuples(
        st.sampled_from(["api", "database"]),
        st.sampled_from(["good", "bad", "bad", "refused", "unobserved"]),
    ),
    max_size=14,
)
# The fixtures only make values; they hold nothing that one example could leave to the next.
examples = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def seen(observations: Iterable[Observation]) -> Evidence:
    """The evidence of a run that saw this, and carried out no check."""
    run = Run(id="1", environment="here", started=START)
    return Evidence(run=run, observations=tuple(observations))


def judged(rule: TriggerRule, observations: Iterable[Observation], policy: Policy) -> TriggerResult:
    """What a rule says of observations alone."""
    return judge_trigger(rule, policy, seen(observations))


def letters(stream: Iterable[tuple[str, str]], subject: str) -> str:
    """One subject's stream: + for good, - for bad, and nothing for what wasn't observed."""
    signs = {"good": "+", "bad": "-", "refused": "-", "unobserved": ""}
    return "".join(signs[sees] for whose, sees in stream if whose == subject)


@examples
@given(stream=STREAMS, count=st.integers(1, 5))
def test_the_rule_for_consecutive_ones_agrees_with_reading_the_stream_as_text(
    stream: list[tuple[str, str]],
    count: int,
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    look: Callable[..., Observation],
) -> None:
    observations = [look(*one, second=second) for second, one in enumerate(stream)]
    result = judged(trigger(Consecutive(HEALTH, count)), observations, policy())
    texts = {subject: letters(stream, subject) for subject in dict(stream)}
    last = dict(stream)
    if any("-" * count in text for text in texts.values()):
        expected = TriggerState.FIRED
    elif any(text.endswith("-") for text in texts.values()):
        expected = TriggerState.SUSPECTED
    elif not texts or "unobserved" in last.values():
        expected = TriggerState.UNOBSERVED
    else:
        expected = TriggerState.CLEAR
    assert result.state is expected
    assert result.bad == sum(text.count("-") for text in texts.values())
    assert result.total == sum(map(len, texts.values()))
    assert result.unobserved == len(stream) - result.total
    suspects = {
        subject for subject, text in texts.items() if text.endswith("-") and "-" * count not in text
    }
    suspected = suspicions(policy(trigger(Consecutive(HEALTH, count))), seen(observations))
    assert [one.subjects for one in suspected] == (
        [suspects] if suspects and expected is TriggerState.SUSPECTED else []
    )


@pytest.mark.parametrize(
    ("sees", "state"),
    [
        ("bad bad", "suspected"),
        ("bad bad bad", "fired"),
        ("good bad bad bad", "fired"),
        ("bad bad bad good good", "fired"),
        ("bad bad good bad bad", "suspected"),
        ("bad bad unobserved bad", "fired"),
        ("bad bad unobserved unobserved", "suspected"),
        ("bad unobserved good unobserved bad bad", "suspected"),
        ("good", "clear"),
        ("bad bad good", "clear"),
        ("unobserved good", "clear"),
        ("good unobserved", "unobserved"),
        ("unobserved unobserved unobserved", "unobserved"),
        ("refused bad refused", "fired"),
    ],
)
def test_the_third_bad_one_in_a_row_fires_and_only_a_good_one_resets(
    sees: str,
    state: str,
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    looks: Callable[..., list[Observation]],
) -> None:
    assert judged(trigger(), looks("api", sees), policy()).state.value == state


def test_failures_of_different_subjects_do_not_add_up(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    looks: Callable[..., list[Observation]],
) -> None:
    observations = [*looks("api", "bad bad"), *looks("database", "bad bad")]
    result = judged(trigger(), observations, policy())
    assert result.state is TriggerState.SUSPECTED
    assert result.why == (
        "api failed 2 of 3 times in a row: answered 500; expected 200; "
        "database failed 2 of 3 times in a row: answered 500; expected 200"
    )


def test_a_trigger_that_fired_says_who_failed_how_often_and_why(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    looks: Callable[..., list[Observation]],
) -> None:
    observations = [*looks("api", "good good"), *looks("database", "bad bad refused")]
    result = judged(trigger(name="health check"), observations, policy())
    assert result.why == "database failed 3 times in a row: connection refused"
    assert (result.name, result.action, result.phrase) == (
        *("health check", Action.ROLLBACK, "as it is written"),
    )


def test_a_blip_is_told_though_the_trigger_is_clear(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    looks: Callable[..., list[Observation]],
) -> None:
    result = judged(trigger(), looks("api", "refused good"), policy())
    assert result.state is TriggerState.CLEAR
    assert result.blips == "api failed 1 of 2 attempts: connection refused"


def test_only_the_first_three_of_many_subjects_are_named(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    looks: Callable[..., list[Observation]],
) -> None:
    names = [f"endpoint-{number}" for number in range(5)]
    rules = dict.fromkeys(names, policy().health_endpoints["api"])
    observations = [one for name in names for one in looks(name, "bad bad bad")]
    why = judged(trigger(), observations, policy(health_endpoints=rules)).why
    assert why.count("failed 3 times in a row") == 3
    assert why.endswith("; and 2 more")


def test_what_the_environment_does_not_mention_is_not_judged(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    looks: Callable[..., list[Observation]],
) -> None:
    observations = [*looks("elsewhere", "bad bad bad"), *looks("api", "good")]
    assert judged(trigger(), observations, policy()).state is TriggerState.CLEAR


def test_health_triggers_read_nothing_but_health_probes(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    looks: Callable[..., list[Observation]],
) -> None:
    observations = looks("api", "bad bad bad", kind=ObservationKind.RELEASE)
    result = judged(trigger(), observations, policy())
    assert result.state is TriggerState.UNOBSERVED
    assert result.why == "nothing was observed that it could be judged by"


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        ((0, 40), "clear"),
        ((2, 38), "clear"),  # the limit itself
        ((3, 37), "suspected"),
        ((40, 0), "suspected"),
        ((1, 0), "suspected"),
    ],
)
def test_an_error_rate_is_at_most_suspected_in_a_run_shorter_than_its_period(
    counts: tuple[int, int],
    state: str,
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    looks: Callable[..., list[Observation]],
) -> None:
    bad, good = counts
    rule = trigger(Sustained(ERRORS, 0.05, 120))
    result = judged(rule, looks("api", "bad " * bad + "good " * good), policy())
    assert result.state.value == state
    assert (result.bad, result.total) == (bad, bad + good)
    assert f"{bad} of {bad + good}" in result.why


def test_a_limit_below_one_percent_is_told_as_it_is(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    looks: Callable[..., list[Observation]],
) -> None:
    rule = trigger(Sustained(ERRORS, 0.005, 120))
    why = judged(rule, looks("api", "good " * 100 + "bad " + "good " * 99), policy()).why
    assert why.startswith("1 of 120 (0.83 %) from 03:01:19 to 03:03:19 UTC")
    assert "against a limit of 0.5 %" in why


def test_an_error_rate_counts_every_kind_of_request(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    look: Callable[..., Observation],
) -> None:
    kinds = set(ObservationKind) - {ObservationKind.CONTROL}
    observations = [look(sees="bad", kind=kind) for kind in kinds]
    result = judged(trigger(Sustained(ERRORS, 0.05, 120)), observations, policy())
    assert (result.bad, result.total) == (3, 3)


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        ({"status": 200}, (0, 1)),
        ({"status": 404}, (0, 1)),
        ({"status": 403}, (0, 1)),
        ({"status": 500}, (1, 1)),
        ({"status": 503}, (1, 1)),
        ({"status": 429}, (0, 0)),
        ({"status": None, "error": "connection refused"}, (1, 1)),
        ({"status": None, "unobserved": "no route"}, (0, 0)),
    ],
)
def test_what_is_an_error(
    fields: dict[str, Any],
    counts: tuple[int, int],
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    look: Callable[..., Observation],
) -> None:
    observation = replace(look(), **fields)
    result = judged(trigger(Sustained(ERRORS, 0.05, 120)), [observation], policy())
    assert (result.bad, result.total) == counts


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        ({"duration_s": 0.5}, (0, 1)),
        ({"duration_s": 0.501}, (1, 1)),
        ({"duration_s": 10.0, "status": None, "error": "no whole answer within 10 s"}, (1, 1)),
        ({"duration_s": 0.001, "status": None, "error": "connection refused"}, (0, 0)),
        ({"duration_s": 10.0, "status": None, "unobserved": "no route"}, (0, 0)),
        ({"duration_s": 0.9, "status": 429}, (0, 0)),
        ({"duration_s": 0.9, "status": 500}, (1, 1)),
    ],
)
def test_what_is_slow(
    fields: dict[str, Any],
    counts: tuple[int, int],
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    look: Callable[..., Observation],
) -> None:
    observation = replace(look(), **fields)
    result = judged(trigger(Sustained(SLOW, 0.05, 120)), [observation], policy())
    assert (result.bad, result.total) == counts


def test_nothing_observed_leaves_a_rate_unobserved(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    looks: Callable[..., list[Observation]],
) -> None:
    rule = trigger(Sustained(ERRORS, 0.05, 120))
    result = judged(rule, looks("api", "unobserved unobserved"), policy())
    assert result.state is TriggerState.UNOBSERVED
    assert result.unobserved == 2


def test_a_rate_over_all_subjects_is_of_all_together(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    looks: Callable[..., list[Observation]],
) -> None:
    # One in ten of the API's answers and none of the database's is one in twenty, the limit.
    observations = [
        *looks("api", ("bad " + "good " * 9) * 13),
        *looks("database", "good " * 130),
    ]
    rule = trigger(Sustained(ERRORS, 0.05, 120))
    result = judged(rule, observations, policy())
    assert result.state is TriggerState.CLEAR
    assert result.why.startswith("12 of 240 (5 %) from 03:00:09 to 03:02:09 UTC")


def test_a_rate_over_each_subject_is_decided_by_the_worst(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    looks: Callable[..., list[Observation]],
) -> None:
    observations = [
        *looks("api", ("bad " + "good " * 4) * 26),
        *looks("database", "good " * 1000),
        *looks("search", "unobserved"),
    ]
    rule = trigger(Sustained(ERRORS, 0.05, 120), over=Over.SUBJECT)
    result = judged(rule, observations, policy())
    assert result.state is TriggerState.FIRED
    assert result.why.startswith("api: 24 of 120 (20 %) from 03:00:00 to 03:02:00 UTC")
    assert (result.bad, result.total, result.unobserved) == (26, 1130, 1)


def test_a_subject_that_was_not_observed_leaves_a_rate_over_each_unobserved(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    looks: Callable[..., list[Observation]],
) -> None:
    observations = [*looks("api", "good good"), *looks("database", "unobserved")]
    rule = trigger(Sustained(ERRORS, 0.05, 120), over=Over.SUBJECT)
    result = judged(rule, observations, policy())
    assert result.state is TriggerState.UNOBSERVED
    assert result.why == "database: nothing was observed that it could be judged by"


def test_slow_answers_fire_as_errors_do(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    look: Callable[..., Observation],
) -> None:
    observations = [
        look(second=second, duration_s=0.6 if second % 5 == 0 else 0.2) for second in range(200)
    ]
    result = judged(trigger(Sustained(SLOW, 0.05, 180)), observations, policy())
    assert result.state is TriggerState.FIRED
    assert result.why.startswith("36 of 180 (20 %)")


def test_how_sure_one_must_be_is_the_triggers_own(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    looks: Callable[..., list[Observation]],
) -> None:
    # Four of twelve in a period: 0.22 % at a true share of 5 %.
    observations = looks("api", "bad good good " * 5)
    states = [
        judged(trigger(Sustained(ERRORS, 0.05, 12), **sure), observations, policy()).state
        for sure in (
            {"samples": 12},
            {"samples": 13},
            {"samples": 12, "confidence": 0.999},
        )
    ]
    assert states == [TriggerState.FIRED, TriggerState.SUSPECTED, TriggerState.SUSPECTED]


def test_a_share_that_was_suspected_is_looked_into_until_it_is_surely_below_its_limit(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    looks: Callable[..., list[Observation]],
) -> None:
    rules = policy(trigger(Sustained(ERRORS, 0.05, 120), name="errors"))

    def is_open(bad: int, good: int, *watched: str) -> bool:
        observations = looks("api", "bad " * bad + "good " * good)
        return bool(suspicions(rules, seen(observations), watched=watched))

    assert is_open(1, 12)
    assert not is_open(1, 40)
    assert is_open(1, 40, "errors")
    assert not is_open(1, 92, "errors")  # 4.9 % at a true share of 5 %
    assert not is_open(0, 40, "errors")


def test_a_trigger_on_some_endpoints_reads_none_but_these(
    policy: Callable[..., Policy],
    trigger: Callable[..., TriggerRule],
    looks: Callable[..., list[Observation]],
) -> None:
    observations = [
        *looks("GET /api/a", "good good", kind=ObservationKind.REQUEST),
        *looks("GET /b", "bad bad bad", kind=ObservationKind.REQUEST),
    ]
    rule = trigger(Sustained(ERRORS, 0.05, 120), endpoints=("GET /api/*",))
    result = judged(rule, observations, policy())
    assert (result.bad, result.total, result.state) == (0, 2, TriggerState.CLEAR)
    missing = trigger(Sustained(ERRORS, 0.05, 120), endpoints=("GET /c",))
    assert judged(missing, observations, policy()).state is TriggerState.UNOBSERVED
