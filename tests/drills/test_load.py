"""Faults of the platform as load shows them, by the checks under validation/performance."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.plugin.conftest import Reports


@dataclass(frozen=True)
class Expected:
    """What a fault must lead to: the checks that fail, and what is said of it."""

    fault: str
    because: str
    failed: set[str] = field(default_factory=set)


SERVED = "as_much_is_served_as_the_runbook_asks_for[everyday]"
EXPECTED = [
    Expected(
        "latency=0.8",
        "took at most 8",
        {"answers_come_in_time[everyday]"},
    ),
    Expected(
        "error-rate=0.2",
        "answers were wrong (2",
        {"answers_are_right[everyday]", SERVED},
    ),
    Expected(
        "throttle=60",
        "the platform throttles: ",
        {"nothing_is_throttled[everyday]", SERVED},
    ),
]


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected.fault)
def test_a_fault_under_load_fails_its_own_checks_only(
    expected: Expected, target: Any, run_gate: Callable[..., Any]
) -> None:
    target.set_fault(expected.fault)

    drill = run_gate("--confirm=off", env="loaded", marker="performance")

    assert drill.unwell == expected.failed, drill.output
    assert expected.because in drill.reasons
    assert (drill.verdict["verdict"], drill.exit_code) == ("hold", 1)


def test_a_healthy_platform_bears_its_load_whatever_the_processes(
    run_gate: Callable[..., Any],
) -> None:
    bears_its_load(run_gate("-n", "4", env="loaded", marker="performance"))


def bears_its_load(drill: Any) -> None:
    assert drill.unwell == set(), drill.output
    assert drill.exit_code == 0
    assert "everyday: 20 users, " in drill.output


def test_a_release_that_got_slower_within_its_target_is_told(
    target: Any, run_gate: Callable[..., Any], tmp_path: Path
) -> None:
    before = run_gate(env="loaded", marker="performance")
    bears_its_load(before)
    saved = (before.reports / "evidence.jsonl").rename(tmp_path / "before.jsonl")
    target.set_fault("latency=0.05")

    drill = run_gate(f"--baseline={saved}", env="loaded", marker="performance")

    assert drill.unwell == {"answers_come_in_time[everyday]"}, drill.output
    assert drill.outcomes["answers_come_in_time[everyday]"] == "warned"
    assert drill.exit_code == 0
    notes = "\n".join(drill.verdict["notes"])
    assert "slower than before" in notes
    assert "though within its target" in notes


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_load_that_is_interrupted_ends_with_all_its_processes(
    how: signal.Signals, begin_gate: Callable[..., Any], tmp_path: Path
) -> None:
    with begin_gate("-s", env="loaded", marker="performance") as process:
        told = next(line for line in process.stdout if "everyday: 20 users, " in line)
        started = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(how)
        process.communicate(timeout=30)

    assert "requests/s of" in told
    assert len(started) >= 3, "a master and two workers"
    _, alive = psutil.wait_procs(started, timeout=10)
    assert alive == []
    assert Reports(tmp_path / "reports").verdict["verdict"] == "hold"
