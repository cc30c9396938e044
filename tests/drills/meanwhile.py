"""A plugin for drills: breaks the sandbox once the first check of a run has ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


class Meanwhile:
    """Sets the fault, in the controlling process and once."""

    def __init__(self) -> None:
        self.is_set = False

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The first check has ended."""
        if report.when != "teardown" or self.is_set:
            return
        self.is_set = True
        subprocess.run(
            [
                *(sys.executable, "-m", "sandbox", "fault", os.environ["DRILL_FAULT"]),
                *("--state-dir", os.environ["DRILL_STATE"]),
            ],
            cwd=Path(__file__).parents[2],
            check=True,
            capture_output=True,
        )


def pytest_configure(config: pytest.Config) -> None:
    """Nothing in xdist's workers, which come to know each report, too."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Meanwhile())
