"""Triggers: rules on an indicator's stream that ask for a rollback."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from deployment_gate.environment import Action, Consecutive, Over, Policy, Sustained, TriggerRule
from deployment_gate.evidence import Observation
from deployment_gate.judgement.indicators import Judged, Reading, read_indicator
from deployment_gate.judgement.states import Decided, TriggerState, worst
from deployment_gate.judgement.windows import SustainedRule, sustained


@dataclass(frozen=True, slots=True)
class TriggerResult:
    """What became of one trigger.

    Attributes:
        name: The trigger's name in the environment file.
        state: What its rule says.
        action: What it asks for when it fires.
        phrase: Its condition, as the environment file words it.
        why: The numbers against their limit.
        bad: How many observations were bad.
        total: How many were good or bad.
        unobserved: How many were neither.
        blips: Which subjects failed and then answered well, for a rule that is clear.
    """

    name: str
    state: TriggerState
    action: Action
    phrase: str
    why: str
    bad: int
    total: int
    unobserved: int = 0
    blips: str = ""


class _Seen(NamedTuple):
    """What an indicator says of one observation, and when that was."""

    at: datetime
    judged: Judged


def judge_trigger(
    rule: TriggerRule, observations: Iterable[Observation], policy: Policy
) -> TriggerResult:
    """What `rule` says of the observations, which are in the order of time."""
    streams = _streams(rule, observations, policy)
    readings = [seen.judged.reading for stream in streams.values() for seen in stream]
    bad = readings.count(Reading.BAD)
    unobserved = readings.count(Reading.UNOBSERVED)
    total = len(readings) - unobserved
    blips = ""
    match rule.condition:
        case Consecutive(count=count):
            blips = _blips(streams)
            decided = worst(
                _consecutive(subject, stream, count) for subject, stream in streams.items()
            )
        case Sustained():
            decided = _sustained(rule, rule.condition, streams)
    return TriggerResult(
        name=rule.name,
        state=decided.state,
        action=rule.action,
        phrase=rule.phrase,
        why=decided.why,
        bad=bad,
        total=total,
        unobserved=unobserved,
        blips=blips,
    )


def undecided_subjects(policy: Policy, observations: Sequence[Observation]) -> set[str]:
    """The subjects of which one more look may fire or clear a consecutive trigger."""
    return {
        subject
        for rule in policy.triggers
        if isinstance(rule.condition, Consecutive)
        for subject, stream in _streams(rule, observations, policy).items()
        if _consecutive(subject, stream, rule.condition.count).state is TriggerState.SUSPECTED
    }


def _streams(
    rule: TriggerRule, observations: Iterable[Observation], policy: Policy
) -> Mapping[str, list[_Seen]]:
    """Each subject's readings by the rule's indicator."""
    streams: defaultdict[str, list[_Seen]] = defaultdict(list)
    for observation in observations:
        judged = read_indicator(rule.condition.indicator, observation, policy)
        if judged is not None:
            streams[observation.subject].append(_Seen(observation.at, judged))
    return streams


def _consecutive(subject: str, stream: Sequence[_Seen], count: int) -> Decided:
    """The n-th bad reading in a row fires; a good one resets, an unobserved one does neither."""
    streak = 0
    why = ""
    for _, judged in stream:
        if judged.reading is Reading.GOOD:
            streak = 0
        elif judged.reading is Reading.BAD:
            streak += 1
            why = judged.why
        if streak == count:
            return Decided(TriggerState.FIRED, f"{subject} failed {count} times in a row: {why}")
    if streak:
        return Decided(
            TriggerState.SUSPECTED,
            f"{subject} failed {streak} of {count} times in a row: {why}",
        )
    last = stream[-1].judged
    if last.reading is Reading.UNOBSERVED:
        return Decided(TriggerState.UNOBSERVED, f"{subject}: {last.why}")
    return Decided(TriggerState.CLEAR, "")


def _blips(streams: Mapping[str, Sequence[_Seen]]) -> str:
    """Subjects with a bad reading, each with how often and why."""
    failures = {
        subject: [judged for _, judged in stream if judged.reading is Reading.BAD]
        for subject, stream in streams.items()
    }
    return "; ".join(
        f"{subject} failed {len(bad)} of {len(streams[subject])} attempts: {bad[-1].why}"
        for subject, bad in failures.items()
        if bad
    )


def _sustained(
    rule: TriggerRule, condition: Sustained, streams: Mapping[str, Sequence[_Seen]]
) -> Decided:
    """Judge all subjects as one stream, or each by itself, of which the worst decides."""
    surely = SustainedRule(condition, rule.samples, rule.confidence)
    if rule.over is Over.ALL:
        return sustained(_readings(chain.from_iterable(streams.values())), surely)
    by_subject = {
        subject: sustained(_readings(stream), surely) for subject, stream in streams.items()
    }
    return worst(
        Decided(decided.state, f"{subject}: {decided.why}")
        for subject, decided in by_subject.items()
    )


def _readings(stream: Iterable[_Seen]) -> Iterable[tuple[datetime, Reading]]:
    return ((seen.at, seen.judged.reading) for seen in stream)
