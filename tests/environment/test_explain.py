"""An environment told in sentences."""

from collections.abc import Callable
from pathlib import Path

from deployment_gate.environment import Environment, explain, load_environment

ENVIRONMENTS = Path(__file__).parents[2] / "environments"


def test_triggers_are_told_as_sentences_with_their_phrase_and_place() -> None:
    told = explain(load_environment("sandbox", ENVIRONMENTS, variables={}))
    assert (
        "error_rate_threshold: rolls back when more than 5 % of the answers are errors "
        "throughout 2 minutes" in told
    )
    assert "of all subjects together, at 95 % confidence, from 30 observations on" in told
    assert 'from "Error rate > 5% for 2 minutes"' in told
    assert "base.yaml:" in told


def test_every_phrase_of_the_runbook_is_told() -> None:
    environment = load_environment("sandbox", ENVIRONMENTS, variables={})
    told = explain(environment)
    for group in environment.monitoring_metrics.values():
        for name, phrase in group.items():
            assert name in told
            assert phrase.text in told


def test_what_is_not_covered_comes_last(load: Callable[..., Environment], minimal: str) -> None:
    environment = load(minimal)
    told = explain(environment)
    assert told.split("\n\n")[-1].splitlines() == [
        "Not covered",
        *(f"  {gap}" for gap in environment.not_covered()),
    ]


def test_a_secret_is_never_told() -> None:
    environment = load_environment("sandbox", ENVIRONMENTS, variables={})
    assert environment.secrets
    assert not any(secret in explain(environment) for secret in environment.secrets)
