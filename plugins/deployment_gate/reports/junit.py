"""`junit.xml`: red whenever the verdict is not promote, for pipelines that read nothing else."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from deployment_gate.judgement import Decision, TriggerResult, TriggerState
from deployment_gate.reports.account import Account

SUITE = "deployment-gate"
"""The class name of the gate's own test cases."""

_GREEN_STATES = {TriggerState.CLEAR}
# XML 1.0, 2.2: the characters that a document may not hold at all.
_FORBIDDEN = dict.fromkeys(
    [*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF]
)


class JUnitError(ValueError):
    """The file that pytest wrote isn't the report of this run."""


def count_checks(text: str) -> int:
    """How many test cases pytest wrote, two reports of one check counted once.

    Raises:
        JUnitError: The text is no JUnit report.
    """
    cases = _suite(_parse(text)).iter("testcase")
    return len({(case.get("classname"), case.get("name")) for case in cases})


def finish_junit(text: str | None, account: Account) -> str:
    """The file of pytest with the verdict, the triggers and the run's properties in it.

    Args:
        text: What pytest wrote; None where it wrote nothing.
        account: What to say.

    Raises:
        JUnitError: The text is no JUnit report.
    """
    root = _parse(text) if text else ET.fromstring(_EMPTY)  # noqa: S314  # our own text
    suite = _suite(root)
    suite.set("name", SUITE)
    _add_properties(suite, account)
    for trigger in account.verdict.triggers:
        _add_case(suite, f"trigger {trigger.name}", _describe(trigger), _is_green(trigger, account))
    _add_case(
        suite,
        "verdict",
        "\n".join([account.sentence, *(reason.text for reason in account.reasons)]),
        account.verdict.decision is Decision.PROMOTE,
    )
    for attribute, path in (("tests", "testcase"), ("failures", "testcase/failure")):
        suite.set(attribute, str(len(suite.findall(path))))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


_EMPTY = '<testsuites><testsuite errors="0" skipped="0" time="0"/></testsuites>'


def _parse(text: str) -> ET.Element:
    try:
        return ET.fromstring(text)  # noqa: S314  # written by pytest in this run
    except ET.ParseError as error:
        raise JUnitError(f"pytest's JUnit file can't be parsed: {error}") from error


def _suite(root: ET.Element) -> ET.Element:
    suite = root if root.tag == "testsuite" else root.find("testsuite")
    if suite is None:
        raise JUnitError("pytest's JUnit file holds no test suite")
    return suite


def _add_properties(suite: ET.Element, account: Account) -> None:
    # Of the suite, not of test cases: Jenkins' schema knows only these.
    properties = suite.find("properties")
    if properties is None:
        properties = ET.Element("properties")
        suite.insert(0, properties)
    for name, value in (
        ("environment", account.run.environment),
        ("release", account.run.release or ""),
        ("run", account.run.id),
        ("scope", account.scope),
        ("verdict", account.verdict.decision),
    ):
        ET.SubElement(properties, "property", name=name, value=_clean(value))


def _add_case(suite: ET.Element, name: str, text: str, is_green: bool) -> None:  # noqa: FBT001
    case = ET.SubElement(suite, "testcase", classname=SUITE, name=name, time="0")
    if is_green:
        ET.SubElement(case, "system-out").text = _clean(text)
    else:
        failure = ET.SubElement(case, "failure", message=_clean(text.splitlines()[0]))
        failure.text = _clean(text)


def _describe(trigger: TriggerResult) -> str:
    return f"{trigger.name} is {trigger.state}: {trigger.why or trigger.phrase}"


def _is_green(trigger: TriggerResult, account: Account) -> bool:
    """Red only where it is a reason: a trigger that just notifies must not stop a pipeline."""
    if trigger.state in _GREEN_STATES:
        return True
    return all(reason.rule != trigger.name for reason in account.reasons)


def _clean(text: str) -> str:
    return text.translate(_FORBIDDEN)
