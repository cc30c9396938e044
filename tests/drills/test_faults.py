"""Each fault of the sandbox, and the verdict that it must lead to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

# What nobody can do who can't sign in.
SIGNED_IN = {
    "the_right_password_gets_a_token[analyst]",
    "the_right_password_gets_a_token[admin]",
    "items_are_listed[policies]",
    "journey[from_search_to_policy]",
    "what_is_there_is_found",
    "what_is_not_there_is_not_found",
}
REFUSED = {
    "a_wrong_password_is_refused",
    "what_is_private_is_refused_without_a_token",
    "only_who_may_read_it_gets_the_list[policies]",
}


def unhealthy(*endpoints: str) -> set[str]:
    return {f"endpoint_is_healthy[{endpoint}]" for endpoint in endpoints}


@dataclass(frozen=True)
class Expected:
    """What a fault must lead to."""

    fault: str
    verdict: str
    exit_code: int
    because: str = ""
    unwell: frozenset[str] | set[str] = frozenset()


EXPECTED = [
    Expected(
        "health-down",
        "rollback",
        10,
        "health_check_failure fired: api_service failed 3 times in a row: answered 503",
        unhealthy("api_service", "database", "cache"),
    ),
    Expected(
        "database-down",
        "rollback",
        10,
        "components.database unhealthy",
        # Without a database nobody signs in, and nobody is refused either.
        unhealthy("api_service", "database") | SIGNED_IN | {"a_wrong_password_is_refused"},
    ),
    Expected(
        "cache-down",
        "rollback",
        10,
        "cache failed 3 times in a row",
        unhealthy("api_service", "cache"),
    ),
    Expected(
        "lying-health",
        "hold",
        1,
        "signing in as analyst was answered 503",
        SIGNED_IN | {"a_wrong_password_is_refused"},
    ),
    Expected("latency=0.6", "hold", 1, "performance_degradation is suspected"),
    Expected("stale-release", "hold", 1, "release 1.4.2 still serves: api_service on api-2"),
    Expected("auth-bypass", "hold", 1, "a wrong password was answered 200", REFUSED),
    Expected(
        "hang",
        "rollback",
        10,
        "web_interface failed 3 times in a row: no whole answer within 1 s",
        unhealthy("api_service", "web_interface", "database", "cache") | SIGNED_IN | REFUSED,
    ),
]

# Nothing in this suite looks there yet, and the verdict says so.
NOT_COVERED = {
    "broken-javascript": "frontend",
    "missing-headers": "security",
    "leaky-errors": "security",
}


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected.fault)
def test_a_fault_leads_to_its_verdict(
    expected: Expected, target: Any, run_gate: Callable[..., Any]
) -> None:
    target.set_fault(expected.fault)

    drill = run_gate("--release", "1.5.0")

    assert (drill.verdict["verdict"], drill.exit_code) == (expected.verdict, expected.exit_code)
    assert expected.because in drill.reasons
    assert drill.unwell == expected.unwell


def test_a_platform_that_mostly_answers_with_errors_is_not_promoted(
    target: Any, run_gate: Callable[..., Any]
) -> None:
    target.set_fault("error-rate=0.8")

    drill = run_gate()

    # Which answers are errors is left to chance, and so is whether health fails three times.
    assert drill.verdict["verdict"] in {"hold", "rollback"}
    assert "500" in drill.reasons


@pytest.mark.parametrize(("fault", "category"), NOT_COVERED.items(), ids=NOT_COVERED)
def test_a_fault_where_nothing_looks_is_told_as_not_covered(
    fault: str, category: str, target: Any, run_gate: Callable[..., Any]
) -> None:
    target.set_fault(fault)

    drill = run_gate("--release", "1.5.0")

    assert drill.exit_code == 0
    assert any(gap.startswith(f"{category}:") for gap in drill.verdict["not_covered"])


@pytest.mark.parametrize("processes", ["0", "4"])
def test_a_healthy_platform_is_promoted(processes: str, run_gate: Callable[..., Any]) -> None:
    drill = run_gate("--release", "1.5.0", "-n", processes, "-p", "no:cacheprovider")

    assert drill.exit_code == 0, drill.output
    assert drill.verdict["verdict"] == "promote"
    assert drill.unwell == set()


def test_a_fault_leads_to_the_same_verdict_in_four_processes(
    target: Any, run_gate: Callable[..., Any]
) -> None:
    target.set_fault("database-down")

    drill = run_gate("-n", "4")

    assert drill.exit_code == 10
    assert "components.database unhealthy" in drill.reasons


def test_another_release_than_the_one_that_was_deployed_is_a_hold(
    run_gate: Callable[..., Any],
) -> None:
    drill = run_gate("--release", "1.6.0")

    assert drill.exit_code == 1
    assert "release 1.5.0 still serves" in drill.reasons
