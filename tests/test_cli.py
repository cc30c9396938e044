"""The command line beside pytest, as a user calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

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
    assert done.stderr.startswith('"sandbx" is no environment: Did you mean sandbox?')
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
