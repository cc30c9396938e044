"""Files of a run are refused once anything in them is changed, or another policy judges it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plugin.conftest import REPORTS, Reports
from tests.reports.edits import (
    Edit,
    changing,
    cutting,
    dropping,
    mend_digest,
    repeat_an_observation,
)
from tests.runs import RELEASE, Workshop, copy_of

OTHER_RELEASE = "1.4.2"
OBSERVATION = r'^[^\n]*"type": "observation"[^\n]*\n'
CASE = r"<testcase classname=\"validation[^>]*?/>"

# What is edited, and what is said of it.
EDITS: dict[str, tuple[tuple[Edit, ...], str]] = {
    "the verdict, in verdict.json": (
        (changing("verdict.json", '"verdict": "promote"', '"verdict": "rollback"'),),
        "evidence.jsonl: says promote, verdict.json rollback",
    ),
    "the verdict, in junit.xml": (
        (changing("junit.xml", 'value="promote"', 'value="hold"'),),
        "junit.xml: verdict is hold, in verdict.json promote",
    ),
    "the verdict, in report.html": (
        (changing("report.html", "<h1>PROMOTE</h1>", "<h1>HOLD</h1>"),),
        "report.html: not what the gate writes",
    ),
    "the title of report.html": (
        (changing("report.html", "PROMOTE: here</title>", "HOLD: here</title>"),),
        "report.html: not what the gate writes",
    ),
    "the verdict, in summary.md": (
        (changing("summary.md", "# PROMOTE", "# HOLD"),),
        "summary.md: not what the gate writes",
    ),
    "the verdict, in evidence.jsonl": (
        (changing("evidence.jsonl", '"verdict": "promote"', '"verdict": "hold"'),),
        "evidence.jsonl: was changed after verdict.json was given on it",
    ),
    "the release, in verdict.json": (
        (changing("verdict.json", RELEASE, OTHER_RELEASE),),
        f"verdict.json: release is {OTHER_RELEASE}, in evidence.jsonl {RELEASE}",
    ),
    "the release, in junit.xml": (
        (changing("junit.xml", RELEASE, OTHER_RELEASE),),
        f"junit.xml: release is {OTHER_RELEASE}, in verdict.json {RELEASE}",
    ),
    "the release, in report.html": (
        (changing("report.html", f"release {RELEASE}", f"release {OTHER_RELEASE}"),),
        "report.html: not what the gate writes",
    ),
    "the release, in summary.md": (
        (changing("summary.md", RELEASE, OTHER_RELEASE),),
        "summary.md: not what the gate writes",
    ),
    "the tier": (
        (changing("verdict.json", '"tier": "smoke"', '"tier": "full"'),),
        "verdict.json: tier is full, in evidence.jsonl smoke",
    ),
    "the environment": (
        (changing("verdict.json", '"environment": "here"', '"environment": "x"'),),
        "verdict.json: environment is x, in evidence.jsonl here",
    ),
    "the run": (
        (lambda one: changing("verdict.json", one.verdict["run"], "0" * 32)(one),),
        f"verdict.json of run {'0' * 32}",
    ),
    "the end": (
        (changing("verdict.json", '"ended": "20', '"ended": "21'),),
        "verdict.json: not what the gate writes",
    ),
    "a count": (
        (changing("verdict.json", '"passed": 5', '"passed": 6'),),
        "verdict.json: counts 6 passed",
    ),
    "a note removed": (
        (dropping("verdict.json", r'\n    "warning: [^\n]*\n  '),),
        "report.html: not what the gate writes",
    ),
    "another key": (
        (changing("verdict.json", '"version": 1,', '"version": 1, "more": 1,'),),
        "verdict.json: no verdict of the gate (more: ",
    ),
    "another version": (
        (changing("verdict.json", '"version": 1,', '"version": 2,'),),
        "verdict.json: no verdict of the gate (version: ",
    ),
    "a case removed": (
        (dropping("junit.xml", CASE),),
        "junit.xml: states tests=8, but holds 7",
    ),
    "a case removed, and the number mended": (
        (dropping("junit.xml", CASE), changing("junit.xml", 'tests="8"', 'tests="7"')),
        "junit.xml: its checks are 4 passed, 1 skipped, in evidence.jsonl 5 passed, 1 skipped",
    ),
    "the verdict's case removed": (
        (
            dropping("junit.xml", r'<testcase [^>]*name="verdict".*?</testcase>'),
            changing("junit.xml", 'tests="8"', 'tests="7"'),
        ),
        "junit.xml: not what the gate writes",
    ),
    "a failure added": (
        (changing("junit.xml", "<skipped", '<failure message="no" /><skipped'),),
        "junit.xml: states failures=0, but holds 1",
    ),
    "a failure added, and the number mended": (
        (
            changing("junit.xml", "<skipped", '<failure message="no" /><skipped'),
            changing("junit.xml", 'failures="0"', 'failures="1"'),
        ),
        "junit.xml: is red, but its verdict is promote",
    ),
    "a second suite": (
        (changing("junit.xml", "</testsuite>", "</testsuite><testsuite />"),),
        "junit.xml: it holds more than one test suite",
    ),
    "an observation removed": (
        (dropping("evidence.jsonl", OBSERVATION),),
        "evidence.jsonl: was changed after verdict.json was given on it",
    ),
    "an observation removed, and the digest mended": (
        (dropping("evidence.jsonl", OBSERVATION), mend_digest),
        "report.html: not what the gate writes",
    ),
    "an outcome changed, and the digest mended": (
        (
            changing("evidence.jsonl", '"outcome": "warned"', '"outcome": "passed"'),
            mend_digest,
        ),
        "verdict.json: counts 5 passed, 1 warned, of 6; evidence.jsonl other outcomes",
    ),
    "a line repeated, and the digest mended": (
        (repeat_an_observation, mend_digest),
        "evidence.jsonl: 1 of its lines were there before",
    ),
    "the last line cut off, and the digest mended": (
        (dropping("evidence.jsonl", r"\n\Z"), mend_digest),
        "evidence.jsonl: its last line was cut off",
    ),
    "evidence of another format": (
        (changing("evidence.jsonl", '"format": 1', '"format": 9'),),
        "evidence.jsonl:1: written in format 9, not of format 1",
    ),
    "verdict.json cut off": (
        (cutting("verdict.json", after=300),),
        "verdict.json: no verdict of the gate",
    ),
    "junit.xml cut off": (
        (cutting("junit.xml", after=300),),
        "junit.xml: pytest's JUnit file can't be parsed",
    ),
    "report.html cut off": (
        (cutting("report.html", after=300),),
        "report.html: isn't of run",
    ),
    "evidence.jsonl emptied": (
        (cutting("evidence.jsonl", after=0),),
        "evidence.jsonl: holds no run",
    ),
    "summary.md in another encoding": (
        (cutting("summary.md", after=100, end=b"\xff\xfe"),),
        "summary.md: isn't UTF-8",
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_one_edit_is_enough_to_be_refused(
    edited: Reports, refusal: Callable[..., str], edit: str
) -> None:
    steps, said = EDITS[edit]
    for step in steps:
        step(edited)
    assert said in refusal(edited)


@pytest.mark.parametrize("name", [name for name in REPORTS if name != "junit.xml"])
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_whichever_byte_is_changed_where_the_gate_wrote_it_is_refused(
    edited: Reports, refusal: Callable[..., str], promote: Reports, name: str, data: st.DataObject
) -> None:
    whole = (promote.path / name).read_bytes()
    block = re.search(rb'<section class="verdict.*?</section>', whole, re.DOTALL)
    start, end = block.span() if block and name == "report.html" else (0, len(whole))
    at = data.draw(st.integers(start, end - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda one: one != whole[at]))
    (edited.path / name).write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
    refusal(edited)


@pytest.mark.parametrize("name", REPORTS)
def test_a_file_of_another_run_is_refused(
    edited: Reports, again: Reports, refusal: Callable[..., str], name: str
) -> None:
    shutil.copy(again.path / name, edited.path / name)
    said = refusal(edited)
    assert edited.verdict["run"] in said


def test_a_rollback_that_was_edited_is_no_rollback(
    rollback: Reports, refusal: Callable[..., str], tmp_path: Path
) -> None:
    edited = copy_of(rollback, tmp_path / "edited")
    dropping("evidence.jsonl", OBSERVATION)(edited)
    assert "was changed after verdict.json" in refusal(edited)


def test_a_release_that_was_renamed_everywhere_is_refused_by_what_was_seen(
    edited: Reports, refusal: Callable[..., str]
) -> None:
    for name in REPORTS:
        lines = edited[name].splitlines(keepends=True)
        renamed = [
            line if '"type": "observation"' in line else line.replace(RELEASE, OTHER_RELEASE)
            for line in lines
        ]
        (edited.path / name).write_text("".join(renamed), encoding="utf-8")
    mend_digest(edited)
    said = refusal(edited, release=OTHER_RELEASE)
    assert f"promote becomes hold: release {RELEASE} still serves" in said


def test_a_policy_that_has_changed_decides_anew(
    shop: Workshop, promote: Reports, refusal: Callable[..., str]
) -> None:
    stricter = shop.folder / "environments/here.yaml"
    shop.write("stricter/here.yaml", stricter.read_text() + "required: {smoke: [health, api]}\n")
    said = refusal(promote, env_dir="stricter")
    assert "promote becomes hold: no check of the required category 'api' passed" in said


def test_without_the_environment_file_that_is_told(
    promote: Reports, verify: Callable[..., str]
) -> None:
    assert "agree, not judged again by a policy, for lack of one: " in verify(promote, env_dir="no")


def test_without_the_environment_file_the_checks_are_judged_all_the_same(
    edited: Reports, refusal: Callable[..., str]
) -> None:
    changing("evidence.jsonl", '"exit_status": 0', '"exit_status": 3')(edited)
    mend_digest(edited)
    assert "promote becomes hold: pytest itself failed" in refusal(edited, env_dir="no")


def test_a_policy_that_must_be_found_is_missed(
    promote: Reports, verify: Callable[..., str], refusal: Callable[..., str]
) -> None:
    assert verify(promote, is_to_be_judged=True)
    said = refusal(promote, is_to_be_judged=True, env_dir="no")
    assert "not judged again by a policy" in said
