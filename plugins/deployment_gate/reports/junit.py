"""`junit.xml`: red whenever the verdict is not promote, for pipelines that read nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

from deployment_gate.judgement import Decision, TriggerResult, TriggerState
from deployment_gate.reports.account import Account
from deployment_gate.reports.junit_cases import CaseName, clean, name_of, tidy_cases

SUITE = "deployment-gate"
"""The class name of the gate's own test cases."""

_GREEN_STATES = {TriggerState.CLEAR}


class JUnitError(ValueError):
    """The file that pytest wrote isn't the report of this run."""


def count_checks(text: str) -> int:
    """How many checks pytest wrote of, two test cases of one check counted once.

    Raises:
        JUnitError: The text is no JUnit report.
    """
    cases = _suite(_parse(text)).iter("testcase")
    return len({name_of(case) for case in cases if case.get("name") is not None})


@dataclass(frozen=True, slots=True)
class OwnCase:
    """A test case of the gate's own: how it is shown, and what it says."""

    shown: str
    message: str
    text: str

    @property
    def sentence(self) -> str:
        """The first line of what it says."""
        return self.text.partition("\n")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class JUnitFile:
    """What a finished file says.

    Attributes:
        properties: Those of its suite.
        stated: The numbers that the suite states: `tests`, `failures`, `errors`, `skipped`.
        counted: The same, counted.
        checks: How each check is shown: `passed`, `skipped`, `failure` or `error`, the worst of
            its cases.
        own: The gate's own cases, by name.
        ended: When pytest's suite ended, aware; None where the file doesn't say.
    """

    properties: Mapping[str, str]
    stated: Mapping[str, str | None]
    counted: Mapping[str, int]
    checks: tuple[str, ...]
    own: Mapping[str, OwnCase]
    ended: datetime | None


def read_junit(text: str) -> JUnitFile:
    """What a finished JUnit file says.

    Raises:
        JUnitError: The text is no JUnit report.
    """
    root = _parse(text)
    suite = _suite(root)
    if len(root.findall("testsuite")) > 1:
        raise JUnitError("it holds more than one test suite")
    cases = suite.findall("testcase")
    shown: dict[CaseName, str] = {}
    for case in cases:
        if case.get("classname") != SUITE:
            key = name_of(case)
            shown[key] = max(shown.get(key, "passed"), _shown(case), key=_SHOWN.index)
    counted = _count(suite)
    return JUnitFile(
        properties={
            str(one.get("name")): one.get("value", "")
            for one in suite.findall("properties/property")
        },
        stated={name: suite.get(name) for name in counted},
        counted=counted,
        checks=tuple(shown.values()),
        own={
            case.get("name", ""): OwnCase(_shown(case), *_told(case))
            for case in cases
            if case.get("classname") == SUITE
        },
        ended=_ended(suite),
    )


_SHOWN = ("passed", "skipped", "failure", "error")
"""How a case can be shown, from best to worst."""


def _shown(case: ET.Element) -> str:
    return max(("passed", *(child.tag for child in case if child.tag in _SHOWN)), key=_SHOWN.index)


def _told(case: ET.Element) -> tuple[str, str]:
    """The message and the text of a case of the gate's own."""
    return (
        "".join(child.get("message", "") for child in case),
        "".join(child.text or "" for child in case),
    )


def _ended(suite: ET.Element) -> datetime | None:
    try:
        started = datetime.fromisoformat(suite.get("timestamp", ""))
        ended = started + timedelta(seconds=float(suite.get("time", "")))
    except (ValueError, OverflowError):
        return None
    return ended if ended.tzinfo else None


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
    tidy_cases(suite, account.evidence)
    _add_properties(suite, account)
    for trigger in account.verdict.triggers:
        _add_case(suite, f"trigger {trigger.name}", _describe(trigger), _is_green(trigger, account))
    _add_case(
        suite,
        "verdict",
        "\n".join([account.sentence, *(reason.text for reason in account.reasons)]),
        account.verdict.decision is Decision.PROMOTE,
    )
    for attribute, count in _count(suite).items():
        suite.set(attribute, str(count))
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


def _count(suite: ET.Element) -> dict[str, int]:
    """The numbers that a suite states, counted."""
    paths = {
        "tests": "testcase",
        "failures": "testcase/failure",
        "errors": "testcase/error",
        "skipped": "testcase/skipped",
    }
    return {name: len(suite.findall(path)) for name, path in paths.items()}


def _add_properties(suite: ET.Element, account: Account) -> None:
    # Of the suite, not of test cases: Jenkins' schema knows only these.
    properties = suite.find("properties")
    if properties is None:
        properties = ET.Element("properties")
        suite.insert(0, properties)
    own = {
        "environment": account.run.environment,
        "release": account.run.release or "",
        "run": account.run.id,
        "scope": account.scope,
        "verdict": account.verdict.decision,
    }
    for one in properties.findall("property"):
        if one.get("name") in own:
            # A check recorded it; what the gate says must be said by nobody else.
            properties.remove(one)
    for name, value in own.items():
        ET.SubElement(properties, "property", name=name, value=clean(value))


def _add_case(suite: ET.Element, name: str, text: str, is_green: bool) -> None:  # noqa: FBT001
    case = ET.SubElement(suite, "testcase", classname=SUITE, name=name, time="0")
    if is_green:
        ET.SubElement(case, "system-out").text = clean(text)
    else:
        failure = ET.SubElement(case, "failure", message=clean(text.splitlines()[0]))
        failure.text = clean(text)


def _describe(trigger: TriggerResult) -> str:
    return (
        f"{trigger.name} is {trigger.state}: {trigger.why or trigger.phrase}\n"
        f"bad: {trigger.bad} of {trigger.total}, unobserved: {trigger.unobserved}, "
        f"condition: {trigger.phrase}"
    )


def _is_green(trigger: TriggerResult, account: Account) -> bool:
    """Red only where it is a reason: a trigger that just notifies must not stop a pipeline."""
    if trigger.state in _GREEN_STATES:
        return True
    return all(reason.rule != trigger.name for reason in account.reasons)
