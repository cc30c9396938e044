"""What checks are given of a load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from deployment_gate.environment import TargetPhrase
from deployment_gate.evidence import Observation, ObservationKind
from deployment_gate.load.breaking import Breaking, breaking_point
from deployment_gate.load.capacity import after_warm_up, bottleneck
from deployment_gate.load.course import LoadTaken
from deployment_gate.load.latency import Sample
from deployment_gate.load.plan import LoadPlan
from deployment_gate.load.resources import Resource, Seen, judge_usage
from deployment_gate.load.seconds import LoadSecond, merged
from deployment_gate.load.targets import (
    TargetResult,
    allowed_share,
    counts_of_seconds,
    judge_error_rate,
    judge_latency,
    judge_throughput,
    judge_users,
    throttling,
)
from deployment_gate.load.trends import compare_endpoints, tell

ALLOWED_ERRORS = 0.01
"""The share of wrong answers up to which users count as served where no target says another."""


@dataclass(frozen=True, slots=True)
class LoadTargets:
    """The environment's targets that load can tell of.

    Attributes:
        latency: Of requests.
        errors: Of answers.
        throughput: Of right answers a second.
        users: Of users at once.
        usage: Of machines, by resource.
    """

    latency: tuple[TargetPhrase, ...] = ()
    errors: tuple[TargetPhrase, ...] = ()
    throughput: tuple[TargetPhrase, ...] = ()
    users: tuple[TargetPhrase, ...] = ()
    usage: Mapping[Resource, TargetPhrase] | None = None

    @property
    def breaking(self) -> tuple[TargetPhrase, ...]:
        """Those that a rising load may break."""
        return (*self.latency, *self.errors)


class SeenLoad:
    """A load that was put on the platform, and how its targets came out.

    Args:
        taken: What was seen of it.
        targets: The environment's.
        own_delay_s: What the generator adds by itself, in seconds, where that was looked at.
        before: The right answers' latencies of an earlier run by endpoint, in seconds.
        recorded: What others have recorded of the machines meanwhile.
    """

    def __init__(
        self,
        taken: LoadTaken,
        targets: LoadTargets,
        *,
        own_delay_s: float | None = None,
        before: Mapping[str, Sequence[float]] | None = None,
        recorded: Sequence[Seen] = (),
    ) -> None:
        self._taken = taken
        self._targets = targets
        self.own_delay_s = own_delay_s
        self._before = before or {}
        self._recorded = recorded

    @property
    def name(self) -> str:
        """The scenario's in the environment file."""
        return self._taken.plan.name

    @property
    def stopped(self) -> str:
        """Why it ended before its time; "" where it didn't."""
        return self._taken.stopped

    @cached_property
    def seconds(self) -> list[LoadSecond]:
        """Its seconds, without the warm-up."""
        return after_warm_up(self._taken.seconds, self._taken.plan)

    @cached_property
    def samples(self) -> list[Sample]:
        """What the sampler saw in those seconds."""
        if not self.seconds:
            return []
        begin, end = self.seconds[0].at, self.seconds[-1].at + timedelta(seconds=1)
        return [one for one in self._taken.samples if begin <= one.at < end]

    @property
    def bottleneck(self) -> str | None:
        """Why the generator couldn't carry it; None where it could."""
        if self._taken.stopped:
            return None
        return bottleneck(self.seconds, self._taken.plan, own_delay_s=self.own_delay_s)

    @property
    def latency(self) -> list[TargetResult]:
        """How long answers took, by the sampler."""
        return [
            result
            for phrase in self._targets.latency
            for result in judge_latency(phrase, self.samples)
        ]

    @property
    def errors(self) -> list[TargetResult]:
        """How many answers were wrong, by the generator, which has most of them."""
        counts = counts_of_seconds(self.seconds)
        return [
            result for phrase in self._targets.errors for result in judge_error_rate(phrase, counts)
        ]

    @property
    def throttling(self) -> str | None:
        """How many answers were 429; None where none was."""
        return throttling(counts_of_seconds(self.seconds))

    @property
    def served(self) -> list[TargetResult]:
        """How much was served, and how many users at once."""
        allowed = min(map(allowed_share, self._targets.errors), default=ALLOWED_ERRORS)
        return [
            *(judge_throughput(phrase, self.seconds) for phrase in self._targets.throughput),
            *(
                judge_users(phrase, self.seconds, allowed_errors=allowed)
                for phrase in self._targets.users
            ),
        ]

    @property
    def usage(self) -> list[TargetResult]:
        """How much of the machines was in use."""
        warm = self.seconds[0].at if self.seconds else self._taken.began
        looks: list[Seen] = [
            seen for seen in self._taken.usage if not seen.usages or seen.usages[0].at >= warm
        ]
        looks += self._recorded
        return [
            result
            for resource, phrase in (self._targets.usage or {}).items()
            for result in judge_usage(phrase, resource, looks)
        ]

    @property
    def changes(self) -> list[str]:
        """What is slower or faster than in an earlier run, a sentence for each endpoint."""
        if not self._before:
            return []
        states = {one.subject: one.state for one in self.latency}
        trends = compare_endpoints(self._before, _latencies(self.samples))
        return [tell(name, trend, state=states.get(name)) for name, trend in trends.items()]

    @property
    def breaking(self) -> Breaking:
        """Where a target broke first as the load rose."""
        plan, samples = self._taken.plan, self._taken.samples
        return breaking_point(plan, self.seconds, samples, self._targets.breaking)

    @property
    def account(self) -> str:
        """Its figures, a line each: what the sampler saw, and what the generator saw."""
        return "\n".join(_told(self))

    def observations(self, check: str | None) -> Iterator[Observation]:
        """All of it as evidence: each sample, and each second of the generator's."""
        for one in self._taken.samples:
            yield Observation(
                at=one.at,
                kind=ObservationKind.LOAD,
                subject=one.endpoint,
                duration_s=round(one.from_due_s, 6),
                status=one.status,
                error=one.error,
                unobserved=one.unobserved,
                facts={
                    "scenario": self.name,
                    "right": one.right,
                    **({"from_sent_s": round(one.from_sent_s, 6)} if one.from_sent_s else {}),
                },
                check=check,
            )
        for second in self._taken.seconds:
            yield Observation(
                at=second.at,
                kind=ObservationKind.LOAD,
                subject=f"{self.name}, by the generator",
                duration_s=1.0,
                facts=second.to_dict(),
                check=check,
            )


def progress(plan: LoadPlan, second: LoadSecond, samples: Sequence[Sample]) -> str:
    """A line for the terminal: users, rate, p95, errors, time left."""
    left_s = max(0.0, plan.duration_s - second.second - 1)
    recent = sorted(one.from_due_s for one in samples[-200:] if one.right)
    p95 = f"p95 {1000 * recent[int(0.95 * (len(recent) - 1))]:.0f} ms" if recent else "no answers"
    counts = counts_of_seconds([second]).values()
    wrong = sum(count.wrong for count in counts)
    throttled = sum(count.throttled for count in counts)
    refused = f", {throttled} throttled" if throttled else ""
    return (
        f"{second.users} users, {second.sent} requests/s of {second.due} due, {p95}, "
        f"{wrong} errors{refused}, {left_s:.0f} s left"
    )


def _latencies(samples: Sequence[Sample]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for one in samples:
        if one.right:
            found.setdefault(one.endpoint, []).append(one.from_due_s)
    return found


def _told(seen: SeenLoad) -> Iterator[str]:
    if seen.own_delay_s is not None:
        yield f"the generator sees 95 % of instant answers within {1000 * seen.own_delay_s:.1f} ms"
    for endpoint, taken_s in sorted(_latencies(seen.samples).items()):
        ordered = sorted(taken_s)
        shown = ", ".join(
            f"p{share:g} {1000 * ordered[int(share / 100 * (len(ordered) - 1))]:.1f} ms"
            for share in (50, 95, 99)
        )
        yield f"{endpoint}: {shown} of {len(ordered)} samples beside the load"
    names = sorted({name for second in seen.seconds for name in second.endpoints})
    for name in names:
        of_name = [second.endpoints[name] for second in seen.seconds if name in second.endpoints]
        histogram = merged(one.from_due for one in of_name)
        if histogram.get_total_count():
            shown = ", ".join(
                f"p{share:g} {histogram.get_value_at_percentile(share) / 1000:.1f} ms"
                for share in (50, 95, 99)
            )
            yield (
                f"{name}: {shown} of {histogram.get_total_count()} answers, by the generator, "
                "its own delays among them"
            )
