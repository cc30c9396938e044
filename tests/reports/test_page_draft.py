"""What is read of the pages that pytest-html really writes."""

from __future__ import annotations

import json
import subprocess
import sys
from html import escape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.reports.page.draft import DraftCheck, Extra, read_draft
from tests.reports.drafts import PNG, attachment, draft_of, entry

CHECKS = """
import sys
import pytest
from pytest_html import extras as attached

@pytest.fixture
def bad_setup():
    print("in setup")
    raise RuntimeError("setup <b>broke</b>")

@pytest.fixture
def bad_teardown():
    yield
    print("in teardown")
    raise RuntimeError("teardown broke")

def test_passes_with_a_word():
    print("a & b")

def test_passes_silently():
    pass

def test_fails(extras):
    print("out")
    print("err", file=sys.stderr)
    extras.append(attached.png("PICTURE", "a picture"))
    extras.append(attached.text("some <text>", "a text"))
    extras.append(attached.url("traces/a.zip", "a trace"))
    extras.append(attached.json({"a": 1}, "some JSON"))
    extras.append(attached.html("<b>bold</b>"))
    assert 1 == 2, "a & b <c>"

def test_setup(bad_setup):
    pass

def test_teardown(bad_teardown):
    print("in call")

def test_both(bad_teardown):
    assert 3 == 4

@pytest.mark.parametrize("name", ["::setup", "x::teardown", "ü", "[a]"])
def test_called(name):
    assert False, "called " + name

def test_section(record_property, request):
    request.node.add_report_section("call", "requests", "$ curl a\\n\\n$ curl b")
""".replace("PICTURE", PNG.partition(",")[2])


@pytest.fixture(scope="module", params=["0", "2"])
def checks(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, DraftCheck]:
    """What is read of a run's page, by the check's own name."""
    folder = tmp_path_factory.mktemp("draft")
    (folder / "test_it.py").write_text(CHECKS, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-n", request.param, "-p", "no:deployment_gate"]
    subprocess.run(
        [*command, "--html=report.html", "--self-contained-html", "--tb=short"],
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    text = (folder / "report.html").read_text(encoding="utf-8")
    return {name.partition("::")[2]: one for name, one in read_draft(text).items()}


def test_every_check_is_there_by_its_id(checks: dict[str, DraftCheck]) -> None:
    called = {"::setup", "x::teardown", "\\xfc", "[a]"}
    assert {name for name in checks if name.startswith("test_called")} == {
        f"test_called[{name}]" for name in called
    }
    assert len(checks) == 11
    for name in called:
        ((heading, text),) = checks[f"test_called[{name}]"].sections
        assert heading == ""
        assert "AssertionError: called" in text


def test_what_passed_says_only_what_it_printed(checks: dict[str, DraftCheck]) -> None:
    assert checks["test_passes_with_a_word"].sections == [("stdout", "a & b")]
    assert checks["test_passes_silently"].sections == []
    assert checks["test_section"].sections == [("requests", "$ curl a\n\n$ curl b")]


def test_a_failure_says_why_first(checks: dict[str, DraftCheck]) -> None:
    sections = checks["test_fails"].sections
    assert [name for name, _ in sections] == ["", "stdout", "stderr"]
    assert "AssertionError: a & b <c>" in sections[0][1]
    assert not sections[0][1].startswith("[gw")


def test_what_was_attached_is_told_by_its_kind(checks: dict[str, DraftCheck]) -> None:
    assert checks["test_fails"].extras == [
        Extra("a picture", picture=PNG),
        Extra("a text", text="some <text>"),
        Extra("a trace", link="traces/a.zip"),
        Extra("some JSON", text='{"a": 1}'),
        Extra("", text="<b>bold</b>"),
    ]


def test_errors_of_setup_and_teardown_are_told_first_and_once(
    checks: dict[str, DraftCheck],
) -> None:
    (setup, printed) = checks["test_setup"].sections
    assert setup[0] == "in its setup"
    assert "setup <b>broke</b>" in setup[1]
    assert printed == ("stdout", "in setup")
    names = [name for name, _ in checks["test_teardown"].sections]
    assert names == ["in its teardown", "stdout", "stdout"]
    assert [name for name, _ in checks["test_both"].sections] == ["", "in its teardown", "stdout"]


def test_each_attempt_is_told() -> None:
    draft = draft_of(
        entry("t.py::test_a", result="Rerun", log="E first\n--- Captured stdout call ---\nx"),
        entry("t.py::test_a", result="Passed", log="--- Captured stdout call ---\ny"),
    )
    assert read_draft(draft)["t.py::test_a"].sections == [
        ("", "E first"),
        ("stdout", "x"),
        ("stdout", "y"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "data:image/svg+xml;base64,PHN2Zz4=",
        "data:text/html;base64,PHN2Zz4=",
        "https://elsewhere/a.png",
        "javascript:alert(1)",
        f'{PNG}" onerror="alert(1)',
    ],
)
def test_only_pictures_of_known_kinds_are_pictures(content: str) -> None:
    (extra,) = read_draft(draft_of(entry("a", extras=[attachment(content)])))["a"].extras
    assert extra == Extra("", text=content)


@pytest.mark.parametrize(
    "blob",
    [
        "nonsense",
        "[]",
        "{}",
        json.dumps({"tests": []}),
        json.dumps({"tests": {"a": 1}}),
        json.dumps({"tests": {"a": [{}]}}),
        json.dumps({"tests": {"a": [{"testId": "a", "extras": [1]}]}}),
        json.dumps(
            {
                "tests": {
                    "a": [
                        {
                            "testId": "a",
                            "extras": [
                                {"content": "data:text/plain;charset=utf-8;base64,A"},
                            ],
                        }
                    ]
                }
            }
        ),
    ],
)
def test_a_page_that_nobody_can_read_is_none(blob: str) -> None:
    assert read_draft(f'<div data-jsonblob="{escape(blob)}"></div>') == {}


@given(text=st.text("&<>\"'ampltgquo#x2739;34 "))
def test_a_log_is_read_as_it_was_written(text: str) -> None:
    sections = read_draft(draft_of(entry("a", log=f"|{text}|")))["a"].sections
    assert sections == [("", f"|{text}|")]


def test_without_a_page_there_is_nothing(tmp_path: Path) -> None:
    assert read_draft(None) == {}
    assert read_draft((tmp_path / "x").as_posix()) == {}
