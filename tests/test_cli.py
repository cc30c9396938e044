"""The command line beside pytest, as a user calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = Path(sys.executable).with_name("deployment-gate")


def call(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        [PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def test_explain_prints_how_each_phrase_was_understood() -> None:
    done = call("explain", "sandbox")
    assert done.returncode == 0
    assert "3 in a row of one subject's health checks fail" in done.stdout
    assert "more than 5 % of the answers are errors throughout 2 minutes" in done.stdout
    assert not done.stderr


def test_explain_finds_environments_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("health_endpoints: {api: {url: http://api/health}}\n")
    done = call("explain", "mine", "--env-dir", str(tmp_path), folder=tmp_path)
    assert done.returncode == 0
    assert "http://api/health" in done.stdout


def test_an_unknown_environment_is_told_with_the_near_match() -> None:
    done = call("explain", "sandbx")
    assert done.returncode == 2
    assert done.stderr.startswith('"sandbx" is no environment: Did you mean sandbox')
    assert not done.stdout


def test_no_command_is_told_with_those_that_there_are() -> None:
    done = call()
    assert done.returncode == 2
    assert "explain" in done.stderr
    assert "schema" in done.stderr


def test_schema_is_the_one_that_editors_use() -> None:
    done = call("schema")
    assert done.returncode == 0
    kept = (ROOT / "environments" / "environment.schema.json").read_text(encoding="utf-8")
    assert json.loads(done.stdout) == json.loads(kept)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shop.example"], "is no http or https address. Write it whole"),
        (["http://127.0.0.1:1"], "can't be looked at: connection refused. See that it runs"),
        (["https://shop.example", "--name", "base"], "can't be an environment's name"),
        (["https://shop.example", "--env-dir", "nowhere"], "nowhere: no such folder"),
        (["https://shop.example", "--name", "there"], "there.yaml is there already"),
    ],
)
def test_init_tells_what_keeps_it_from_writing(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    (tmp_path / "environments").mkdir()
    there = tmp_path / "environments" / "there.yaml"
    there.write_text("mine")

    done = call("init", *arguments, folder=tmp_path)

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout
    assert list((tmp_path / "environments").iterdir()) == [there]
    assert there.read_text() == "mine"


_COMPLETE = """
eval "$(deployment-gate completion bash)"
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 COMPREPLY=()
read -ra COMP_WORDS <<<"$1"
COMP_CWORD=${#COMP_WORDS[@]}
$(complete -p deployment-gate | sed 's/.*-F \\([^ ]*\\) .*/\\1/') deployment-gate
printf '%s\n' "${COMPREPLY[@]}"
"""
_PATHS = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("deployment-gate expl", {"explain"}),
        ("deployment-gate explain s", {"shop", "stage"}),
        ("deployment-gate verify --env=s", {"shop", "stage"}),
        ("deployment-gate judge evidence.jsonl --env sh", {"shop"}),
        ("deployment-gate explain --env-dir=elsewhere f", {"far"}),
        ("deployment-gate explain --env-dir=nowhere f", set()),
        ("deployment-gate verify --max", {"--max-age"}),
        ("deployment-gate completion z", {"zsh"}),
    ],
)
def test_bash_completes_commands_options_and_environments(
    typed: str, offered: set[str], tmp_path: Path
) -> None:
    for name in ("environments/shop", "environments/stage", "environments/base", "elsewhere/far"):
        path = tmp_path / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}")

    done = subprocess.run(
        ["bash", "--norc", "--noprofile", "-c", _COMPLETE, "bash", typed],
        cwd=tmp_path,
        env={**os.environ, "PATH": _PATHS},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert {line.strip() for line in done.stdout.splitlines()} - {""} == offered


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_told_how_to_ask_and_get_the_same_answer(
    shell: str, tmp_path: Path
) -> None:
    told = call("completion", shell)
    assert told.returncode == 0
    assert "deployment-gate" in told.stdout
    assert f"_ARGCOMPLETE_SHELL={shell}" in told.stdout.replace('"', "").replace(
        f"_ARGCOMPLETE_SHELL {shell}", f"_ARGCOMPLETE_SHELL={shell}"
    )

    typed = "deployment-gate explain sandbo"
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_SHELL": shell,
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(tmp_path / "answer"),
        "COMP_LINE": typed,
        "COMP_POINT": str(len(typed)),
    }
    done = subprocess.run(
        [PROGRAM],
        cwd=ROOT,
        env={**os.environ, **asked},
        capture_output=True,
        timeout=60,
        check=True,
    )

    assert "sandbox" in (tmp_path / "answer").read_text()
    assert not done.stdout


def test_an_unknown_shell_is_told_with_those_that_are_known() -> None:
    done = call("completion", "powershell")
    assert done.returncode == 2
    assert "fish" in done.stderr
