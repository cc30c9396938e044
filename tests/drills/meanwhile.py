"""A plugin for drills: breaks the sandbox once the gate has looked at it, before any check."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


class Meanwhile:
    """Sets the faults, in the controlling process and once."""

    def __init__(self) -> None:
        self._is_set = False

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self) -> None:
        """After the gate's own, which comes first and looks; no worker has work yet."""
        self._set()

    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """The same in one process; with workers, which collect for it, it has no items."""
        if session.items:
            self._set()

    def _set(self) -> None:
        if self._is_set:
            return
        self._is_set = True
        for fault in os.environ["DRILL_FAULTS"].split():
            subprocess.run(
                [
                    *(sys.executable, "-m", "sandbox", "fault", fault),
                    *("--state-dir", os.environ["DRILL_STATE"]),
                ],
                cwd=Path(__file__).parents[2],
                check=True,
                capture_output=True,
            )


def pytest_configure(config: pytest.Config) -> None:
    """Nothing in xdist's workers, which come to know of each hook, too."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Meanwhile())
