"""What the README shows is what one gets."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deployment_gate.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_of_an_environment_file_is_understood(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "shop.yaml").write_text(example)

    assert main(["explain", "shop", f"--env-dir={tmp_path}"]) == 0
    explained = capsys.readouterr().out
    assert "https://pay.example/health answers 200 within 5 seconds" in explained
    assert "rolls back when 3 in a row" in explained
    assert "api: no `api` section" in explained


def test_the_options_that_it_lists_exist() -> None:
    listed = re.findall(r"^\| `(--[a-z-]+)", README, re.MULTILINE)
    helped = subprocess.run(
        [sys.executable, "-m", "pytest", "--help"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert listed
    # pytest itself writes --junitxml as --junit-xml there, and takes both.
    known = helped.replace("-", "")
    assert [option for option in listed if option.replace("-", "") not in known] == []


def test_the_make_targets_that_it_names_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
