"""The part of an environment that judges."""

from collections.abc import Callable

from deployment_gate.environment import (
    Action,
    Consecutive,
    Environment,
    HealthRule,
    Indicator,
    IndicatorKind,
    Over,
    Tier,
    policy_of,
)

TEXT = """
health_endpoints:
  api: {url: http://api/health, timeout: 5s, expected_status: [200, 204]}
release_identity:
  api: {url: http://api/version, field: release, replicas: 3}
sampler: {interval: 2s}
rollback_triggers:
  health:
    - condition: "Health check fails for 3 consecutive attempts"
    - action: "Automatic rollback to previous version"
    - timeout: "5 minutes"
  errors:
    condition: "Error rate > 5% for 2 minutes"
    action: notify
    timeout: 2m
    interval: 500ms
"""
SURE = "    samples: 100\n    confidence: 99.9%\n    over: subject\n"


def test_a_policy_holds_what_judging_needs(load: Callable[..., Environment]) -> None:
    policy = policy_of(load(TEXT))
    health, errors = policy.triggers
    assert health.condition == Consecutive(Indicator(IndicatorKind.HEALTH), 3)
    assert (health.name, health.action) == ("health", Action.ROLLBACK)
    assert (health.timeout_s, health.interval_s, errors.interval_s) == (300, 2, 0.5)
    assert health.phrase == "Health check fails for 3 consecutive attempts"
    assert health.source.endswith("here.yaml:9")
    assert policy.health_endpoints == {
        "api": HealthRule(frozenset({200, 204}), 5.0, None, may_be_page=False)
    }
    assert policy.identities == {"api": 3}
    assert policy.required == {Tier.SMOKE: ("health",), Tier.FULL: ("health",)}


def test_a_rule_is_told_as_a_sentence(load: Callable[..., Environment]) -> None:
    health, errors = policy_of(load(TEXT)).triggers
    assert health.sentence() == "rolls back when 3 in a row of one subject's health checks fail"
    assert errors.sentence() == (
        "only notifies when more than 5 % of the answers are errors throughout 2 minutes"
    )


def test_how_sure_one_must_be_of_a_share_is_settable(load: Callable[..., Environment]) -> None:
    _, usual = policy_of(load(TEXT)).triggers
    assert (usual.samples, usual.confidence, usual.over) == (30, 0.95, Over.ALL)
    _, errors = policy_of(load(TEXT + SURE)).triggers
    assert (errors.samples, errors.confidence, errors.over) == (100, 0.999, Over.SUBJECT)
