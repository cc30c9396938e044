"""A pytest plugin that notes when each part of a run began, for what measures it from outside."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator
from pathlib import Path

import pytest

VARIABLE = "BENCHMARK_PHASES"
"""Names the file that the moments are added to, one line of JSON for each run."""


class Phases:
    """Notes the moments of one run, in seconds of the system's monotonic clock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._moments: dict[str, float] = {}

    def _note(self, name: str) -> None:
        # The one clock on Linux that is the same for all processes since the machine started.
        self._moments.setdefault(name, time.clock_gettime(time.CLOCK_MONOTONIC))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """All is collected; what the gate looks at before the checks comes next."""
        self._note("loop")
        result = yield
        self._note("end")
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        """The first check begins."""
        self._note("checks")

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Hand over what was noted."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(self._moments) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    """Take part where somebody measures."""
    path = os.environ.get(VARIABLE)
    if path:
        config.pluginmanager.register(Phases(Path(path)))
