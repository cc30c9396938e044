"""Triggers on checks and endpoints, early decisions, waivers, controls."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from deployment_gate.environment import (
    Decide,
    Environment,
    EnvironmentFileError,
    IndicatorKind,
    explain,
    parse_condition,
    policy_of,
)

Load = Callable[..., Environment]
WAIVER = "{check: 'validation/api/*', reason: issue 12, owner: Ada, expires: 2026-12-31}"


def trigger(text: str) -> str:
    """An environment's section with one trigger."""
    return f"rollback_triggers: {{a: {{action: hold, timeout: 5m, {text}}}}}\n"


@pytest.mark.parametrize(
    ("phrase", "kind", "category"),
    [
        ("Security check fails for 2 consecutive attempts", IndicatorKind.CHECK, "security"),
        ("api checks fail for 1 consecutive attempt", IndicatorKind.CHECK, "api"),
        ("Check fails for 2 consecutive attempts", IndicatorKind.CHECK, None),
        ("Health checks fail for 3 consecutive attempts", IndicatorKind.HEALTH, None),
    ],
)
def test_a_condition_may_be_about_the_checks_of_a_category(
    phrase: str, kind: IndicatorKind, category: str | None
) -> None:
    indicator = parse_condition(phrase).indicator
    assert (indicator.kind, indicator.category) == (kind, category)


@pytest.mark.parametrize(
    ("subject", "is_about"),
    [
        ("GET /api/policies", True),
        ("GET /api/policies/1", True),
        ("POST /api/policies", False),
        ("GET /search", True),
        ("POST /search", True),
        ("GET /other", False),
        ("cache", True),
    ],
)
def test_a_trigger_may_be_about_some_endpoints_only(
    subject: str, *, is_about: bool, load: Load, minimal: str
) -> None:
    named = "endpoints: ['GET /api/*', /search, cache]"
    environment = load(minimal + trigger(f"condition: Error rate > 5% for 2m, {named}"))
    (rule,) = policy_of(environment).triggers
    assert rule.is_about(subject) is is_about
    assert "throughout 2 minutes, at GET /api/* or /search or cache" in explain(environment)


def test_a_share_may_be_decided_early(load: Load, minimal: str) -> None:
    environment = load(minimal + trigger("condition: Error rate > 5% for 1h, decide: early"))
    assert policy_of(environment).triggers[0].decide is Decide.EARLY
    assert "also before its period is full, as soon as that is sure" in explain(environment)


def test_waivers_controls_and_flaky_checks_are_told(load: Load, minimal: str) -> None:
    environment = load(
        f"{minimal}waivers: [{WAIVER}]\nsampler: {{controls: [http://status]}}\n"
        "flaky_checks_hold: true\n"
    )
    policy = policy_of(environment)
    assert policy.flaky_checks_hold
    assert [(one.owner, one.expires) for one in policy.waivers] == [("Ada", date(2026, 12, 31))]
    told = explain(environment)
    assert "validation/api/* until 2026-12-31, by Ada: issue 12" in told
    assert "asks beside it: this machine's loopback, the names that are asked, http://status" in (
        told
    )
    assert "a check that passes only at a later attempt holds" in told


@pytest.mark.parametrize(
    ("pattern", "check", "is_about"),
    [
        ("validation/api/*", "validation/api/test_a.py::test_it[en]", True),
        ("validation/api/test_a.py::test_it[en]", "validation/api/test_a.py::test_it[en]", True),
        ("validation/api/test_a.py::test_it[en]", "validation/api/test_a.py::test_ite", False),
        ("*test_it[?n]", "validation/api/test_a.py::test_it[en]", True),
        ("validation/api", "validation/api/test_a.py::test_it[en]", False),
    ],
)
def test_a_waiver_is_about_ids_by_a_pattern(
    pattern: str, check: str, *, is_about: bool, load: Load, minimal: str
) -> None:
    waiver = WAIVER.replace("validation/api/*", pattern)
    (rule,) = policy_of(load(f"{minimal}waivers: [{waiver}]\n")).waivers
    assert rule.is_about(check) is is_about


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (
            trigger("condition: Error rate > 5% for 1h"),
            (
                "looks into a suspicion for 5 minutes only, and its condition takes 1 hour to be "
                'decided. Write `timeout: "1 hour"` or more, or `decide: early`'
            ),
        ),
        (
            trigger("condition: Check fails for 2 consecutive attempts, endpoints: [/a]"),
            "Remove `endpoints`",
        ),
        (
            trigger("condition: Check fails for 2 consecutive attempts, decide: early"),
            "Remove `decide`",
        ),
        (
            trigger("condition: Error rate > 5% for 2m, decide: soon"),
            '"soon" is none of full, early',
        ),
        (f"waivers: [{WAIVER.replace('2026-12-31', 'soon')}]\n", "is no day. Write it as 2026-"),
        (f"waivers: [{WAIVER.replace('validation/api/*', '*')}]\n", "health of the platform"),
        (
            f"waivers: [{WAIVER.replace('validation/api/', 'validation/health/')}]\n",
            "health of the platform",
        ),
        ("waivers: [{check: a, owner: Ada, expires: 2026-12-31}]\n", "Write `reason: ...`"),
        ("sampler: {controls: [status]}\n", "is no http or https address"),
        ("flaky_checks_hold: often\n", "true or false"),
    ],
)
def test_what_is_not_valid_is_refused_with_what_would_be(
    written: str, reason: str, load: Load, minimal: str
) -> None:
    with pytest.raises(EnvironmentFileError) as raised:
        load(minimal + written)
    assert reason in str(raised.value)
