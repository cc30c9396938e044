"""Real runs of the gate, once for all tests of a module, whose files the tests then edit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from textwrap import dedent

from tests.plugin.conftest import ENVIRONMENT, HEALTH_CHECK, PATIENCE_S, Reply, Reports, Target

PROGRAM = Path(sys.executable).with_name("deployment-gate")
RELEASE = "1.5.0"

_IDENTITY = 'release_identity:\n  api: {url: "TARGET/version", field: release}\n'
_CHECKS = """
    import pytest

    @pytest.mark.smoke
    @pytest.mark.parametrize("number", range(3))
    def test_it_works(number):
        assert number < 3

    @pytest.mark.smoke
    @pytest.mark.severity("warning")
    def test_it_may_fail():
        assert False, "not today"
"""


class Workshop:
    """A project whose checks look at a platform, in a folder of its own."""

    def __init__(self, folder: Path, target: Target) -> None:
        self.folder = folder
        self.target = target
        target.answers["/version"] = cycle([Reply(body=f'{{"release": "{RELEASE}"}}')])
        self.write(
            "pytest.ini", "[pytest]\ntestpaths = validation\naddopts = -p no:hypothesispytest\n"
        )
        text = (ENVIRONMENT + _IDENTITY).replace("TARGET", target.url)
        self.write("environments/here.yaml", text)
        self.write("environments/there.yaml", text)
        self.write("validation/health/test_endpoints.py", HEALTH_CHECK)
        self.write("validation/health/test_more.py", _CHECKS)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    def validate(self, to: str, *arguments: str, env: str = "here") -> Reports:
        """Run pytest to its end; what it left."""
        command = [sys.executable, "-m", "pytest", f"--env={env}", f"--report-dir={to}", *arguments]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        reports = Reports(self.folder / to)
        assert (reports.path / "verdict.json").exists(), done.stdout + done.stderr
        return reports

    def call(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run `deployment-gate` to its end."""
        return subprocess.run(
            [PROGRAM, *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, "COLUMNS": "400"},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )


@contextmanager
def workshop(folder: Path) -> Iterator[Workshop]:
    """Have a project and the platform that it validates meanwhile."""
    target = Target()
    try:
        yield Workshop(folder, target)
    finally:
        target.close()


def copy_of(reports: Reports, to: Path) -> Reports:
    """A copy of a run's files, to be edited."""
    shutil.copytree(reports.path, to)
    return Reports(to)
