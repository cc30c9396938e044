"""Each command that the docs show is one: its program knows it, with these options."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from deployment_gate.cli import command_parser
from sandbox.__main__ import parse_arguments

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHELLS = {"", "bash", "console", "sh"}
OPERATORS = {"&", "&&", "|", "||", ";", ">", ">>", "<"}
OURS = ("deployment-gate", "pytest", "python", "uv", "make")


def commands_of(text: str) -> Iterator[list[str]]:
    """The words of each command of ours, up to what the shell does with it."""
    for language, block in BLOCK.findall(text):
        for line in block.splitlines() if language in SHELLS else ():
            words = line.removeprefix("$ ").replace(".venv/bin/", "")
            if not words.startswith(tuple(f"{program} " for program in OURS)):
                continue
            lexer = shlex.shlex(words, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            command = []
            for word in lexer:
                if word in OPERATORS:
                    break
                command.append(word)
            yield command


COMMANDS = sorted(
    {" ".join(command) for page in PAGES for command in commands_of(page.read_text("utf-8"))}
)


@cache
def options_of_pytest() -> set[str]:
    """All options that pytest knows here."""
    asked = [sys.executable, "-m", "pytest", "--help"]
    told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {*re.findall(r"--[a-z][a-z-]+", told), "-m", "-k", "-n"}


def is_understood(command: list[str], monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a program takes these words; those with a parser of their own raise SystemExit."""
    if command[:2] == ["uv", "run"]:
        command = command[command.index("python") :]
    match command:
        case ["deployment-gate", *arguments]:
            return bool(command_parser().parse_args(arguments))
        case ["pytest", *arguments]:
            named = {one.partition("=")[0] for one in arguments if one.startswith("-")}
            return named <= options_of_pytest()
        case ["python", "-m", "sandbox", *arguments]:
            monkeypatch.setattr(sys, "argv", ["sandbox", *arguments])
            return bool(parse_arguments())
        case ["python", script, *arguments]:
            # What several benchmarks take, they take from a module that they share.
            scripts = (ROOT / script).parent.glob("*.py")
            text = "".join(one.read_text(encoding="utf-8") for one in scripts)
            named = [one for one in arguments if one.startswith("--")]
            return (ROOT / script).is_file() and all(f'"{one}"' in text for one in named)
        case ["make", target]:
            return f"\n{target}:" in (ROOT / "Makefile").read_text(encoding="utf-8")
    return False


def test_the_docs_show_commands() -> None:
    assert len(COMMANDS) > 40


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_docs_is_understood(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_understood(shlex.split(command), monkeypatch)


def test_a_command_that_nobody_knows_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_understood(["pytest", "--enviroment=shop"], monkeypatch)
    assert not is_understood(["make", "everything"], monkeypatch)
    with pytest.raises(SystemExit):
        is_understood(["deployment-gate", "approve", "reports"], monkeypatch)
