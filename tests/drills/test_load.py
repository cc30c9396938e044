"""Faults of the platform as load shows them, by the checks under validation/performance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest


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


@pytest.mark.parametrize("processes", ["0", "4"])
def test_a_healthy_platform_bears_its_load(processes: str, run_gate: Callable[..., Any]) -> None:
    drill = run_gate("-n", processes, env="loaded", marker="performance")

    assert drill.unwell == set(), drill.output
    assert drill.exit_code == 0
    assert "everyday: 20 users, " in drill.output
    assert locusts() == []


def locusts() -> list[str]:
    """The command lines of Locust's processes."""
    lines = [
        " ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])
    ]
    return [line for line in lines if "-m locust" in line and "validation/performance" in line]
