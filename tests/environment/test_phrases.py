"""The runbook's phrases, and what each is read as."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.environment import (
    Action,
    Comparison,
    Condition,
    Consecutive,
    Indicator,
    IndicatorKind,
    Sustained,
    TargetPhrase,
    Unit,
    Watch,
    parse_action,
    parse_condition,
    parse_metric,
    parse_response_time,
    parse_target,
)

HEALTH = Indicator(IndicatorKind.HEALTH)
ERROR = Indicator(IndicatorKind.ERROR)
SLOW = Indicator(IndicatorKind.SLOW, 0.5)
PAGE_ERROR = Indicator(IndicatorKind.ERROR, is_of_pages=True)
SLOW_PAGE = Indicator(IndicatorKind.SLOW, 2, is_of_pages=True)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Health check fails for 3 consecutive attempts", Consecutive(HEALTH, 3)),
        ("health checks fail for 1 consecutive attempt", Consecutive(HEALTH, 1)),
        ("Error rate > 5% for 2 minutes", Sustained(ERROR, 0.05, 120)),
        ("ERROR  RATE >0.5 %  FOR 90s", Sustained(ERROR, 0.005, 90)),
        ("Response time > 500ms for 3 minutes", Sustained(SLOW, 0.05, 180)),
        ("p95 response time > 500ms for 3 minutes", Sustained(SLOW, 0.05, 180)),
        ("p99.9 response time > 500ms for 3 minutes", Sustained(SLOW, 0.001, 180)),
        ("Median response time > 500ms for 3 minutes", Sustained(SLOW, 0.5, 180)),
        ("Page error rate > 5% for 2 minutes", Sustained(PAGE_ERROR, 0.05, 120)),
        ("page  ERROR rate >0.5 % for 90s", Sustained(PAGE_ERROR, 0.005, 90)),
        ("Page load time > 2s for 3 minutes", Sustained(SLOW_PAGE, 0.05, 180)),
        ("p99 page load time > 2s for 3 minutes", Sustained(SLOW_PAGE, 0.01, 180)),
        ("median page load time > 2s for 3 minutes", Sustained(SLOW_PAGE, 0.5, 180)),
    ],
)
def test_conditions_are_understood(text: str, meaning: Condition) -> None:
    assert parse_condition(text) == meaning
    assert parse_condition(text).text == text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "Health check fails for 3 consecutive attempts",
            "3 in a row of one subject's health checks fail",
        ),
        (
            "Error rate > 5% for 2 minutes",
            "more than 5 % of the answers are errors throughout 2 minutes",
        ),
        (
            "p99 response time > 1s for 5 minutes",
            "more than 1 % of the answers take longer than 1 second throughout 5 minutes",
        ),
        (
            "Page error rate > 5% for 2 minutes",
            "more than 5 % of the page loads fail throughout 2 minutes",
        ),
        (
            "Page load time > 2s for 3 minutes",
            "more than 5 % of the page loads take longer than 2 seconds throughout 3 minutes",
        ),
    ],
)
def test_conditions_are_told_as_sentences(text: str, sentence: str) -> None:
    assert parse_condition(text).sentence() == sentence


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Error rate over 5%", 'Write it as in "Error rate > 5% for 2 minutes"'),
        ("Error rate > 5%", "isn't understood"),
        ("Error rate >= 5% for 2 minutes", "isn't understood"),
        ("Error rate > 5% for 2", "isn't understood"),
        ("Error rate > 5% for 2 parsecs", "isn't understood as a duration"),
        ("Error rate > 100% for 2 minutes", "can't happen"),
        ("Error rate > 5% for 0 minutes", "isn't above zero"),
        ("Health check fails for 0 consecutive attempts", "would always hold"),
        ("Average response time > 500ms for 3 minutes", "isn't understood"),
        ("p100 response time > 500ms for 3 minutes", "doesn't exist"),
        ("p0 response time > 500ms for 3 minutes", "doesn't exist"),
        ("Page loading time > 2s for 3 minutes", 'Write it as in "Page load time > 2s for'),
        ("Page load time > 2 for 3 minutes", "isn't understood"),
        ("p95 page error rate > 5% for 2 minutes", "isn't understood"),
        ("Something is wrong", "Understood forms: "),
    ],
)
def test_other_conditions_are_refused_with_what_would_be_right(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_condition(text)


@given(
    limit=st.integers(0, 9999).map(lambda hundredths: hundredths / 100),
    minutes=st.integers(1, 1000),
)
def test_an_error_rate_is_read_as_the_fraction_that_it_names(limit: float, minutes: int) -> None:
    read = parse_condition(f"Error rate > {limit}% for {minutes} minutes")
    assert read == Sustained(ERROR, pytest.approx(limit / 100), minutes * 60)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        (
            "< 200ms for 95% of requests",
            (Comparison.BELOW, 0.2, Unit.SECONDS, 0.95, "requests"),
        ),
        (
            "< 2s for 95% of page loads",
            (Comparison.BELOW, 2, Unit.SECONDS, 0.95, "page loads"),
        ),
        (
            "> 1000 requests/second",
            (Comparison.ABOVE, 1000, Unit.REQUESTS_PER_SECOND, None, ""),
        ),
        (
            ">  50 Requests per Second",
            (Comparison.ABOVE, 50, Unit.REQUESTS_PER_SECOND, None, ""),
        ),
        ("> 100 concurrent users", (Comparison.ABOVE, 100, Unit.USERS, None, "")),
        ("< 80% average usage", (Comparison.BELOW, 0.8, Unit.FRACTION, None, "average usage")),
        ("< 80% average", (Comparison.BELOW, 0.8, Unit.FRACTION, None, "average usage")),
        ("99.9% target", (Comparison.AT_LEAST, 0.999, Unit.FRACTION, None, "")),
        ("< 1% target", (Comparison.BELOW, 0.01, Unit.FRACTION, None, "")),
    ],
)
def test_targets_are_understood(
    text: str, meaning: tuple[Comparison, float, Unit, float | None, str]
) -> None:
    comparison, limit, unit, share, of = meaning
    assert parse_target(text) == TargetPhrase(text, comparison, limit, unit, share, of)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("< 200ms for 95% of requests", "95 % of the requests stay below 200 ms"),
        ("> 1000 requests/second", "above 1000 requests/second"),
        ("< 80% average usage", "average usage below 80 %"),
        ("99.9% target", "at least 99.9 %"),
    ],
)
def test_targets_are_told_as_sentences(text: str, sentence: str) -> None:
    assert parse_target(text).sentence() == sentence


def test_a_metric_without_a_figure_is_for_people_to_watch() -> None:
    assert parse_metric("Monitor for anomalies") == Watch("Monitor for anomalies")


@pytest.mark.parametrize("text", ["about 5%", "< 120% average", "Track 3 features", "", "  "])
def test_a_metric_with_a_figure_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"isn't understood|more than everything"):
        parse_metric(text)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("Immediate (within 5 minutes)", 5), ("Within 30 minutes", 30), ("within 2 hours", 120)],
)
def test_response_times_are_understood(text: str, minutes: int) -> None:
    assert parse_response_time(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("Automatic rollback to previous version", Action.ROLLBACK),
        ("rollback", Action.ROLLBACK),
        ("HOLD", Action.HOLD),
        ("notify", Action.NOTIFY),
    ],
)
def test_actions_are_understood(text: str, action: Action) -> None:
    assert parse_action(text) is action


def test_a_misspelt_action_is_refused_with_the_near_match() -> None:
    with pytest.raises(ValueError, match='Write it as in "rollback"'):
        parse_action("rolback")


@pytest.mark.parametrize(
    "parse", [parse_condition, parse_target, parse_metric, parse_response_time, parse_action]
)
@given(text=st.text() | st.from_regex(r"[<>]? ?[0-9]+(ms|s|%) (for|of|target|average) .*"))
def test_no_phrase_raises_anything_but_a_value_error(
    parse: Callable[[str], object], text: str
) -> None:
    told = "nothing"
    try:
        parse(text)
    except ValueError as error:
        told = str(error)
    assert told
