"""The tutorial's commands lead to what it says, one after another."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
MARK = "== "


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project as one has it: its checks and environments, and no reports yet."""
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("sandbox", "validation"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "environments").mkdir()
    return tmp_path


@pytest.fixture
def told(project: Path) -> list[str]:
    """What each command of the tutorial printed."""
    api, web = free_port(), free_port()
    commands = re.findall(r"^\$ (.*)$", TUTORIAL, re.MULTILINE)
    script = "\n".join(
        line
        for command in commands
        for line in (f"echo '{MARK}'", command.replace("127.0.0.1:13000", f"127.0.0.1:{web}"))
    )
    # The platform is up once it has said how to break it.
    up = "platform > up.txt 2>&1 &\nuntil grep -qs ^break up.txt; do sleep 0.05; done"
    script = script.replace("platform &", up)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"trap 'kill $(jobs -p)' EXIT\n{script}"],
        cwd=project,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "SANDBOX_API_PORT": str(api),
            "SANDBOX_WEB_PORT": str(web),
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split(f"{MARK}\n")[1:]


def test_its_commands_lead_to_what_it_says(told: list[str], project: Path) -> None:
    assert "environments/shop.yaml" in told[1]
    assert "rolls back when 3 in a row" in told[2]
    assert "PROMOTE: shop, release 1.5.0, smoke" in told[4]
    assert told[5].startswith("promote: shop, release 1.5.0")
    assert told[6].endswith("refused\n")
    assert "ROLL BACK: shop" in told[8]
    assert "exit code 10" in told[8]
    assert "PROMOTE: shop" in told[12]
    assert "3 runs" in told[13]
    assert json.loads((project / "reports/shop/verdict.json").read_text())["verdict"] == "promote"
