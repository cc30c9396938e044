"""Judging again, as a user calls it: evidence of real runs, edited or of several machines."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployment_gate.cli import main
from tests.plugin.conftest import Reply, Reports
from tests.runs import RELEASE, Workshop, workshop

RELEASED = f"--release={RELEASE}"
Judge = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """The project whose evidence is judged."""
    with workshop(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture(scope="module")
def promote(shop: Workshop) -> Reports:
    """What a smoke run left that promotes."""
    return shop.validate("promote", "-m", "smoke", RELEASED)


@pytest.fixture(scope="module")
def rollback(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """What one left that rolls back."""
    with workshop(tmp_path_factory.mktemp("broken")) as shop:
        shop.target.answers["/health/api"] = cycle([Reply(status=503)])
        return shop.validate("rollback", "-m", "smoke", RELEASED)


@pytest.fixture
def judge(
    shop: Workshop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Judge:
    """Judge evidence in the project's folder; the exit code and all that was said."""

    def judge(*arguments: str | Path, env: str = "here") -> tuple[int, str]:
        capsys.readouterr()
        code = main(["judge", *map(str, arguments), f"--env={env}"])
        told = capsys.readouterr()
        assert bool(told.err) == (code == 2)
        return code, told.out + told.err

    monkeypatch.chdir(shop.folder)
    monkeypatch.setenv("COLUMNS", "400")
    return judge


@pytest.fixture
def edited(promote: Reports, tmp_path: Path) -> Callable[..., Path]:
    """Make evidence of the promote with texts replaced, as that of another machine."""

    def edited(*replaced: tuple[str, str], run: str | None = None, name: str = "edited") -> Path:
        text = promote["evidence.jsonl"]
        for old, new in (*replaced, (promote.verdict["run"], run or promote.verdict["run"])):
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / f"{name}.jsonl"
        path.write_text(text, encoding="utf-8")
        return path

    return edited


def test_judged_again_a_promote_stays_one(promote: Reports, judge: Judge) -> None:
    code, said = judge(promote.path / "evidence.jsonl")
    assert code == 0
    assert said.startswith(f"PROMOTE: here, release {RELEASE}, smoke\nwhy     5 of 6 checks passed")
    assert "change" not in said


def test_judged_again_a_rollback_stays_one(rollback: Reports, judge: Judge) -> None:
    code, said = judge(rollback.path / "evidence.jsonl")
    assert code == 10
    assert "ROLL BACK: here" in said
    assert "why     health_check_failure fired: api_service failed 3 times in a row" in said
    assert "change" not in said


def test_it_needs_neither_the_target_nor_the_checks(
    promote: Reports, rollback: Reports, shop: Workshop, judge: Judge
) -> None:
    before = len(shop.target.requests)
    judge(promote.path / "evidence.jsonl", rollback.path / "evidence.jsonl")
    assert len(shop.target.requests) == before


def test_by_another_policy_it_says_what_would_change(
    shop: Workshop, rollback: Reports, judge: Judge
) -> None:
    text = (shop.folder / "environments/here.yaml").read_text()
    patient = shop.write("elsewhere/patient.yaml", text.replace("for 3 consec", "for 30 consec"))
    code, said = judge(rollback.path / "evidence.jsonl", "--policy", patient)
    assert code == 1
    assert "HOLD: here" in said
    assert "why     health_check_failure is suspected: api_service failed" in said
    assert "change  rollback becomes hold; run" in said
    assert "said: health_check_failure fired" in said


def test_the_same_verdict_for_another_reason_is_told(
    promote: Reports, edited: Callable[..., Path], judge: Judge
) -> None:
    path = edited(("5 of 6 checks passed", "all that was to be checked passed"))
    code, said = judge(path)
    assert code == 0
    assert "change  still promote, for other reasons; run" in said
    assert promote.verdict["run"] in said


@pytest.mark.parametrize("policy", ["environments/here", "environments/here.yml"])
def test_a_policy_that_is_no_environment_file_is_refused(
    promote: Reports, judge: Judge, policy: str
) -> None:
    code, said = judge(promote.path / "evidence.jsonl", "--policy", policy)
    assert code == 2
    assert "is no environment file. Name one that ends with .yaml" in said


def test_a_policy_that_is_not_there_is_told(promote: Reports, judge: Judge) -> None:
    code, said = judge(promote.path / "evidence.jsonl", "--policy=environments/hre.yaml")
    assert code == 2
    assert '"hre" is no environment: Did you mean here' in said


def test_evidence_of_another_environment_is_refused(promote: Reports, judge: Judge) -> None:
    code, said = judge(promote.path / "evidence.jsonl", env="there")
    assert code == 2
    assert "evidence of environment here, not of there. Ask by --env here" in said


def test_many_machines_get_one_verdict(
    promote: Reports, rollback: Reports, edited: Callable[..., Path], judge: Judge
) -> None:
    code, said = judge(promote.path / "evidence.jsonl", edited(run="second"))
    assert code == 0
    assert "5 of 6 checks passed" in said
    code, said = judge(promote.path / "evidence.jsonl", rollback.path / "evidence.jsonl")
    assert code == 10
    assert f"change  promote becomes rollback; run {promote.verdict['run']} said: 5 of 6" in said


def test_a_selection_on_each_machine_is_judged_as_a_selection(shop: Workshop, judge: Judge) -> None:
    for name in ("test_it_works", "healthy"):
        shop.validate(f"shard-{name}", "-k", name, RELEASED)
    code, said = judge("shard-test_it_works/evidence.jsonl", "shard-healthy/evidence.jsonl")
    assert code == 0
    assert f"PROMOTE: here, release {RELEASE}, a selection: -k healthy; -k test_it_works" in said
    assert "Validate a whole tier before you promote" in said


def test_a_shard_that_never_ended_is_a_hold(
    promote: Reports, edited: Callable[..., Path], judge: Judge
) -> None:
    path = edited(run="killed")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if '"type": "end"' not in line))
    code, said = judge(promote.path / "evidence.jsonl", path)
    assert code == 1
    assert "why     the run is incomplete: it never reached its end" in said
    assert f"files   run killed ({path}) never ended" in said


def test_a_last_line_that_was_cut_off_is_told(edited: Callable[..., Path], judge: Judge) -> None:
    path = edited()
    path.write_bytes(path.read_bytes()[:-20])
    code, said = judge(path)
    assert code == 0
    assert f"files   {path}: its last line was cut off, and is left out" in said


def test_a_file_that_is_named_twice_counts_once(promote: Reports, judge: Judge) -> None:
    path = promote.path / "evidence.jsonl"
    assert judge(path, path) == judge(path)


def test_lines_that_are_there_twice_count_once(
    rollback: Reports, tmp_path: Path, judge: Judge
) -> None:
    text = (rollback.path / "evidence.jsonl").read_text(encoding="utf-8")
    twice = tmp_path / "twice.jsonl"
    twice.write_text("".join(2 * line for line in text.splitlines(keepends=True)))
    code, said = judge(twice)
    assert code == 10
    assert "of its lines were there before, and count once" in said


@pytest.mark.parametrize(
    ("replaced", "said"),
    [
        ((f'"release": "{RELEASE}", "tier"', '"release": "1", "tier"'), "release 1 in here"),
        (('"environment": "here"', '"environment": "there"'), f"release {RELEASE} in there"),
    ],
)
def test_shards_of_different_things_are_refused(
    promote: Reports,
    edited: Callable[..., Path],
    judge: Judge,
    replaced: tuple[str, str],
    said: str,
) -> None:
    code, told = judge(promote.path / "evidence.jsonl", edited(replaced, run="other"))
    assert code == 2
    assert said in told
    assert f"release {RELEASE} in here" in told


def test_shards_whose_clocks_disagree_are_a_hold(
    promote: Reports, edited: Callable[..., Path], judge: Judge
) -> None:
    year = promote.verdict["started"][:4]
    path = edited((f'"{year}-', f'"{int(year) - 1}-'), run="behind")
    code, said = judge(promote.path / "evidence.jsonl", path)
    assert code == 1
    assert "began more than a day apart" in said
    started = promote.verdict["started"]
    code, said = judge(edited((started, started.replace(year, "2096", 1))))
    assert code == 1
    assert "ends before it starts" in said


def test_another_version_of_the_format_is_refused(
    edited: Callable[..., Path], judge: Judge
) -> None:
    code, said = judge(edited(('"format": 1', '"format": 2')))
    assert code == 2
    assert "edited.jsonl:1: written in format 2, not of format 1. Judge it by the version" in said


def test_what_is_no_evidence_is_refused(tmp_path: Path, judge: Judge) -> None:
    (tmp_path / "empty.jsonl").touch()
    for name, why in {
        "empty.jsonl": "holds no run",
        "nowhere.jsonl": "can't be read (No such file or directory)",
        "": "can't be read (Is a directory)",
    }.items():
        code, said = judge(tmp_path / name)
        assert code == 2
        assert why in said
        assert "Name an evidence.jsonl" in said


def test_no_evidence_at_all_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["judge", "--env=here"])
    assert "EVIDENCE" in capsys.readouterr().err


def test_secrets_of_the_environment_are_not_shown(
    shop: Workshop, edited: Callable[..., Path], judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET", "correct-horse-battery")
    text = (shop.folder / "environments/here.yaml").read_text()
    policy = shop.write(
        "elsewhere/secret.yaml",
        re.sub(r"/health/database\"", '/health/database?key=${A_SECRET}"', text),
    )
    path = edited(("not today", "correct-horse-battery"))
    code, said = judge(path, "--policy", policy)
    assert code == 0
    assert "[redacted]" in said
    assert "correct-horse" not in said


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_judging_again_comes_to_the_same_in_any_order(
    promote: Reports,
    rollback: Reports,
    edited: Callable[..., Path],
    judge: Judge,
    data: st.DataObject,
) -> None:
    files = [
        promote.path / "evidence.jsonl",
        rollback.path / "evidence.jsonl",
        edited(run="third"),
    ]
    some = data.draw(st.lists(st.sampled_from(files), min_size=1, max_size=5))
    shuffled = data.draw(st.permutations(some))
    assert judge(*some) == judge(*shuffled) == judge(*some)
    assert judge(*some)[0] == (10 if files[1] in some else 0)


def test_the_program_ends_with_the_verdict_as_its_exit_code(
    shop: Workshop, rollback: Reports
) -> None:
    done = shop.call("judge", rollback.path / "evidence.jsonl", "--env", "here")
    assert (done.returncode, done.stderr) == (10, "")
    assert os.linesep in done.stdout
    assert json.loads(rollback["verdict.json"])["exit_code"] == 10
