"""What a health answer says: a table of answers and how each is read."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.environment import Content, HealthRule, Indicator, IndicatorKind, Policy
from deployment_gate.evidence import Observation, ObservationKind
from deployment_gate.judgement import Reading, read_health
from deployment_gate.judgement.indicators import BAD_STATES, GOOD_STATES, read_indicator

RULE = HealthRule(
    expected_statuses=frozenset({200}), timeout_s=5.0, content=None, may_be_page=False
)
JSON = "application/json"
HTML = "text/html"
PAGE = {"content_type": HTML, "page": True}


def states(**components: str) -> dict[str, object]:
    """The facts of an answer with these states, the whole's under `itself`."""
    named = {
        name.replace("itself", "").replace("__", "."): state for name, state in components.items()
    }
    return {"content_type": JSON, "states": named}


@pytest.mark.parametrize(
    ("facts", "fields"),
    [
        ({}, {}),
        ({"content_type": "text/plain"}, {}),
        (states(itself="ok"), {}),
        (states(itself="up", components__db="up"), {}),
        (states(itself="degraded"), {}),
        (states(itself="warn"), {}),
        (states(itself="ok", components__cache="degraded"), {}),
        # A component's word that nobody knows, where the whole says that it is well.
        (states(itself="ok", components__queue="draining"), {}),
        # A cache that may have answered, which the second look did not confirm.
        ({"content_type": JSON, "cached": "Age: 3"}, {}),
        ({"content_type": "text/plain", "not_json": True}, {}),
        ({}, {"duration_s": 5.0}),
    ],
)
def test_these_answers_are_good(
    facts: dict[str, object], fields: dict[str, object], look: Callable[..., Observation]
) -> None:
    judged = read_health(look(facts=facts, **fields), RULE)
    assert (judged.reading, judged.why) == (Reading.GOOD, "")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"status": 503}, "answered 503; expected 200"),
        ({"status": 404}, "answered 404; expected 200"),
        ({"status": 302}, "answered 302; expected 200"),
        ({"status": 204}, "answered 204; expected 200"),
        ({"duration_s": 5.01}, "took 5.01 s; at most 5 s"),
        ({"facts": PAGE}, "answered 200 with an HTML page instead of its health"),
        (
            {"facts": {"content_type": JSON, "not_json": True}},
            "says that it answers with JSON, but its body isn't",
        ),
        ({"facts": states(itself="unhealthy")}, "answered 200 but reports itself unhealthy"),
        ({"facts": {"word": "unhealthy"}}, "answered 200 but reports itself unhealthy"),
        ({"facts": {"plain": {"database": "down"}}}, "answered 200 but reports database down"),
        (
            {"facts": states(itself="ok", components__db="down", components__mq="up")},
            "answered 200 but reports components.db down",
        ),
        (
            {"facts": states(itself="ok", a="fail", b="out_of_service")},
            "answered 200 but reports a fail, b out_of_service",
        ),
        ({"facts": states(itself="false")}, "answered 200 but reports itself false"),
        (
            {"status": 503, "facts": states(itself="down", db="down")},
            "answered 503 and reports itself down, db down; expected 200",
        ),
        ({"status": None, "error": "connection refused"}, "connection refused"),
        # Bad news is news, whoever tells it, and however late.
        (
            {"facts": {**states(itself="down"), "is_old": "Age: 9"}},
            "answered 200 but reports itself down",
        ),
        ({"status": 500, "facts": {"unread": True}}, "answered 500; expected 200"),
    ],
)
def test_these_answers_are_bad(
    fields: dict[str, object], why: str, look: Callable[..., Observation]
) -> None:
    judged = read_health(look(**fields), RULE)
    assert (judged.reading, judged.why) == (Reading.BAD, why)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"status": 429}, "answered 429: it limits this runner's rate"),
        ({"status": None, "unobserved": "no route from here"}, "no route from here"),
        ({"facts": states(itself="peachy")}, "reports the state 'peachy', which is no word known"),
        ({"facts": states(itself="starting")}, "reports the state 'starting'"),
        ({"facts": states(itself="unknown")}, "reports the state 'unknown'"),
        ({"facts": {"is_old": "Age: 9"}}, "a cache answered (Age: 9)"),
        ({"facts": {"is_old": "x"}}, "Have it sent with `Cache-Control: no-store`"),
        ({"facts": {"unread": True}}, "its body is more than is read of a health answer"),
    ],
)
def test_these_answers_prove_nothing_either_way(
    fields: dict[str, object], why: str, look: Callable[..., Observation]
) -> None:
    judged = read_health(look(**fields), RULE)
    assert judged.reading is Reading.UNOBSERVED
    assert why in judged.why


@pytest.mark.parametrize("state", sorted(BAD_STATES))
def test_a_component_in_a_bad_state_makes_the_whole_bad(
    state: str, look: Callable[..., Observation]
) -> None:
    facts = states(itself="ok", components__database=state)
    assert read_health(look(facts=facts), RULE).reading is Reading.BAD


def test_no_state_is_both_good_and_bad() -> None:
    assert not GOOD_STATES & BAD_STATES


@given(state=st.text())
def test_a_word_for_the_state_that_nobody_knows_is_never_good(state: str) -> None:
    observation = _answered(states(itself=state))
    judged = read_health(observation, RULE)
    assert (judged.reading is Reading.GOOD) is (state in GOOD_STATES)
    assert (judged.reading is Reading.BAD) is (state in BAD_STATES)


def _answered(facts: dict[str, object]) -> Observation:
    from datetime import UTC, datetime  # noqa: PLC0415

    from deployment_gate.evidence import ObservationKind  # noqa: PLC0415

    return Observation(
        at=datetime.now(UTC),
        kind=ObservationKind.HEALTH,
        subject="api",
        duration_s=0.1,
        status=200,
        facts=facts,
    )


@pytest.mark.parametrize(
    ("changes", "facts", "reading"),
    [
        ({"expected_statuses": frozenset({200, 204})}, {}, Reading.GOOD),
        ({"may_be_page": True}, PAGE, Reading.GOOD),
        ({"content": Content.PAGE, "may_be_page": True}, PAGE, Reading.GOOD),
        ({"content": Content.PAGE, "may_be_page": True}, {"content_type": JSON}, Reading.BAD),
        ({"content": Content.JSON}, {"content_type": "application/health+json"}, Reading.GOOD),
        ({"content": Content.JSON}, {"content_type": "text/plain"}, Reading.BAD),
        ({"content": Content.JSON}, {}, Reading.BAD),
        ({"content": Content.TEXT}, {"content_type": "text/plain"}, Reading.GOOD),
        ({"content": Content.TEXT}, PAGE, Reading.BAD),
        ({"content": Content.ANY, "may_be_page": True}, PAGE, Reading.GOOD),
    ],
)
def test_what_an_answer_must_be_is_the_environments_to_say(
    changes: dict[str, Any],
    facts: dict[str, object],
    reading: Reading,
    look: Callable[..., Observation],
) -> None:
    rule = replace(RULE, **changes)
    assert read_health(look(facts=facts), rule).reading is reading


def test_several_expected_statuses_are_named(look: Callable[..., Observation]) -> None:
    rule = replace(RULE, expected_statuses=frozenset({204, 200}))
    assert read_health(look(status=500), rule).why == "answered 500; expected 200 or 204"


@pytest.mark.parametrize("kind", [ObservationKind.DATABASE, ObservationKind.CACHE])
@pytest.mark.parametrize("sees", ["good", "refused", "unobserved"])
@pytest.mark.parametrize("indicator", list(IndicatorKind))
def test_no_indicator_reads_what_the_gate_asks_databases_and_caches(
    kind: ObservationKind,
    sees: str,
    indicator: IndicatorKind,
    look: Callable[..., Observation],
    policy: Callable[..., Policy],
) -> None:
    seen = look("database", sees, kind=kind, duration_s=60.0)
    assert read_indicator(Indicator(indicator, 0.5), seen, policy()) is None


@pytest.mark.parametrize("indicator", [IndicatorKind.ERROR, IndicatorKind.SLOW])
def test_what_a_check_provoked_says_nothing_of_how_users_are_served(
    indicator: IndicatorKind, look: Callable[..., Observation], policy: Callable[..., Policy]
) -> None:
    def reading(**facts: object) -> object:
        seen = look(
            "GET /odd", kind=ObservationKind.REQUEST, status=500, duration_s=60.0, facts=facts
        )
        return read_indicator(Indicator(indicator, 0.5), seen, policy())

    assert reading() is not None
    assert reading(provoked=True) is None
