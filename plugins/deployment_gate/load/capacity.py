"""Whether the load generator is the bottleneck, rather than what it asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deployment_gate.load.plan import LoadPlan, Stage
    from deployment_gate.load.seconds import LoadSecond

CARRIED = 0.95
"""The share of the scheduled requests from which on a rate counts as carried."""

BUSY_CPU = 0.9
"""The share of one core from which on a generating process, of one thread, is at its end."""

LATE_S = 0.1
"""How late the generator may be by itself, in seconds: its heartbeat, or on a loopback answer."""

_EDGES = 3
"""Requests that may lie just before or after the seconds that are looked at."""

_FEWEST_SECONDS = 3
"""Seconds of one level from which on it is judged; a single one may lack what the next has."""


@dataclass(frozen=True, slots=True)
class Level:
    """What the generator did at one level of load.

    Attributes:
        number: Which stage of the plan it is, from 0.
        stage: That stage.
        seconds: Its seconds.
    """

    number: int
    stage: Stage
    seconds: tuple[LoadSecond, ...]

    @property
    def scheduled(self) -> float:
        """How many requests the plan has for these seconds."""
        return self.stage.arrival_rate * len(self.seconds)

    @property
    def sent(self) -> int:
        """How many requests were sent."""
        return sum(second.sent for second in self.seconds)

    @property
    def sent_rate(self) -> float:
        """Requests sent a second."""
        return self.sent / len(self.seconds)


def bottleneck(
    seconds: Sequence[LoadSecond], plan: LoadPlan, *, own_delay_s: float | None = None
) -> str | None:
    """Why the generator couldn't carry its load, in one sentence; None where it could.

    A shortfall isn't the generator's where requests were held back since the target had not
    answered earlier ones, unless the generator was at its end besides: it may then have been
    too busy to take the answers.

    Args:
        seconds: Those after the warm-up, or the last few of a load that runs.
        plan: What was to be sent.
        own_delay_s: What the generator measures against a loopback server that answers at once,
            in seconds, where that was looked at.
    """
    if own_delay_s is not None and own_delay_s >= LATE_S:
        return (
            f"the load generator takes {1000 * own_delay_s:.0f} ms by itself for an answer that "
            "comes at once; add workers"
        )
    return next(filter(None, bottlenecks(seconds, plan)), None)


def bottlenecks(seconds: Sequence[LoadSecond], plan: LoadPlan) -> tuple[str | None, ...]:
    """The same for each level of the load; None also where too little was seen of one."""
    levels = {level.number: level for level in levels_of(seconds, plan)}
    return tuple(
        _shortfall(levels[number]) if number in levels else None
        for number in range(len(plan.stages))
    )


def after_warm_up(seconds: Sequence[LoadSecond], plan: LoadPlan) -> list[LoadSecond]:
    """The seconds of a load of which statistics are made: from the warm-up's end to the plan's.

    The warm-up begins with the second in which there is the first user.
    """
    begin = next((second.second for second in seconds if second.users > 0), None)
    if begin is None:
        return []
    return [
        second
        for second in seconds
        if begin + plan.warm_up_s <= second.second and second.second + 1 <= plan.duration_s
    ]


def levels_of(seconds: Sequence[LoadSecond], plan: LoadPlan) -> Iterator[Level]:
    """The levels of which there are seconds, in the plan's order.

    A second in which one level follows another belongs to neither.
    """
    begin = 0.0
    for number, stage in enumerate(plan.stages):
        end = begin + stage.duration_s
        within = tuple(
            second for second in seconds if begin <= second.second and second.second + 1 <= end
        )
        if within:
            yield Level(number, stage, within)
        begin = end


def _shortfall(level: Level) -> str | None:
    is_carried = level.sent + _EDGES >= level.scheduled or level.sent >= CARRIED * level.scheduled
    if len(level.seconds) < _FEWEST_SECONDS or is_carried:
        return None
    short = [s for s in level.seconds if s.sent < CARRIED * level.stage.arrival_rate]
    cpu = median(max(second.cpu, default=0.0) for second in short)
    lag_s = median(second.lag_s for second in short)
    is_busy, is_late = cpu >= BUSY_CPU, lag_s >= LATE_S
    held_back = sum(second.held_back for second in level.seconds)
    if not (is_busy or is_late) and held_back >= (level.scheduled - level.sent) / 2:
        return None
    late = f", {1000 * lag_s:.0f} ms late by itself" if is_late else ""
    return (
        f"the load generator reached {level.sent_rate:.0f} of {level.stage.arrival_rate:.0f} "
        f"requests/s at {100 * cpu:.0f} % CPU{late}{_fewer_workers(level)}; add workers"
    )


def _fewer_workers(level: Level) -> str:
    workers = [second.workers for second in level.seconds]
    if min(workers) == max(workers):
        return ""
    return f" after {max(workers) - min(workers)} of {max(workers)} workers had gone"
