"""The checks' cases in `junit.xml`: one of each, as every reader takes them, with its attempts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from xml.etree import ElementTree as ET

from deployment_gate.evidence import Evidence, Observation, ObservationKind, Outcome
from deployment_gate.reports.account import format_time

CaseName = tuple[str, str]
"""The class and the name that a test case bears."""

# XML 1.0, 2.2: the characters that a document may not hold at all.
_FORBIDDEN = dict.fromkeys(
    [*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF]
)


def tidy_cases(suite: ET.Element, evidence: Evidence) -> None:
    """Have one case of each check, with no more than readers allow, and its attempts."""
    _make_one_case_of_each_check(suite)
    for case in suite.findall("testcase"):
        _keep_to_the_schema(case)
    _add_attempts(suite, evidence)


def name_of(case: ET.Element) -> CaseName:
    """The class and the name of a case; empty where it has none."""
    return case.get("classname", ""), case.get("name", "")


def _make_one_case_of_each_check(suite: ET.Element) -> None:
    """Put together what pytest wrote of one check: GitLab reads only the first of one name.

    pytest opens another case for a teardown that fails after its check, and leaves one without
    a name where the run ended in a check.
    """
    first: dict[CaseName, ET.Element] = {}
    for case in suite.findall("testcase"):
        known = first.setdefault(name_of(case), case)
        if case.get("name") is None:
            suite.remove(case)
        elif known is not case:
            known.extend(case)
            known.set("time", f"{_time_of(known) + _time_of(case):.3f}")
            suite.remove(case)


def _time_of(case: ET.Element) -> float:
    return float(case.get("time", 0))


def _keep_to_the_schema(case: ET.Element) -> None:
    """Leave of a case what Jenkins' schema knows: its properties become a part of its output.

    pytest writes them for `record_property`, and more attributes where `junit_family` says so.
    """
    for name in case.attrib.keys() - {"classname", "name", "time"}:
        del case.attrib[name]
    recorded = [
        f"{one.get('name')}: {one.get('value')}" for one in case.findall("properties/property")
    ]
    for properties in case.findall("properties"):
        case.remove(properties)
    if recorded:
        # Each once: of two cases that pytest wrote of one check, both hold all of them.
        _add_output(case, dict.fromkeys(recorded))


def _add_attempts(suite: ET.Element, evidence: Evidence) -> None:
    """Show each attempt at a check that took several, of which one was bad."""
    cases = {name_of(case): case for case in suite.findall("testcase")}
    for check, attempts in _attempts(evidence).items():
        case = _case_of(check, cases)
        if case is not None:
            told = (
                f"attempt {number} at {format_time(one.at)}: {_end_of(one)}"
                for number, one in enumerate(attempts, start=1)
            )
            _add_output(case, told)


def _case_of(check: str, cases: Mapping[CaseName, ET.Element]) -> ET.Element | None:
    classname, name = name_in_junit(check)
    if (classname, name) in cases:
        return cases[classname, name]
    # --junitprefix puts a word of the user's before the class.
    prefixed = (
        case
        for (its_class, its_name), case in cases.items()
        if its_name == name and its_class.endswith(f".{classname}")
    )
    return next(prefixed, None)


def _attempts(evidence: Evidence) -> dict[str, list[Observation]]:
    """The attempts at each check that took several and didn't simply pass, by its node id."""
    seen: defaultdict[tuple[ObservationKind, str | None], list[Observation]] = defaultdict(list)
    for one in evidence.observations:
        seen[one.kind, one.subject].append(one)
    subjects = {check.id: check.subject for check in evidence.plan}
    attempts = {}
    for ended in evidence.outcomes:
        own = seen[ObservationKind.CHECK, ended.id]
        of_subject = seen[ObservationKind.HEALTH, subjects.get(ended.id)]
        # Those at its endpoint that the check could know of: it is looked at again at the end.
        known = own or [one for one in of_subject if one.at <= ended.at]
        if len(known) > 1 and ended.outcome is not Outcome.PASSED:
            attempts[ended.id] = known
    return attempts


def _end_of(attempt: Observation) -> str:
    if attempt.error or attempt.unobserved:
        return attempt.error or f"unobserved: {attempt.unobserved}"
    if attempt.status is None:
        return "passed"
    states = {"": attempt.facts.get("word"), **attempt.facts.get("states", {})}
    told = ", ".join(f"{path or 'itself'} {state}" for path, state in states.items() if state)
    reports = f", reports {told}" if told else ""
    return f"answered {attempt.status} in {attempt.duration_s:.3g} s{reports}"


def name_in_junit(check: str) -> CaseName:
    """How pytest names the case of a check, by its node id.

    >>> name_in_junit("validation/api/test_a.py::TestB::test_c[d/e::f.py]")
    ('validation.api.test_a.TestB', 'test_c[d/e::f.py]')
    """
    path, _, within = check.partition("::")
    names, bracket, parameters = within.partition("[")
    *classes, name = names.split("::")
    module = path.removesuffix(".py").replace("/", ".")
    return ".".join([module, *classes]), f"{name}{bracket}{parameters}"


def _add_output(case: ET.Element, lines: Iterable[str]) -> None:
    ET.SubElement(case, "system-out").text = clean("\n".join(lines))


def clean(text: str) -> str:
    """`text` without what no XML can hold."""
    return text.translate(_FORBIDDEN)
