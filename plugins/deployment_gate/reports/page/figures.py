"""Pictures of what a run saw: its course, its triggers' readings, how long answers took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from deployment_gate.environment import Consecutive, Policy, TriggerRule, percent
from deployment_gate.evidence import Evidence, Observation, ObservationKind, Outcome
from deployment_gate.judgement import Reading, Seen, can_be_judged, read_health, streams_of
from deployment_gate.judgement.indicators import read_error
from deployment_gate.reports.account import Account
from deployment_gate.reports.limits import Limits
from deployment_gate.reports.plots import (
    Lane,
    Mark,
    Point,
    Unit,
    distribution_plot,
    lanes_plot,
    series_plot,
)

_Item = TypeVar("_Item")

WORTH = 20
"""Fewer values than this are told in words: they make no picture."""

_SLOTS = 40
"""A share or a rate over time is drawn of so many spans of time at most."""

_LANES = 12
_ACROSS = 250
"""So many marks of a kind can be told apart in a lane; those that fall together are drawn once."""

_LONGEST_NAME = 34
_SECOND = timedelta(seconds=1)

_SWEEP, _AFTERWARDS = "looks at health", "looks afterwards"
_MARKS = {Reading.GOOD: Mark.GOOD, Reading.BAD: Mark.BAD, Reading.UNOBSERVED: Mark.WARN}
_MARKS_OF_CHECKS = {
    Outcome.FAILED: Mark.BAD,
    Outcome.ERROR: Mark.BAD,
    Outcome.WARNED: Mark.WARN,
    Outcome.WAIVED: Mark.WARN,
}
_LOOKS = frozenset({ObservationKind.HEALTH, ObservationKind.RELEASE, ObservationKind.REQUEST})


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture of what was seen.

    Attributes:
        svg: It, as an element; "" where it could not be drawn.
        caption: What it shows, or why there is none.
    """

    svg: str
    caption: str


def figures_of(account: Account) -> Iterator[Figure]:
    """Pictures of a run, as many as it has the values for.

    A picture that can't be drawn is told of in its place: it is no part of the verdict.

    Args:
        account: What was seen, and whose triggers and limits are shown.
    """
    evidence, policy = account.evidence, account.policy
    if len(evidence.observations) < WORTH:
        return
    drawings: list[tuple[str, Callable[[], Iterable[Figure]]]]
    drawings = [("The run's course", partial(_course, evidence, policy))]
    if policy:
        drawings += [
            (rule.name, partial(_trigger, rule, policy, evidence)) for rule in policy.triggers
        ]
    drawings += [
        ("How long answers took", partial(_latencies, evidence, account.limits)),
        ("The load", partial(_loads, evidence, account.limits)),
    ]
    for name, draw in drawings:
        try:
            yield from draw()
        except Exception as error:  # noqa: BLE001  # whatever goes wrong, the page must be written
            yield Figure("", f"{name}: this picture could not be drawn ({error!r})")


def _course(evidence: Evidence, policy: Policy | None) -> Iterator[Figure]:
    """When what was looked at and checked, and what failed."""
    categories = {check.id: check.category for check in evidence.plan}
    spans: defaultdict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    marked: defaultdict[str, list[Point]] = defaultdict(list)
    for one in evidence.outcomes:
        if one.outcome is Outcome.NOT_RUN:
            continue
        lane = categories.get(one.id) or "checks"
        spans[lane].append((one.at - timedelta(seconds=one.duration_s), one.at))
        if one.outcome in _MARKS_OF_CHECKS:
            marked[lane].append(Point(one.at, None, _MARKS_OF_CHECKS[one.outcome]))
    last = max((span[1] for some in spans.values() for span in some), default=None)
    # Afterwards health is looked at once more, and what is suspected again and again.
    looks: defaultdict[str, list[Point]] = defaultdict(list)
    for look in evidence.observations:
        is_control = look.kind is ObservationKind.CONTROL
        if look.check is None and look.kind in _LOOKS:
            name = _SWEEP if last is None or look.at <= last else _AFTERWARDS
            looks[name].append(Point(look.at, None, _mark(look, policy)))
        elif is_control and _mark(look, None) is not Mark.GOOD:
            looks["this machine"].append(Point(look.at, None, Mark.WARN))
    order = sorted(spans.items(), key=lambda lane: min(lane[1]))
    lanes = [
        *(Lane(name, points=_thinned(looks[name])) for name in looks if name == _SWEEP),
        *(Lane(name, _joined(some), _thinned(marked[name])) for name, some in order),
        *(Lane(name, points=_thinned(some)) for name, some in looks.items() if name != _SWEEP),
    ]
    if not lanes:
        return
    ended = sum(one.outcome is not Outcome.NOT_RUN for one in evidence.outcomes)
    failed = sum(point.mark is Mark.BAD for points in marked.values() for point in points)
    told = f"{ended} checks ended, {failed} of them failed"
    begun = evidence.run.started.strftime("%H:%M:%S")
    if evidence.end:
        told += f"; from {begun} to {evidence.end.at:%H:%M:%S} UTC"
    yield Figure(
        lanes_plot(lanes, title="The run's course", description=f"{told}."),
        f"The run's course: {told}",
    )


def _mark(look: Observation, policy: Policy | None) -> Mark:
    """How a look reads that no check asked for."""
    rules = policy.health_endpoints if policy else {}
    is_of_health = look.kind is ObservationKind.HEALTH and look.subject in rules
    judged = read_health(look, rules[look.subject]) if is_of_health else read_error(look)
    return _MARKS[judged.reading]


def _joined(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Spans of time without what they have in common, and without gaps that nobody can see."""
    ordered = sorted(spans)
    least = (max(end for _, end in ordered) - ordered[0][0]) / _ACROSS
    joined = ordered[:1]
    for start, end in ordered[1:]:
        if start - joined[-1][1] <= least / 2:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _thinned(points: Sequence[Point]) -> list[Point]:
    """Points without those that would hide behind another of the same kind."""
    if len(points) <= _ACROSS:
        return [*points]
    begun = min(one.at for one in points)
    width = (max(one.at for one in points) - begun) / _ACROSS or _SECOND
    return [*{(one.mark, int((one.at - begun) / width)): one for one in points}.values()]


def _trigger(rule: TriggerRule, policy: Policy, evidence: Evidence) -> Iterator[Figure]:
    """A trigger's readings against its limit."""
    if not can_be_judged(rule, policy, evidence):
        return
    streams = {name: some for name, some in streams_of(rule, policy, evidence).items() if some}
    seen = [one for stream in streams.values() for one in stream]
    if len(seen) < WORTH:
        return
    bad = sum(map(_is_bad, seen))
    told = f"{bad} of {len(seen)} readings are bad"
    if isinstance(rule.condition, Consecutive):
        yield _rows(rule, rule.condition, streams, told)
    else:
        yield from _share(rule, rule.condition.limit, seen, told)


def _rows(
    rule: TriggerRule, condition: Consecutive, streams: Mapping[str, Sequence[Seen]], told: str
) -> Figure:
    """Each subject's readings, for a trigger that counts how many are bad in a row."""
    # Those that failed first, and no more than can be told apart.
    order = sorted(streams, key=lambda name: (-sum(map(_is_bad, streams[name])), name))
    lanes = [
        Lane(
            _short(name),
            points=_thinned(
                [Point(one.at, None, _MARKS[one.judged.reading]) for one in streams[name]]
            ),
        )
        for name in order[:_LANES]
    ]
    hidden = len(order) - len(lanes)
    more = f"; {hidden} more that were no worse aren't shown" if hidden else ""
    return Figure(
        lanes_plot(lanes, title=rule.name, description=f"{told}."),
        f"{rule.name}: {told}, {condition.count} in a row fire it{more}",
    )


def _share(rule: TriggerRule, limit: float, seen: Sequence[Seen], told: str) -> Iterator[Figure]:
    """How large the share of what is bad was over time, beside its limit."""
    counted = [one for one in seen if one.judged.reading is not Reading.UNOBSERVED]
    if len(counted) < WORTH:
        return
    points = [
        _limited(at, None if not some else sum(map(_is_bad, some)) / len(some), limit)
        for at, some in _slots([(one.at, one) for one in counted])
    ]
    yield Figure(
        series_plot(points, unit=Unit.SHARE, title=rule.name, description=f"{told}.", limit=limit),
        f"{rule.name}: the share of what was bad over time, limit {percent(limit)}; {told}",
    )


def _latencies(evidence: Evidence, limits: Limits) -> Iterator[Figure]:
    """How long answers took: to the checks, under each load, and whole pages."""
    groups: defaultdict[str, list[float]] = defaultdict(list)
    of_pages = frozenset({"page loads"})
    for one in evidence.observations:
        if one.error or one.unobserved or one.facts.get("provoked"):
            continue
        if one.kind is ObservationKind.REQUEST:
            groups["answers to the checks"].append(one.duration_s)
        elif one.kind is ObservationKind.PAGE:
            groups["page loads"].append(one.duration_s)
        elif one.kind is ObservationKind.LOAD and one.facts.get("right") is True:
            groups[f"answers under the load {one.facts.get('scenario')}"].append(one.duration_s)
    for what, taken_s in groups.items():
        if len(taken_s) < WORTH:
            continue
        limit_s = limits.pages_p95_s if what in of_pages else limits.answers_p95_s
        told = f"{len(taken_s)} {what}"
        if limit_s is not None:
            beyond = sum(one > limit_s for one in taken_s)
            told += f", {beyond or 'none'} of them beyond the limit"
        yield Figure(
            distribution_plot(
                [one * 1000 for one in taken_s],
                title=f"How long {what} took",
                description=f"{told}.",
                limit_ms=None if limit_s is None else limit_s * 1000,
            ),
            f"How long it took: {told}",
        )


def _loads(evidence: Evidence, limits: Limits) -> Iterator[Figure]:
    """What each load was answered over time."""
    loads: defaultdict[tuple[str | None, str], list[Observation]] = defaultdict(list)
    for one in evidence.observations:
        if one.kind is ObservationKind.LOAD and "endpoints" in one.facts:
            loads[one.check, one.subject].append(one)
    for (_, subject), seconds in loads.items():
        if len(seconds) < WORTH:
            continue
        name = subject.removesuffix(", by the generator")
        slots = _slots([(one.at, _answers(one)) for one in seconds])
        rates = [
            Point(at, sum(right for right, _ in some) / len(some) if some else None)
            for at, some in slots
        ]
        right, wrong = (sum(one[n] for _, some in slots for one in some) for n in (0, 1))
        told = f"{right} right answers in {len(seconds)} s"
        yield Figure(
            series_plot(
                rates,
                unit=Unit.COUNT,
                title=f"Right answers a second under the load {name}",
                description=f"{told}.",
            ),
            f"Right answers a second under the load {name}: {told}",
        )
        shares = [_limited(at, _share_of_wrong(some), limits.error_rate) for at, some in slots]
        if all(one.value is None for one in shares):
            continue
        told = f"{wrong} of {right + wrong} answers were errors"
        yield Figure(
            series_plot(
                shares,
                unit=Unit.SHARE,
                title=f"Errors under the load {name}",
                description=f"{told}.",
                limit=limits.error_rate,
            ),
            f"Errors under the load {name}: {told}",
        )


def _answers(second: Observation) -> tuple[int, int]:
    """How many answers of a second of load were right and wrong."""
    endpoints = second.facts["endpoints"].values()
    return (
        sum(one["right"] for one in endpoints),
        sum(sum(one["wrong"].values()) for one in endpoints),
    )


def _share_of_wrong(some: Iterable[tuple[int, int]]) -> float | None:
    counts = [*some]
    wrong = sum(one for _, one in counts)
    answers = wrong + sum(one for one, _ in counts)
    return wrong / answers if answers else None


def _slots(items: Iterable[tuple[datetime, _Item]]) -> list[tuple[datetime, list[_Item]]]:
    """What falls into each of equal spans of time; between the first and the last may be none."""
    ordered = sorted(items, key=lambda one: one[0])
    begun = ordered[0][0]
    width = max((ordered[-1][0] - begun) / (_SLOTS - 1), timedelta(seconds=0.1))
    slots: defaultdict[int, list[_Item]] = defaultdict(list)
    for at, item in ordered:
        slots[int((at - begun) / width)].append(item)
    return [(begun + width * number, slots[number]) for number in range(max(slots) + 1)]


def _limited(at: datetime, value: float | None, limit: float | None) -> Point:
    """A point that shows whether it is beyond its limit."""
    if limit is None or value is None:
        return Point(at, value)
    return Point(at, value, Mark.BAD if value > limit else Mark.GOOD)


def _is_bad(one: Seen) -> bool:
    return one.judged.reading is Reading.BAD


def _short(name: str) -> str:
    """A subject's name as long as there is room for; of a check, what is its own."""
    name = "".join(sign if sign.isprintable() else "?" for sign in name.rpartition("::")[2])
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
