"""Verifying a run's files, as a pipeline calls it before it promotes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from deployment_gate.cli import main
from tests.plugin.conftest import Reply, Reports
from tests.runs import RELEASE, Workshop, workshop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """The project whose reports are verified."""
    with workshop(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture(scope="module")
def promote(shop: Workshop) -> Reports:
    """What a full run left that promotes."""
    return shop.validate("promote", f"--release={RELEASE}")


def test_a_promote_is_exit_code_0_and_one_line(shop: Workshop, promote: Reports) -> None:
    done = shop.call("verify", "promote", "--release", RELEASE, "--tier", "smoke")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    assert f"promote: here, release {RELEASE}, full, run {promote.verdict['run']}" in done.stdout
    assert "judged again by environments/here.yaml" in done.stdout


def test_a_refusal_is_exit_code_1_and_one_line_that_says_why(
    shop: Workshop, promote: Reports
) -> None:
    done = shop.call("verify", promote.path, "--release", "1.6.0")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{promote.path}: validated release {RELEASE}, not 1.6.0. Validate with --release 1.6.0\n"
    )


def test_a_rollback_is_exit_code_10(tmp_path: Path) -> None:
    with workshop(tmp_path) as shop:
        shop.target.answers["/health/api"] = cycle([Reply(status=503)])
        shop.validate("rollback", f"--release={RELEASE}")
        done = shop.call("verify", "rollback", "--release", RELEASE)
    assert (done.returncode, done.stdout) == (10, "")
    assert done.stderr.startswith("rollback: rollback: health_check_failure fired")
    assert done.stderr.count("\n") == 1


@pytest.mark.usefixtures("promote")
def test_the_policy_can_be_elsewhere(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(shop.folder / "promote")
    known = ["verify", ".", f"--release={RELEASE}"]
    assert main([*known, "--env-dir=../environments", "--env=here", "--tier=full"]) == 0
    assert "judged again by ../environments/here.yaml" in capsys.readouterr().out
    assert main(known) == 0
    assert "not judged again by a policy, for lack of one: " in capsys.readouterr().out
    assert main([*known, "--env-dir=../elsewhere"]) == 1
    assert "../elsewhere: no such directory of environments" in capsys.readouterr().err
    assert main([*known, "--env-dir=../environments", "--env=there"]) == 1
    assert "validated here, not there" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--release"),
        (["--release="], "is empty. Give it a value, or leave it out"),
        (["--release=1", "--env="], "is empty. Give it a value, or leave it out"),
        (["--release=1", "--env-dir="], "is empty. Give it a value, or leave it out"),
        (["--release=1", "--max-age=30"], '"30" has no unit. Write 30s for seconds'),
        (["--release=1", "--max-age=soon"], "isn't understood as a duration"),
        (["--release=1", "--tier=all"], "'smoke', 'full'"),
    ],
)
def test_a_wrong_call_says_what_would_be_right(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["verify", "reports/here", *arguments])
    assert said in capsys.readouterr().err


def test_what_a_target_sent_neither_breaks_the_line_nor_controls_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", f"{tmp_path}/a\n\x1b[2Jb", "--release=1"]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "\x1b" not in told
