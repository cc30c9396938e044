"""What an environment asks for in figures, to be shown beside what was seen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from deployment_gate.environment import (
    Comparison,
    Consecutive,
    Environment,
    Indicator,
    IndicatorKind,
    TargetPhrase,
    Unit,
)

_P95 = 0.95
_ERRORS = Indicator(IndicatorKind.ERROR)


@dataclass(frozen=True, slots=True)
class Limits:
    """What an environment asks for, where it does.

    Attributes:
        answers_p95_s: How long 95 % of the answers may take, in seconds.
        pages_p95_s: The same of page loads.
        error_rate: The share of answers that may be errors.
        availability: The share of answers of health endpoints that must be good.
    """

    answers_p95_s: float | None = None
    pages_p95_s: float | None = None
    error_rate: float | None = None
    availability: float | None = None


def limits_of(environment: Environment) -> Limits:
    """What an environment asks for: its targets, its metrics, and where it has none its triggers.

    Of several targets for the same thing, the strictest.
    """
    targets = environment.performance_targets
    wanted = list(targets.response_time.values()) if targets else []
    metrics = [
        (name, one)
        for group in environment.monitoring_metrics.values()
        for name, one in group.items()
        if isinstance(one, TargetPhrase)
    ]
    wanted += [one for _, one in metrics]
    errors = [
        one.limit
        for name, one in metrics
        if name == "error_rate" and (one.comparison, one.unit) == (Comparison.BELOW, Unit.FRACTION)
    ]
    uptimes = [
        one.limit
        for name, one in metrics
        if name in {"availability", "service_uptime"} and one.comparison is Comparison.AT_LEAST
    ]
    return Limits(
        answers_p95_s=min(
            [*_p95_limits(wanted, "requests")] or [*_slow(environment, pages=False)], default=None
        ),
        pages_p95_s=min(
            [*_p95_limits(wanted, "page loads")] or [*_slow(environment, pages=True)], default=None
        ),
        error_rate=min(errors or [*_rates(environment)], default=None),
        availability=max(uptimes, default=None),
    )


def _p95_limits(targets: Iterable[TargetPhrase], what: str) -> Iterator[float]:
    for one in targets:
        if (one.unit, one.share, one.of) == (Unit.SECONDS, _P95, what):
            yield one.limit


def _slow(environment: Environment, *, pages: bool) -> Iterator[float]:
    for indicator, limit in _shares(environment):
        is_p95 = math.isclose(limit, 1 - _P95)
        if is_p95 and indicator.is_of_pages is pages and indicator.threshold_s is not None:
            yield indicator.threshold_s


def _rates(environment: Environment) -> Iterator[float]:
    return (limit for indicator, limit in _shares(environment) if indicator == _ERRORS)


def _shares(environment: Environment) -> Iterator[tuple[Indicator, float]]:
    for trigger in environment.rollback_triggers.values():
        if not isinstance(trigger.condition, Consecutive):
            yield trigger.condition.indicator, trigger.condition.limit
