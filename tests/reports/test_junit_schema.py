"""The rules of JUnit files that Jenkins' junit-10.xsd holds, as a table to hold files against."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import pytest


@dataclass(frozen=True)
class Rule:
    """What Jenkins' junit-10.xsd says of an element.

    Attributes:
        parts: The elements that may stand in it.
        attributes: What it may have.
        needed: Which of these it must have.
        is_text: Whether text may stand in it.
        is_ordered: Whether its parts stand in the order given here, each once.
    """

    parts: tuple[str, ...] = ()
    attributes: frozenset[str] = frozenset()
    needed: frozenset[str] = frozenset()
    is_text: bool = False
    is_ordered: bool = False


COUNTS = frozenset({"tests", "failures", "errors"})
END = Rule(attributes=frozenset({"type", "message"}), is_text=True)
RERUN = Rule(
    parts=("stackTrace", "system-out", "system-err"),
    attributes=frozenset({"type", "message"}),
    needed=frozenset({"type"}),
    is_text=True,
    is_ordered=True,
)
RERUNS = ("rerunFailure", "rerunError", "flakyFailure", "flakyError")
OUTPUTS = ("system-out", "system-err")
# Where its revisions differ, what all of them since Surefire's reruns allow.
SCHEMA = {
    "testsuites": Rule(parts=("testsuite",), attributes=COUNTS | {"name", "time"}),
    "testsuite": Rule(
        parts=("testsuite", "properties", "testcase", *OUTPUTS),
        attributes=COUNTS
        | {"name", "time", "skipped", "timestamp", "hostname"}
        | {"group", "id", "package", "file", "log", "url"},
        needed=COUNTS | {"name"},
    ),
    "testcase": Rule(
        parts=("skipped", "error", "failure", *RERUNS, *OUTPUTS),
        attributes=frozenset({"name", "time", "classname", "group"}),
        needed=frozenset({"name"}),
    ),
    "properties": Rule(parts=("property",)),
    "property": Rule(attributes=frozenset({"name", "value"}), needed=frozenset({"name", "value"})),
    **dict.fromkeys(("failure", "error", "skipped"), END),
    **dict.fromkeys(RERUNS, RERUN),
    **dict.fromkeys(("stackTrace", *OUTPUTS), Rule(is_text=True)),
}
TIME = re.compile(r"\d*(\.\d{0,3})?")
"""Of a suite; thousands may have commas, too, which nobody writes."""


def breaches_of(element: ET.Element) -> Iterator[str]:
    """What in an element, and in all that stands in it, Jenkins' schema refuses."""
    rule = SCHEMA[element.tag]
    attributes = set(element.attrib)
    yield from (f"{element.tag} may have no {name}" for name in attributes - rule.attributes)
    yield from (f"{element.tag} lacks {name}" for name in rule.needed - attributes)
    if element.tag.startswith("testsuite") and not TIME.fullmatch(element.get("time", "")):
        yield f"{element.tag} took no time: {element.get('time')}"
    texts = [element.text, *(part.tail for part in element)]
    # Between parts there may be white space; where there are none, nothing at all.
    if not rule.is_text and any(text and (text.strip() or not rule.parts) for text in texts):
        yield f"{element.tag} may hold no text"
    tags = [part.tag for part in element]
    if rule.is_ordered and tags != [name for name in rule.parts if name in tags]:
        yield f"{element.tag} has its parts in another order"
    for part in element:
        if part.tag in rule.parts:
            yield from breaches_of(part)
        else:
            yield f"{element.tag} may have no part {part.tag}"


def suite_of(text: str) -> ET.Element:
    """The one suite, after the rules that readers rely on."""
    root = ET.fromstring(text)  # noqa: S314  # the gate's own
    assert root.tag == "testsuites"
    assert list(breaches_of(root)) == []
    (suite,) = root
    cases = suite.findall("testcase")
    assert all(case.get("name") and case.get("classname") is not None for case in cases)
    assert all(float(case.get("time", "nan")) >= 0 for case in cases)
    counted = {"tests": "testcase", "failures": "testcase/failure"}
    counted |= {"errors": "testcase/error", "skipped": "testcase/skipped"}
    for attribute, path in counted.items():
        assert int(suite.get(attribute, "")) == len(suite.findall(path)), attribute
    return suite


def document(case: str, suite: str = "", attributes: str = "") -> str:
    """A report of one test case, with something in it, beside it, and said of its suite."""
    return (
        f'<testsuites><testsuite name="s" tests="1" failures="0" errors="0" {attributes}>{suite}'
        f'<testcase name="a" classname="b">{case}</testcase></testsuite></testsuites>'
    )


ALLOWED = (
    document("<system-out>  said  </system-out><failure>text</failure><error message='m'/>"),
    document("<rerunError type='t'>text<stackTrace/>text<system-err/>text</rerunError>"),
    document("".join(f"<{name} type='t' message='m'/>" for name in RERUNS)),
    document("", "<properties/><system-out/><properties><property name='' value=''/></properties>"),
    document("", "<testsuite name='' tests='x' failures='' errors='' group='g' time='.5'/>"),
    document(
        "", attributes="time='12.345' skipped='1' timestamp='now' hostname='h' id='1' url='u'"
    ),
    document("", attributes="time=''"),
)
REFUSED = {
    "properties of a test case": (
        document("<properties><property name='a' value='b'/></properties>"),
        "testcase may have no part properties",
    ),
    "a test case without a name": (
        document("", "<testcase/>"),
        "testcase lacks name",
    ),
    "a file of a test case": (
        document("", "<testcase name='a' file='f'/>"),
        "testcase may have no file",
    ),
    "text in a test case": (document("text"), "testcase may hold no text"),
    "text behind a failure": (document("<failure/>text"), "testcase may hold no text"),
    "text in a suite": (document("", "text"), "testsuite may hold no text"),
    "text in a property": (
        document("", "<properties><property name='a' value='b'>c</property></properties>"),
        "property may hold no text",
    ),
    "white space in a property": (
        document("", "<properties><property name='a' value='b'> </property></properties>"),
        "property may hold no text",
    ),
    "a property without a value": (
        document("", "<properties><property name='a'/></properties>"),
        "property lacks value",
    ),
    "a failure in a suite": (document("", "<failure/>"), "testsuite may have no part failure"),
    "an element in a failure": (
        document("<failure><b/></failure>"),
        "failure may have no part b",
    ),
    "an attribute of an output": (
        document("<system-out type='t'/>"),
        "system-out may have no type",
    ),
    "a rerun without a type": (document("<flakyError/>"), "flakyError lacks type"),
    "a rerun's parts in another order": (
        document("<flakyError type='t'><system-err/><system-out/></flakyError>"),
        "flakyError has its parts in another order",
    ),
    "a suite that takes no time": (document("", attributes="time='1e-05'"), "took no time: 1e-05"),
    "a suite of assertions": (document("", attributes="assertions='1'"), "may have no assertions"),
    "a suite that doesn't count": (
        document("", "<testsuite name='' tests='0' failures='0'/>"),
        "testsuite lacks errors",
    ),
    "skips of all suites": ("<testsuites skipped='0'/>", "testsuites may have no skipped"),
    "properties of all suites": (
        "<testsuites><properties/></testsuites>",
        "testsuites may have no part properties",
    ),
}


@pytest.mark.parametrize("text", ALLOWED)
def test_the_table_allows_what_the_schema_does(text: str) -> None:
    assert list(breaches_of(ET.fromstring(text))) == []  # noqa: S314  # from the table above


@pytest.mark.parametrize(("text", "breach"), REFUSED.values(), ids=REFUSED)
def test_the_table_refuses_what_the_schema_does(text: str, breach: str) -> None:
    (told,) = breaches_of(ET.fromstring(text))  # noqa: S314  # from the table above
    assert breach in told
