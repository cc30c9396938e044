"""The course of one load: the generator, the sampler beside it, and what ends it early."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from deployment_gate.environment import TargetPhrase
from deployment_gate.load.breaking import breaking_point
from deployment_gate.load.capacity import after_warm_up
from deployment_gate.load.latency import Ask, Sample, sample
from deployment_gate.load.plan import LoadPlan
from deployment_gate.load.resources import Seen
from deployment_gate.load.seconds import LoadSecond
from deployment_gate.load.targets import Counts, counts_of_seconds

RECENT_S = 5
"""Seconds of load by which is decided whether it goes on."""

FEWEST_ANSWERS = 20
"""Answers in those seconds from which on their share of errors may end the load."""


class Generator(Protocol):
    """What makes the load."""

    def seconds(self) -> AsyncGenerator[LoadSecond, None]:
        """Each second of it, once it is over; closing it ends the load."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What ends a load early.

    Attributes:
        stop_above: The share of wrong answers, 0 to 1, above which it stops at once.
        breaks_by: The targets one of which must break; empty where it goes on in any case.
    """

    stop_above: float
    breaks_by: tuple[TargetPhrase, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTaken:
    """What was seen of a load.

    Attributes:
        plan: What was to be sent.
        seconds: What the generator saw.
        samples: What the sampler saw beside it.
        usage: What was seen of the machines, in the order of time.
        stopped: Why it ended before its time; "" where it didn't.
        began: When, aware and in UTC.
    """

    plan: LoadPlan
    seconds: tuple[LoadSecond, ...]
    samples: tuple[Sample, ...]
    usage: tuple[Seen, ...]
    stopped: str
    began: datetime


async def put_load(  # noqa: PLR0913  # each one is a different thing, and named
    plan: LoadPlan,
    generator: Generator,
    asks: Sequence[Ask],
    *,
    sample_rate: float,
    user_agent: str,
    bounds: Bounds,
    look_at_machines: Callable[[], Seen],
    tell: Callable[[LoadSecond, Sequence[Sample]], None],
) -> LoadTaken:
    """Put load on the target until the plan is over or something ends it; cancelling does, too.

    Args:
        plan: What is to be sent.
        generator: Sends it.
        asks: What is measured beside it.
        sample_rate: How many of those are sent each second.
        user_agent: How they name their sender.
        bounds: What ends the load early.
        look_at_machines: Sees what is in use of them, once.
        tell: Takes each second, with all samples so far.

    Raises:
        GeneratorError: The generator died, hangs or says what can't be understood.
    """
    began = datetime.now(UTC)
    seconds: list[LoadSecond] = []
    samples: list[Sample] = []
    usage: list[Seen] = []
    stopped = ""

    async def make_load() -> str:
        async with aclosing(generator.seconds()) as each:
            async for second in each:
                if not seconds:
                    beside.append(asyncio.create_task(measure()))
                seconds.append(second)
                usage.append(await asyncio.to_thread(look_at_machines))
                tell(second, samples)
                why = why_stop(plan, seconds, samples, bounds)
                if why:
                    return why
        return ""

    async def measure() -> None:
        await sample(
            asks,
            rate=sample_rate,
            until=is_over.is_set,
            observe=samples.append,
            user_agent=user_agent,
        )

    is_over = asyncio.Event()
    beside: list[asyncio.Task[None]] = []
    try:
        stopped = await make_load()
        is_over.set()
        for task in beside:
            await task
    finally:
        for task in beside:
            task.cancel()
    return LoadTaken(
        plan=plan,
        seconds=tuple(seconds),
        samples=tuple(samples),
        usage=tuple(usage),
        stopped=stopped,
        began=began,
    )


def why_stop(
    plan: LoadPlan, seconds: Sequence[LoadSecond], samples: Sequence[Sample], bounds: Bounds
) -> str:
    """Why a load ends now; "" where it goes on."""
    recent = sum(counts_of_seconds(seconds[-RECENT_S:]).values(), Counts())
    answers = recent.right + recent.wrong
    if answers >= FEWEST_ANSWERS and recent.wrong > bounds.stop_above * answers:
        return (
            f"stopped after {len(seconds)} s: {recent.wrong} of {answers} answers were wrong in "
            f"the last {min(len(seconds), RECENT_S)} s, above {100 * bounds.stop_above:g} %"
        )
    if bounds.breaks_by and _has_changed_level(plan, len(seconds)):
        counted = after_warm_up(seconds, plan)
        breaking = breaking_point(plan, counted, samples, bounds.breaks_by)
        if breaking.is_broken:
            return breaking.sentence
    return ""


def _has_changed_level(plan: LoadPlan, second: int) -> bool:
    """Whether one level of the load was over at the last second."""
    return plan.level_at(second) is not plan.level_at(second - 1)
