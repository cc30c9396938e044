"""A run's files are trusted for what was asked, and only while they are fresh and complete."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from deployment_gate.environment import Tier
from tests.plugin.conftest import REPORTS, Reports
from tests.runs import RELEASE, Workshop


def test_a_whole_promote_says_what_was_verified(
    promote: Reports, verify: Callable[..., str]
) -> None:
    said = verify(promote)
    assert said.startswith(f"promote: here, release {RELEASE}, smoke, run ")
    assert promote.verdict["run"] in said
    assert "ended 1 minute ago: the six files are whole and agree, judged again by" in said
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
        {"release": "1.4.2"},
        {"later": timedelta(hours=1)},
        {"tier": Tier.FULL},
        {"environment": "there"},
    ],
)
def test_a_rollback_that_is_not_the_one_asked_for_is_no_rollback(
    rollback: Reports, refusal: Callable[..., str], asked: dict[str, object]
) -> None:
    assert "rollback: health_check_failure" not in refusal(rollback, **asked)


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
