"""The `junit.xml` of real runs, alone and with workers: what any reader of such files relies on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, cycle, repeat
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.plugin.conftest import Reply, Reports
from tests.reports.test_junit_schema import suite_of
from tests.runs import RELEASE, Workshop, workshop

MODES = {"alone": (), "two workers": ("-n", "2")}

TRIGGERS = """rollback_triggers:
  brief_outage:
    condition: Health check fails for 2 consecutive attempts
    action: notify
    timeout: 5 seconds
"""
ENDS = {"passed", "failed", "error", "skipped", "xfailed", "xpassed", "warned"}
# Checks that end in each of these ways.
ENDINGS = r"""
    import os, sys
    import pytest

    @pytest.fixture
    def no_way_in():
        raise OSError("no way in")

    @pytest.fixture
    def no_way_back():
        yield
        raise OSError("no way back")

    def test_fails():
        print("a\0b ]]> <b>&")
        print("\x1b[31mred", file=sys.stderr)
        assert "<b>" == "]]>"

    def test_cannot_begin(no_way_in, no_way_back):
        pass

    def test_cannot_end(no_way_back):
        pass

    def test_fails_and_cannot_end(no_way_back):
        assert "here" == "there"

    def test_records(record_property, record_xml_attribute, record_testsuite_property):
        record_property("seen", "<\x1b>")
        record_xml_attribute("priority", "high")
        record_testsuite_property("verdict", "promote")

    def test_records_and_cannot_end(record_property, no_way_back):
        record_property("seen", 1)
        assert not "well"

    def test_cannot_do_either(no_way_back, no_way_in):
        pass

    def test_is_skipped():
        pytest.skip("not today")

    @pytest.mark.xfail(reason="known")
    def test_is_known_to_fail():
        assert False

    @pytest.mark.xfail(reason="known")
    def test_passes_against_its_expectation():
        pass

    def test_in_parts(subtests):
        for number in range(3):
            with subtests.test("part", number=number):
                assert number == 1

    class TestOne:
        def test_of_a_class(self):
            pass

    class TestOther(TestOne):
        pass

    TEXTS = ["", " ", "[x]", "a/b::c", "\u00e9\u672c", "\x1b", "\0", "\ud800", "x" * 999]

    @pytest.mark.parametrize("text", TEXTS)
    @pytest.mark.parametrize("same", [1, 1.0, True])
    def test_of_a_parameter(text, same):
        pass
"""
EXITS = """
    import pytest

    def test_begins(record_property):
        record_property("seen", "a part")
        pytest.exit("enough", returncode=0)
"""
DIES = """
    import os

    def test_dies():
        os._exit(0)
"""


@pytest.fixture
def shop(
    tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workshop]:
    """A project with two triggers."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    cache = pytestconfig.rootpath / ".pytest_cache" / "bytecode"
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(cache))
    with workshop(tmp_path) as shop:
        file = shop.folder / "environments/here.yaml"
        file.write_text(file.read_text().replace("rollback_triggers:\n", TRIGGERS))
        yield shop


def triggers_of(suite: ET.Element) -> dict[str, ET.Element]:
    """The gate's own cases of triggers, by name."""
    own = suite.findall("testcase[@classname='deployment-gate']")
    names = {case.get("name", "").removeprefix("trigger "): case for case in own}
    verdict = names.pop("verdict")
    assert verdict is suite.findall("testcase")[-1]
    return names


def parts_of(suite: ET.Element, name: str) -> list[str]:
    """What stands in the one case of a check."""
    (case,) = suite.findall(f"testcase[@name='{name}']")
    return [part.tag for part in case]


def assert_readable(reports: Reports) -> ET.Element:
    """What every reader relies on; the suite."""
    suite = suite_of(reports["junit.xml"])
    named = [(case.get("classname"), case.get("name")) for case in suite.iter("testcase")]
    assert sorted(named) == sorted(set(named))
    told = reports.verdict
    properties = [(one.get("name"), one.get("value")) for one in suite.iter("property")]
    assert [list(one) for one in suite.findall("properties")] == [list(suite.iter("property"))]
    assert properties == [
        *((name, told[name]) for name in ("environment", "release", "run")),
        ("scope", told["tier"]),
        ("verdict", told["verdict"]),
    ]
    verdict = suite.findall("testcase")[-1]
    assert verdict.get("name") == "verdict"
    assert (verdict.find("failure") is None) == (told["verdict"] == "promote")
    assert reports.is_red == (told["verdict"] != "promote")
    assert triggers_of(suite).keys() == {"brief_outage", "health_check_failure"}
    return suite


@pytest.mark.parametrize("mode", MODES)
def test_a_promote_is_readable(shop: Workshop, mode: str) -> None:
    reports = shop.validate("reports/here", f"--release={RELEASE}", *MODES[mode])
    assert reports.verdict["verdict"] == "promote", reports.why
    suite = assert_readable(reports)
    for trigger in triggers_of(suite).values():
        (part,) = trigger
        assert part.tag == "system-out"
        assert re.search(r"\nbad: 0 of \d+, unobserved: 0, condition: Health", part.text or "")


@pytest.mark.parametrize("family", ["xunit1", "xunit2", "legacy"])
@pytest.mark.parametrize("mode", MODES)
def test_however_checks_end_the_file_is_readable(shop: Workshop, mode: str, family: str) -> None:
    shop.write("validation/health/test_endings.py", ENDINGS)
    reports = shop.validate(
        "reports/here", f"--release={RELEASE}", *MODES[mode], "-o", f"junit_family={family}"
    )
    assert reports.verdict["verdict"] == "hold", reports.why
    ends = [record["outcome"] for record in reports.evidence if record["type"] == "outcome"]
    assert set(ends) >= ENDS
    suite = assert_readable(reports)
    own = suite.findall("testcase[@classname='deployment-gate']")
    assert len(suite.findall("testcase")) - len(own) == len(ends)
    assert parts_of(suite, "test_fails_and_cannot_end") == ["failure", "error"]
    assert parts_of(suite, "test_records_and_cannot_end") == ["failure", "error", "system-out"]
    told = suite.findtext("testcase[@name='test_records']/system-out")
    assert told == "seen: <#x1B>"


@pytest.mark.parametrize("mode", MODES)
def test_a_check_that_ends_pytest_leaves_no_case_without_a_name(shop: Workshop, mode: str) -> None:
    shop.write("validation/health/test_the_end.py", EXITS)
    reports = shop.validate("reports/here", f"--release={RELEASE}", *MODES[mode])
    assert reports.verdict["verdict"] == "hold", reports.why
    assert "test_begins" in reports.why
    assert_readable(reports)


@pytest.mark.parametrize("mode", MODES)
def test_attempts_that_failed_stay_visible_where_a_later_one_passed(
    shop: Workshop, mode: str
) -> None:
    shop.target.answers["/health/api"] = chain([Reply(status=503)], repeat(Reply()))
    reports = shop.validate("reports/here", f"--release={RELEASE}", *MODES[mode])
    assert reports.outcomes["test_endpoint_is_healthy[api_service]"] == "flaky"
    suite = assert_readable(reports)
    case = "testcase[@name='test_endpoint_is_healthy[api_service]']"
    first, second, *_ = suite.findtext(f"{case}/system-out", "").splitlines()
    assert re.fullmatch(r"attempt 1 at [\d: -]+ UTC: answered 503 in [\d.e-]+ s, .*ok", first)
    assert re.fullmatch(r"attempt 2 at [\d: -]+ UTC: answered 200 in [\d.e-]+ s, .*ok", second)
    assert parts_of(suite, "test_endpoint_is_healthy[database]") == []


@pytest.mark.parametrize("mode", MODES)
def test_a_rollback_is_readable_and_tells_each_triggers_numbers(shop: Workshop, mode: str) -> None:
    shop.target.answers["/health/api"] = cycle([Reply(status=503)])
    reports = shop.validate("reports/here", f"--release={RELEASE}", *MODES[mode])
    assert reports.verdict["verdict"] == "rollback", reports.why
    triggers = triggers_of(assert_readable(reports))
    fired = triggers["health_check_failure"].findtext("failure", "")
    assert "api_service failed 3 times in a row: answered 503" in fired
    # It only notifies, which stops no pipeline.
    notifying = triggers["brief_outage"].findtext("system-out", "")
    assert "brief_outage is fired: api_service failed 2 times in a row: answered 503" in notifying


@pytest.mark.parametrize("mode", MODES)
def test_a_run_that_dies_leaves_a_readable_file(shop: Workshop, mode: str) -> None:
    shop.write("validation/health/test_the_end.py", DIES)
    reports = shop.validate("reports/here", f"--release={RELEASE}", *MODES[mode])
    assert reports.verdict["verdict"] == "hold", reports.why
    assert_readable(reports)
