"""`junit.xml`: red whenever the verdict is not promote, and always well formed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployment_gate.environment import Action
from deployment_gate.evidence import (
    CheckOutcome,
    Observation,
    ObservationKind,
    Outcome,
    PlannedCheck,
)
from deployment_gate.judgement import Decision, TriggerResult, TriggerState
from deployment_gate.reports.account import Account
from deployment_gate.reports.junit import JUnitError, count_checks, finish_junit, read_junit
from tests.reports.conftest import START
from tests.reports.test_junit_schema import suite_of

Make = Callable[..., Account]
LATER = START + timedelta(minutes=1)

OF_PYTEST = """<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="1"
 tests="5" time="0.5" timestamp="2026-11-23T03:00:00+00:00" hostname="here">
<testcase classname="v.api" name="passes" time="0.1"/>
<testcase classname="v.api" name="fails" time="0.1"><failure message="m">text</failure></testcase>
<testcase classname="v.api" name="fails" time="0.02"><error message="teardown">t</error></testcase>
<testcase classname="v.api" name="is skipped" time="0"><skipped type="s" message="m"/></testcase>
<testcase classname="v.health" name="passes" time="0.1"><system-out>  said  </system-out></testcase>
</testsuite></testsuites>"""


def failed(suite: ET.Element) -> dict[str, str]:
    """The gate's red cases, and what their messages say."""
    return {
        case.get("name", ""): failure.get("message", "")
        for case in suite.findall("testcase[@classname='deployment-gate']")
        if (failure := case.find("failure")) is not None
    }


@pytest.mark.parametrize("draft", [None, OF_PYTEST])
@pytest.mark.parametrize("decision", list(Decision))
def test_the_verdict_is_red_unless_it_is_promote(
    decision: Decision, draft: str | None, account: Make
) -> None:
    reasons = [] if decision is Decision.PROMOTE else ["the disk is full", "and the other"]
    suite = suite_of(finish_junit(draft, account(*reasons, decision=decision)))
    told = {} if decision is Decision.PROMOTE else {"verdict": "the disk is full, and 1 more."}
    assert failed(suite) == told
    verdict = suite.findall("testcase")[-1]
    assert (verdict.get("classname"), verdict.get("name")) == ("deployment-gate", "verdict")
    if told:
        assert verdict.findtext("failure") == (
            "the disk is full, and 1 more.\nthe disk is full\nand the other"
        )


def test_what_pytest_wrote_stays_in_one_case_of_each_check(account: Make) -> None:
    suite = suite_of(finish_junit(OF_PYTEST, account()))
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == [
        *("passes", "fails", "is skipped", "passes"),
        *("trigger health_check_failure", "verdict"),
    ]
    assert [(part.tag, part.text) for part in cases[1]] == [("failure", "text"), ("error", "t")]
    assert cases[1].get("time") == "0.120"
    assert cases[3].findtext("system-out") == "  said  "
    assert (suite.get("tests"), suite.get("hostname")) == ("6", "here")
    counted = {name: suite.get(name) for name in ("failures", "errors", "skipped")}
    assert counted == {"failures": "1", "errors": "1", "skipped": "1"}


def test_a_case_without_a_name_is_no_check(account: Make) -> None:
    draft = OF_PYTEST.replace("</testsuite>", '<testcase time="0.1"/></testsuite>')
    assert count_checks(draft) == count_checks(OF_PYTEST)
    assert finish_junit(draft, account()) == finish_junit(OF_PYTEST, account())


def test_what_checks_record_becomes_output_of_their_case(account: Make) -> None:
    properties = "<properties><property name='a' value='1'/><property name='b' value=''/>"
    draft = OF_PYTEST
    for opening in ('name="fails" time="0.1">', 'name="fails" time="0.02">'):
        draft = draft.replace(opening, f"{opening}{properties}</properties>")
    suite = suite_of(finish_junit(draft, account()))
    told = [one.text for one in suite.findall("testcase[@name='fails']/system-out")]
    assert told == ["a: 1\nb: "]


def test_attributes_that_readers_refuse_are_left_out(account: Make) -> None:
    draft = OF_PYTEST.replace("<testcase ", '<testcase file="v/api.py" line="3" url="u" mine="x" ')
    assert finish_junit(draft, account()) == finish_junit(OF_PYTEST, account())


def test_what_the_gate_says_of_the_run_is_said_by_no_check(account: Make) -> None:
    recorded = {"verdict": "promote", "run": "mine", "arch": "x86"}
    properties = "".join(f"<property name='{k}' value='{v}'/>" for k, v in recorded.items())
    draft = OF_PYTEST.replace("\n<testcase", f"<properties>{properties}</properties><testcase", 1)
    written = finish_junit(draft, account("x"))
    said = [(one.get("name"), one.get("value")) for one in suite_of(written).iter("property")]
    assert sorted(said) == [
        ("arch", "x86"),
        ("environment", "staging"),
        ("release", "1.5.0"),
        ("run", "0123abcd"),
        ("scope", "smoke"),
        ("verdict", "hold"),
    ]
    assert read_junit(written).properties["verdict"] == "hold"


def _evidence(account: Make, outcome: Outcome, *seen: Observation) -> Account:
    """An account of one check on the endpoint `api`, of what was seen."""
    usual = account()
    planned = PlannedCheck(id="v/api.py::passes", category="api", subject="api")
    ended = CheckOutcome(id=planned.id, outcome=outcome, at=LATER, duration_s=1)
    evidence = replace(usual.evidence, plan=(planned,), observations=seen, outcomes=(ended,))
    return replace(usual, evidence=evidence)


def _attempt(second: int, **changes: Any) -> Observation:
    usual = Observation(
        at=START + timedelta(seconds=second),
        kind=ObservationKind.CHECK,
        subject="v/api.py::passes",
        duration_s=0.5,
    )
    return replace(usual, **changes)


HEALTH: dict[str, Any] = {"kind": ObservationKind.HEALTH, "subject": "api"}
TOLD = {
    "a check": (
        (_attempt(0, error="was 3"), _attempt(1, unobserved="no route"), _attempt(2)),
        [
            "attempt 1 at 2026-11-23 03:00:00 UTC: was 3",
            "attempt 2 at 2026-11-23 03:00:01 UTC: unobserved: no route",
            "attempt 3 at 2026-11-23 03:00:02 UTC: passed",
        ],
    ),
    "an endpoint": (
        (
            _attempt(0, **HEALTH, status=503, facts={"states": {"": "down", "db": "down"}}),
            _attempt(1, **HEALTH, status=200, facts={"word": "ok"}),
            _attempt(100, **HEALTH, status=500),
        ),
        [
            "attempt 1 at 2026-11-23 03:00:00 UTC: answered 503 in 0.5 s, "
            + "reports itself down, db down",
            "attempt 2 at 2026-11-23 03:00:01 UTC: answered 200 in 0.5 s, reports itself ok",
        ],
    ),
}


@pytest.mark.parametrize("prefix", ["", "nightly."])
@pytest.mark.parametrize("subject", TOLD)
def test_attempts_that_a_retry_hides_are_shown(subject: str, prefix: str, account: Make) -> None:
    seen, expected = TOLD[subject]
    draft = OF_PYTEST.replace('classname="', f'classname="{prefix}')
    suite = suite_of(finish_junit(draft, _evidence(account, Outcome.FLAKY, *seen)))
    shown = {
        case.get("classname"): case.findtext("system-out", "").splitlines()
        for case in suite.findall("testcase[@name='passes']")
    }
    assert shown == {f"{prefix}v.api": expected, f"{prefix}v.health": ["  said  "]}


@pytest.mark.parametrize(
    ("outcome", "seen"),
    [
        (Outcome.PASSED, (_attempt(0), _attempt(1))),
        (Outcome.FAILED, (_attempt(0, error="was 3"),)),
        (Outcome.FAILED, (_attempt(0, error="was 3"), _attempt(1, subject="v/api.py::other"))),
    ],
)
def test_what_was_tried_once_or_well_shows_no_attempts(
    outcome: Outcome, seen: tuple[Observation, ...], account: Make
) -> None:
    suite = suite_of(finish_junit(OF_PYTEST, _evidence(account, outcome, *seen)))
    shown = suite.findall("testcase[@name='passes']/system-out/..")
    assert [case.get("classname") for case in shown] == ["v.health"]


def test_a_run_that_pytest_wrote_nothing_of_is_red_all_the_same(account: Make) -> None:
    suite = suite_of(finish_junit(None, account("the run is incomplete")))
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")


def test_the_suite_says_which_run_it_was(account: Make) -> None:
    suite = suite_of(finish_junit(OF_PYTEST, account("x", run={"release": None})))
    assert suite.get("name") == "deployment-gate"
    assert {one.get("name"): one.get("value") for one in suite.iter("property")} == {
        "environment": "staging",
        "release": "",
        "run": "0123abcd",
        "scope": "smoke",
        "verdict": "hold",
    }


@pytest.mark.parametrize("state", [state for state in TriggerState if state.value != "clear"])
def test_a_trigger_is_red_where_it_is_a_reason(
    state: TriggerState, account: Make, trigger: Callable[..., TriggerResult]
) -> None:
    some = (trigger(), trigger(state, name="errors", why="9 of 10"))
    holding = account("errors is bad", rule="errors", triggers=some)
    assert failed(suite_of(finish_junit(None, holding))) == {
        "trigger errors": f"errors is {state.value}: 9 of 10",
        "verdict": "errors is bad.",
    }


def test_a_trigger_that_only_notifies_stops_no_pipeline(
    account: Make, trigger: Callable[..., TriggerResult]
) -> None:
    fired = trigger(TriggerState.FIRED, action=Action.NOTIFY, why="9 of 10")
    suite = suite_of(finish_junit(None, account(triggers=(fired,))))
    assert failed(suite) == {}
    told = suite.findtext("testcase/system-out", "")
    assert told.startswith("health_check_failure is fired: 9 of 10\n")


@pytest.mark.parametrize("state", list(TriggerState))
def test_each_trigger_tells_its_numbers(
    state: TriggerState, account: Make, trigger: Callable[..., TriggerResult]
) -> None:
    some = (trigger(state, bad=2, total=9, unobserved=3),)
    told = account("x", rule="health_check_failure", triggers=some)
    case = suite_of(finish_junit(None, told)).find("testcase")
    assert case is not None
    assert "".join(case.itertext()).strip().splitlines()[1] == (
        "bad: 2 of 9, unobserved: 3, condition: Health check fails for 3 consecutive attempts"
    )


@pytest.mark.parametrize("text", ["", "  ", None])
def test_no_text_is_taken_for_a_report_of_no_checks(text: str | None, account: Make) -> None:
    if text == "  ":
        with pytest.raises(JUnitError):
            finish_junit(text, account())
    else:
        suite_of(finish_junit(text, account("x")))


@pytest.mark.parametrize("text", [OF_PYTEST[:-30], "no XML", "<html/>", "<testsuites/>"])
def test_what_is_no_report_is_an_error(text: str, account: Make) -> None:
    with pytest.raises(JUnitError, match="pytest's JUnit file"):
        finish_junit(text, account())
    with pytest.raises(JUnitError, match="pytest's JUnit file"):
        count_checks(text)


def test_a_suite_without_the_outer_element_is_read_too() -> None:
    assert count_checks('<testsuite><testcase classname="a" name="b"/></testsuite>') == 1


def test_two_reports_of_one_check_count_once() -> None:
    assert count_checks(OF_PYTEST) == 4


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(), min_size=1), name=st.text(st.characters()))
def test_no_text_makes_the_file_unreadable(
    text: str, name: str, account: Make, trigger: Callable[..., TriggerResult]
) -> None:
    some = (trigger(TriggerState.FIRED, why=text, phrase=name),)
    hostile = account(
        text, rule="health_check_failure", triggers=some, run={"environment": name, "release": text}
    )
    written = finish_junit(OF_PYTEST, hostile)
    suite = suite_of(written.encode().decode())
    assert set(failed(suite)) == {"trigger health_check_failure", "verdict"}


def test_hostile_texts_stay_texts(account: Make) -> None:
    text = "</failure></testcase>]]><script>&amp;\"'\0\x1b[2J\n\udcff"
    suite = suite_of(finish_junit(OF_PYTEST, account(text)))
    told = suite.findall("testcase")[-1].findtext("failure", "")
    assert told.splitlines()[0] == "</failure></testcase>]]><script>&amp;\"'[2J"
