"""Where a rising load first breaks a target: at which rate, how many users, which endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from deployment_gate.environment import TargetPhrase
from deployment_gate.environment.terms import Unit
from deployment_gate.judgement.confidence import is_surely_above
from deployment_gate.load.capacity import Level, bottlenecks, levels_of
from deployment_gate.load.targets import (
    ALL,
    ALPHA,
    Counts,
    State,
    TargetResult,
    allowed_share,
    counts_as_latency,
    counts_of_seconds,
    is_slow,
    judge_error_rate,
    judge_latency,
    throttling,
)

if TYPE_CHECKING:
    from deployment_gate.load.latency import Sample
    from deployment_gate.load.plan import LoadPlan
    from deployment_gate.load.seconds import LoadSecond


@dataclass(frozen=True, slots=True)
class Breaking:
    """Where a target first broke, or up to where none did.

    Attributes:
        is_broken: Whether one broke.
        rate: Requests a second, of the level where it broke, or else of the highest at which all
            targets were met; none where that can't be said of any.
        users: How many there were at that level.
        endpoint: Which one broke first; none where only all together did, or none.
        sentence: All of that.
    """

    is_broken: bool
    rate: float | None
    users: int | None
    endpoint: str | None
    sentence: str


def breaking_point(
    plan: LoadPlan,
    seconds: Sequence[LoadSecond],
    samples: Sequence[Sample],
    targets: Sequence[TargetPhrase],
    *,
    alpha: float = ALPHA,
) -> Breaking:
    """Where a target of latency or errors first broke, level by level of a rising load.

    Latencies are the sampler's, errors and throttling those that the load met. A level breaks
    only where a target is surely missed there, at a confidence that is shared among all levels;
    it holds only where all are surely met. Levels from the first on that the generator couldn't
    carry are not judged.

    Args:
        plan: The load's stages, one for each level.
        seconds: Those after the warm-up.
        samples: The sampler's.
        targets: What may break; others than those of latency and errors are left out.
        alpha: The probability of a false alarm that is accepted of an endpoint, at all levels
            together.
    """
    short = bottlenecks(seconds, plan)
    held: Level | None = None
    doubt = ""
    for level in levels_of(seconds, plan):
        if short[level.number]:
            return _unbroken(held, doubt or f"beyond, {short[level.number]}")
        look = _Look(level, _of_level(level, samples), targets, alpha / len(plan.stages))
        broken = look.first_broken()
        if broken:
            return _broken(level, broken, held, doubt)
        unsure = look.unsure()
        if unsure:
            doubt = doubt or f"at {_load(level)}, {unsure}"
        else:
            held, doubt = level, ""
    return _unbroken(held, doubt)


@dataclass(frozen=True, slots=True)
class _Broken:
    """What broke at a level: where first, and the sentence on it."""

    endpoint: str | None
    why: str


@dataclass(frozen=True, slots=True)
class _Look:
    """One level, and what is asked of it."""

    level: Level
    samples: Sequence[Sample]
    targets: Sequence[TargetPhrase]
    alpha: float

    def first_broken(self) -> _Broken | None:
        """Which of the endpoints that miss a target was first to do so surely."""
        missed = [
            (self._since(phrase, result), result)
            for phrase, result in self._results()
            if result.state is State.MISSED
        ]
        if missed:
            first = min(missed, key=lambda item: (item[1].subject == ALL, item[0]))[1]
            return _Broken(None if first.subject == ALL else first.subject, first.sentence)
        return self._throttling()

    def unsure(self) -> str:
        """The first sentence on what isn't surely met, or none."""
        return next(
            (result.sentence for _, result in self._results() if result.state is not State.MET), ""
        )

    def _results(self) -> Iterator[tuple[TargetPhrase, TargetResult]]:
        counts = counts_of_seconds(self.level.seconds)
        for phrase in self.targets:
            if phrase.unit is Unit.SECONDS:
                results = judge_latency(phrase, self.samples, alpha=self.alpha)
            elif _is_of_errors(phrase):
                results = judge_error_rate(phrase, counts, alpha=self.alpha)
            else:
                continue
            yield from ((phrase, result) for result in results)

    def _since(self, phrase: TargetPhrase, result: TargetResult) -> datetime:
        """From when on it was sure, looking at ever more of the level."""
        allowed = allowed_share(phrase)
        bad = total = 0
        for at, more_bad, more in self._course(phrase, result.subject):
            bad, total = bad + more_bad, total + more
            if total and is_surely_above(bad, total, allowed, alpha=self.alpha):
                return at
        return _end(self.level)

    def _course(self, phrase: TargetPhrase, subject: str) -> Iterator[tuple[datetime, int, int]]:
        """When, how many bad ones, of how many: in the order of time."""
        if phrase.unit is Unit.SECONDS:
            for sample in sorted(self.samples, key=lambda sample: sample.at):
                if subject in {ALL, sample.endpoint} and counts_as_latency(phrase, sample):
                    yield sample.at, is_slow(phrase, sample.from_due_s), 1
            return
        for second in self.level.seconds:
            counts = counts_of_seconds([second])
            seen = sum(counts.values(), Counts()) if subject == ALL else counts.get(subject)
            if seen:
                yield second.at, seen.wrong, seen.right + seen.wrong

    def _throttling(self) -> _Broken | None:
        """Refusals of more than may be wrong: what lies beyond says nothing of the platform."""
        allowed = min(map(allowed_share, filter(_is_of_errors, self.targets)), default=0.01)
        counts = counts_of_seconds(self.level.seconds)
        refused = sum(count.throttled for count in counts.values())
        total = sum(count.total for count in counts.values())
        if not total or not is_surely_above(refused, total, allowed, alpha=self.alpha):
            return None
        first = max(counts, key=lambda name: counts[name].throttled / max(1, counts[name].total))
        return _Broken(first, throttling(counts) or "")


def _is_of_errors(phrase: TargetPhrase) -> bool:
    return phrase.unit is Unit.FRACTION and not phrase.of


def _of_level(level: Level, samples: Sequence[Sample]) -> list[Sample]:
    begin = level.seconds[0].at
    return [sample for sample in samples if begin <= sample.at < _end(level)]


def _end(level: Level) -> datetime:
    return level.seconds[-1].at + timedelta(seconds=1)


def _users(level: Level) -> int:
    return max(second.users for second in level.seconds)


def _load(level: Level) -> str:
    return f"{level.stage.arrival_rate:g} requests/s with {_users(level)} users"


def _broken(level: Level, broken: _Broken, held: Level | None, doubt: str) -> Breaking:
    first = f", {broken.endpoint} first" if broken.endpoint else ""
    up_to = f"all targets were met up to {_load(held)}" if held else "no lower level was met"
    return Breaking(
        is_broken=True,
        rate=level.stage.arrival_rate,
        users=_users(level),
        endpoint=broken.endpoint,
        sentence="; ".join(
            filter(None, (f"broke at {_load(level)}{first}: {broken.why}", up_to, doubt))
        ),
    )


def _unbroken(held: Level | None, but: str) -> Breaking:
    up_to = f"no target broke up to {_load(held)}" if held else "no level of load could be judged"
    return Breaking(
        is_broken=False,
        rate=held.stage.arrival_rate if held else None,
        users=_users(held) if held else None,
        endpoint=None,
        sentence="; ".join(filter(None, (up_to, but))),
    )
