"""What reaches the platform, by its own log."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize("tier", ["smoke", ""], ids=["smoke", "full"])
def test_a_run_without_leave_to_write_only_reads_and_signs_in(
    tier: str, target: Any, run_gate: Callable[..., Any]
) -> None:
    begins = target.access_log.stat().st_size if target.access_log.exists() else 0

    run_gate("--release", "1.5.0", marker=tier)

    with target.access_log.open() as log:
        log.seek(begins)
        requests = [json.loads(line) for line in log]
    ours = [one for one in requests if "pytest-deployment-gate" in one["user_agent"]]
    # TRACE is safe by RFC 9110, too, and sent by strangers alone.
    reading = {"GET", "HEAD", "OPTIONS", "TRACE"}
    writing = {(one["method"], one["path"]) for one in ours if one["method"] not in reading}
    assert len(ours) >= 10
    assert writing == {("POST", "/api/v1/auth/login")}


def test_the_password_reaches_no_report(target: Any, run_gate: Callable[..., Any]) -> None:
    target.set_fault("lying-health")

    drill = run_gate()

    assert "token" in drill.output, "the run must have had something to tell of signing in"
    for report in drill.reports.iterdir():
        assert "test-password-of-the-sandbox" not in report.read_text(), report.name
    assert "test-password-of-the-sandbox" not in drill.output
