"""`metrics.prom`: a run's numbers for Prometheus, in OpenMetrics text that a Pushgateway takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from deployment_gate.evidence import FindingSeverity, Outcome
from deployment_gate.judgement import Decision, TriggerState

if TYPE_CHECKING:
    from prometheus_client.metrics_core import GaugeMetricFamily

    from deployment_gate.reports.account import Account
    from deployment_gate.reports.history import Entry

_PREFIX = "deployment_gate"
_WHICH = ("environment", "release", "tier")
_UNITS = frozenset({"seconds", "ratio"})
"""How names end that say what they are in."""


def render_metrics(account: Account, entry: Entry) -> str:
    """The text of `metrics.prom`.

    All are gauges: a Pushgateway reads what it is sent as Prometheus' older text format, which
    knows no state sets, and its counters by other names.

    Args:
        account: The run, for its triggers and findings.
        entry: The same as its history line has it, without secrets.
    """
    from prometheus_client import CollectorRegistry  # noqa: PLC0415  # only reports need it
    from prometheus_client.openmetrics.exposition import generate_latest  # noqa: PLC0415
    from prometheus_client.registry import Collector  # noqa: PLC0415

    class Run(Collector):
        def collect(self) -> Iterator[GaugeMetricFamily]:
            yield from _families(account, entry)

    registry = CollectorRegistry()
    registry.register(Run())
    text = generate_latest(registry)  # type: ignore[no-untyped-call]  # the library's
    return str(text.decode())


def _families(account: Account, entry: Entry) -> Iterator[GaugeMetricFamily]:
    which = (entry.environment, entry.release or "", entry.scope)
    yield _gauge(
        "verdict",
        "1 for what was decided, 0 for what was not.",
        {(one.value,): float(one is entry.verdict) for one in Decision},
        which,
        labels=("verdict",),
    )
    yield _gauge(
        "checks",
        "How many checks ended in which way.",
        {(one.value,): float(entry.outcomes.get(one, 0)) for one in Outcome},
        which,
        labels=("outcome",),
    )
    yield _gauge("checks_planned", "How many were to run.", {(): float(entry.planned)}, which)
    yield _gauge(
        "trigger",
        "1 for the state that a rollback trigger is in, 0 for the others.",
        {
            (trigger.name, state.value): float(trigger.state is state)
            for trigger in account.verdict.triggers
            for state in TriggerState
        },
        which,
        labels=("trigger", "state"),
    )
    yield _gauge("duration_seconds", "How long the run took.", {(): entry.duration_s}, which)
    yield _gauge(
        "ended_timestamp_seconds",
        "When the run ended, as seconds since 1970 in UTC.",
        {(): entry.ended.timestamp()},
        which,
    )
    yield from _seen(entry, which)
    found = account.evidence.findings
    yield _gauge(
        "findings",
        "How many findings of security there are, by severity.",
        {
            (severity.value,): float(sum(one.severity is severity for one in found))
            for severity in FindingSeverity
        },
        which,
        labels=("severity",),
    )


def _seen(entry: Entry, which: tuple[str, ...]) -> Iterator[GaugeMetricFamily]:
    """What was seen of the platform; nothing of what was not seen."""
    latencies = {"answer": entry.answers, "page_load": entry.pages}
    for name, latency in latencies.items():
        values = {("0.5",): latency.p50_s, ("0.95",): latency.p95_s}
        seen: dict[tuple[str, ...], float] = {
            quantile: value for quantile, value in values.items() if value is not None
        }
        if seen:
            yield _gauge(
                f"{name}_seconds",
                f"How long {name.replace('_', ' ')}s took, of those that came whole.",
                seen,
                which,
                labels=("quantile",),
            )
    shares = {
        "error_ratio": (entry.errors, "The share of answers that were errors."),
        "availability_ratio": (
            entry.availability,
            "The share of answers of health endpoints that were good.",
        ),
    }
    for name, (share, help_text) in shares.items():
        if share.fraction is not None:
            yield _gauge(name, help_text, {(): share.fraction}, which)
    if entry.coverage.share is not None:
        yield _gauge(
            "coverage_ratio",
            "The share of the described categories that had an executed pass.",
            {(): entry.coverage.share},
            which,
        )


def _gauge(
    name: str,
    documentation: str,
    values: dict[tuple[str, ...], float],
    which: tuple[str, ...],
    *,
    labels: tuple[str, ...] = (),
) -> GaugeMetricFamily:
    from prometheus_client.metrics_core import (  # noqa: PLC0415
        GaugeMetricFamily as Family,
    )

    last = name.rpartition("_")[2]
    unit = last if last in _UNITS else ""
    family = Family(f"{_PREFIX}_{name}", documentation, labels=(*_WHICH, *labels), unit=unit)
    for more, value in values.items():
        family.add_metric((*which, *more), value)
    return family
