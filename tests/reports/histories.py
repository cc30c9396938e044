"""Runs as a history has them, made of a few words."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deployment_gate.evidence import Outcome
from deployment_gate.judgement import Decision
from deployment_gate.reports.history import (
    HISTORY,
    Coverage,
    Entry,
    Latency,
    Limits,
    Share,
    append_entry,
)
from tests.plugin.conftest import PATIENCE_S

START = datetime(2026, 11, 1, 3, tzinfo=UTC)
EXIT_CODES = {"promote": 0, "hold": 1, "rollback": 10}


def run(
    name: str,
    verdict: str = "promote",
    *,
    minutes: float = 0,
    seconds: float = 20,
    **changes: Any,
) -> Entry:
    """A run that began so many minutes after the first one, and took so many seconds."""
    started = START + timedelta(minutes=minutes)
    usual = {
        "version": 1,
        "run": name,
        "environment": "staging",
        "release": "1.5.0",
        "tier": "smoke",
        "selection": None,
        "started": started,
        "ended": started + timedelta(seconds=seconds),
        "duration_s": float(seconds),
        "verdict": Decision(verdict),
        "sentence": f"{name} was decided so.",
        "exit_code": EXIT_CODES[verdict],
        "planned": 4,
        "outcomes": {Outcome.PASSED: 4},
        "coverage": Coverage(passed=("health", "api")),
        "answers": Latency(count=40, p50_s=0.05, p95_s=0.12),
        "errors": Share(count=0, of=40),
        "availability": Share(count=8, of=8),
        "limits": Limits(answers_p95_s=0.2, error_rate=0.01, availability=0.999),
    }
    return Entry(**usual | changes)


def write(folder: Path, *entries: Entry) -> Path:
    """A history of these runs."""
    for one in entries:
        append_entry(folder / HISTORY, one)
    return folder / HISTORY


def validate(folder: Path, *arguments: str, env: str = "here") -> tuple[int, str]:
    """Run pytest to its end in a project; its exit code and all that it said."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", f"--env={env}", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
