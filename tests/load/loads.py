"""Loads made up second by second, and samples beside them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from deployment_gate.load.latency import Sample
from deployment_gate.load.plan import LoadPlan, Stage
from deployment_gate.load.seconds import EndpointSecond, LoadSecond

BEGIN = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def plan(*rates: float, each_s: float = 30, users: int = 50, warm_up_s: float = 0) -> LoadPlan:
    """A load with one level for each rate."""
    return LoadPlan(
        name="stress",
        host="http://127.0.0.1:1",
        stages=tuple(Stage(each_s, rate, users) for rate in rates),
        spawn_rate=10,
        warm_up_s=warm_up_s,
        timeout_s=5,
    )


def answers(right: int, wrong: int = 0, throttled: int = 0) -> EndpointSecond:
    """The answers of one endpoint in one second, without latencies."""
    reasons: Mapping[str, int] = {"status 500": wrong} if wrong else {}
    return EndpointSecond(right, throttled, reasons, "", "")


def second(number: int, rate: int, **other: Any) -> LoadSecond:
    """One second in which all went well, but for what is said otherwise."""
    usual: dict[str, Any] = {
        "users": 50,
        "workers": 2,
        "due": rate,
        "sent": rate,
        "held_back": 0,
        "in_flight": 1,
        "cpu": (0.2, 0.2),
        "lag_s": 0.002,
        "endpoints": {"search": answers(rate)},
    }
    at = BEGIN + timedelta(seconds=number)
    return LoadSecond(second=number, at=at, **(usual | other))


def sample(
    at_s: float, from_due_s: float = 0.01, *, endpoint: str = "search", **other: Any
) -> Sample:
    """One sample; a right answer, but for what is said otherwise."""
    is_right = not other.keys() & {"error", "unobserved", "throttled"}
    return Sample(
        at=BEGIN + timedelta(seconds=at_s),
        endpoint=endpoint,
        from_due_s=from_due_s,
        from_sent_s=from_due_s,
        right=is_right,
        **other,
    )
