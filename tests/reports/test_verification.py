"""Files of a real run are trusted as they are, and refused once anything in them is changed."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import cycle
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployment_gate.environment import Tier
from deployment_gate.judging import find_policy
from deployment_gate.reports.verification import Demand, RefusalError, verify_reports
from tests.plugin.conftest import REPORTS, Reply, Reports
from tests.runs import RELEASE, Workshop, copy_of, workshop

SMOKE = ("-m", "smoke", f"--release={RELEASE}")
OTHER_RELEASE = "1.4.2"
BROKEN = """
    import pytest
    pytestmark = pytest.mark.smoke

    @pytest.fixture
    def broken():
        yield
        raise RuntimeError("broken")

    def test_fails_and_breaks(broken):
        assert False

    def test_breaks(broken):
        pass

    def test_is_skipped():
        pytest.skip("not here")
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """The project whose runs are verified."""
    with workshop(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture(scope="module")
def promote(shop: Workshop) -> Reports:
    """What a smoke run left that promotes."""
    reports = shop.validate("promote", *SMOKE)
    assert reports.verdict["verdict"] == "promote", reports.why
    return reports


@pytest.fixture(scope="module")
def again(shop: Workshop, promote: Reports) -> Reports:
    """What another one left, of the same release."""
    reports = shop.validate("again", *SMOKE)
    assert reports.verdict["run"] != promote.verdict["run"]
    return reports


@pytest.fixture(scope="module")
def rollback(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """What one left that rolls back, with checks that failed, were skipped and broke."""
    with workshop(tmp_path_factory.mktemp("broken")) as shop:
        shop.write("validation/health/test_broken.py", BROKEN)
        shop.target.answers["/health/api"] = cycle([Reply(status=503)])
        reports = shop.validate("rollback", *SMOKE)
    assert reports.verdict["verdict"] == "rollback"
    return reports


@pytest.fixture
def edited(promote: Reports, tmp_path: Path) -> Reports:
    """A copy of the files that promote, to be edited."""
    return copy_of(promote, tmp_path / "edited")


@pytest.fixture
def verify(shop: Workshop, promote: Reports) -> Callable[..., str]:
    """Verify files a minute after the promote; what was verified."""

    def verify(
        reports: Reports,
        *,
        path: Path | None = None,
        later: timedelta = timedelta(minutes=1),
        env_dir: str = "environments",
        **asked: object,
    ) -> str:
        known = {"release": RELEASE, "tier": Tier.SMOKE, "max_age": timedelta(minutes=30), **asked}
        return verify_reports(
            path or reports.path,
            Demand(**known),  # type: ignore[arg-type]
            now=datetime.fromisoformat(promote.verdict["ended"]) + later,
            find_policy=partial(find_policy, directory=shop.folder / env_dir, variables={}),
        )

    return verify


@pytest.fixture
def refusal(verify: Callable[..., str]) -> Callable[..., str]:
    """Verify files that are to be refused; why, in one line that says what to do next."""

    def refusal(reports: Reports, *, exit_code: int = 1, **asked: object) -> str:
        with pytest.raises(RefusalError) as caught:
            verify(reports, **asked)
        message = str(caught.value)
        assert caught.value.exit_code == exit_code, message
        assert "\n" not in message
        assert re.search(
            r"\b(Validate|Name|Roll|Look|Set|Mend|Judge|Take|Do not promote)\b", message
        ), message
        return message

    return refusal


Edit = Callable[[Reports], None]


def changing(name: str, old: str, new: str) -> Edit:
    """Replace a text, which must be there, in one of the files."""

    def change(reports: Reports) -> None:
        text = reports[name]
        assert old in text
        (reports.path / name).write_text(text.replace(old, new), encoding="utf-8")

    return change


def dropping(name: str, pattern: str) -> Edit:
    """Remove the first match of a pattern, which must be there, from one of the files."""

    def drop(reports: Reports) -> None:
        text, count = re.subn(pattern, "", reports[name], count=1, flags=re.DOTALL | re.MULTILINE)
        assert count == 1
        (reports.path / name).write_text(text, encoding="utf-8")

    return drop


def cutting(name: str, *, after: int, end: bytes = b"") -> Edit:
    """Leave no more of a file than its beginning."""

    def cut(reports: Reports) -> None:
        path = reports.path / name
        path.write_bytes(path.read_bytes()[:after] + end)

    return cut


def mend_digest(reports: Reports) -> None:
    """Give the verdict the digest of the evidence as it is now."""
    digest = hashlib.sha256(reports["evidence.jsonl"].encode()).hexdigest()
    changing("verdict.json", reports.verdict["evidence_sha256"], digest)(reports)


def repeat_an_observation(reports: Reports) -> None:
    """Add a line that is there already."""
    lines = reports["evidence.jsonl"].splitlines(keepends=True)
    seen = next(line for line in lines if '"type": "observation"' in line)
    changing("evidence.jsonl", seen, seen + seen)(reports)


def test_a_whole_promote_says_what_was_verified(
    promote: Reports, verify: Callable[..., str]
) -> None:
    said = verify(promote)
    assert said.startswith(f"promote: here, release {RELEASE}, smoke, run ")
    assert promote.verdict["run"] in said
    assert "ended 1 minute ago: the five files are whole and agree, judged again by" in said
    assert said.endswith("environments/here.yaml")


def test_a_rollback_is_told_by_its_exit_code(
    rollback: Reports, refusal: Callable[..., str]
) -> None:
    said = refusal(rollback, exit_code=10)
    assert "rollback: health_check_failure fired: api_service failed 3 times in a row" in said
    assert "Roll back to the previous version now" in said


@pytest.mark.parametrize(
    "asked",
    [
        {"release": OTHER_RELEASE},
        {"later": timedelta(hours=1)},
        {"tier": Tier.FULL},
        {"environment": "there"},
    ],
)
def test_a_rollback_that_is_not_the_one_asked_for_is_no_rollback(
    rollback: Reports, refusal: Callable[..., str], asked: dict[str, object]
) -> None:
    assert "rollback: health_check_failure" not in refusal(rollback, **asked)


def test_a_rollback_that_was_edited_is_no_rollback(
    rollback: Reports, refusal: Callable[..., str], tmp_path: Path
) -> None:
    edited = copy_of(rollback, tmp_path / "edited")
    dropping("evidence.jsonl", OBSERVATION)(edited)
    assert "was changed after verdict.json" in refusal(edited)


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
        (changing("report.html", "<h2>PROMOTE</h2>", "<h2>HOLD</h2>"),),
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


def test_an_old_run_that_was_copied_here_is_refused(
    edited: Reports, refusal: Callable[..., str]
) -> None:
    said = refusal(edited, later=timedelta(hours=2, minutes=3))
    assert "its run ended 2 hours 3 minutes ago, more than 30 minutes" in said


def test_the_age_is_allowed_up_to_its_limit(
    promote: Reports, verify: Callable[..., str], refusal: Callable[..., str]
) -> None:
    day = timedelta(days=1)
    assert verify(promote, later=day, max_age=day)
    refusal(promote, later=day + timedelta(seconds=1), max_age=day)


def test_a_moment_in_the_future_is_refused_once_clocks_cannot_explain_it(
    promote: Reports, verify: Callable[..., str], refusal: Callable[..., str]
) -> None:
    assert verify(promote, later=timedelta(seconds=-60))
    assert "61 seconds in the future" not in refusal(promote, later=timedelta(seconds=-61))
    assert "1 minute 1 second in the future" in refusal(promote, later=timedelta(seconds=-61))


def test_another_release_is_refused(promote: Reports, refusal: Callable[..., str]) -> None:
    said = refusal(promote, release="1.6.0")
    assert "validated release 1.5.0, not 1.6.0. Validate with --release 1.6.0" in said


def test_another_environment_is_refused(promote: Reports, refusal: Callable[..., str]) -> None:
    assert "validated here, not there" in refusal(promote, environment="there")


def test_a_narrower_tier_is_refused(promote: Reports, refusal: Callable[..., str]) -> None:
    said = refusal(promote, tier=Tier.FULL)
    assert "validated smoke, which is less than the full tier" in said


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


@pytest.mark.parametrize("name", [name for name in REPORTS if name != "junit.xml"])
def test_a_missing_file_is_named(edited: Reports, refusal: Callable[..., str], name: str) -> None:
    (edited.path / name).unlink()
    assert f"{name} is missing. Validate again" in refusal(edited)


@pytest.mark.parametrize("name", REPORTS)
def test_a_file_that_cannot_be_read_is_named(
    edited: Reports, refusal: Callable[..., str], name: str
) -> None:
    (edited.path / name).unlink()
    (edited.path / name).mkdir()
    assert f"{name}: " in refusal(edited)
    assert "can't be read (Is a directory)" in refusal(edited)


def test_a_folder_that_is_not_there_is_told(
    promote: Reports, refusal: Callable[..., str], tmp_path: Path
) -> None:
    nowhere = tmp_path / "nowhere"
    assert f"{nowhere}: no such folder. Name the folder" in refusal(promote, path=nowhere)
    assert f"{tmp_path}: holds no reports" in refusal(promote, path=tmp_path)
    assert "can't be read (File name too long)" in refusal(promote, path=tmp_path / ("x" * 300))


def test_a_run_that_never_ended_is_told_in_its_own_words(
    shop: Workshop, refusal: Callable[..., str]
) -> None:
    shop.write(
        "validation/health/test_killed.py",
        """
        import os

        def test_kills():
            os._exit(0)
        """,
    )
    try:
        killed = shop.validate("killed", "-k", "test_kills", f"--release={RELEASE}")
    finally:
        (shop.folder / "validation/health/test_killed.py").unlink()
    assert killed.verdict["verdict"] == "hold"
    said = refusal(killed)
    assert "killed: hold: the run is incomplete: it never reached its end" in said


def test_a_selection_is_refused(shop: Workshop, refusal: Callable[..., str]) -> None:
    reports = shop.validate("selection", "-k", "test_it_works", f"--release={RELEASE}")
    assert reports.verdict["verdict"] == "promote", reports.why
    assert "validated a selection: -k test_it_works, which is less" in refusal(reports)


@pytest.fixture
def alone(edited: Reports) -> Reports:
    """A folder that holds nothing else."""
    for name in REPORTS:
        if name != "junit.xml":
            (edited.path / name).unlink()
    return edited


def test_a_junit_file_alone_says_what_it_could_not_check(
    alone: Reports, verify: Callable[..., str]
) -> None:
    said = verify(alone)
    assert said.startswith(f"promote: here, release {RELEASE}, smoke, run ")
    assert said.endswith("its evidence and the verdict on it could not be checked")
    assert said == verify(alone, path=alone.path / "junit.xml")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name="verdict" value="promote"', 'name="verdict" value="rollback"', "is green, but"),
        ('tests="8"', 'tests="9"', "states tests=9, but holds 8"),
        ('skipped="1"', 'skipped="x"', "states skipped=x, but holds 1"),
        ("<skipped", '<error message="no" /><skipped', "states errors=0, but holds 1"),
        ('<property name="run"', '<property name="ran"', "has no property 'run'"),
        ('name="verdict" time', 'name="vrdict" time', "no case says a verdict"),
        ("timestamp=", "moment=", "doesn't say when its run was"),
        ("</testsuites>", "", "can't be parsed"),
        ('value="smoke"', 'value="a selection: -k x"', "validated a selection: -k x"),
    ],
)
def test_a_junit_file_alone_that_contradicts_itself_is_refused(
    alone: Reports, refusal: Callable[..., str], old: str, new: str, said: str
) -> None:
    changing("junit.xml", old, new)(alone)
    assert said in refusal(alone)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"release": "1.6.0"}, "validated release 1.5.0, not 1.6.0"),
        ({"tier": Tier.FULL}, "validated smoke, which is less than the full tier"),
        ({"environment": "there"}, "validated here, not there"),
        ({"later": timedelta(hours=1)}, "ended 1 hour"),
        ({"later": timedelta(hours=-1)}, "in the future"),
    ],
)
def test_a_junit_file_alone_of_what_was_not_asked_for_is_refused(
    alone: Reports, refusal: Callable[..., str], asked: dict[str, object], said: str
) -> None:
    assert said in refusal(alone, **asked)


def test_a_rollback_in_a_junit_file_alone_is_told_by_its_exit_code(
    rollback: Reports, refusal: Callable[..., str]
) -> None:
    said = refusal(rollback, path=rollback.path / "junit.xml", exit_code=10)
    assert "rollback: health_check_failure fired" in said


def test_a_junit_file_of_pytest_without_the_gate_is_refused(
    tmp_path: Path, promote: Reports, refusal: Callable[..., str]
) -> None:
    file = tmp_path / "junit.xml"
    file.write_text(
        '<testsuites><testsuite tests="1"><testcase name="a"/></testsuite></testsuites>'
    )
    assert "not written by the gate" in refusal(promote, path=file)
