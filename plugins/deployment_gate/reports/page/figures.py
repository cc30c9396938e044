"""Pictures of what a run saw: its course, its triggers' samples, how long answers took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from deployment_gate.environment import Consecutive, TriggerRule, percent
from deployment_gate.evidence import Evidence, Observation, ObservationKind, Outcome
from deployment_gate.judgement import Reading, Seen, can_be_judged, streams_of
from deployment_gate.reports.account import Account

if TYPE_CHECKING:
    from deployment_gate.reports.plots import Mark

_WORTH = 20
"""Fewer values than this are told in words: they make no picture."""

_LANES = 12
_LONGEST_NAME = 34


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture of what was seen.

    Attributes:
        svg: It, as an element.
        caption: What it shows.
    """

    svg: str
    caption: str


def figures_of(account: Account) -> Iterator[Figure]:
    """Pictures of a run, as many as it has the values for.

    Args:
        account: What was seen, and whose triggers and limits are shown.
    """
    evidence, policy, limits = account.evidence, account.policy, account.limits
    if policy is None or len(evidence.observations) < _WORTH:
        return
    yield _course(evidence)
    for rule in policy.triggers:
        if can_be_judged(rule, policy, evidence):
            yield from _trigger(rule, streams_of(rule, policy, evidence))
    by_kind: defaultdict[ObservationKind, list[Observation]] = defaultdict(list)
    for one in evidence.observations:
        if not (one.error or one.unobserved or one.facts.get("provoked")):
            by_kind[one.kind].append(one)
    for kind, what, limit_s in (
        (ObservationKind.REQUEST, "answers to the checks", limits.answers_p95_s),
        (ObservationKind.LOAD, "answers under load", limits.answers_p95_s),
        (ObservationKind.PAGE, "page loads", limits.pages_p95_s),
    ):
        yield from _latency(what, by_kind[kind], limit_s)


def _course(evidence: Evidence) -> Figure:
    """When what was looked at and checked, and what failed."""
    from deployment_gate.reports.plots import Lane, Mark, Point, lanes_plot  # noqa: PLC0415

    categories = {check.id: check.category for check in evidence.plan}
    spans: defaultdict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    failed: defaultdict[str, list[Point]] = defaultdict(list)
    for one in evidence.outcomes:
        lane = categories.get(one.id, "checks")
        spans[lane].append((one.at - timedelta(seconds=one.duration_s), one.at))
        if one.outcome in {Outcome.FAILED, Outcome.ERROR}:
            failed[lane].append(Point(one.at, None, Mark.BAD))
    looks = [
        Point(one.at, None, Mark.BAD if one.error else Mark.GOOD)
        for one in evidence.observations
        if one.kind in {ObservationKind.HEALTH, ObservationKind.RELEASE} and one.check is None
    ]
    lanes = [Lane("health and release", points=looks)] if looks else []
    lanes += [Lane(name, spans=some, points=failed[name]) for name, some in spans.items()]
    count = sum(map(len, failed.values()))
    told = f"{len(evidence.outcomes)} checks ended, {count} of them failed."
    return Figure(
        lanes_plot(lanes, title="The run's course", description=told), "The run's course (UTC)"
    )


def _trigger(rule: TriggerRule, streams: Mapping[str, Sequence[Seen]]) -> Iterator[Figure]:
    """A trigger's samples against its limit."""
    from deployment_gate.reports.plots import Lane, Point, lanes_plot  # noqa: PLC0415

    seen = [one for stream in streams.values() for one in stream]
    if not seen:
        return
    bad = sum(one.judged.reading is Reading.BAD for one in seen)
    told = f"{bad} of {len(seen)} readings are bad."
    if not isinstance(rule.condition, Consecutive):
        yield from _share(rule, seen, told)
        return
    # Those that failed first, and no more than can be told apart.
    order = sorted(
        streams,
        key=lambda name: -sum(one.judged.reading is Reading.BAD for one in streams[name]),
    )
    lanes = [
        Lane(_short(name), points=[Point(one.at, None, _mark(one)) for one in streams[name]])
        for name in order[:_LANES]
    ]
    more = f", {len(order) - _LANES} more not shown" if len(order) > _LANES else ""
    yield Figure(
        lanes_plot(lanes, title=rule.name, description=told),
        f"{rule.name}: {rule.condition.count} in a row fire it{more}",
    )


def _share(rule: TriggerRule, seen: Sequence[Seen], told: str) -> Iterator[Figure]:
    """How large the share of what is bad was over time, beside its limit."""
    from deployment_gate.reports.plots import Mark, Point, Unit, series_plot  # noqa: PLC0415

    condition = rule.condition
    if isinstance(condition, Consecutive) or len(seen) < _WORTH:
        return
    by_time = sorted(seen, key=lambda one: one.at)
    begun, ended = by_time[0].at, by_time[-1].at
    slot = max((ended - begun) / _WORTH, timedelta(seconds=0.1))
    slots: defaultdict[int, list[Seen]] = defaultdict(list)
    for one in by_time:
        slots[int((one.at - begun) / slot)].append(one)
    points = []
    for number, some in sorted(slots.items()):
        counted = [one for one in some if one.judged.reading is not Reading.UNOBSERVED]
        share = None
        if counted:
            share = sum(one.judged.reading is Reading.BAD for one in counted) / len(counted)
        is_above = share is not None and share > condition.limit
        points.append(Point(begun + slot * number, share, Mark.BAD if is_above else Mark.GOOD))
    if all(one.value is None for one in points):
        return
    yield Figure(
        series_plot(
            points, unit=Unit.SHARE, title=rule.name, description=told, limit=condition.limit
        ),
        f"{rule.name}: the share of what was bad, limit {percent(condition.limit)}",
    )


def _latency(what: str, seen: Sequence[Observation], limit_s: float | None) -> Iterator[Figure]:
    from deployment_gate.reports.plots import distribution_plot  # noqa: PLC0415

    if len(seen) < _WORTH:
        return
    limit_ms = None if limit_s is None else limit_s * 1000
    beyond = sum(one.duration_s > limit_s for one in seen) if limit_s else 0
    told = f"{len(seen)} {what}" + (f", {beyond} of them beyond the limit" if limit_s else "")
    yield Figure(
        distribution_plot(
            [one.duration_s * 1000 for one in seen],
            title=f"How long {what} took",
            description=f"{told}.",
            limit_ms=limit_ms,
        ),
        f"How long {what} took: {told}",
    )


def _mark(one: Seen) -> Mark:
    from deployment_gate.reports.plots import Mark  # noqa: PLC0415

    marks = {Reading.GOOD: Mark.GOOD, Reading.BAD: Mark.BAD, Reading.UNOBSERVED: Mark.WARN}
    return marks[one.judged.reading]


def _short(name: str) -> str:
    name = name.rpartition("::")[2]
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
