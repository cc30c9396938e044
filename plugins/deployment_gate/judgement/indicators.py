"""Indicators: a yes/no reading of an observation, with the reason for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any

from deployment_gate.environment import Content, HealthRule, Indicator, IndicatorKind, Policy
from deployment_gate.evidence import Observation, ObservationKind

# draft-inadarei-api-health-check-06 (pass, fail, warn and their aliases), Spring Boot Actuator
# (UP, DOWN, OUT_OF_SERVICE), ASP.NET (Healthy, Degraded, Unhealthy), Elasticsearch (colours).
# "warn" and its like mean healthy with a concern, so they are no failure.
# fmt: off
GOOD_STATES = frozenset({
    "pass", "passed", "passing", "ok", "okay", "up", "healthy", "alive", "ready", "running",
    "online", "available", "operational", "connected", "active", "green", "true", "success",
    "warn", "warning", "degraded", "yellow",
})
# Of values whose key nobody knows, only these leave no doubt: "error" may well be a log level.
UNMISTAKABLE_STATES = frozenset({"down", "unhealthy", "disconnected", "unreachable", "dead"})
BAD_STATES = frozenset({
    "fail", "failed", "failing", "error", "down", "unhealthy", "dead", "critical", "offline",
    "unavailable", "out_of_service", "disconnected", "unreachable", "inactive", "stopped", "red",
    "false", "not ok", "nok",
})
# fmt: on

ANSWERS = frozenset({ObservationKind.HEALTH, ObservationKind.RELEASE, ObservationKind.REQUEST})
"""What rates of errors and slow answers are made of; no user asks a database, or this runner."""

PAGES = frozenset({ObservationKind.PAGE})
"""What rates of failed and slow page loads are made of."""


class Reading(Enum):
    """What an observation says; unobserved is the runner's trouble and never counts as bad."""

    GOOD = "good"
    BAD = "bad"
    UNOBSERVED = "unobserved"


@dataclass(frozen=True, slots=True)
class Judged:
    """A reading, and for all but the good ones why."""

    reading: Reading
    why: str = ""


GOOD = Judged(Reading.GOOD)


def read_indicator(indicator: Indicator, observation: Observation, policy: Policy) -> Judged | None:
    """How `indicator` reads `observation`, or None where it says nothing about it.

    What a check provoked on purpose says nothing of how users are served, and neither do the
    gate's own questions to what keeps the data.
    """
    kinds = PAGES if indicator.is_of_pages else ANSWERS
    if observation.facts.get("provoked") or observation.kind not in kinds:
        return None
    match indicator.kind:
        case IndicatorKind.HEALTH:
            if observation.kind is not ObservationKind.HEALTH:
                return None
            rule = policy.health_endpoints.get(observation.subject)
            return read_health(observation, rule) if rule else None
        case IndicatorKind.ERROR:
            return read_error(observation)
        case IndicatorKind.SLOW:
            return read_slowness(observation, threshold_s=indicator.threshold_s or 0)
        case IndicatorKind.CHECK:
            return None


def read_error(observation: Observation) -> Judged:
    """Bad when the target gave no answer or a 5xx; a refusal (4xx) is an answer."""
    unseen = _unobserved(observation)
    if unseen:
        return unseen
    if observation.error:
        return Judged(Reading.BAD, observation.error)
    if observation.status is not None and observation.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Judged(Reading.BAD, f"answered {observation.status}")
    return GOOD


def read_slowness(observation: Observation, *, threshold_s: float) -> Judged | None:
    """Bad when it took longer than `threshold_s`; None for what failed before that."""
    unseen = _unobserved(observation)
    if unseen:
        return unseen
    if observation.duration_s > threshold_s:
        return Judged(Reading.BAD, f"took {observation.duration_s:.3g} s")
    return None if observation.error else GOOD


def read_health(observation: Observation, rule: HealthRule) -> Judged:
    """Whether a health endpoint's answer shows that what it speaks for is healthy."""
    unseen = _unobserved(observation)
    if unseen:
        return unseen
    fault = next(_faults(observation, rule), None)
    if fault:
        return Judged(Reading.BAD, fault)
    doubt = next(_doubts(observation), None)
    return Judged(Reading.UNOBSERVED, doubt) if doubt else GOOD


def _faults(observation: Observation, rule: HealthRule) -> Iterator[str]:
    """What speaks against the target's health, the most telling first."""
    if observation.error:
        yield observation.error
    facts = observation.facts
    content_type = str(facts.get("content_type") or "no content type")
    bad = _bad_states(facts)
    if observation.status not in rule.expected_statuses:
        expected = " or ".join(str(status) for status in sorted(rule.expected_statuses))
        reports = f" and reports {bad}" if bad else ""
        yield f"answered {observation.status}{reports}; expected {expected}"
    if observation.duration_s > rule.timeout_s:
        yield f"took {observation.duration_s:.3g} s; at most {rule.timeout_s:g} s"
    if facts.get("page") and not rule.may_be_page:
        yield f"answered {observation.status} with an HTML page instead of its health"
    if rule.content is Content.PAGE and not facts.get("page"):
        yield f"answered with {content_type} instead of a page"
    if rule.content is Content.JSON and "json" not in content_type:
        yield f"answered with {content_type} instead of JSON"
    if facts.get("not_json") and "json" in content_type:
        yield "says that it answers with JSON, but its body isn't"
    if bad:
        yield f"answered {observation.status} but reports {bad}"


def _bad_states(facts: Mapping[str, Any]) -> str:
    """What reports that it is not well, and with which word."""
    states = {"": facts.get("word"), **facts.get("states", {})}
    reported = {path: state for path, state in states.items() if state in BAD_STATES}
    for key, value in facts.get("plain", {}).items():
        if value in UNMISTAKABLE_STATES:
            reported.setdefault(key, value)
    return ", ".join(f"{path or 'itself'} {state}" for path, state in reported.items())


def _doubts(observation: Observation) -> Iterator[str]:
    """Why an answer without a fault still proves nothing."""
    facts = observation.facts
    if facts.get("is_old"):
        yield (
            f"a cache answered ({facts['is_old']}), so nothing was seen of the health of now. "
            "Have it sent with `Cache-Control: no-store`"
        )
    if facts.get("unread"):
        yield "its body is more than is read of a health answer"
    state = facts.get("states", {}).get("")
    if state is not None and state not in GOOD_STATES:
        yield f"reports the state {state!r}, which is no word known for health"


def _unobserved(observation: Observation) -> Judged | None:
    if observation.unobserved:
        return Judged(Reading.UNOBSERVED, observation.unobserved)
    if observation.status == HTTPStatus.TOO_MANY_REQUESTS:
        return Judged(Reading.UNOBSERVED, "answered 429: it limits this runner's rate")
    return None
