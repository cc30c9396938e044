"""`junit.xml`: red whenever the verdict is not promote, and always well formed."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployment_gate.environment import Action
from deployment_gate.judgement import Decision, TriggerResult, TriggerState
from deployment_gate.reports.account import Account
from deployment_gate.reports.junit import JUnitError, count_checks, finish_junit
from tests.reports.test_junit_schema import suite_of

Make = Callable[..., Account]

OF_PYTEST = """<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="1"
 tests="5" time="0.5" timestamp="2026-11-23T03:00:00+00:00" hostname="here">
<testcase classname="v.api" name="passes" time="0.1"/>
<testcase classname="v.api" name="fails" time="0.1"><failure message="m">text</failure></testcase>
<testcase classname="v.api" name="fails" time="0.0"><error message="teardown">t</error></testcase>
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


def test_what_pytest_wrote_stays(account: Make) -> None:
    suite = suite_of(finish_junit(OF_PYTEST, account()))
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == [
        *("passes", "fails", "fails", "is skipped", "passes"),
        *("trigger health_check_failure", "verdict"),
    ]
    assert cases[1].findtext("failure") == "text"
    assert cases[4].findtext("system-out") == "  said  "
    assert (suite.get("tests"), suite.get("hostname")) == ("7", "here")


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
    assert suite.findtext("testcase/system-out") == "health_check_failure is fired: 9 of 10"


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
