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

# What looks at answers to those who signed in, beside others.
SECURITY = {"every_answer_bears_its_security_headers", "who_one_is_is_told_to_nobody_else"}

# Who signs in is looked up, whatever the password.
WITHOUT_DATA = SIGNED_IN | SECURITY | {"a_wrong_password_is_refused"}


def unhealthy(*endpoints: str) -> set[str]:
    return {f"endpoint_is_healthy[{endpoint}]" for endpoint in endpoints}


HEALTH = {"health_check_failure"}


@dataclass(frozen=True)
class Expected:
    """What a fault must lead to.

    Attributes:
        fault: What is set.
        verdict: With its exit code.
        because: What one of the reasons says.
        unwell: The checks that fail where it is set before the run.
        unwell_during: Those that fail where it is set between the gate's look and the checks.
        fired: Exactly the triggers that fire; whether others are suspected is left to chance.
    """

    fault: str
    verdict: tuple[str, int]
    because: str = ""
    unwell: frozenset[str] | set[str] = frozenset()
    unwell_during: frozenset[str] | set[str] = frozenset()
    fired: frozenset[str] | set[str] = frozenset()


PROMOTE, ROLLBACK, HOLD = ("promote", 0), ("rollback", 10), ("hold", 1)
EXPECTED = [
    Expected(
        "health-down",
        ROLLBACK,
        "health_check_failure fired: api_service failed 3 times in a row: answered 503",
        unhealthy("api_service", "database", "cache"),
        fired=HEALTH,
    ),
    Expected(
        "database-down",
        ROLLBACK,
        "components.database unhealthy",
        unhealthy("api_service", "database"),
        WITHOUT_DATA,
        HEALTH,
    ),
    Expected(
        "cache-down",
        ROLLBACK,
        "cache failed 3 times in a row",
        unhealthy("api_service", "cache"),
        fired=HEALTH,
    ),
    Expected(
        "lying-health",
        HOLD,
        "signing in as analyst was answered 503",
        WITHOUT_DATA,
        WITHOUT_DATA,
    ),
    Expected(
        "latency=0.6",
        ROLLBACK,
        "performance_degradation fired",
        fired={"performance_degradation"},
    ),
    Expected("stale-release", HOLD, "release 1.4.2 still serves: api_service on api-2"),
    Expected("auth-bypass", HOLD, "a wrong password was answered 200", REFUSED, REFUSED),
    Expected(
        "hang",
        ROLLBACK,
        "web_interface failed 3 times in a row: no whole answer within 1 s",
        unhealthy("api_service", "web_interface", "database", "cache"),
        SIGNED_IN | REFUSED | SECURITY | {"neither_sources_nor_settings_can_be_read"},
        HEALTH,
    ),
    # Of an API alone, which no browser shows, that only warns.
    Expected(
        "missing-headers",
        PROMOTE,
        "",
        {"every_answer_bears_its_security_headers"},
        {"every_answer_bears_its_security_headers"},
    ),
]


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected.fault)
def test_a_fault_before_the_run_leads_to_its_checks_triggers_and_verdict(
    expected: Expected, target: Any, run_gate: Callable[..., Any]
) -> None:
    target.set_fault(expected.fault)

    drill = run_gate("--release", "1.5.0")

    assert (drill.verdict["verdict"], drill.exit_code) == expected.verdict, drill.output
    assert expected.because in drill.reasons, drill.output
    assert drill.unwell == expected.unwell
    assert drill.fired == expected.fired
    if "performance_degradation" in expected.fired:
        assert "performance_degradation is suspected: " in drill.output
        assert "again every 0.1 s, for 20 s at most" in drill.output
    if "health_check_failure" in expected.fired:
        assert drill.not_run >= SIGNED_IN | REFUSED
        assert "not run: health_check_failure has fired" in drill.reasons
    else:
        assert drill.not_run == set()


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected.fault)
def test_a_fault_during_the_run_leads_to_its_checks_triggers_and_verdict(
    expected: Expected, run_gate: Callable[..., Any]
) -> None:
    drill = run_gate("--release", "1.5.0", "-n", "4", meanwhile=expected.fault)

    assert (drill.verdict["verdict"], drill.exit_code) == expected.verdict, drill.output
    assert drill.unwell == expected.unwell_during, drill.output
    assert drill.not_run == set()
    assert drill.fired == expected.fired


def test_a_platform_that_mostly_answers_with_errors_is_rolled_back(
    target: Any, run_gate: Callable[..., Any]
) -> None:
    target.set_fault("error-rate=0.8")

    drill = run_gate()

    assert drill.exit_code == 10, drill.output
    assert "500" in drill.reasons


def test_without_confirmation_a_suspicion_is_a_hold(
    target: Any, run_gate: Callable[..., Any]
) -> None:
    target.set_fault("health-down")

    drill = run_gate("--confirm=off")

    assert drill.exit_code == 1, drill.output
    assert "is suspected: api_service failed 1 of 3 times in a row" in drill.reasons


@pytest.mark.parametrize("processes", ["0", "4"])
def test_a_healthy_platform_is_promoted(processes: str, run_gate: Callable[..., Any]) -> None:
    drill = run_gate("--release", "1.5.0", "-n", processes, "-p", "no:cacheprovider")

    assert drill.exit_code == 0, drill.output
    assert drill.verdict["verdict"] == "promote"
    assert drill.unwell == set()


def test_another_release_than_the_one_that_was_deployed_is_a_hold(
    run_gate: Callable[..., Any],
) -> None:
    drill = run_gate("--release", "1.6.0")

    assert drill.exit_code == 1
    assert "release 1.5.0 still serves" in drill.reasons
