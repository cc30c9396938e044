"""A JUnit file alone is taken for what it says, as far as it can be checked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from deployment_gate.environment import Tier
from tests.plugin.conftest import REPORTS, Reports
from tests.reports.edits import changing
from tests.runs import RELEASE


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
