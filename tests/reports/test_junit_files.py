"""The `junit.xml` of real runs, alone and with workers: what any reader of such files relies on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
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
    assert {case.tag for trigger in triggers_of(suite).values() for case in trigger} == {
        "system-out"
    }


@pytest.mark.parametrize("mode", MODES)
def test_however_checks_end_the_file_is_readable(shop: Workshop, mode: str) -> None:
    shop.write("validation/health/test_endings.py", ENDINGS)
    reports = shop.validate("reports/here", f"--release={RELEASE}", *MODES[mode])
    assert reports.verdict["verdict"] == "hold", reports.why
    ends = [record["outcome"] for record in reports.evidence if record["type"] == "outcome"]
    assert set(ends) >= ENDS
    suite = assert_readable(reports)
    own = suite.findall("testcase[@classname='deployment-gate']")
    assert len(suite.findall("testcase")) - len(own) == len(ends)


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
